/* The buttons that put a sound into somebody's mouth, and their keys. */

import { at, element } from "./parts.js";

/** Show them by mouth. own: the party that sits here, or null. press(key): what a button or its key does. */
export function showButtons(buttons, own, press) {
  for (const party of ["user", "agent"]) {
    const theirs = buttons.filter(button => button.party === party);
    if (!theirs.length) continue;
    const group = element("fieldset", "mouth"), holder = element("div", "");
    holder.append(...theirs.map(button => made(button, press)));
    group.append(element("legend", "", party === own ? "In your mouth" : `In the ${party}'s mouth`), holder);
    at("mouths").append(group);
  }
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (buttons.some(button => button.key === event.key)) press(event.key);
  });
}

export function enable(on) {
  for (const button of document.querySelectorAll(".say")) button.disabled = !on;
}

export function flash(key) {
  const button = document.querySelector(`.say[data-key="${CSS.escape(key)}"]`);
  button?.classList.add("fired");
  setTimeout(() => button?.classList.remove("fired"), 600);
}

function made({ key, label }, press) {
  const button = element("button", "say", label), capital = key.length === 1 && key !== key.toLowerCase();
  button.type = "button";
  button.disabled = true;
  button.dataset.key = key;
  button.append(element("kbd", "", capital ? `⇧ ${key.toLowerCase()}` : key));
  button.addEventListener("click", () => press(key));
  return button;
}
