/* WAV files of 16 bits, made in the page. */

const WAV_HEADER = 44, LOUDEST = 32767;

/** A WAV file (a Blob) of [start, end) seconds of a decoded sound, all its channels. */
export function wavOf(sound, start, end) {
  const rate = sound.sampleRate, width = sound.numberOfChannels;
  const first = Math.round(start * rate), count = Math.max(0, Math.min(sound.length, Math.round(end * rate)) - first);
  const view = new DataView(new ArrayBuffer(WAV_HEADER + 2 * width * count));
  wavHeader(view, rate, width, count);
  const channels = Array.from({ length: width }, (_, i) => sound.getChannelData(i));
  let at = WAV_HEADER;
  for (let i = first; i < first + count; i++) {
    for (const channel of channels) {
      view.setInt16(at, Math.max(-LOUDEST, Math.min(LOUDEST, Math.round(channel[i] * LOUDEST))), true);
      at += 2;
    }
  }
  return new Blob([view], { type: "audio/wav" });
}

function wavHeader(view, rate, width, count) {
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, WAV_HEADER - 8 + 2 * width * count, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, width, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2 * width, true);
  view.setUint16(32, 2 * width, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * width * count, true);
}
