/* Moments in the address: #t=12.3 opens the page there, and a reload comes back to where one was; #t=12.3-18 is a clip. */

import { clock } from "./times.js";

const SETTLED_MS = 400;  // browsers bound how often a page may change its address

/** Follow the address, now and whenever it changes. go(time, end) is called with what it names; end: of a clip alone. */
export function followAddress(go) {
  const follow = () => {
    const match = /^#t=(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?$/.exec(location.hash);
    if (match) go(Number(match[1]), match[2] === undefined ? null : Number(match[2]));
  };
  window.addEventListener("hashchange", follow);
  follow();
}

/** A function that keeps a moment in the address once it has settled. */
export function addressKeeper() {
  let waiting = null;
  return time => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (location.href !== addressOf(time)) history.replaceState(null, "", addressOf(time));
    }, SETTLED_MS);
  };
}

/** Put a link to a moment on the clipboard. */
export function copyLink(time, told) { return copyText(addressOf(time), `copied: a link to ${clock(time, 2)}`, told); }

/** Put a text on the clipboard and say so; where that is not allowed, show it. */
export async function copyText(text, done, told) {
  try {
    await navigator.clipboard.writeText(text);
    told(done, false);
  } catch {
    told(text, false);
  }
}

/** The address of a moment, or of a clip. */
export function addressOf(time, end = null) {
  const page = location.href.split("#")[0], short = seconds => Number(seconds.toFixed(2));
  if (end !== null) return `${page}#t=${short(time)}-${short(end)}`;
  return time ? `${page}#t=${short(time)}` : page;
}
