/* The conversation as text, turn by turn, and the log of all events: for reading, for paper, for screen readers. */

import { find, make } from "./data.js";
import { PARTIES } from "./model.js";
import { watchSearch } from "./search.js";
import { clock, firstAbove } from "./times.js";
import { folded, toldTogether } from "./troubles.js";

const ROWS_AT_ONCE = 400;

export class Talk {
  constructor({ model, seek }) {
    this.turns = turnsOf(model);
    const alone = sortDecisions(model.decided, this.turns);
    this.rows = this.turns.map(turn => rowOf(turn, seek));
    find("conversation").append(...this.rows);
    for (const item of alone) {
      find("conversation").insertBefore(lineOf(item, seek), this.rows[firstAbove(this.turns, item.at, turn => turn.start)] ?? null);
    }
    if (!this.rows.length) find("conversation").append(make("p", { class: "quiet", text: "Nobody's words are known." }));
    this.current = null;
    watchSearch({ turns: this.turns, rows: this.rows, said: saidIn, go: seek });
    watchLog(folded(model.marks), model.marks.length, seek);
  }

  /** Show which turn runs at a moment. */
  at(time) {
    const index = firstAbove(this.turns, time, turn => turn.start) - 1;
    const row = index >= 0 && time < this.turns[index].end + 0.3 ? this.rows[index] : null;
    if (row === this.current) return;
    this.current?.classList.remove("now");
    row?.classList.add("now");
    this.current = row;
  }
}

/** What was said in one go by either party, in time order, with the marks that belong to it. */
function turnsOf(model) {
  const turns = PARTIES.flatMap(party => model.lanes[party].blocks.map(block => ({ ...block, party, marks: [], understood: [], decided: [] })));
  turns.sort((a, b) => a.start - b.start);
  const holder = (party, time) => {
    const before = turns.slice(0, firstAbove(turns, time + 0.25, turn => turn.start));
    return before.findLast(turn => turn.party === party);
  };
  for (const mark of model.marks) {
    if (mark.kind === "transfer") holder(mark.party, mark.to)?.marks.unshift(mark);
    else if (mark.kind === "barge_in" || (mark.kind === "trouble" && PARTIES.includes(mark.party))) holder(mark.party, mark.start)?.marks.push(mark);
  }
  for (const item of model.understood) {
    const meant = turns.filter(turn => turn.party === item.party && turn.start < item.end && turn.end > item.start);
    meant.at(-1)?.understood.push({ ...item, said: meant.map(saidIn).join(" ") });
  }
  return turns;
}

/** Give each decision to the turn that it led to; returns those that led to none. */
function sortDecisions(decided, turns) {
  return decided.filter(item => {
    const turn = item.start === null ? null : turns.find(turn => turn.party === item.party && turn.end > item.start);
    turn?.decided.push(item);
    return !turn;
  });
}

function saidIn(turn) { return turn.words.map(word => word.text.replace(/–$/, "")).join(" "); }

function rowOf(turn, seek) {
  const said = saidIn(turn);
  const body = make("div", { class: "body" },
    make("p", { class: turn.source && turn.source !== "truth" ? "asr" : null },
      turn.role && turn.role !== "turn" ? make("span", { class: "role", text: turn.role }) : null,
      said || make("span", { class: "quiet", text: "speech without words" }),
      turn.words.at(-1)?.cut ? make("span", { class: "cut", text: " – cut off" }) : null),
    ...turn.decided.map(decidedOf),
    ...turn.understood.map(item => understoodOf(turn, item)),
    notesOf(turn));
  const transfer = turn.marks.find(mark => mark.kind === "transfer");
  return rowAt(turn.start, turn.party, "turn", transfer, body, seek);
}

/** A decision to say nothing has a line of its own, and is no turn. */
function lineOf(item, seek) {
  return rowAt(item.at, item.party, "turn alone", null, make("div", { class: "body" }, decidedOf(item)), seek);
}

function rowAt(time, party, kind, transfer, body, seek) {
  return make("div", { class: `${kind} ${party}` },
    make("button", { type: "button", class: "moment", text: clock(time), title: "Go there", click: () => seek(time) }),
    make("span", { class: "fto", text: transfer?.label ?? "", title: transfer?.detail }),
    make("span", { class: "who", text: party }), body);
}

function decidedOf(item) { return make("p", { class: "decided", text: `decided: ${item.text}` }); }

/** Barge-ins in words; troubles as a badge, for they are told in full below. */
function notesOf(turn) {
  const notes = turn.marks.filter(mark => mark.kind === "barge_in").map(mark => `barge-in: ${mark.label}`);
  const troubles = turn.marks.filter(mark => mark.kind === "trouble");
  if (!notes.length && !troubles.length) return null;
  return make("p", { class: "notes" }, notes.join(" · "), troubles.length ? badgeOf(troubles) : null);
}

function badgeOf(troubles) {
  const labels = [...new Set(troubles.map(mark => mark.label))];
  const lines = labels.map(label => toldTogether(troubles.filter(mark => mark.label === label)));
  const count = troubles.length > 1 ? `${troubles.length} troubles` : labels[0].replaceAll("_", " ");
  return make("span", { class: "badge bad trouble", text: count, title: lines.join("\n") });
}

/** What the other took it for; the words that were not said are marked. */
function understoodOf(turn, item) {
  const plain = text => text.toLowerCase().replace(/[^\p{L}\p{N}' ]/gu, "").split(/\s+/).filter(Boolean);
  const known = new Set(plain(item.said));
  const line = make("p", { class: "understood" }, `the ${turn.party === "user" ? "agent" : "user"} took it for: “`);
  const words = item.text.split(/\s+/);
  words.forEach((word, i) => {
    line.append(plain(word).every(part => known.has(part)) ? word : make("mark", { text: word }), i < words.length - 1 ? " " : "”");
  });
  return line;
}

/** Fill the log when it is first opened, and more of it on demand. count: of marks before any were folded. */
function watchLog(marks, count, seek) {
  const log = find("log"), rows = log.querySelector(".rows");
  log.querySelector("summary").textContent = `All marks and events (${count})`;
  let shown = 0;
  const more = make("button", { type: "button", class: "plain", text: "more", click: () => add() });
  const add = () => {
    more.remove();
    rows.append(...marks.slice(shown, shown + ROWS_AT_ONCE).map(mark => make("button", { type: "button", class: "entry", click: () => seek(mark.start) },
      make("span", { class: "at", text: clock(mark.start, 2) }), make("span", { text: mark.detail || mark.label }))));
    shown += ROWS_AT_ONCE;
    if (shown < marks.length) rows.append(more);
  };
  log.addEventListener("toggle", () => { if (log.open && !shown) add(); });
}
