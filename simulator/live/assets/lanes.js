/* Both lanes of the last seconds, drawn as they come: user above, agent below, marks between them. */

const TICK_S = 0.02, AHEAD_S = 0.4, LAG_S = 0.15;
const MARK_NAMES = { transfer: "", overlap: "overlap", backchannel: "backchannel", barge_in: "barge-in" };

/** Make the drawing. `colours()`: the style sheet's, by name. */
export function makeLanes(canvas, colours) {
  const peaks = { user: [], agent: [] }, speaking = { user: [], agent: [] };
  const marks = new Map(), words = new Map();
  let ink = colours(), last = 0, told = 0, running = false, drawn = 0;

  function now() { return running ? Math.min(last + (performance.now() - told) / 1000 - LAG_S, last) : last; }

  function draw() {
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const span = Math.max(7, Math.min(24, width / (3.4 * rem))), end = Math.max(now(), span - AHEAD_S) + AHEAD_S, start = end - span;
    const scene = { pen, ink, rem, width, height, start, end, x: s => ((s - start) / span) * width, middle: height / 2, band: rem * 2.4 };
    drawGrid(scene);
    drawOverlaps(scene);
    for (const party of ["user", "agent"]) drawWave(scene, party);
    drawWords(scene);
    drawMarks(scene);
    drawNames(scene);
  }

  function drawGrid({ pen, ink, rem, start, end, x, height }) {
    pen.strokeStyle = ink.hair;
    pen.fillStyle = ink.quiet;
    pen.font = `${0.72 * rem}px sans-serif`;
    const every = end - start > 14 ? 5 : 2;
    for (let s = Math.ceil(start / every) * every; s < end; s += every) {
      if (s < 0) continue;
      pen.beginPath();
      pen.moveTo(x(s), 0);
      pen.lineTo(x(s), height);
      pen.stroke();
      pen.fillText(`${s} s`, x(s) + 3, height - 4);
    }
  }

  function drawOverlaps({ pen, ink, start, end, x, middle, band }) {
    pen.fillStyle = ink.both;
    pen.globalAlpha = 0.2;
    const half = middle - band / 2;
    for (let i = Math.max(0, Math.floor(start / TICK_S)); i < Math.min(peaks.user.length, end / TICK_S); i++) {
      if (speaking.user[i] && speaking.agent[i]) pen.fillRect(x(i * TICK_S), middle - half * 0.8, x(TICK_S) - x(0) + 0.6, half * 1.6);
    }
    pen.globalAlpha = 1;
  }

  function drawWave({ pen, ink, start, end, x, middle, band, rem }, party) {
    const room = middle - band / 2 - rem * 1.7, base = party === "user" ? middle - band / 2 : middle + band / 2;
    const sign = party === "user" ? -1 : 1, step = x(TICK_S) - x(0);
    pen.fillStyle = ink[party];
    const list = peaks[party];
    for (let i = Math.max(0, Math.floor(start / TICK_S)); i < Math.min(list.length, Math.ceil(end / TICK_S)); i++) {
      const tall = Math.max(0.6, room * Math.pow(list[i] / 100, 0.6));
      pen.globalAlpha = speaking[party][i] ? 1 : 0.42;
      pen.fillRect(x(i * TICK_S), base, Math.max(1, step - 0.4), sign * tall);
    }
    pen.globalAlpha = 1;
  }

  function drawWords({ pen, ink, rem, start, end, x, height }) {
    const right = { user: -Infinity, agent: -Infinity };
    for (const said of words.values()) {
      if (said.at > end || (said.end ?? said.at + 30) < start) continue;
      pen.font = `${said.source === "truth" ? "" : "italic "}${0.86 * rem}px sans-serif`;
      pen.fillStyle = said.source === "truth" ? ink.ink : ink.quiet;
      const y = said.party === "user" ? rem * 1.05 : height - rem * 1.15;
      for (const [text, at] of shownWords(said, end)) {
        const left = Math.max(x(at), right[said.party]);
        pen.fillText(text, left, y);
        right[said.party] = left + pen.measureText(text).width + 0.3 * rem;
      }
    }
  }

  function shownWords(said, end) {
    if (!said.words.length) return [[said.text, said.at]];
    return said.words.filter(([, at]) => at < Math.min(end - AHEAD_S, said.cutAt ?? Infinity));
  }

  function drawMarks({ pen, ink, rem, start, end, x, middle, band, width }) {
    let free = -Infinity;
    pen.strokeStyle = ink.hair;
    pen.strokeRect(-1, middle - band / 2, width + 2, band);
    for (const mark of marks.values()) {
      if (mark.end < start - 4 || mark.start > end) continue;
      const left = x(mark.start), right = Math.max(x(mark.end), left + 2);
      pen.fillStyle = mark.kind === "transfer" ? ink.quiet : ink.both;
      pen.fillRect(left, middle - band / 2 + 1, right - left, 3);
      pen.font = `${mark.kind === "transfer" ? "" : "600 "}${0.8 * rem}px sans-serif`;
      const label = labelOf(mark), place = Math.max(left, free);
      pen.fillText(label, place, middle + 0.45 * rem);
      free = place + pen.measureText(label).width + 0.8 * rem;
    }
  }

  function drawNames({ pen, ink, rem, middle, band }) {
    pen.font = `600 ${0.8 * rem}px sans-serif`;
    for (const [party, y] of [["user", middle - band / 2 - 0.35 * rem], ["agent", middle + band / 2 + 0.95 * rem]]) {
      const wide = pen.measureText(party).width;
      pen.fillStyle = ink.card;
      pen.globalAlpha = 0.8;
      pen.fillRect(0, y - 0.8 * rem, wide + 8, 1.05 * rem);
      pen.globalAlpha = 1;
      pen.fillStyle = ink[party];
      pen.fillText(party, 4, y);
    }
  }

  (function loop() {
    requestAnimationFrame(loop);
    if (performance.now() - drawn < 30) return;
    drawn = performance.now();
    draw();
  })();

  return {
    recolour: () => { ink = colours(); },
    add(strip) {
      const first = Math.round(strip.at / TICK_S);
      for (const party of ["user", "agent"]) strip[party].forEach((peak, i) => {
        peaks[party][first + i] = peak;
        speaking[party][first + i] = strip.speaking[party];
      });
      last = strip.at + strip.user.length * TICK_S;
      told = performance.now();
      running = true;
    },
    mark: mark => { if (mark.withdrawn) marks.delete(mark.id); else marks.set(mark.id, mark); },
    words: said => { words.set(said.id ?? `asr ${said.party} ${said.at}`, said); },
    cut(id, at) { const said = words.get(id); if (said) Object.assign(said, { end: at, cutAt: at }); },
    stop: () => { running = false; },
    get seconds() { return last; },
  };
}

/** What a mark says in words. */
export function labelOf(mark) {
  if (mark.kind === "transfer") return `${mark.ms >= 0 ? "+" : "−"}${Math.abs(mark.ms)} ms`;
  if (mark.kind === "barge_in") return `barge-in, ${mark.outcome}${mark.outcome === "yielded" ? ` in ${mark.ms} ms` : ""}`;
  return MARK_NAMES[mark.kind];
}
