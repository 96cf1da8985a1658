/* Paper: the whole session as staves, one below the other like a score, drawn when the page is about to be printed. */

import { layoutOf } from "./layout.js";
import { Pen } from "./pen.js";
import { colours } from "./theme.js";
import { drawScene } from "./timeline.js";
import { View } from "./view.js";
import { find, make } from "./data.js";

const WIDTH_PX = 1100, REM = 15, SCALE = 2;
const STAVE_S = 20, MOST_STAVES = 12;

/** Fill the sheet before printing and empty it afterwards. */
export function watchPrint(model, timeline) {
  window.addEventListener("beforeprint", () => fill(model, timeline));
  window.addEventListener("afterprint", () => find("sheet").replaceChildren());
}

function fill(model, timeline) {
  const root = document.documentElement, theme = root.dataset.theme;
  root.dataset.theme = "light";
  const ink = colours();
  if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
  const seconds = Math.max(STAVE_S, model.duration / MOST_STAVES);
  const staves = [];
  for (let start = 0; start < model.duration; start += seconds) staves.push(stave(model, timeline, ink, start, seconds));
  find("sheet").replaceChildren(...staves);
}

function stave(model, timeline, ink, start, seconds) {
  const layout = layoutOf(model, REM, WIDTH_PX, 480);
  const canvas = make("canvas", { width: WIDTH_PX * SCALE, height: layout.height * SCALE });
  const context = canvas.getContext("2d");
  context.scale(SCALE, SCALE);
  const view = new View(Math.max(model.duration, start + seconds));
  view.start = start;
  view.end = start + seconds;
  view.left = layout.gutter;
  view.right = WIDTH_PX;
  const pen = new Pen(context, ink, REM, timeline.pen.family);
  drawScene({ pen, view, layout, model, marks: timeline.marks, track: timeline.track, focus: null, hit: () => {} });
  return make("figure", {}, make("img", { src: canvas.toDataURL("image/png"), alt: `the session from ${start.toFixed(0)} s` }));
}
