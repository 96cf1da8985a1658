/* The time line: one canvas with both lanes and what lies between, redrawn only when the view changes.
   The cursor is an element of its own that moves over it, so playing costs no drawing. */

import { isFar, nameHeights } from "./afar.js";
import { drawMarks, drawOverlaps } from "./between.js";
import { drawLane, sourceName } from "./lanes.js";
import { layoutOf } from "./layout.js";
import { Pen } from "./pen.js";
import { clock, tickStep } from "./times.js";
import { colours } from "./theme.js";

const MOST_PIXELS = 2;  // device pixels per pixel: more costs drawing and shows nothing

export class Timeline {
  constructor({ canvas, cursor, model, view }) {
    Object.assign(this, { canvas, cursor, model, view });
    this.track = "said";
    this.hidden = new Set();
    this.focus = null;
    this.hits = [];
    this.time = 0;
    this.restyle();
  }

  /** Read colours and font anew; after a change of theme. */
  restyle() {
    this.colours = colours();
    this.resize();
  }

  /** Fit the canvas to its element; after a change of size. */
  resize() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const width = this.canvas.parentElement.clientWidth;
    this.layout = layoutOf(this.model, rem, width, window.innerHeight);
    this.scale = Math.min(MOST_PIXELS, window.devicePixelRatio || 1);
    this.canvas.width = Math.round(width * this.scale);
    this.canvas.height = Math.round(this.layout.height * this.scale);
    this.canvas.style.height = `${this.layout.height}px`;
    this.pen = new Pen(this.canvas.getContext("2d"), this.colours, rem, getComputedStyle(document.body).fontFamily);
    this.view.left = this.layout.gutter;
    this.view.right = width;
    this.draw();
  }

  /** Marks that are to be seen. */
  get marks() { return this.model.marks.filter(mark => !this.hidden.has(mark.kind)); }

  /** Ask for a redraw with the next frame. */
  draw() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.paint();
    });
  }

  paint() {
    this.hits = [];
    const hit = (x0, y0, x1, y1, text) => this.hits.push({ x0, y0, x1, y1, text });
    const context = this.pen.context;
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    drawScene({ pen: this.pen, view: this.view, layout: this.layout, model: this.model, marks: this.marks, track: this.track, focus: this.focus, hit });
    this.place(this.time);
  }

  /** Put the cursor at a moment. */
  place(time) {
    this.time = time;
    const inside = this.view.holds(time);
    this.cursor.style.opacity = inside ? 1 : 0;
    if (inside) this.cursor.style.transform = `translateX(${this.view.x(time)}px)`;
  }

  /** What lies at a place of the canvas, in words, or nothing; what was drawn last lies on top. */
  told(x, y) {
    return this.hits.findLast(hit => x >= hit.x0 && x <= hit.x1 && y >= hit.y0 && y <= hit.y1)?.text;
  }
}

/** Draw everything once; also used for paper, with a view, a layout and a pen of its own. */
export function drawScene(given) {
  const { pen, view, layout } = given, context = pen.context;
  const scene = { ...given, far: isFar(view, pen.rem) };
  context.clearRect(0, 0, layout.width, layout.height);
  context.save();
  drawRuler(scene);
  context.beginPath();
  context.rect(view.left, 0, view.right - view.left, layout.height);
  context.clip();
  drawFocus(scene);
  drawOverlaps(scene);
  drawLane(scene, "user");
  drawLane(scene, "agent");
  drawLines(scene);
  drawMarks(scene);
  context.restore();
  drawGutter(scene);
}

function drawRuler({ pen, view, layout }) {
  const { ruler } = layout.rows, rem = pen.rem;
  const { step, digits } = tickStep(rem * 4.5 / view.pxPerS);
  pen.font(0.78);
  for (let time = Math.ceil(view.start / step) * step; time <= view.end; time += step) {
    const x = Math.round(view.x(time)) + 0.5;
    pen.line(x, ruler.bottom - rem * 0.2, x, layout.height, pen.colours.hair);
    if (x + rem * 2.5 < view.right) pen.text(clock(time, digits), x + 3, ruler.bottom - rem * 0.45, pen.colours.quiet);
  }
}

function drawFocus({ pen, view, layout, focus }) {
  if (!focus) return;
  const x = view.x(focus.start), width = Math.max(3, view.x(focus.end) - x);
  const top = layout.rows.ruler.bottom - pen.rem * 0.2;
  pen.box(x, top, width, layout.height - top, pen.colours.focus, 0.12);
  pen.line(x, top, x, layout.height, pen.colours.focus, 1.5);
  pen.line(x + width, top, x + width, layout.height, pen.colours.focus, 1.5);
}

/** The channels of each line, as a bar below the lanes: they work from the first sample to the last. */
function drawLines({ pen, view, layout, model, hit }) {
  for (const [name, channels] of Object.entries(model.lines)) {
    const row = layout.rows[name], rem = pen.rem;
    if (!row.height) continue;
    const from = name.slice(0, name.indexOf("_")), x = Math.max(view.left, view.x(0));
    const words = `${name.replaceAll("_", " ").replace(" to ", " → ")}: ${channels.join(" → ")}`;
    pen.box(x, row.top + rem * 0.15, view.x(model.duration) - x, rem * 1.15, pen.colours[from], 0.08, 4);
    pen.font(0.78);
    pen.text(pen.fitted(words, view.right - x - rem), x + rem * 0.4, row.middle + rem * 0.25, pen.colours.quiet);
    hit(x, row.top, view.right, row.bottom, words);
  }
}

/** Names of the rows: left of the lanes where there is room, else small inside them. */
function drawGutter({ pen, view, layout, model, track, far }) {
  const { rows, gutter } = layout, rem = pen.rem;
  for (const party of ["user", "agent"]) {
    const wave = rows[`${party} wave`];
    pen.font(0.95, { weight: 650 });
    if (!gutter) {
      pen.box(view.left, wave.top, pen.width(party) + 8, rem * 1.2, pen.colours.card, 0.75, 4);
      pen.text(party, view.left + 4, wave.top + rem * 0.95, pen.colours[party]);
      continue;
    }
    pen.text(party, 2, wave.middle + rem * (track === "heard" ? 0 : 0.3), pen.colours[party]);
    pen.font(0.76);
    if (track === "heard") pen.text("as heard", 2, wave.middle + rem * 1.05, pen.colours.quiet);
    if (far) continue;
    const sources = [...new Set(model.lanes[party].words.map(word => word.source))].map(sourceName);
    const words = rows[`${party} words`];
    if (sources.length) pen.text(pen.fitted(sources.join(", "), gutter - 8), 2, party === "user" ? words.bottom - rem * 0.55 : words.top + rem * 1.3, pen.colours.quiet);
    const understood = rows[`${party} understood`];
    if (understood.height) pen.text("taken for", 2, understood.bottom - rem * 0.5, pen.colours.quiet);
  }
  if (!gutter) return;
  pen.font(0.76);
  if (far) nameHeights(pen, rows.between);
  else pen.text("between", 2, rows.between.middle + rem * 0.28, pen.colours.quiet);
  if (rows.user_to_agent.height || rows.agent_to_user.height) pen.text("line", 2, (rows.user_to_agent.height ? rows.user_to_agent : rows.agent_to_user).middle + rem * 0.25, pen.colours.quiet);
  if (rows.strip.height) pen.text("also", 2, rows.strip.middle + rem * 0.27, pen.colours.quiet);
}
