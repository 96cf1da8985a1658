/* The live page: from the permission to the microphone, through the conversation, to the session page. */

import { enable, flash, showButtons } from "./buttons.js";
import { canEncode, openEncoder, PACKET_MS } from "./encoder.js";
import { count, showDelay, showLatency } from "./figures.js";
import { makeLanes } from "./lanes.js";
import { openLine } from "./line.js";
import { at, clock } from "./parts.js";
import { showRival, showScorecard } from "./scorecard.js";
import { openSound } from "./sound.js";
import { colours, watchTheme } from "./theme.js";
import { showTrouble } from "./troubles.js";
import { cutWords, showWords } from "./words.js";

const config = JSON.parse(at("config").textContent);
const CUES = {
  loading: "Getting ready …", talking: "Speak now", scoring: "Thank you. Scoring the conversation …", over: "The conversation is over",
};
const JOINED = "joined"; // remembered in this tab, so that a page that is loaded again goes on

const lanes = makeLanes(at("lanes"), colours);
let sound = null, line = null, encoder = null, state = "lobby", pingMs = 0;

watchTheme(at("theme"), lanes.recolour);
showButtons(config.buttons, config.party, press);
at("longest").textContent = ` / ${clock(config.longest_s)}`;
at("canceller").checked = config.echo;
at("start").addEventListener("click", start);
at("echo").addEventListener("click", testEcho);
at("hang_up").addEventListener("click", () => line.send({ type: "hang_up" }));
setInterval(() => { if (state === "talking") at("now").textContent = clock(lanes.seconds); }, 200);
if (config.party) sit();
else watch();

async function sit() {
  at("entry").hidden = false;
  at("cue").textContent = `You are the ${config.party}`;
  at("join").addEventListener("click", join);
  at("narrow").hidden = !config.opus || !(await canEncode(48_000));
  const joined = sessionStorage.getItem(JOINED);
  at("opus").checked = joined === "opus";
  if (joined) join();
}

/** Leave for good: microphone, encoder. */
function letGo() {
  sound?.close();
  encoder?.close();
}

function watch() {
  at("big").hidden = false;
  at("big").addEventListener("click", () => enlarge(!document.body.classList.contains("big")));
  enlarge(location.hash === "#big");
  at("cue").textContent = "Watching";
  line = openLine("/watch/line", { open() {}, sound() {}, message: take, gone: tellGone });
}

/** For a hall: the lanes and the last words, as large as the screen. */
function enlarge(on) {
  document.body.classList.toggle("big", on);
  at("big").setAttribute("aria-pressed", String(on));
  if (!on && document.fullscreenElement) document.exitFullscreen();
  else if (on && navigator.userActivation?.isActive) document.documentElement.requestFullscreen?.().catch(() => {});
}

/** Take the seat: microphone first, because nothing makes sense without it. */
async function join() {
  at("join").disabled = true;
  try {
    sound = await openSound(at("canceller").checked);
  } catch (error) {
    at("told").textContent = `Your sound cannot be used: ${error.message}. Allow the microphone for this page and try again.`;
    at("join").disabled = false;
    return;
  }
  const opus = config.opus && at("opus").checked && (await canEncode(sound.rate));
  sessionStorage.setItem(JOINED, opus ? "opus" : "pcm16");
  sound.onGone(() => { at("trouble").textContent = "The microphone has gone; plug it in and load the page again."; });
  line = openLine(`/talk/${config.party}/line`, { open: () => greet(opus), sound: sound.play, message: take, gone: tellGone });
}

/** Say hello with the native rate, and let the sound flow. */
function greet(opus) {
  const codec = opus ? "opus" : "pcm16", block_ms = opus ? PACKET_MS : sound.blockMs;
  line.send({ type: "hello", rate: sound.rate, codec, block_ms, microphone_ms: sound.microphoneMs, loudspeaker_ms: sound.loudspeakerMs() });
  if (opus) encoder = openEncoder(sound.rate, line.sendSound, opusFailed);
  let loudest = 0, blocks = 0;
  sound.onBlock((frame, block) => {
    if (encoder) encoder.push(frame, block);
    else line.sendSound(frame, block);
    for (const sample of block) loudest = Math.max(loudest, Math.abs(sample) / 32768);
    if (++blocks % 8 === 0) { at("level").value = loudest; loudest = 0; }
  });
  sound.onReport(report => {
    line.send({ type: "playback", ...report, loudspeaker_ms: sound.loudspeakerMs(), network_ms: pingMs / 2 });
  });
  setInterval(() => line.send({ type: "ping", sent: performance.now() }), 1000);
  at("rates").textContent = `microphone at ${(sound.rate / 1000).toLocaleString("en")} kHz${opus ? ", sent as Opus" : ""}, session at ${config.rate / 1000} kHz`;
  at("told").textContent = "One moment: the line is being tried.";
  at("join").hidden = true;
  at("canceller").disabled = at("opus").disabled = true;
  for (const id of ["start", "echo", "level"]) at(id).hidden = false;
  at("start").disabled = at("echo").disabled = true;
}

/** The encoder is gone for good; the page can be loaded again. */
function opusFailed(error) {
  at("trouble").textContent = `Opus failed: ${error.message}; load the page again, without it.`;
  sessionStorage.removeItem(JOINED);
  line.close();
}

function start() {
  line.send({ type: "ready" });
  at("start").disabled = at("echo").disabled = true;
  at("cue").textContent = "Waiting for the others …";
}

function testEcho() {
  line.send({ type: "echo_test" });
  at("tried").textContent = "Listening for a tone …";
}

/** What the simulator tells, by type. */
function take(message) {
  ({
    state: enter,
    lanes: lanes.add,
    mark: mark => { lanes.mark(mark); count(mark); },
    words: said => { lanes.words(said); showWords(said); },
    words_end: ({ id, at: when, cut }) => { if (cut) { lanes.cut(id, when); cutWords(id, when); } },
    latency: showLatency,
    delay_user: delay => { if (config.party !== "agent") showDelay(delay); },
    delay_agent: delay => { if (config.party === "agent") showDelay(delay); },
    pong: ({ sent }) => { pingMs = performance.now() - sent; },
    loop: ({ on }) => { sound.loop(on); line.send({ type: "looped", on }); },
    tried: showTried,
    echo: ({ verdict }) => { at("tried").textContent = `Echo test: ${verdict}.`; },
    pressed: ({ key }) => flash(key),
    trouble: showTrouble,
    rival: showRival,
  })[message.type]?.(message);
}

function showTried({ measured }) {
  at("start").disabled = at("echo").disabled = false;
  at("told").textContent = "Say something: the bar below moves. Then start.";
  at("tried").textContent = measured === null ? "The click did not come back: the delay of this line is known by its parts only."
    : `Mouth to ear, both ways: ${Math.round(measured)} ms, measured with a click (hardware as it states itself).`;
  document.documentElement.dataset.ready = "tried";
}

function enter({ state: next, report, problem, scorecard, rivals }) {
  state = next;
  document.body.dataset.state = state;
  const cue = state === "talking" && !config.party ? "They are talking" : CUES[state];
  at("cue").textContent = problem ? `It could not be completed: ${problem}` : cue ?? at("cue").textContent;
  at("entry").hidden = state !== "lobby" || !config.party;
  at("hang_up").hidden = state !== "talking" || !config.party;
  enable(state === "talking" && config.party);
  if (state === "scoring" || state === "over") {
    lanes.stop();
    letGo();
    sessionStorage.removeItem(JOINED);
  }
  if (state === "over") showScorecard(scorecard ?? [], report, rivals ?? [], config.party && (number => line.send({ type: "rival", number })));
}

function press(key) { if (state === "talking" && config.party) line.send({ type: "press", key }); }

function tellGone(reason) {
  letGo();
  lanes.stop();
  if (state !== "over") at("cue").textContent = reason ? `The line is closed: ${reason}` : "The line is closed";
}
