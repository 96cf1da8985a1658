/* Walking through the evidence of a score: where in the session its number comes from. */

import { find } from "./data.js";
import { clock } from "./times.js";

export class Walk {
  /** go(item): bring a stretch of evidence into sight and put the cursor on it, or let go of it (null). */
  constructor({ evidence, go }) {
    Object.assign(this, { evidence, go });
    this.metric = null;
    this.index = 0;
    for (const button of document.querySelectorAll("[data-metric]")) {
      button.addEventListener("click", () => this.start(button.dataset.metric));
      watchCard(button);
    }
    find("back").addEventListener("click", () => this.step(-1));
    find("on").addEventListener("click", () => this.step(1));
    find("leave").addEventListener("click", () => this.leave());
  }

  /** Begin at a metric's first evidence; once more on the same metric goes on to the next. */
  start(metric) {
    if (metric === this.metric) { this.step(1); return; }
    const items = this.evidence[metric];
    if (!items?.length) return;
    this.metric = metric;
    this.index = 0;
    this.#show();
  }

  step(by) {
    const items = this.evidence[this.metric];
    if (!items) return;
    this.index = (this.index + by + items.length) % items.length;
    this.#show();
  }

  leave() {
    this.metric = null;
    find("walk").hidden = true;
    this.#mark();
    this.go(null);
  }

  #show() {
    const items = this.evidence[this.metric], item = items[this.index];
    const button = document.querySelector(`.score[data-metric="${CSS.escape(this.metric)}"]`);
    const unit = button?.querySelector(".unit")?.textContent ?? "";
    const measured = typeof item.value === "number" && unit ? `${Number(item.value.toPrecision(3))} ${unit}` : "";
    const parts = [`${this.index + 1} of ${items.length}`, clock(item.start, 2), item.party, item.label, measured];
    find("walked").textContent = parts.filter(Boolean).join(" · ");
    find("walk").hidden = false;
    button?.closest("details")?.setAttribute("open", "");
    this.#mark();
    this.go(item);
  }

  #mark() {
    for (const button of document.querySelectorAll(".score")) {
      if (button.dataset.metric === this.metric) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }
}

/** Keep a metric's definition inside the window, and let escape put it away. */
function watchCard(button) {
  const card = button.nextElementSibling;
  if (!card?.classList.contains("card")) return;
  const place = () => {
    card.style.translate = "";
    const below = card.getBoundingClientRect().bottom - window.innerHeight + 8;
    if (below > 0) card.style.translate = `0 ${-below}px`;
  };
  button.addEventListener("pointerenter", place);
  button.addEventListener("focus", place);
  button.addEventListener("keydown", event => { if (event.key === "Escape") button.classList.add("dismissed"); });
  button.addEventListener("click", () => button.classList.add("dismissed"));
  button.addEventListener("pointerleave", () => button.classList.remove("dismissed"));
}
