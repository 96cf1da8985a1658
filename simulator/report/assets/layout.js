/* Where everything lies, top to bottom: the user's lane, what happens between, the agent's lane mirrored below. */

import { PARTIES } from "./model.js";

const GUTTER_FROM_REM = 46;
const GUTTER_REM = 6.2;

/** Rows by name, each {top, height, middle, bottom} in pixels, and the width of the gutter that names them. */
export function layoutOf(model, rem, width, viewportHeight) {
  const rows = {};
  let y = 0;
  const row = (name, height) => {
    const pixels = Math.round(height);
    rows[name] = { top: y, height: pixels, middle: y + pixels / 2, bottom: y + pixels };
    y += pixels;
  };
  const wave = Math.min(10 * rem, Math.max(4.2 * rem, viewportHeight * 0.11));
  const understood = party => model.understood.some(item => item.party === party) ? 1.5 * rem : 0;
  row("ruler", 1.5 * rem);
  row("user understood", understood("user"));
  row("user words", 4 * rem);
  row("user wave", wave);
  row("user speech", 0.75 * rem);
  row("between", 5.6 * rem);
  row("agent speech", 0.75 * rem);
  row("agent wave", wave);
  row("agent words", 4 * rem);
  row("agent understood", understood("agent"));
  for (const line of ["user_to_agent", "agent_to_user"]) row(line, model.lines[line].length ? 1.5 * rem : 0);
  row("strip", model.marks.some(mark => onStrip(mark, rows)) ? 1.5 * rem : 0);
  return { rows, height: y, gutter: width >= GUTTER_FROM_REM * rem ? GUTTER_REM * rem : 0, rem, width };
}

/** Whether a mark has no better place than the strip at the bottom. */
export function onStrip(mark, rows) {
  if (mark.kind === "line") return !rows[mark.party]?.height;
  return mark.kind === "other" || mark.kind === "decided" || (mark.kind === "trouble" && !PARTIES.includes(mark.party));
}
