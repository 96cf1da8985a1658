/* The session as the page uses it: seconds instead of samples, records instead of rows. */

import { Wave } from "./wave.js";

export const PARTIES = ["user", "agent"];

/** What can be noticed between the lanes, in the order of the legend. `shown` off: there, but not at first. */
export const KINDS = [
  { kind: "transfer", name: "turn changes" },
  { kind: "overlap", name: "overlaps" },
  { kind: "barge_in", name: "barge-ins" },
  { kind: "backchannel", name: "backchannels" },
  { kind: "injected", name: "injected" },
  { kind: "decided", name: "decisions" },
  { kind: "trouble", name: "troubles" },
  { kind: "line", name: "line" },
  { kind: "other", name: "other events" },
];

const TURN_BREAK_S = 0.8;

/** Make the model from the page's data and peaks. */
export function modelOf(raw, peakBytes) {
  const seconds = samples => samples / raw.rate;
  const lanes = {};
  for (const party of PARTIES) lanes[party] = laneOf(raw.lanes[party], seconds);
  return {
    rate: raw.rate,
    duration: seconds(raw.duration),
    lanes,
    waves: wavesOf(raw.peaks, peakBytes),
    lines: raw.lines,
    understood: raw.understood.map(item => ({ ...item, start: seconds(item.start), end: seconds(item.end), at: seconds(item.at) })),
    decided: raw.decided.map(item => ({ ...item, at: seconds(item.at), start: item.start === null ? null : seconds(item.start) })),
    marks: raw.marks.map(row => markOf(row, seconds)),
    evidence: Object.fromEntries(Object.entries(raw.evidence).map(([metric, rows]) => [
      metric,
      rows.map(([start, end, party, label, value]) => ({ start: seconds(start), end: seconds(end), party, label, value })),
    ])),
  };
}

/** A mark; a transfer runs from the end of one party's speech to the start of the other's, in either order. */
function markOf([kind, first, last, party, label, detail, ms], seconds) {
  const from = seconds(first), to = seconds(last);
  return { kind, from, to, start: Math.min(from, to), end: Math.max(from, to), party, label, detail, ms };
}

function laneOf(lane, seconds) {
  const words = lane.words.map(([text, start, end, source, cut]) =>
    ({ text: cut ? `${text}–` : text, start: seconds(start), end: seconds(end), source, cut }));
  const utterances = lane.utterances.map(([start, end, role, text]) => ({ start: seconds(start), end: seconds(end), role, text }));
  const segments = lane.segments.map(([start, end, source, text]) => ({ start: seconds(start), end: seconds(end), source, text }));
  return { words, utterances, segments, blocks: blocksOf(words, utterances, segments) };
}

/** Words in blocks that are read in one go: an utterance, or what stands between longer silences. */
function blocksOf(words, utterances, segments) {
  const starts = utterances.map(item => item.start);
  const blocks = [];
  let next = 0;
  for (const word of words) {
    const last = blocks[blocks.length - 1];
    let fresh = !last || word.start - last.end > TURN_BREAK_S;
    while (next < starts.length && starts[next] <= word.start + 0.02) { next++; fresh = true; }
    if (fresh) blocks.push({ start: word.start, end: word.end, words: [word], source: word.source, role: roleAt(utterances, word.start) });
    else { last.words.push(word); last.end = Math.max(last.end, word.end); }
  }
  if (blocks.length) return blocks;
  const bare = utterances.length ? utterances : segments;
  return bare.map(item => ({ start: item.start, end: item.end, words: [], source: "", role: item.role ?? "" }));
}

function roleAt(utterances, time) {
  const said = utterances.findLast(item => item.start <= time + 0.02);
  return said && time < said.end + 0.02 ? said.role : "";
}

function wavesOf({ perSecond, lanes }, bytes) {
  const waves = {};
  let at = 0;
  for (const [name, length] of lanes) {
    waves[name] = new Wave(bytes.subarray(at, at + length), perSecond);
    at += length;
  }
  return waves;
}
