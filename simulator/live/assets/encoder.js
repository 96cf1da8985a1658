/* Opus by WebCodecs, for a line that is narrow: blocks of the microphone in, packets of 20 ms out. */

import { OPUS } from "./line.js";

const PACKET_US = 20_000, LOOKAHEAD_MS = 6.5, BITS_PER_S = 48_000;

const settings = rate => ({
  codec: "opus", sampleRate: rate, numberOfChannels: 1, bitrate: BITS_PER_S,
  opus: { frameDuration: PACKET_US, application: "voip" },
});

/** What collecting a packet takes, in ms. */
export const PACKET_MS = PACKET_US / 1000 + LOOKAHEAD_MS;

/** Whether this browser can encode at a rate at which packets begin on whole frames. */
export async function canEncode(rate) {
  if (!("AudioEncoder" in window) || rate % (1e6 / PACKET_US)) return false;
  try {
    return (await AudioEncoder.isConfigSupported(settings(rate))).supported;
  } catch {
    return false;
  }
}

/** Open an encoder. `take(frame, Uint8Array, kind)` is told each packet with the frame number of its first sample. */
export function openEncoder(rate, take, failed) {
  let pushed = 0, taken = 0, first = 0;
  const holes = []; // where in what was pushed frame numbers jump, and by how many
  const encoder = new AudioEncoder({ output, error: failed });
  encoder.configure(settings(rate));

  function output(chunk) {
    while (holes.length && holes[0].at <= taken) first += holes.shift().size;
    const packet = new Uint8Array(chunk.byteLength);
    chunk.copyTo(packet);
    take(first + taken, packet, OPUS);
    taken += Math.round((chunk.duration * rate) / 1e6);
  }

  return {
    push(frame, block) {
      if (encoder.state !== "configured") return; // the conversation is over, and a last block came after it
      const hole = frame - holes.reduce((sum, one) => sum + one.size, first) - pushed;
      if (hole) holes.push({ at: pushed, size: hole });
      const timestamp = Math.round((1e6 * pushed) / rate);
      const sound = new AudioData({ format: "s16", sampleRate: rate, numberOfChannels: 1, numberOfFrames: block.length, timestamp, data: block });
      encoder.encode(sound);
      sound.close();
      pushed += block.length;
    },
    close() { if (encoder.state !== "closed") encoder.close(); },
  };
}
