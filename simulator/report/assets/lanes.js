/* One party's lane: waveform, speech, words, and what the other took them for. The agent's is the user's mirrored. */

import { firstAbove } from "./times.js";

const WORD_BY_WORD_REM_PER_S = 6.5;
const LINE_REM = 1.18;

/** Draw a lane. scene: {pen, view, layout, model, track, hit}; hit(x0, y0, x1, y1, text) makes a place that answers. */
export function drawLane(scene, party) {
  if (!scene.far) drawSpeech(scene, party);
  drawWave(scene, party);
  drawWords(scene, party);
  if (!scene.far) drawUnderstood(scene, party);
}

function drawSpeech({ pen, view, layout, model, hit }, party) {
  const wave = layout.rows[`${party} wave`], speech = layout.rows[`${party} speech`];
  const { segments, utterances } = model.lanes[party], colour = pen.colours[party], rem = pen.rem;
  const inner = party === "user" ? speech.bottom - rem * 0.3 : speech.top;
  const outer = party === "user" ? speech.top + rem * 0.02 : speech.bottom - rem * 0.28;
  for (const item of inSight(segments, view)) {
    const x = view.x(item.start), width = view.x(item.end) - x;
    pen.box(x, wave.top, width, wave.height, colour, 0.07, rem * 0.35);
    pen.box(x, inner, width, rem * 0.3, colour, 1, rem * 0.15);
    hit(x, inner - 3, x + width, inner + rem * 0.3 + 3, `${party} speaks ${seconds(item)} (${sourceName(item.source)})`);
  }
  for (const item of inSight(utterances, view)) {
    const x = view.x(item.start), width = Math.max(2, view.x(item.end) - x);
    pen.context.strokeStyle = colour;
    pen.context.lineWidth = 1;
    pen.context.strokeRect(x + 0.5, outer + 0.5, width - 1, rem * 0.22);
    hit(x, outer - 2, x + width, outer + rem * 0.25, `${party} ${item.role || "speech"} ${seconds(item)} (truth): ${item.text}`);
  }
}

function drawWave({ pen, view, layout, model, track }, party) {
  const row = layout.rows[`${party} wave`];
  const place = { x0: view.left, x1: view.right, middle: row.middle, half: row.height * 0.47, colour: pen.colours[party] };
  const heard = model.waves[`${party} heard`], said = model.waves[`${party} said`];
  if (track === "heard" && heard) {
    said.draw(pen.context, view, { ...place, colour: pen.colours.quiet, strength: 0.3 });
    heard.draw(pen.context, view, place);
  } else said.draw(pen.context, view, place);
}

function drawWords(scene, party) {
  const { pen, view } = scene;
  if (view.pxPerS >= WORD_BY_WORD_REM_PER_S * pen.rem) drawWordByWord(scene, party);
  else drawBlocks(scene, party);
}

/** Every word at its onset, on the line nearest to the waveform that is free there. */
function drawWordByWord({ pen, view, layout, model, hit }, party) {
  const row = layout.rows[`${party} words`], rem = pen.rem;
  const lines = Math.floor(row.height / (LINE_REM * rem));
  const taken = new Array(lines).fill(-Infinity);
  for (const word of inSight(model.lanes[party].words, view, 2)) {
    const x = view.x(word.start);
    styleFor(pen, word.source);
    const width = pen.width(word.text), line = taken.findIndex(right => right < x - 2);
    const edge = party === "user" ? row.bottom : row.top;
    pen.line(x + 0.5, edge, x + 0.5, edge + (party === "user" ? -1 : 1) * rem * 0.3, pen.colours.quiet, 1);
    if (line < 0 || x + width < view.left) continue;
    const y = lineY(row, party, line, rem);
    taken[line] = x + width;
    pen.text(word.text, x, y, inkFor(pen, word.source));
    const told = `${word.text} ${seconds(word)} (${sourceName(word.source)})`;
    hit(x, y - rem, x + width, y + rem * 0.3, told);
  }
}

/** From farther away: what is said in one go, wrapped in the room before the next. */
function drawBlocks({ pen, view, layout, model, hit }, party) {
  const row = layout.rows[`${party} words`], rem = pen.rem, blocks = model.lanes[party].blocks;
  const most = Math.floor(row.height / (LINE_REM * rem));
  const first = Math.max(0, firstAbove(blocks, view.start, block => block.start) - 1);
  for (let i = first; i < blocks.length && blocks[i].start < view.end; i++) {
    const block = blocks[i];
    if (!block.words.length) continue;
    const until = i + 1 < blocks.length ? view.x(blocks[i + 1].start) : view.right;
    const x = Math.max(view.left, view.x(block.start));
    const room = Math.min(until, view.right) - x - rem * 0.5;
    if (room < rem * 2.2) continue;
    styleFor(pen, block.source);
    const lines = pen.wrapped(block.words.map(word => word.text), room, most);
    lines.forEach((line, n) => {
      const y = lineY(row, party, party === "user" ? lines.length - 1 - n : n, rem);
      pen.text(line, x, y, inkFor(pen, block.source));
    });
    const told = `${block.words.map(word => word.text).join(" ")} (${sourceName(block.source)})`;
    hit(x, row.top, x + room, row.bottom, told);
  }
}

function drawUnderstood({ pen, view, layout, model, hit }, party) {
  const row = layout.rows[`${party} understood`], rem = pen.rem;
  if (!row.height) return;
  const other = party === "user" ? "agent" : "user";
  const items = model.understood.filter(item => item.party === party);
  items.forEach((item, i) => {
    if (item.end < view.start && (i + 1 === items.length || items[i + 1].start < view.start) || item.start > view.end) return;
    const x = Math.max(view.left, view.x(item.start));
    const until = i + 1 < items.length ? Math.min(view.right, view.x(items[i + 1].start)) : view.right;
    pen.font(0.8, { italic: true });
    const text = pen.fitted(`“${item.text}”`, until - x - rem * 0.6);
    pen.line(x, row.bottom - rem * 0.2, view.x(item.end), row.bottom - rem * 0.2, pen.colours[other], 1, [2, 3]);
    if (!text) return;
    pen.text(text, x, row.bottom - rem * 0.5, pen.colours[other]);
    hit(x, row.top, x + pen.width(text), row.bottom, `the ${other} took it for: ${item.text} (known at ${item.at.toFixed(2)} s)`);
  });
}

function lineY(row, party, line, rem) {
  return party === "user" ? row.bottom - rem * (0.55 + line * LINE_REM) : row.top + rem * (1.3 + line * LINE_REM);
}

/** Items that touch the view; `before`: seconds of what lies left of it that may still reach in. */
function inSight(items, view, before = 0) {
  let first = firstAbove(items, view.start - before, item => item.start);
  while (first > 0 && items[first - 1].end > view.start) first--;
  const last = firstAbove(items, view.end, item => item.start);
  return items.slice(first, last);
}

function styleFor(pen, source) { pen.font(0.88, { italic: source !== "truth" }); }
function inkFor(pen, source) { return source === "truth" ? pen.colours.ink : pen.colours.quiet; }
function seconds({ start, end }) { return `${start.toFixed(2)}–${end.toFixed(2)} s`; }

/** A source of words or segments in plain words. */
export function sourceName(source) {
  return { truth: "truth", vad: "detected", asr: "recognised", model: "from the model" }[source] ?? source;
}
