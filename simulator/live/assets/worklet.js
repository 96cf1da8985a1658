/* The two ends of the line inside the audio thread: what the microphone gives goes out in blocks with their frame
   numbers, what comes in is played from an elastic buffer. Both at the context's native rate. */

const BLOCK_S = 0.01;
const REPORT_S = 0.25;

/** Collects about 10 ms of mono sound and posts it as PCM16 with the frame number of its first sample. It has an output,
    which stays silent: a browser may leave out a node that leads nowhere, and with it 128 frames, when it is in a hurry. */
class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.ceil((BLOCK_S * sampleRate) / 128) * 128;
    this.next = 0; // the frame number that comes next, as counted here
    this.begin();
  }

  begin() {
    this.block = new Int16Array(this.size);
    this.filled = 0;
  }

  process(inputs) {
    const input = inputs[0][0];
    // Ahead of the count, the audio thread skipped, and so do the numbers. Behind it, nothing happened: a browser that
    // is in a hurry calls with the frame number of the call before.
    if (currentFrame > this.next) {
      if (this.filled) this.send();
      this.next = currentFrame;
    }
    for (let i = 0; i < 128; i++) this.block[this.filled + i] = input ? Math.max(-32768, Math.min(32767, Math.round(input[i] * 32768))) : 0;
    this.filled += 128;
    this.next += 128;
    if (this.filled === this.size) this.send();
    return true;
  }

  send() {
    const block = this.block.slice(0, this.filled);
    this.port.postMessage({ frame: this.next - this.filled, block }, [block.buffer]);
    this.begin();
  }
}

const START_DEPTH_S = 0.06, LEAST_DEPTH_S = 0.03, MOST_DEPTH_S = 0.4, STEP_S = 0.06, RESERVE_S = 0.012;
const SMOOTHING_S = 2, WINDOW_S = 5, GAIN_PER_S = 0.1, MOST_STRETCH = 0.004;
const RING = 1 << 17;

/** Plays what is posted to it. The depth is held by slow resampling; steps over 60 ms are left out at once. */
class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ring = new Float32Array(RING);
    this.written = 0;
    this.place = 1; // fractional, in samples written; one sample before it is needed for interpolation
    this.depth = START_DEPTH_S * sampleRate;
    this.filling = true;
    this.smooth = null;
    this.least = Infinity;
    this.window = this.reported = this.dropout = this.skipped = 0;
    this.port.onmessage = ({ data }) => this.push(data);
  }

  push(block) {
    if (this.written + block.length - this.place > RING - 8) this.place = this.written; // nobody played for seconds
    for (let i = 0; i < block.length; i++) this.ring[(this.written + i) % RING] = block[i] / 32768;
    this.written += block.length;
  }

  get waiting() { return this.written - 2 - this.place; }

  process(inputs, outputs) {
    const out = outputs[0][0];
    if (this.look(out.length)) this.fill(out);
    else { out.fill(0); if (this.written) this.dropout += out.length; }
    this.reported += out.length;
    if (this.reported >= REPORT_S * sampleRate) this.report();
    return true;
  }

  /** Judge the depth before playing; false: there is nothing to play. */
  look(count) {
    if (this.filling) {
      if (this.waiting < this.depth) return false;
      this.filling = false;
    } else if (this.waiting < count * (1 + MOST_STRETCH) + 1) {
      this.filling = true;
      this.depth = Math.min(this.depth + 0.02 * sampleRate, MOST_DEPTH_S * sampleRate);
      this.smooth = null;
      return false;
    }
    if (this.waiting - this.depth > STEP_S * sampleRate) {
      const excess = Math.floor(this.waiting - this.depth);
      this.place += excess;
      this.skipped += excess;
      this.smooth = null;
    }
    const share = count / (SMOOTHING_S * sampleRate);
    this.smooth = this.smooth === null ? this.waiting : this.smooth + share * (this.waiting - this.smooth);
    this.adapt(count);
    return true;
  }

  /** Be shallower where the emptiest moment of the last seconds left more than a reserve. */
  adapt(count) {
    this.least = Math.min(this.least, this.waiting - count);
    this.window += count;
    if (this.window < WINDOW_S * sampleRate) return;
    const spare = Math.max(0, this.least - RESERVE_S * sampleRate);
    this.depth = Math.max(this.depth - spare / 4, LEAST_DEPTH_S * sampleRate);
    this.least = Infinity;
    this.window = 0;
  }

  /** Read with a cubic between samples; straight where nothing has to be corrected. */
  fill(out) {
    const off = (this.smooth - this.depth) / sampleRate;
    const step = 1 + (Math.abs(off) < 0.002 ? 0 : Math.max(-MOST_STRETCH, Math.min(MOST_STRETCH, GAIN_PER_S * off)));
    for (let i = 0; i < out.length; i++) {
      const whole = Math.floor(this.place), t = this.place - whole;
      out[i] = t === 0 ? this.ring[whole % RING] : this.between(whole, t);
      this.place += step;
    }
  }

  between(whole, t) {
    const ring = this.ring;
    const a = ring[(whole - 1) % RING], b = ring[whole % RING], c = ring[(whole + 1) % RING], d = ring[(whole + 2) % RING];
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
  }

  report() {
    const ms = frames => (1000 * frames) / sampleRate;
    this.port.postMessage({ playback_ms: ms(this.smooth ?? this.depth), dropouts_ms: ms(this.dropout), skipped_ms: ms(this.skipped) });
    this.reported = this.dropout = this.skipped = 0;
  }
}

registerProcessor("capture", Capture);
registerProcessor("player", Player);
