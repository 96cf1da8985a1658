/* The legend: what the signs mean, how many there are, and the switch of each kind. */

import { find, make } from "./data.js";
import { KINDS } from "./model.js";
import { Pen, glyph } from "./pen.js";

const TOO_MANY = 60;  // `other` events that would drown the rest are off at first

/** Fill the legend; `changed` is called when a kind is shown or hidden. */
export function fillLegend(timeline, changed) {
  for (const { kind, name } of KINDS) {
    const count = timeline.model.marks.filter(mark => mark.kind === kind).length;
    if (kind === "other" && count > TOO_MANY) timeline.hidden.add(kind);
    if (count) find("kinds").append(switchOf(timeline, kind, name, count, changed));
  }
  drawSigns(timeline);
}

function switchOf(timeline, kind, name, count, changed) {
  const { hidden } = timeline;
  const button = make("button", { type: "button", class: "plain", "data-kind": kind, "aria-pressed": !hidden.has(kind) ? "true" : "false" },
    make("canvas"), make("span", { text: name }), make("span", { class: "count", text: count }));
  button.addEventListener("click", () => {
    if (!hidden.delete(kind)) hidden.add(kind);
    button.setAttribute("aria-pressed", String(!hidden.has(kind)));
    changed();
  });
  return button;
}

/** Draw the signs in the colours of the day; after a change of theme once more. */
export function drawSigns(timeline) {
  for (const button of document.querySelectorAll("#kinds button")) {
    const canvas = button.querySelector("canvas"), size = timeline.layout.rem * 1.15;
    canvas.width = canvas.height = Math.round(size * 2);
    const pen = new Pen(canvas.getContext("2d"), timeline.colours, timeline.layout.rem, timeline.pen.family);
    pen.context.scale(2, 2);
    glyph(pen, button.dataset.kind, size / 2, size / 2, size * 0.78, "");
  }
}
