/* The figures beside the lanes: how fast the agent answers, what was counted, what the line costs and where. */

import { at, element } from "./parts.js";

const PARTS = [
  ["microphone", "microphone and driver"], ["block", "collecting a block"], ["network", "network, one way"],
  ["jitter", "jitter buffer"], ["tick", "the session's frame"], ["playback", "playback buffer"],
  ["loudspeaker", "loudspeaker and driver"],
];
const counted = { overlap: new Set(), backchannel: new Set(), barge_in: new Set() };

/** Count a mark once, however often it is corrected; one that is withdrawn was none. */
export function count({ kind, id, withdrawn }) {
  if (!(kind in counted)) return;
  if (withdrawn) counted[kind].delete(id);
  else counted[kind].add(id);
  at(`${kind}s`).textContent = counted[kind].size;
}

export function showLatency({ last_ms, p50_ms }) {
  at("last").textContent = last_ms === null ? "–" : `${last_ms} ms`;
  at("p50").textContent = p50_ms === null ? "–" : `${p50_ms} ms`;
}

/** The delay of one human's line; `measured` by a click where it is not null, otherwise the sum of its parts. */
export function showDelay({ parts, to_session, to_ear, measured }) {
  at("round").textContent = `${measured === null ? to_session + to_ear : Math.round(measured)} ms`;
  at("parts").replaceChildren(
    ...PARTS.map(([key, name]) => row(name, `${parts[key].toFixed(parts[key] < 10 ? 1 : 0)} ms`)),
    row("your mouth to the session", `${to_session} ms`),
    row("the session to your ear", `${to_ear} ms`),
    row("sum of the parts, now", `${to_session + to_ear} ms`),
  );
}

function row(name, value) {
  const line = element("div", "");
  line.append(element("dt", "", name), element("dd", "", value));
  return line;
}
