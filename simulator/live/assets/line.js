/* The WebSocket to the simulator: sound with a head of 12 bytes (kind, frame number), everything else as JSON. */

const HEAD = 12, PCM16 = 1;

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
    sendSound(frame, block) {
      if (socket.readyState !== WebSocket.OPEN) return;
      const bytes = new ArrayBuffer(HEAD + block.byteLength), head = new DataView(bytes);
      head.setUint8(0, PCM16);
      head.setBigUint64(4, BigInt(frame), true);
      new Int16Array(bytes, HEAD).set(block);
      socket.send(bytes);
    },
    close: () => socket.close(1000),
  };
}
