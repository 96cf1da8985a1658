/* The page's sound: put together chunk by chunk while the page is still being read. */

import { bytesOf, find } from "./data.js";

/** Give the player its recordings, each as soon as it is whole; say what is missing. */
export async function loadSound(player, told) {
  const mime = find("mime").textContent;
  let track = null, blobs = [];
  const whole = () => {
    if (blobs.length) {
      const sound = new Blob(blobs, { type: mime });
      player.attach(track, URL.createObjectURL(sound), `the page's sound (${mime})`, sound);
    }
    blobs = [];
  };
  for await (const chunk of chunks()) {
    if (chunk.dataset.audio !== track) whole();
    track = chunk.dataset.audio;
    blobs.push(new Blob([bytesOf(chunk.textContent)]));
    chunk.remove();
  }
  whole();
  if (!mime) told("this page was written without sound", false);
  else if (!player.audio) told("the sound is missing from this page");
}

/** The chunks in order, each when it has been read to its end; the page stays alive between them. */
async function* chunks() {
  for (;;) {
    const loading = document.readyState === "loading";
    const found = document.querySelectorAll("script[data-audio]");
    const chunk = loading && found.length < 2 ? null : found[0];
    if (!chunk && !loading) return;
    if (chunk) yield chunk;
    await new Promise(done => setTimeout(done));
  }
}
