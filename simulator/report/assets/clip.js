/* A clip: a stretch of the session that is played by itself, linked to (#t=12.3-18), and saved as a WAV file. */

import { find, make } from "./data.js";
import { addressOf, copyText } from "./moment.js";
import { clock } from "./times.js";
import { wavOf } from "./wav.js";

export class Clip {
  /** name: of the files that are saved; told(text, bad): says what is wrong. */
  constructor({ player, view, rate, name, told }) {
    Object.assign(this, { player, view, rate, name, told });
    this.range = null;
    find("clip-play").addEventListener("click", () => this.play());
    find("clip-link").addEventListener("click", () => this.link());
    find("clip-save").addEventListener("click", () => this.save());
    find("clip-leave").addEventListener("click", () => this.leave());
  }

  /** Take a stretch in seconds; what is shown, where none is named. */
  take(start = this.view.start, end = this.view.end) {
    this.range = { start, end: Math.min(end, this.view.duration) };
    find("clipped-told").textContent = `clip ${clock(start)} to ${clock(this.range.end)}`;
    find("clipbar").hidden = false;
    this.draw();
  }

  /** Let go of it, and play to the end again. */
  leave() {
    this.range = null;
    this.player.stopAt = null;
    find("clipbar").hidden = true;
    this.draw();
  }

  async play() {
    const { start, end } = this.range;
    this.player.seek(start);
    this.player.stopAt = end;
    if (!this.player.playing) await this.player.toggle();
  }

  link() { copyText(addressOf(this.range.start, this.range.end), "copied: a link to this clip", this.told); }

  /** Save the sound as it is played, user on the left and agent on the right. */
  async save() {
    const { start, end } = this.range, sound = this.player.audio?.sound;
    if (!sound) { this.told("this page has no sound to save"); return; }
    const context = new OfflineAudioContext(2, 1, this.rate);
    const whole = await context.decodeAudioData(await sound.arrayBuffer()).catch(() => null);
    if (!whole) { this.told("this browser cannot decode the page's sound to save it", true); return; }
    saveFile(wavOf(whole, start, end), `${this.name}-${start.toFixed(1)}-${end.toFixed(1)}.wav`);
  }

  /** Show where it lies on the time line. */
  draw() {
    const { range, view } = this, mark = find("clipped");
    mark.hidden = !range || range.end < view.start || range.start > view.end;
    if (mark.hidden) return;
    const left = Math.max(view.left, view.x(range.start)), right = Math.min(view.right, view.x(range.end));
    mark.style.left = `${left}px`;
    mark.style.width = `${Math.max(0, right - left)}px`;
  }
}

/** Hand a file to the browser, which asks where to put it or knows. */
export function saveFile(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Save who said what and when, in seconds, as JSON. */
export function saveAnnotation(model, name) {
  const lane = ({ segments, utterances, words }) => ({ segments, utterances, words });
  const told = {
    session: name,
    duration_s: model.duration,
    user: lane(model.lanes.user),
    agent: lane(model.lanes.agent),
    marks: model.marks.map(({ kind, start, end, party, label, detail }) => ({ kind, start, end, party, label, detail })),
  };
  saveFile(new Blob([JSON.stringify(told, null, 1)], { type: "application/json" }), `${name}-annotation.json`);
}
