/* Search in what was said: turns that do not hold it step back, and enter goes from one that does to the next. */

import { find } from "./data.js";

/** Listen to the field; `turns` and `rows` go together, go(time) shows a moment. */
export function watchSearch({ turns, rows, said, go }) {
  const field = find("search"), count = find("found");
  let hits = [], at = -1;
  const look = () => {
    const wanted = plain(field.value);
    hits = [];
    turns.forEach((turn, i) => {
      const held = !wanted || plain(`${said(turn)} ${turn.understood.map(item => item.text).join(" ")}`).includes(wanted);
      rows[i].classList.toggle("aside", !held);
      if (wanted && held) hits.push(i);
    });
    at = -1;
    count.textContent = wanted ? `${hits.length} of ${turns.length}` : "";
  };
  field.addEventListener("input", look);
  field.addEventListener("keydown", event => {
    if (event.key === "Escape") {
      field.value = "";
      look();
      field.blur();
    } else if (event.key === "Enter" && hits.length) {
      at = (at + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
      rows[hits[at]].scrollIntoView({ block: "nearest" });
      go(turns[hits[at]].start);
    } else return;
    event.preventDefault();
  });
}

/** Letters and digits alone, in lower case, one space between words. */
function plain(text) { return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim(); }
