/* The comparison page: two sessions above each other on one time axis; switching between them keeps the moment. */

import { find, inflated, make, unpackedJson } from "./data.js";
import { watchGestures } from "./gestures.js";
import { watchKeys } from "./keys.js";
import { modelOf } from "./model.js";
import { Player } from "./player.js";
import { watchTheme } from "./theme.js";
import { Timeline } from "./timeline.js";
import { clock } from "./times.js";
import { View } from "./view.js";

const FIRST_PX_PER_S = 24;

class Listening {
  constructor() {
    this.timelines = [];
    this.view = new View(1);
    this.view.changed = () => this.timelines.forEach(timeline => timeline.draw());
    const told = text => { find("told").textContent = text; };
    this.player = new Player({ duration: 1, told, changed: () => this.moved(), track: "0" });
    new ResizeObserver(() => this.timelines.forEach(timeline => timeline.resize())).observe(find("lines"));
  }

  /** Show a pair: its two time lines, its two recordings. */
  async open({ sides }) {
    const models = await Promise.all(sides.map(async side => modelOf(side.data, await inflated(side.peaks))));
    this.player.clear();
    this.view.duration = this.player.duration = Math.max(...models.map(model => model.duration));
    find("stage").hidden = false;
    find("told").textContent = "";
    this.takes = sides.map((side, index) => takeOf(side, index));
    find("lines").replaceChildren(...this.takes.map(take => take.figure));
    find("sides").replaceChildren(find("sides").firstElementChild, ...sides.map((side, index) => choiceOf(side.name, index)));
    this.timelines = this.takes.map((take, index) => this.#timeline(take, models[index], index));
    sides.forEach((side, index) => this.player.attach(String(index), side.sound, `the sound of ${side.name} (${side.sound})`));
    find("total").textContent = ` / ${clock(this.view.duration)}`;
    this.view.show(0, Math.min(this.view.duration, (this.view.right - this.view.left) / FIRST_PX_PER_S));
    this.choose(0);
    this.takes[0].element.focus({ preventScroll: true });  // from here on the keys belong to the recordings
  }

  #timeline(take, model, index) {
    const { element, canvas, cursor, selection, hint } = take;
    const timeline = new Timeline({ canvas, cursor, model, view: this.view });
    watchGestures({ element, timeline, view: this.view, selection, hint, seek: time => { this.choose(index); this.player.seek(time); } });
    return timeline;
  }

  /** Hear one of the two from the same moment on. */
  choose(index) {
    this.player.choose(String(index));
    find("sides").querySelectorAll("input")[index].checked = true;
    this.takes.forEach((take, other) => take.figure.classList.toggle("silent", other !== index));
    this.moved();
  }

  moved() {
    const { player, view } = this, time = player.time;
    if (player.playing && time > view.end && time < view.end + view.span) view.show(time - view.span * 0.03, time + view.span * 0.97);
    this.timelines.forEach(timeline => timeline.place(time));
    find("now").textContent = clock(time);
    find("play").dataset.state = player.playing ? "playing" : "paused";
    find("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
    if (player.playing) {
      cancelAnimationFrame(this.next);
      this.next = requestAnimationFrame(() => this.moved());
    }
  }
}

function takeOf(side, index) {
  const [canvas, cursor] = [make("canvas", { class: "lanes" }), make("div", { class: "cursor" })];
  const [selection, hint] = [make("div", { class: "selection", hidden: "" }), make("div", { class: "hint", hidden: "" })];
  const element = make("div", { class: "timeline", tabindex: "0", "aria-label": `Time line of ${side.name}` }, canvas, selection, cursor, hint);
  const link = side.page ? make("a", { href: side.page, text: "its page" }) : null;
  const figure = make("figure", { class: "take", "data-side": index }, make("figcaption", {}, make("span", { text: side.name }), link), element);
  return { figure, element, canvas, cursor, selection, hint };
}

function choiceOf(name, index) {
  return make("label", {}, make("input", { type: "radio", name: "side", value: index }), make("span", { text: name }));
}

async function start() {
  watchTheme(find("theme"), () => listening.timelines.forEach(timeline => timeline.restyle()));
  const pairs = await unpackedJson("data");
  const listening = new Listening();
  const { player, view } = listening;
  const buttons = [...document.querySelectorAll(".pair")];
  buttons.forEach((button, index) => button.addEventListener("click", () => {
    buttons.forEach(other => other.setAttribute("aria-pressed", String(other === button)));
    listening.open(pairs[index]);
  }));
  const zoom = factor => view.zoom(factor, view.holds(player.time) ? player.time : (view.start + view.end) / 2);
  const go = time => { player.seek(time); view.reveal(player.time); };
  const other = () => listening.takes && listening.choose(player.track === "0" ? 1 : 0);
  find("play").addEventListener("click", () => player.toggle());
  find("in").addEventListener("click", () => zoom(1.6));
  find("out").addEventListener("click", () => zoom(1 / 1.6));
  find("whole").addEventListener("click", () => view.show(0, view.duration));
  find("sides").addEventListener("change", event => listening.choose(Number(event.target.value)));
  watchKeys(null, {
    play: () => player.toggle(), move: step => go(player.time + step), zoom, whole: () => view.show(0, view.duration),
    first: () => go(0), last: () => go(view.duration), heard: other, listen: other,
    previous: () => {}, next: () => {}, back: () => {}, on: () => {}, leave: () => {}, link: () => {},
  });
  document.documentElement.dataset.ready = "all";
}

start();
