/* Minutes at a glance: where curves would run into a wall, every turn change is a dot, as high as its offset. */

import { glyph } from "./pen.js";

const LOW_MS = -1000, HIGH_MS = 2000;
const FAR_REM_PER_S = 0.3;

/** Whether a view shows so much that single turns cannot be told apart. */
export function isFar(view, rem) { return view.pxPerS < FAR_REM_PER_S * rem; }

/** Draw the marks of a far view: offsets as dots around a line at 0 ms, signs of the rest where there is room. */
export function drawFromAfar(scene, marks) {
  const { pen, view, layout, hit } = scene, { between } = layout.rows, rem = pen.rem;
  const zero = height(0, between);
  pen.line(view.left, zero, view.right, zero, pen.colours.quiet, 1, [3, 3]);
  for (const mark of marks) {
    if (mark.kind !== "transfer") continue;
    const x = view.x(mark.to), y = height(mark.ms, between);
    dot(pen, x, y, rem * 0.16, mark.ms < 0 ? pen.colours.both : pen.colours[mark.party]);
    hit(x - 3, y - 3, x + 3, y + 3, mark.detail);
  }
  const last = {};
  for (const mark of marks) {
    if (!["barge_in", "trouble"].includes(mark.kind) || !layout.rows[`${mark.party} wave`]) continue;
    const key = `${mark.kind} ${mark.party}`, x = view.x(mark.start);
    if (x - (last[key] ?? -Infinity) < rem * 0.9) continue;
    last[key] = x;
    const row = layout.rows[mark.kind === "barge_in" ? `${mark.party} speech` : `${mark.party} wave`];
    const y = mark.kind === "barge_in" ? row.middle : mark.party === "user" ? row.top + rem * 0.4 : row.bottom - rem * 0.4;
    glyph(pen, mark.kind, x, y, rem * 0.75, mark.party);
    hit(x - rem * 0.4, y - rem * 0.4, x + rem * 0.4, y + rem * 0.4, mark.detail);
  }
}

/** Name the heights of the dots, in the gutter. */
export function nameHeights(pen, between) {
  for (const [ms, name] of [[0, "fto 0"], [1000, "+1 s"]]) pen.text(name, 2, height(ms, between) + pen.rem * 0.26, pen.colours.quiet);
}

function height(ms, row) {
  const share = (Math.min(HIGH_MS, Math.max(LOW_MS, ms)) - LOW_MS) / (HIGH_MS - LOW_MS);
  return row.bottom - 4 - share * (row.height - 8);
}

function dot(pen, x, y, radius, colour) {
  const context = pen.context;
  context.globalAlpha = 0.75;
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
  context.globalAlpha = 1;
}
