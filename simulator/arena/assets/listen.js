/* The page of a rater: plays request and answers, and sends a verdict once both answers were played. */

import { watchTheme } from "./theme.js";

const at = id => document.getElementById(id);
const home = location.pathname;
const sounds = { r: "request_sound", a: "first", b: "second" };
const choices = [...document.querySelectorAll(".choice")];
let pair = null;
let played = new Set();

watchTheme(at("theme"), () => {});

async function ask(path, options) {
  at("problem").textContent = "";
  try {
    const answer = await fetch(home + path, options);
    if (!answer.ok) throw new Error((await answer.text()).trim());
    show(await answer.json());
  } catch (error) {
    at("problem").textContent = `This did not work: ${error.message}`;
    enable();
  }
}

function show(found) {
  pair = found;
  played = new Set();
  at("pair").hidden = Boolean(found.done);
  at("done").hidden = !found.done;
  at("judged").textContent = found.most ? `${found.judged} of ${found.most} judged` : `${found.judged} judged`;
  document.documentElement.dataset.ready = found.done ? "done" : found.id;
  if (found.done) return silence();
  text("domain", found.domain);
  text("target", found.target && `A good answer: ${found.target}`);
  at("transcript").textContent = found.transcript || "The words of the request are not known.";
  at("request").hidden = !found.request;
  load("request_sound", found.request ? "request" : null);
  load("first", "first");
  load("second", "second");
  for (const choice of choices) choice.hidden = !found.choices.includes(choice.dataset.choice);
  enable();
}

function text(id, value) {
  at(id).textContent = value || "";
  at(id).hidden = !value;
}

function load(id, which) {
  const sound = at(id);
  if (which) sound.src = `${home}/sound/${pair.id}/${which}`;
  else sound.removeAttribute("src");
}

function silence() {
  for (const id of Object.values(sounds)) at(id).pause();
}

function enable() {
  const ready = pair && !pair.done && played.size === 2;
  for (const choice of choices) choice.disabled = !ready;
  at("hint").textContent = ready || !pair || pair.done ? "" : "Play both answers, then choose.";
}

function choose(choice) {
  if (choice.disabled || choice.hidden) return;
  for (const other of choices) other.disabled = true;
  silence();
  const body = JSON.stringify({ id: pair.id, choice: choice.dataset.choice });
  ask("/verdict", { method: "POST", body, headers: { "content-type": "application/json" } });
}

function toggle(sound) {
  if (!sound.src) return;
  if (sound.paused) sound.play();
  else sound.pause();
}

for (const id of Object.values(sounds)) {
  at(id).addEventListener("play", () => {
    for (const other of Object.values(sounds)) if (other !== id) at(other).pause();
    if (id !== "request_sound") played.add(id);
    at(id).closest("section").classList.add("playing");
    enable();
  });
  at(id).addEventListener("pause", () => at(id).closest("section").classList.remove("playing"));
}
for (const choice of choices) choice.addEventListener("click", () => choose(choice));
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const choice = choices.find(one => one.dataset.key === event.key);
  if (choice) choose(choice);
  else if (sounds[event.key]) toggle(at(sounds[event.key]));
});

ask("/pair");
