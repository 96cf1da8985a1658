/* Microphone and loudspeaker of the page, joined to two worklet nodes. No rate is forced: the context's own is stated. */

const STARTS_MS = 5000; // a loudspeaker starts within a moment; Firefox waits for one that is not there for ever

/** The context runs, or a sentence says why not. */
function running(context) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("the loudspeaker does not start, perhaps there is none")), STARTS_MS);
    context.resume().then(resolve, reject);
  });
}

/** Open both ends. `echo`: the browser's canceller; without it nothing of the browser's touches the sound. */
export async function openSound(echo) {
  const context = new AudioContext({ latencyHint: "interactive" });
  await context.audioWorklet.addModule("/assets/worklet.js");
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: echo, noiseSuppression: false, autoGainControl: false },
  });
  await running(context);
  const microphone = context.createMediaStreamSource(stream);
  const options = { channelCount: 1, channelCountMode: "explicit" };
  const capture = new AudioWorkletNode(context, "capture", options);
  const player = new AudioWorkletNode(context, "player", { ...options, numberOfInputs: 0, outputChannelCount: [1] });
  microphone.connect(capture);
  capture.connect(context.destination); // silent, see there
  player.connect(context.destination);
  const track = stream.getAudioTracks()[0];
  return {
    rate: context.sampleRate,
    blockMs: (1000 * Math.ceil(context.sampleRate / 100 / 128) * 128) / context.sampleRate,
    microphoneMs: 1000 * (track.getSettings().latency ?? 0),
    loudspeakerMs: () => 1000 * (context.outputLatency || context.baseLatency || 0),
    onBlock: take => { capture.port.onmessage = ({ data }) => take(data.frame, data.block); },
    onReport: take => { player.port.onmessage = ({ data }) => take(data); },
    onGone: take => { track.onended = take; },
    play: block => player.port.postMessage(block, [block.buffer]),
    /** Join the loudspeaker end to the microphone end, so that the line can be measured in silence; or part them. */
    loop(on) {
      if (on) {
        microphone.disconnect();
        player.disconnect();
        player.connect(capture);
      } else {
        player.disconnect();
        player.connect(context.destination);
        microphone.connect(capture);
      }
    },
    close() {
      stream.getTracks().forEach(one => one.stop());
      if (context.state !== "closed") context.close();
    },
  };
}
