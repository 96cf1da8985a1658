/* The session page: puts its parts together. One moment (the player's) and one view rule everything that is drawn. */

import { Clip, saveAnnotation } from "./clip.js";
import { find, unpacked, unpackedJson } from "./data.js";
import { watchGestures } from "./gestures.js";
import { watchKeys } from "./keys.js";
import { drawSigns, fillLegend } from "./legend.js";
import { modelOf } from "./model.js";
import { addressKeeper, copyLink, followAddress } from "./moment.js";
import { Overview } from "./overview.js";
import { Player } from "./player.js";
import { watchPrint } from "./sheet.js";
import { loadSound } from "./sound.js";
import { Talk } from "./talk.js";
import { watchTheme } from "./theme.js";
import { Timeline } from "./timeline.js";
import { clock } from "./times.js";
import { View } from "./view.js";
import { Walk } from "./walk.js";

const FIRST_PX_PER_S = 24;
const TEXT_EVERY_MS = 100;
const ZOOM = 1.6;

class SessionPage {
  constructor(model) {
    this.model = model;
    this.slider = find("timeline");
    this.keepMoment = addressKeeper();
    const seek = time => this.player.seek(time);
    this.player = new Player({ duration: model.duration, told, changed: () => this.moved() });
    this.view = new View(model.duration);
    this.timeline = new Timeline({ canvas: find("lanes"), cursor: find("cursor"), model, view: this.view });
    this.overview = new Overview({ canvas: find("overview"), timeline: this.timeline, view: this.view, model, seek });
    this.talk = new Talk({ model, seek: time => this.go(time) });
    const name = document.querySelector(".facts .id").textContent;
    this.clip = new Clip({ player: this.player, view: this.view, rate: model.rate, name, told });
    find("annotation").addEventListener("click", () => saveAnnotation(model, name));
    this.walk = new Walk({ evidence: model.evidence, go: item => this.showEvidence(item) });
    this.view.changed = () => this.draw();
    watchGestures({ element: this.slider, timeline: this.timeline, view: this.view, selection: find("selection"), hint: find("hint"), seek });
    watchPrint(model, this.timeline);
  }

  /** Show the first stretch, or what the address names, and listen to everything that may be pressed. */
  open() {
    find("total").textContent = ` / ${clock(this.model.duration)}`;
    this.slider.setAttribute("aria-valuemax", this.model.duration.toFixed(1));
    find("tracks").hidden = !this.model.waves["user heard"];
    fillLegend(this.timeline, () => this.draw());
    this.view.show(0, Math.min(this.model.duration, (this.view.right - this.view.left) / FIRST_PX_PER_S));
    this.listen();
    watchTheme(find("theme"), () => {
      this.timeline.restyle();
      drawSigns(this.timeline);
      this.draw();
    });
    new ResizeObserver(() => {
      this.timeline.resize();
      this.overview.draw();
      this.clip.draw();
    }).observe(this.slider);
    followAddress((time, end) => {
      if (end !== null && end > time && time < this.view.duration) {
        this.view.frame(time, end);
        this.clip.take(time, end);
        this.player.stopAt = end;
      }
      this.go(time);
    });
    this.moved();
  }

  draw() {
    this.timeline.draw();
    this.clip.draw();
    this.overview.draw();
  }

  go(time) {
    this.player.seek(time);
    this.view.reveal(this.player.time);
  }

  zoom(factor) {
    const { view, player } = this;
    view.zoom(factor, view.holds(player.time) ? player.time : (view.start + view.end) / 2);
  }

  /** Something jumped: say where we are, everywhere. */
  moved() {
    const time = this.player.time, playing = this.player.playing;
    this.tell(time);
    this.slider.setAttribute("aria-valuenow", time.toFixed(1));
    this.slider.setAttribute("aria-valuetext", `${clock(time)} of ${clock(this.model.duration)}`);
    find("play").dataset.state = playing ? "playing" : "paused";
    find("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    if (!playing && !this.clip.range) this.keepMoment(time);
    else if (!playing) return;
    else if (!this.following) this.follow();
  }

  tell(time) {
    this.timeline.place(time);
    this.overview.draw();
    this.talk.at(time);
    find("now").textContent = clock(time);
  }

  /** Move the cursor with the sound, frame by frame; the view turns the page when the cursor leaves it. */
  follow() {
    const { view, player } = this;
    this.following = true;
    let told = 0;
    const step = now => {
      const time = player.time;
      if (time > view.end && time < view.end + view.span) view.show(time - view.span * 0.03, time + view.span * 0.97);
      this.timeline.place(time);
      if (player.stopAt !== null && time >= player.stopAt) player.stop();
      if (now - told > TEXT_EVERY_MS) {
        told = now;
        this.tell(time);
      }
      this.following = player.playing;
      if (this.following) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  /** Bring a piece of evidence into sight and put the cursor on its beginning; null lets go of it. */
  showEvidence(item) {
    this.timeline.focus = item;
    this.timeline.draw();
    if (!item) return;
    this.view.frame(item.start, item.end);
    this.player.seek(item.start);
    this.bringIntoSight();
  }

  /** Scroll to the lanes, if they are not to be seen: the scores stand beside them or far below. */
  bringIntoSight() {
    const { top, bottom } = this.slider.getBoundingClientRect();
    const hidden = top < 0 || bottom > window.innerHeight;
    if (hidden) this.slider.scrollIntoView({ block: top < 0 || bottom - top > window.innerHeight ? "start" : "end" });
  }

  /** To the previous (-1) or next (1) mark that is shown, and say what it is. */
  toMark(direction) {
    const marks = this.timeline.marks, time = this.player.time;
    const mark = direction > 0 ? marks.find(item => item.start > time + 0.005) : marks.findLast(item => item.start < time - 0.005);
    if (!mark) return;
    this.go(mark.start);
    told(`${clock(mark.start, 2)} · ${mark.detail || mark.label}`, false);
  }

  /** What can be done, by name. */
  get actions() {
    const { player, view, walk, model } = this;
    return {
      play: () => player.toggle(),
      move: step => this.go(player.time + step),
      zoom: factor => this.zoom(factor),
      in: () => this.zoom(ZOOM),
      out: () => this.zoom(1 / ZOOM),
      whole: () => view.show(0, model.duration),
      previous: () => this.toMark(-1),
      next: () => this.toMark(1),
      back: () => walk.step(-1),
      on: () => walk.step(1),
      leave: () => walk.leave(),
      first: () => this.go(0),
      last: () => this.go(model.duration),
      link: () => copyLink(player.time, told),
      clip: () => this.clip.take(),
      search: () => find("search").focus(),
      listen: side => choose("side", side),
      heard: () => choose("track", this.timeline.track === "said" ? "heard" : "said"),
    };
  }

  listen() {
    const { actions, slider } = this;
    const handBack = () => setTimeout(() => slider.focus({ preventScroll: true }));
    for (const id of ["play", "previous", "next", "in", "out", "whole", "link", "clip"]) find(id).addEventListener("click", actions[id]);
    for (const id of ["transport", "sides", "tracks"]) {
      find(id).addEventListener("click", event => { if (event.detail) handBack(); });  // after the mouse, keys belong to the time line
    }
    find("sides").addEventListener("change", event => this.player.listen(event.target.value));
    find("tracks").addEventListener("change", event => {
      this.timeline.track = event.target.value;
      this.player.choose(event.target.value);
      this.timeline.draw();
    });
    watchKeys(slider, actions);
  }
}

/** Press one of a group of switches. */
function choose(name, value) {
  const input = document.querySelector(`input[name=${name}][value=${value}]`);
  if (!input || input.disabled || input.closest("[hidden]")) return;
  input.checked = true;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Say something below the time line. */
function told(text, bad = true) {
  find("told").textContent = text;
  find("told").classList.toggle("bad", bad);
}

/** Let scripts from outside know how far the page has come. */
function ready(state) {
  document.documentElement.dataset.ready = state;
  performance.mark(state);
}

async function open() {
  const page = new SessionPage(modelOf(await unpackedJson("data"), await unpacked("peaks")));
  page.open();
  ready("lanes");
  await loadSound(page.player, told);
  for (const control of [find("play"), ...document.querySelectorAll("#sides input")]) control.disabled = !page.player.audio;
  ready("all");
}

open().catch(error => {
  told(`the time line cannot be drawn: ${error.message}`);
  throw error;
});
