/* The WebSocket to the simulator: sound with a head of 12 bytes (kind, frame number), everything else as JSON. */

export const PCM16 = 1, OPUS = 2;
const HEAD = 12;

/** Open a line. `sound(Int16Array)` and `message(object)` are told what comes in, `gone(reason)` that nothing will. */
export function openLine(path, { open, sound, message, gone }) {
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}${path}`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => open();
  socket.onclose = event => gone(event.reason);
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") message(JSON.parse(data));
    else sound(new Int16Array(data.slice(HEAD)));
  };
  return {
    send: fields => { if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(fields)); },
    /** sound: an Int16Array, or a packet as Uint8Array. */
    sendSound(frame, sound, kind = PCM16) {
      if (socket.readyState !== WebSocket.OPEN) return;
      const bytes = new ArrayBuffer(HEAD + sound.byteLength), head = new DataView(bytes);
      head.setUint8(0, kind);
      head.setBigUint64(4, BigInt(frame), true);
      new sound.constructor(bytes, HEAD).set(sound);
      socket.send(bytes);
    },
    close: () => socket.close(1000),
  };
}
