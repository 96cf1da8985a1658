/* Between the lanes: who takes the floor from whom and how fast, who speaks over whom, who yields. */

import { drawFromAfar } from "./afar.js";
import { onStrip } from "./layout.js";
import { glyph } from "./pen.js";

/** Shade what both say at once, behind everything else. */
export function drawOverlaps({ pen, view, layout, marks, hit, far }) {
  if (far) return;
  const top = layout.rows["user wave"].top, bottom = layout.rows["agent wave"].bottom;
  const between = layout.rows.between;
  for (const mark of marks) {
    if (mark.kind !== "overlap" || mark.end < view.start || mark.start > view.end) continue;
    const x = view.x(mark.start), width = Math.max(1.5, view.x(mark.end) - x);
    pen.box(x, top, width, bottom - top, pen.colours.both, 0.13);
    if (width > 3) pen.hatch(x, between.top, width, between.height, pen.colours.both, 0.5);
    hit(x, between.top, x + width, between.bottom, mark.detail);
  }
}

/** Draw the marks of the band between the lanes and of the rows below. */
export function drawMarks(scene) {
  const { view, marks } = scene;
  const labels = new Labels(scene);
  const near = marks.filter(mark => mark.end >= view.start - 1 && mark.start <= view.end + 1);
  drawStrip(scene, near.filter(mark => onStrip(mark, scene.layout.rows)));
  if (scene.far) {
    drawFromAfar(scene, near);
    return;
  }
  for (const mark of near) if (mark.kind === "transfer") drawTransfer(scene, mark, labels);
  const bargeIns = near.filter(mark => mark.kind === "barge_in");
  for (const mark of bargeIns) drawBargeIn(scene, mark, labels);
  for (const mark of bargeIns) labelBargeIn(scene, mark, labels);
  for (const mark of near) {
    if (mark.kind === "backchannel" || mark.kind === "injected") drawSpoken(scene, mark);
    else if (onStrip(mark, scene.layout.rows)) continue;
    else if (mark.kind === "trouble") drawTrouble(scene, mark);
    else if (mark.kind === "line") drawOnLine(scene, mark);
  }
}

/** Keeps labels of one height from running into each other: the later one stays away. */
class Labels {
  constructor(scene) {
    this.scene = scene;
    this.taken = {};
  }

  of(row) { return this.taken[row] ??= []; }

  put(row, text, x, y, colour, align = "center") {
    const { pen, view } = this.scene, width = pen.width(text), pad = pen.rem * 0.3;
    const left = align === "center" ? x - width / 2 : x;
    const taken = this.of(row);
    const clear = taken.every(([from, to]) => left - pad > to || left + width + pad < from);
    if (!clear || left < view.left - width / 2 || left + width > view.right + width / 2) return false;
    taken.push([left, left + width]);
    pen.box(left - pad / 2, y - pen.rem * 0.78, width + pad, pen.rem * 1.04, pen.colours.card, 0.86, 4);
    pen.text(text, left, y, colour);
    return true;
  }
}

/** A floor transfer: a curve from where one lane falls silent to where the other begins. */
function drawTransfer({ pen, view, layout, hit }, mark, labels) {
  const { between } = layout.rows, context = pen.context;
  const toUser = mark.party === "user";
  const y0 = toUser ? between.bottom : between.top, y1 = toUser ? between.top : between.bottom;
  const x0 = view.x(mark.from), x1 = view.x(mark.to), colour = mark.ms < 0 ? pen.colours.both : pen.colours.quiet;
  context.strokeStyle = colour;
  context.lineWidth = mark.ms < 0 ? 2 : 1.4;
  context.beginPath();
  context.moveTo(x0, y0);
  context.bezierCurveTo(x0, (y0 + 2 * y1) / 3, x1, (2 * y0 + y1) / 3, x1, y1);
  context.stroke();
  const middle = (x0 + x1) / 2;
  pen.font(0.8, { weight: 600 });
  const label = (row, y) => labels.put(row, mark.label, middle, y + pen.rem * 0.28, pen.colours.ink);
  if (view.pxPerS > pen.rem * 0.9) label("fto", between.middle) || label("fto below", between.middle + pen.rem * 1.1);
  hit(Math.min(x0, x1) - 4, between.top, Math.max(x0, x1) + 4, between.bottom, mark.detail);
}

/** A barge-in: from its onset to where the other yields, or to where it does not. */
function drawBargeIn({ pen, view, layout, hit }, mark, labels) {
  const { between } = layout.rows, rem = pen.rem;
  const y = mark.party === "agent" ? between.bottom - rem * 0.75 : between.top + rem * 0.75;
  const x0 = view.x(mark.start), x1 = Math.max(x0 + 2, view.x(mark.end)), colour = pen.colours[mark.party] ?? pen.colours.ink;
  pen.line(x0, y, x1, y, colour, 2);
  pen.line(x1, y - rem * 0.35, x1, y + rem * 0.35, colour, 2);
  glyph(pen, "barge_in", x0, y, rem * 0.9, mark.party);
  labels.of(`barge ${mark.party}`).push([x0 - rem * 0.5, x1]);
  hit(x0 - rem * 0.5, y - rem * 0.6, x1 + rem * 0.3, y + rem * 0.6, mark.detail);
}

/** Say how it went: in full where there is room, else only the time. */
function labelBargeIn({ pen, view, layout }, mark, labels) {
  const { between } = layout.rows, rem = pen.rem;
  if (view.pxPerS < rem * 0.9) return;
  const y = (mark.party === "agent" ? between.bottom - rem * 0.75 : between.top + rem * 0.75) + rem * 0.28;
  const put = text => labels.put(`barge ${mark.party}`, text, view.x(mark.end) + rem * 0.7, y, pen.colours.ink, "left");
  pen.font(0.8);
  put(mark.label) || put(`${Math.round(mark.ms)} ms`);
}

/** Speech whose role is known: a sign on the speech bar of who said it. */
function drawSpoken({ pen, view, layout, hit }, mark) {
  const row = layout.rows[`${mark.party} speech`], rem = pen.rem;
  if (!row) return;
  const injected = mark.kind === "injected", size = rem * (injected ? 0.8 : 0.95);
  const x = injected ? view.x(mark.start) : (view.x(mark.start) + view.x(mark.end)) / 2;
  const away = mark.party === "user" ? 1 : -1;
  const y = injected ? row.middle - away * rem * 0.22 : row.middle + away * rem * 1.05;
  if (injected) pen.box(x - size * 0.55, y - size * 0.55, size * 1.1, size * 1.1, pen.colours.card, 1, size);
  glyph(pen, mark.kind, x, y, size, mark.party);
  hit(x - size, y - size, x + size, y + size, mark.detail);
}

/** Sound that was missed or late: a struck-out stretch of the waveform, with a sign on it. */
function drawTrouble({ pen, view, layout, hit }, mark) {
  const row = layout.rows[`${mark.party} wave`], x = view.x(mark.start), width = Math.max(2, view.x(mark.end) - x);
  pen.box(x, row.top, width, row.height, pen.colours.bad, 0.22);
  pen.hatch(x, row.top, width, row.height, pen.colours.bad, 0.6);
  const y = mark.party === "user" ? row.top + pen.rem * 0.5 : row.bottom - pen.rem * 0.5;
  glyph(pen, "trouble", x + width / 2, y, pen.rem * 0.95);
  hit(x - pen.rem * 0.4, row.top, x + width + pen.rem * 0.4, row.bottom, mark.detail);
}

/** What a line did, on its row: a box as long as it lasted. */
function drawOnLine({ pen, view, layout, hit }, mark) {
  const row = layout.rows[mark.party], rem = pen.rem, from = mark.party.slice(0, mark.party.indexOf("_"));
  const x = view.x(mark.start), width = Math.max(3, view.x(mark.end) - x);
  pen.box(x, row.top + rem * 0.15, width, rem * 1.15, pen.colours[from], 0.3, 3);
  pen.hatch(x, row.top + rem * 0.15, width, rem * 1.15, pen.colours[from], 0.5);
  hit(x - 2, row.top, x + width + 2, row.bottom, mark.detail);
}

/** Everything else, along the bottom: what lies too close together shares a sign and a count. */
function drawStrip({ pen, view, layout, hit }, marks) {
  const row = layout.rows.strip, rem = pen.rem, room = rem * 1.1;
  let i = 0;
  while (i < marks.length) {
    const x = view.x(marks[i].start);
    let j = i + 1;
    while (j < marks.length && view.x(marks[j].start) - x < room) j++;
    const group = marks.slice(i, j), next = j < marks.length ? view.x(marks[j].start) : view.right;
    i = j;
    if (x < view.left - 2) continue;
    glyph(pen, group[0].kind, x, row.middle, rem * 0.85, group[0].party);
    pen.font(0.78);
    const told = group.length > 1 ? `${group.length} events` : group[0].label.replaceAll("_", " ");
    const text = pen.fitted(told, next - x - rem * 1.3);
    pen.text(text, x + rem * 0.65, row.middle + rem * 0.27, pen.colours.quiet);
    const details = group.slice(0, 6).map(mark => mark.detail).join("\n") + (group.length > 6 ? "\n…" : "");
    hit(x - rem * 0.5, row.top, x + rem * 0.6 + pen.width(text), row.bottom, details);
  }
}
