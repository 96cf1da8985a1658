/* The session page: puts its parts together. */

import { bytesOf, find, make, unpacked, unpackedJson } from "./data.js";
import { watchGestures } from "./gestures.js";
import { watchKeys } from "./keys.js";
import { KINDS, modelOf } from "./model.js";
import { Overview } from "./overview.js";
import { Pen, glyph } from "./pen.js";
import { Player } from "./player.js";
import { watchPrint } from "./sheet.js";
import { Talk } from "./talk.js";
import { watchTheme } from "./theme.js";
import { Timeline } from "./timeline.js";
import { clock, timeInHash } from "./times.js";
import { View } from "./view.js";
import { Walk } from "./walk.js";

const FIRST_PX_PER_S = 24;
const NOISY_KINDS_FROM = 60;

async function open() {
  const told = (text, bad = true) => {
    find("told").textContent = text;
    find("told").classList.toggle("bad", bad);
  };
  const model = modelOf(await unpackedJson("data"), await unpacked("peaks"));
  const view = new View(model.duration);
  const timeline = new Timeline({ canvas: find("lanes"), cursor: find("cursor"), model, view });
  const player = new Player({ duration: model.duration, told, changed: () => moved() });
  const seek = time => player.seek(time);
  const overview = new Overview({ canvas: find("overview"), timeline, view, model, seek });
  const talk = new Talk({ model, seek: time => { seek(time); view.reveal(time); } });
  const walk = new Walk({ evidence: model.evidence, go: item => goTo(item) });
  const slider = find("timeline");

  view.changed = () => { timeline.draw(); overview.draw(); };
  view.show(0, Math.min(model.duration, (view.right - view.left) / FIRST_PX_PER_S));
  find("total").textContent = ` / ${clock(model.duration)}`;
  slider.setAttribute("aria-valuemax", model.duration.toFixed(1));

  const keepMoment = momentKeeper();
  /** Say where we are, everywhere. */
  function moved() {
    const time = player.time;
    timeline.place(time);
    overview.draw();
    talk.at(time);
    find("now").textContent = clock(time);
    slider.setAttribute("aria-valuenow", time.toFixed(1));
    slider.setAttribute("aria-valuetext", `${clock(time)} of ${clock(model.duration)}`);
    find("play").dataset.state = player.playing ? "playing" : "paused";
    find("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
    if (player.playing) follow();
    else keepMoment(time);
  }

  let following = false;
  /** Move the cursor with the sound; the view turns the page when the cursor leaves it. */
  function follow() {
    if (following) return;
    following = true;
    let lastText = 0;
    const step = now => {
      const time = player.time;
      if (time > view.end && time < view.end + view.span) view.show(time - view.span * 0.03, time + view.span * 0.97);
      timeline.place(time);
      if (now - lastText > 100) {
        lastText = now;
        find("now").textContent = clock(time);
        talk.at(time);
        overview.draw();
      }
      following = player.playing;
      if (following) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  function goTo(item) {
    timeline.focus = item;
    timeline.draw();
    if (!item) return;
    view.frame(item.start, item.end);
    seek(item.start);
  }

  /** To the previous or next mark that is shown, and say what it is. */
  function toMark(direction) {
    const marks = timeline.marks, time = player.time;
    const mark = direction > 0 ? marks.find(item => item.start > time + 0.005) : marks.findLast(item => item.start < time - 0.005);
    if (!mark) return;
    seek(mark.start);
    view.reveal(mark.start);
    told(`${clock(mark.start, 2)} · ${mark.detail || mark.label}`, false);
  }

  const choose = (name, value) => {
    const input = document.querySelector(`input[name=${name}][value=${value}]`);
    if (input && !input.disabled) { input.checked = true; input.dispatchEvent(new Event("change", { bubbles: true })); }
  };
  const actions = {
    play: () => player.toggle(),
    move: step => { seek(player.time + step); view.reveal(player.time); },
    zoom: factor => view.zoom(factor, view.holds(player.time) ? player.time : (view.start + view.end) / 2),
    previous: () => toMark(-1),
    next: () => toMark(1),
    back: () => walk.step(-1),
    on: () => walk.step(1),
    leave: () => walk.leave(),
    whole: () => view.show(0, model.duration),
    first: () => { seek(0); view.reveal(0); },
    last: () => { seek(model.duration); view.reveal(model.duration); },
    link: () => copyLink(player.time, told),
    listen: side => choose("side", side),
    heard: () => choose("track", timeline.track === "said" ? "heard" : "said"),
  };
  const press = (id, act) => find(id).addEventListener("click", event => {
    act();
    if (event.detail) slider.focus({ preventScroll: true });  // after a mouse click the keys belong to the time line
  });
  press("play", actions.play);
  press("previous", actions.previous);
  press("next", actions.next);
  press("in", () => actions.zoom(1.6));
  press("out", () => actions.zoom(1 / 1.6));
  press("whole", actions.whole);
  press("link", actions.link);

  for (const id of ["sides", "tracks"]) {
    find(id).addEventListener("click", event => { if (event.detail) setTimeout(() => slider.focus({ preventScroll: true })); });
  }
  find("sides").addEventListener("change", event => player.listen(event.target.value));
  find("tracks").hidden = !model.waves["user heard"];
  find("tracks").addEventListener("change", event => {
    timeline.track = event.target.value;
    player.choose(event.target.value);
    timeline.draw();
  });

  legend(timeline, () => { timeline.draw(); overview.draw(); });
  watchGestures({ element: slider, timeline, view, selection: find("selection"), hint: find("hint"), seek });
  watchKeys(slider, actions);
  watchTheme(find("theme"), () => { timeline.restyle(); overview.draw(); legendSigns(timeline); });
  watchPrint(model, timeline);
  new ResizeObserver(() => { timeline.resize(); overview.draw(); }).observe(slider);
  const fromHash = () => {
    const time = timeInHash(location.hash);
    if (time !== null && Math.abs(time - player.time) > 0.006) { seek(time); view.reveal(player.time); }
  };
  window.addEventListener("hashchange", fromHash);
  fromHash();
  moved();
  ready("lanes");
  await loadAudio(player, told);
  ready("all");
}

/** Tell scripts from outside how far the page has come. */
function ready(state) {
  document.documentElement.dataset.ready = state;
  performance.mark(state);
}

/** The legend is also the switch of each kind; kinds that would drown the rest are off at first. */
function legend(timeline, changed) {
  for (const { kind, name } of KINDS) {
    const count = timeline.model.marks.filter(mark => mark.kind === kind).length;
    if (!count) continue;
    if (kind === "other" && count > NOISY_KINDS_FROM) timeline.hidden.add(kind);
    const button = make("button", {
      type: "button", class: "plain", "data-kind": kind, "aria-pressed": String(!timeline.hidden.has(kind)),
      click: () => {
        if (!timeline.hidden.delete(kind)) timeline.hidden.add(kind);
        button.setAttribute("aria-pressed", String(!timeline.hidden.has(kind)));
        changed();
      },
    }, make("canvas", {}), make("span", { text: name }), make("span", { class: "count", text: count }));
    find("kinds").append(button);
  }
  legendSigns(timeline);
}

function legendSigns(timeline) {
  for (const button of document.querySelectorAll("#kinds button")) {
    const canvas = button.querySelector("canvas"), size = timeline.layout.rem * 1.15;
    canvas.width = canvas.height = Math.round(size * 2);
    const pen = new Pen(canvas.getContext("2d"), { ...timeline.colours, card: timeline.colours.card }, timeline.layout.rem, timeline.pen.family);
    pen.context.scale(2, 2);
    glyph(pen, button.dataset.kind, size / 2, size / 2, size * 0.78, "");
  }
}

/** Put the recordings together chunk by chunk while the page is still being read; each plays as soon as it is whole. */
async function loadAudio(player, told) {
  const mime = find("mime").textContent;
  let track = null, blobs = [];
  const whole = () => {
    if (!blobs.length) return;
    player.attach(track, URL.createObjectURL(new Blob(blobs, { type: mime })), `the page's sound (${mime})`);
    blobs = [];
  };
  for await (const chunk of audioChunks()) {
    if (chunk.dataset.audio !== track) whole();
    track = chunk.dataset.audio;
    blobs.push(new Blob([bytesOf(chunk.textContent)]));
    chunk.remove();
  }
  whole();
  if (!mime) told("this page was written without sound", false);
  else if (!player.audio) told("the sound is missing from this page");
  for (const control of [find("play"), ...document.querySelectorAll("#sides input")]) control.disabled = !player.audio;
}

/** The page's chunks of sound in order, each when it has been read to its end. */
async function* audioChunks() {
  for (;;) {
    const loading = document.readyState === "loading";
    const chunks = [...document.querySelectorAll("script[data-audio]")];
    const chunk = loading && chunks.length < 2 ? null : chunks[0];
    if (!chunk && !loading) return;
    if (chunk) yield chunk;
    await new Promise(done => setTimeout(done));
  }
}

/** Keep the moment in the address, so that a reload or a copied address comes back to it; browsers bound how often. */
function momentKeeper() {
  let waiting = null;
  return time => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const hash = time ? `#t=${Number(time.toFixed(2))}` : "";
      if (location.hash !== hash) history.replaceState(null, "", hash || location.href.split("#")[0]);
    }, 400);
  };
}

async function copyLink(time, told) {
  const link = `${location.href.split("#")[0]}#t=${Number(time.toFixed(2))}`;
  try {
    await navigator.clipboard.writeText(link);
    told(`copied: a link to ${clock(time, 2)}`, false);
  } catch {
    told(link, false);
  }
}

open().catch(error => {
  find("told").textContent = `the time line cannot be drawn: ${error.message}`;
  find("told").classList.add("bad");
  throw error;
});
