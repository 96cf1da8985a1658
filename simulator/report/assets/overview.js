/* The overview: the whole session in one strip, with the stretch that is in view; drag it, or draw a new one. */

import { View } from "./view.js";

const EDGE_PX = 8;

export class Overview {
  constructor({ canvas, timeline, view, model, seek }) {
    Object.assign(this, { canvas, timeline, view, model, seek });
    this.whole = new View(model.duration);
    this.#watch();
  }

  draw() {
    const { canvas, model, view, whole, timeline } = this, { pen, scale, colours } = timeline;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    whole.left = 0;
    whole.right = width;
    context.fillStyle = colours.wash;
    context.fillRect(0, 0, width, height);
    for (const [party, middle] of [["user", height * 0.28], ["agent", height * 0.72]]) {
      model.waves[`${party} said`].draw(context, whole, { x0: 0, x1: width, middle, half: height * 0.22, colour: colours[party] });
    }
    context.fillStyle = colours.bad;
    for (const mark of timeline.marks) if (mark.kind === "trouble") context.fillRect(whole.x(mark.start) - 1, height - 3, 2, 3);
    const left = whole.x(view.start), right = whole.x(view.end);
    if (right - left < width - 1) {
      context.globalAlpha = 0.62;
      context.fillStyle = colours.card;
      context.fillRect(0, 0, left, height);
      context.fillRect(right, 0, width - right, height);
      context.globalAlpha = 1;
      context.strokeStyle = colours.quiet;
      context.lineWidth = 1.5;
      context.strokeRect(left + 0.75, 0.75, Math.max(3, right - left - 1.5), height - 1.5);
    }
    context.fillStyle = pen.colours.cursor;
    context.fillRect(whole.x(timeline.time) - 0.75, 0, 1.5, height);
  }

  #watch() {
    const { canvas, whole, view } = this;
    let grip = null;
    const time = event => whole.time(Math.min(whole.right, Math.max(0, event.clientX - canvas.getBoundingClientRect().left)));
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      const inside = view.holds(time(event)) && view.span < view.duration * 0.999;
      grip = { from: time(event), start: view.start, inside, moved: false, x: event.clientX };
    });
    canvas.addEventListener("pointermove", event => {
      if (!grip || !(grip.moved ||= Math.abs(event.clientX - grip.x) > EDGE_PX / 2)) return;
      const now = time(event);
      if (grip.inside) view.show(grip.start + now - grip.from, grip.start + now - grip.from + view.span);
      else view.show(Math.min(grip.from, now), Math.max(grip.from, now));
    });
    canvas.addEventListener("pointerup", event => {
      if (grip && !grip.moved) this.seek(time(event));
      grip = null;
    });
  }
}
