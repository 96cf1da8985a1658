/* Playing: one <audio> element per recording, user on the left, agent on the right.
   Without sound (none in the page, or none the browser can play) the cursor still moves where it is put. */

export class Player {
  /** told(text): says what is wrong; changed(): the state or the position jumped. */
  constructor({ duration, told, changed, track = "said" }) {
    Object.assign(this, { duration, told, changed, track });
    this.elements = {};
    this.side = "both";
    this.parked = 0;
    this.stopAt = null;  // where a clip ends
  }

  get audio() { return this.elements[this.track]; }
  get playing() { return Boolean(this.audio && !this.audio.paused && !this.audio.ended); }
  get time() { return this.audio && this.audio.readyState ? this.audio.currentTime : this.parked; }

  /** Add a recording: `track` is its name (`said`, `heard`), `address` where its sound lies, `kind` what it is. */
  attach(track, address, kind, sound = null) {
    const audio = document.createElement("audio");
    audio.preload = "auto";
    audio.sound = sound;  // its file, for whoever saves some of it
    audio.src = address;
    audio.dataset.track = track;
    audio.addEventListener("loadedmetadata", () => { if (this.audio === audio && this.parked) audio.currentTime = this.parked; });
    audio.addEventListener("error", () => {
      delete this.elements[track];
      this.told(`this browser cannot play ${kind}; the lanes are shown all the same`);
      this.changed();
    });
    for (const name of ["play", "pause", "ended", "seeked"]) audio.addEventListener(name, () => this.changed());
    this.elements[track] = audio;
    document.body.append(audio);
  }

  seek(time) {
    this.parked = Math.min(this.duration, Math.max(0, time));
    if (this.audio?.readyState) this.audio.currentTime = this.parked;
    this.changed();
  }

  async toggle() {
    if (!this.audio) return;
    if (this.playing) { this.audio.pause(); return; }
    if (this.time >= this.duration - 0.01) this.seek(0);
    await this.context?.resume();
    await this.audio.play().catch(error => this.told(`the sound does not start: ${error.message}`));
  }

  /** Stop at the end of a clip; from there on the sound goes on when it is played again. */
  stop() {
    const end = this.stopAt;
    this.stopAt = null;
    this.audio?.pause();
    this.seek(end);
  }

  /** Stop and forget all recordings. */
  clear() {
    for (const audio of Object.values(this.elements)) {
      audio.pause();
      audio.remove();
    }
    this.elements = {};
    this.parked = 0;
  }

  /** Play the other recording from the same moment. */
  choose(track) {
    if (track === this.track || !this.elements[track]) return;
    const playing = this.playing, time = this.time;
    this.audio?.pause();
    this.track = track;
    this.seek(time);
    this.#mix();
    if (playing) this.toggle();
  }

  /** Hear `both` (user left, agent right), or one side alone on both ears. */
  listen(side) {
    this.side = side;
    this.#mix();
  }

  /** Route the two channels; the plain element plays stereo by itself, so the mixer is only made when it is needed. */
  #mix() {
    const audio = this.audio;
    if (!audio || (this.side === "both" && !audio.mixer)) return;
    this.context ??= new AudioContext();
    audio.mixer ??= mixerOf(this.context, audio);
    const gains = { both: [1, 0, 0, 1], user: [1, 1, 0, 0], agent: [0, 0, 1, 1] }[this.side];
    audio.mixer.forEach((gain, i) => { gain.gain.value = gains[i]; });
    if (this.playing) this.context.resume();
  }
}

/** Four gains: left to left, left to right, right to left, right to right. */
function mixerOf(context, audio) {
  const splitter = context.createChannelSplitter(2), merger = context.createChannelMerger(2);
  context.createMediaElementSource(audio).connect(splitter);
  const gains = [[0, 0], [0, 1], [1, 0], [1, 1]].map(([from, to]) => {
    const gain = context.createGain();
    splitter.connect(gain, from);
    gain.connect(merger, 0, to);
    return gain;
  });
  merger.connect(context.destination);
  return gains;
}
