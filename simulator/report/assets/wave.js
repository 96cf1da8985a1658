/* A waveform: peaks at several finenesses, drawn as an outer shape (the largest) around an inner one (the mean). */

const COARSER = 4;
const BEND = 0.75;  // heights are drawn to this power: quiet speech stays visible beside loud vowels

export class Wave {
  /** peaks: Uint8Array, 0..127 of the session's loudest; perSecond: how many a second. */
  constructor(peaks, perSecond) {
    this.levels = [{ top: peaks, mean: peaks, perSecond }];
    while (this.levels[this.levels.length - 1].top.length > 2000) this.levels.push(coarser(this.levels[this.levels.length - 1]));
  }

  /** Fill the shape between x0 and x1 around the line y = middle, `half` pixels high to each side. */
  draw(context, view, { x0, x1, middle, half, colour, strength = 1 }) {
    const level = this.#levelFor(1 / view.pxPerS);
    context.fillStyle = colour;
    for (const [values, alpha] of [[level.top, 0.34], [level.mean, 0.8]]) {
      context.globalAlpha = alpha * strength;
      context.fill(outline(values, level.perSecond, view, x0, x1, middle, half));
    }
    context.globalAlpha = 1;
  }

  #levelFor(secondsPerPixel) {
    let chosen = this.levels[0];
    for (const level of this.levels) if (secondsPerPixel * level.perSecond >= 2) chosen = level;
    return chosen;
  }
}

function coarser({ top, mean, perSecond }) {
  const length = Math.ceil(top.length / COARSER);
  const tops = new Uint8Array(length), means = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    let highest = 0, sum = 0, count = 0;
    for (let j = i * COARSER; j < Math.min(top.length, (i + 1) * COARSER); j++) {
      if (top[j] > highest) highest = top[j];
      sum += mean[j];
      count++;
    }
    tops[i] = highest;
    means[i] = sum / count;
  }
  return { top: tops, mean: means, perSecond: perSecond / COARSER };
}

function outline(values, perSecond, view, x0, x1, middle, half) {
  const upper = new Path2D();
  const points = [];
  const step = Math.max(1, view.pxPerS / perSecond);
  for (let x = x0; x <= x1 + step; x += step) {
    const from = Math.max(0, Math.floor(view.time(x) * perSecond));
    const to = Math.max(from + 1, Math.floor(view.time(x + step) * perSecond));
    let height = 0;
    for (let i = from; i < to && i < values.length; i++) if (values[i] > height) height = values[i];
    points.push([Math.min(x, x1), Math.max(0.4, (height / 127) ** BEND * half)]);
  }
  upper.moveTo(x0, middle);
  for (const [x, height] of points) upper.lineTo(x, middle - height);
  for (const [x, height] of points.reverse()) upper.lineTo(x, middle + height);
  upper.closePath();
  return upper;
}
