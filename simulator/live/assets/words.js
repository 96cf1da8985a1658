/* What was said, the latest first: known words as planned, heard ones as recognised. */

import { at, clock, element } from "./parts.js";

const planned = new Map();

export function showWords(said) {
  if (!said.text && !said.words.length && said.role !== "recording") return;
  const list = at("said");
  list.querySelector(":scope > p")?.remove();
  const turn = element("article", `turn ${said.party}`), text = element("p", said.source === "truth" ? "" : "asr");
  turn.dataset.at = said.at;
  if (said.role !== "turn") text.append(element("span", "role", said.role === "recording" ? "sound" : said.role));
  text.append(element("span", "text", said.text));
  turn.append(element("span", "moment", clock(said.at, 1)), element("span", "who", said.party), text);
  if (said.id) planned.set(said.id, { turn, words: said.words });
  const after = [...list.children].find(other => Number(other.dataset.at) < said.at);
  list.insertBefore(turn, after ?? null);
}

/** What was planned and not said is greyed: the plan is known at the start, its end only when it comes. */
export function cutWords(id, when) {
  const { turn, words } = planned.get(id) ?? {};
  if (!words?.length) return;
  const joined = some => some.map(([word]) => word).join(" ");
  const said = joined(words.filter(([, onset]) => onset < when)), rest = joined(words.filter(([, onset]) => onset >= when));
  turn.querySelector(".text").replaceChildren(said, element("span", "cut", rest ? ` … (not said: ${rest})` : " …"));
}
