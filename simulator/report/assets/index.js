/* The page over a run: a table of sessions that sorts and filters, tied to the dots of the plots. */

import { find, make, unpackedJson } from "./data.js";
import { watchTheme } from "./theme.js";

const ROWS_AT_ONCE = 250;

async function open() {
  const { metrics, rows } = await unpackedJson("data");
  rows.forEach((row, index) => { row.index = index; });
  const state = { sort: null, falling: false, text: "", scenario: "", troubled: false, shown: ROWS_AT_ONCE };

  const fixed = [
    { name: "session", key: row => row.id, cell: sessionCell },
    { name: "scenario", key: row => row.scenario, cell: row => row.scenario },
    { name: "trial", key: row => row.trial, cell: row => String(row.trial), number: true },
    { name: "outcome", key: row => (row.status === "completed" ? 0 : 1000) + row.misses.length, cell: outcomeCell },
  ];
  const narrow = window.matchMedia("(max-width: 700px)");
  const columns = () => {
    const [session, scenario, trial, outcome] = fixed;
    const measured = metrics.flatMap((metric, i) => metric.shown ? [{
      name: metric.title, unit: metric.unit, tip: metric.id, number: true,
      key: row => row.values[i], cell: row => valueCell(row.values[i]),
    }] : []);
    // On a phone the first columns are all that is seen.
    return narrow.matches ? [session, outcome, ...measured, scenario, trial] : [...fixed, ...measured];
  };

  function chosen() {
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = row => (!state.scenario || row.scenario === state.scenario)
      && (!state.troubled || row.status !== "completed" || row.misses.length)
      && words.every(word => [row.id, row.scenario, row.status, row.problem ?? "", ...row.misses].some(text => text.toLowerCase().includes(word)));
    const found = rows.filter(fits);
    if (state.sort) found.sort((a, b) => compared(state.sort(a), state.sort(b), state.falling) || a.index - b.index);
    return found;
  }

  function draw() {
    const found = chosen(), visible = found.slice(0, state.shown), shape = columns();
    find("rows").replaceChildren(...visible.map(row => make("tr", { "data-row": row.index },
      ...shape.map(column => make("td", { class: column.number ? "number" : null }, column.cell(row))))));
    find("count").textContent = found.length === rows.length ? `${rows.length}, worst first` : `${found.length} of ${rows.length}`;
    find("more").hidden = found.length <= state.shown;
    find("more").textContent = `${found.length - state.shown} more`;
    const kept = new Set(found.map(row => String(row.index)));
    for (const dot of document.querySelectorAll("circle[data-row]")) dot.classList.toggle("away", !kept.has(dot.dataset.row));
  }

  function drawHead() {
    find("head").replaceChildren(...columns().map(column => {
      const head = make("th", { scope: "col", class: column.number ? "number" : null, title: column.tip },
        make("button", { type: "button", text: column.unit && column.unit !== "ratio" ? `${column.name} (${column.unit})` : column.name, click: () => {
          state.falling = head.getAttribute("aria-sort") === "ascending";
          state.sort = column.key;
          for (const other of find("head").children) other.removeAttribute("aria-sort");
          head.setAttribute("aria-sort", state.falling ? "descending" : "ascending");
          draw();
        } }));
      return head;
    }));
  }

  const listen = (id, event, change) => find(id).addEventListener(event, () => { change(find(id)); state.shown = ROWS_AT_ONCE; draw(); });
  listen("filter", "input", input => { state.text = input.value; });
  listen("scenario", "change", input => { state.scenario = input.value; });
  listen("troubled", "change", input => { state.troubled = input.checked; });
  find("more").addEventListener("click", () => { state.shown += ROWS_AT_ONCE; draw(); });
  const scenarios = [...new Set(rows.map(row => row.scenario))];
  find("scenario").append(...scenarios.map(name => make("option", { value: name, text: name })));
  find("scenario").hidden = scenarios.length < 2;
  find("choose").hidden = !metrics.length;
  find("choose").querySelector(".options").append(...metrics.map(metric => make("label", {},
    make("input", { type: "checkbox", checked: metric.shown ? "" : null, change: event => { metric.shown = event.target.checked; drawHead(); draw(); } }),
    metric.title)));
  tieDots(rows);
  watchTheme(find("theme"), () => {});
  narrow.addEventListener("change", () => { drawHead(); draw(); });
  drawHead();
  draw();
  document.documentElement.dataset.ready = "all";
}

/** A dot shows its session in the table, a row its dots in the plots; a click on a dot opens the session. */
function tieDots(rows) {
  const mark = index => {
    for (const item of document.querySelectorAll(".here")) item.classList.remove("here");
    if (index !== undefined) for (const item of document.querySelectorAll(`[data-row="${index}"]`)) item.classList.add("here");
  };
  document.addEventListener("pointerover", event => mark(event.target.closest("[data-row]")?.dataset.row));
  document.addEventListener("click", event => {
    const row = event.target.closest("circle[data-row]") && rows[event.target.dataset.row];
    if (row?.page) location.href = pageOf(row);
  });
  for (const dot of document.querySelectorAll("circle[data-row]")) {
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = rows[dot.dataset.row].id;
    dot.append(title);
  }
}

function pageOf(row) { return `${encodeURIComponent(row.id)}/report.html`; }

function sessionCell(row) {
  const name = row.page ? make("a", { href: pageOf(row), text: row.id }) : make("span", { title: `no page yet: simulate report RUN --only ${row.id}`, text: row.id });
  return make("span", { class: "name" }, name, row.problem ? make("span", { class: "problem", text: row.problem }) : null);
}

function outcomeCell(row) {
  if (row.status !== "completed") return make("span", { class: "state bad", text: `✕ ${row.status}` });
  if (!row.misses.length) return make("span", { class: "state", text: "✓" , title: "completed; breaks no expectation" });
  return make("span", { class: "state bad", title: row.misses.join("\n"), text: `✕ ${row.misses.length} not met` });
}

function valueCell(value) {
  if (value === null) return make("span", { class: "undefined", text: "–", title: "undefined" });
  return shown(value);
}

/** Three significant figures, never an exponent. */
function shown(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 || Number.isInteger(value) && size >= 10 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** Order of two keys; what is undefined comes last, whichever way the rest goes. */
function compared(a, b, falling) {
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
  return falling ? -order : order;
}

open().catch(error => {
  find("count").textContent = `the table cannot be drawn: ${error.message}`;
  throw error;
});
