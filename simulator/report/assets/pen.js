/* Drawing what all rows need: text that fits, small shapes, hatching. */

/** A pen over a canvas context: the colours, the root font size, and text measured once. */
export class Pen {
  constructor(context, colours, rem, family) {
    this.context = context;
    this.colours = colours;
    this.rem = rem;
    this.family = family;
    this.widths = new Map();
  }

  font(size, { italic = false, weight = 400 } = {}) {
    this.context.font = `${italic ? "italic " : ""}${weight} ${(size * this.rem).toFixed(1)}px ${this.family}`;
  }

  width(text) {
    const key = this.context.font + text;
    let width = this.widths.get(key);
    if (width === undefined) {
      width = this.context.measureText(text).width;
      if (this.widths.size > 20000) this.widths.clear();
      this.widths.set(key, width);
    }
    return width;
  }

  /** The text, or as much of its beginning as fits with an ellipsis, or nothing. */
  fitted(text, room) {
    if (this.width(text) <= room) return text;
    let low = 0, high = text.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.width(text.slice(0, middle) + "…") <= room) low = middle; else high = middle - 1;
    }
    return low > 1 ? text.slice(0, low).trimEnd() + "…" : "";
  }

  /** Words broken into at most `most` lines of a width; the last one ends with an ellipsis when there is more. */
  wrapped(words, room, most) {
    const lines = [];
    let line = "";
    for (const word of words) {
      const longer = line ? `${line} ${word}` : word;
      if (!line || this.width(longer) <= room) { line = longer; continue; }
      lines.push(line);
      line = word;
      if (lines.length === most) break;
    }
    if (lines.length < most) { lines.push(line); line = ""; }
    if (line) lines[most - 1] = this.fitted(`${lines[most - 1]} ${line} `, room);
    return lines.map(text => this.fitted(text, room));
  }

  text(text, x, y, colour, align = "left") {
    this.context.textAlign = align;
    this.context.fillStyle = colour;
    this.context.fillText(text, x, y);
  }

  line(x0, y0, x1, y1, colour, width = 1, dash = []) {
    const context = this.context;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
    context.setLineDash([]);
  }

  box(x, y, width, height, colour, alpha = 1, round = 0) {
    const context = this.context;
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    context.beginPath();
    context.roundRect(x, y, Math.max(width, 1), height, Math.min(round, width / 2));
    context.fill();
    context.globalAlpha = 1;
  }

  /** Slanted lines in a box: the second sign, beside colour, that two speak at once. */
  hatch(x, y, width, height, colour, alpha) {
    const context = this.context, step = this.rem * 0.45;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.beginPath();
    for (let d = Math.floor((x - height) / step) * step; d < x + width; d += step) {
      context.moveTo(d, y + height);
      context.lineTo(d + height, y);
    }
    context.stroke();
    context.restore();
  }
}

/** The sign of a kind of mark around (x, y), `size` pixels: shapes differ, so colour is never needed. */
export function glyph(pen, kind, x, y, size, party) {
  const { context, colours } = pen, r = size / 2;
  const ink = party === "user" || party === "agent" ? colours[party] : colours.quiet;
  const poly = (colour, ...points) => {
    context.fillStyle = colour;
    context.beginPath();
    points.forEach(([dx, dy], i) => i ? context.lineTo(x + dx * r, y + dy * r) : context.moveTo(x + dx * r, y + dy * r));
    context.closePath();
    context.fill();
  };
  context.lineWidth = Math.max(1.4, size * 0.12);
  if (kind === "transfer") {
    context.strokeStyle = colours.quiet;
    context.beginPath();
    context.moveTo(x - r * 0.7, y - r);
    context.bezierCurveTo(x - r * 0.7, y + r * 0.2, x + r * 0.7, y - r * 0.2, x + r * 0.7, y + r);
    context.stroke();
  } else if (kind === "overlap") {
    pen.box(x - r, y - r, size, size, colours.both, 0.2);
    pen.hatch(x - r, y - r, size, size, colours.both, 0.9);
  } else if (kind === "barge_in") {
    const down = party === "agent" ? -1 : 1;
    poly(ink, [-0.9, -0.75 * down], [0.9, -0.75 * down], [0, 0.85 * down]);
  } else if (kind === "backchannel") {
    context.strokeStyle = ink;
    context.beginPath();
    context.arc(x, y, r * 0.72, 0, 7);
    context.stroke();
    context.fillStyle = ink;
    context.beginPath();
    context.arc(x, y, r * 0.26, 0, 7);
    context.fill();
  } else if (kind === "injected") {
    poly(ink, [0, -1], [0.85, 0], [0, 1], [-0.85, 0]);
  } else if (kind === "decided") {
    context.fillStyle = ink;
    context.beginPath();
    context.arc(x, y, r * 0.4, 0, 7);
    context.fill();
  } else if (kind === "trouble") {
    poly(colours.bad, [0, -0.9], [0.95, 0.75], [-0.95, 0.75]);
    pen.box(x - r * 0.1, y - r * 0.35, r * 0.22, r * 0.6, colours.card);
    pen.box(x - r * 0.1, y + r * 0.4, r * 0.22, r * 0.2, colours.card);
  } else if (kind === "line") {
    context.strokeStyle = ink;
    context.beginPath();
    for (let i = 0; i <= 8; i++) context.lineTo(x - r + i * r / 4, y + (i % 2 ? r : -r) * 0.5);
    context.stroke();
  } else {
    context.strokeStyle = ink;
    context.strokeRect(x - r * 0.55, y - r * 0.55, r * 1.1, r * 1.1);
  }
}
