/* Moments in the address: #t=12.3 opens the page there, and a reload comes back to where one was. */

import { clock } from "./times.js";

const SETTLED_MS = 400;  // browsers bound how often a page may change its address

/** Follow the address, now and whenever it changes. go(time) is called with the moment it names. */
export function followAddress(go) {
  const follow = () => {
    const time = timeInHash(location.hash);
    if (time !== null) go(time);
  };
  window.addEventListener("hashchange", follow);
  follow();
}

/** The time that a link such as #t=12.3 names, or null. */
function timeInHash(hash) {
  const match = /^#t=(\d+(?:\.\d+)?)$/.exec(hash);
  return match ? Number(match[1]) : null;
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

/** Put a link to a moment on the clipboard; where that is not allowed, show it. */
export async function copyLink(time, told) {
  try {
    await navigator.clipboard.writeText(addressOf(time));
    told(`copied: a link to ${clock(time, 2)}`, false);
  } catch {
    told(addressOf(time), false);
  }
}

function addressOf(time) {
  const page = location.href.split("#")[0];
  return time ? `${page}#t=${Number(time.toFixed(2))}` : page;
}
