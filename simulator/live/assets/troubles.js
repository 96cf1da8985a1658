/* Troubles of the line in words for guests, one at a time; all of them, counted, behind a fold. */

import { at, element } from "./parts.js";

const STAYS_MS = 6000;
const WORDS = {
  underrun: (who, time) => `the line was late by ${time}: silence was heard${who === "line" ? "" : ` from the ${who}`}`,
  late: (who, time) => `${time} of ${who === "line" ? "sound" : `the ${who}'s sound`} came too late and was left out`,
};
const seen = new Map();
let fading = 0;

/** Say what happened, and count it. */
export function showTrouble({ what, party, ms }) {
  const words = WORDS[what] ?? ((who, time) => `${what} of the ${who}: ${time}`);
  const name = `${what} ${party}`, known = seen.get(name) ?? { count: 0, worst: 0, words, party };
  seen.set(name, { ...known, count: known.count + 1, worst: Math.max(known.worst, ms) });
  at("trouble").textContent = words(party, seconds(ms));
  clearTimeout(fading);
  fading = setTimeout(() => { at("trouble").textContent = ""; }, STAYS_MS);
  const all = at("troubled"), total = [...seen.values()].reduce((sum, item) => sum + item.count, 0);
  all.hidden = false;
  all.querySelector("summary").textContent = total === 1 ? "one trouble on the line" : `${total} troubles on the line`;
  all.querySelector("ul").replaceChildren(...[...seen.values()].map(({ count, worst, words: tell, party: who }) =>
    element("li", "", count === 1 ? tell(who, seconds(worst)) : `${count} times; at worst ${tell(who, seconds(worst))}`)));
}

function seconds(ms) { return ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`; }
