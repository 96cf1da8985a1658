/* Troubles of one kind that come again and again, folded into one: how many, over how long, and the worst. */

import { clock } from "./times.js";

/** Fold troubles of one party and label, wherever they lie among the other marks; the first one's place is theirs. */
export function folded(marks) {
  const groups = new Map();
  for (const mark of marks) {
    if (mark.kind !== "trouble") continue;
    const name = `${mark.party} ${mark.label}`;
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(mark);
  }
  const done = new Set();
  return marks.flatMap(mark => {
    const group = mark.kind === "trouble" ? groups.get(`${mark.party} ${mark.label}`) : null;
    if (!group || group.length === 1) return [mark];
    if (done.has(group)) return [];
    done.add(group);
    return [{ ...mark, detail: toldTogether(group) }];
  });
}

/** `user: late, 813 times from 0:01.2 to 0:50.0, the worst 450 ms at 0:31.0`. */
export function toldTogether(group) {
  const [first] = group, last = group[group.length - 1];
  if (group.length === 1) return first.detail;
  const worst = group.reduce((most, mark) => ((mark.ms ?? 0) > (most.ms ?? 0) ? mark : most));
  const most = worst.ms ? `, the worst ${Math.round(worst.ms)} ms at ${clock(worst.start)}` : "";
  const name = `${first.party}: ${first.label}`.replaceAll("_", " ");
  return `${name}, ${group.length} times from ${clock(first.start)} to ${clock(last.start)}${most}`;
}
