/* Times as a reader wants them. Seconds everywhere; samples end where the page's data begins. */

/** Seconds as on a clock: 0:12.3, or with more digits 0:12.345. */
export function clock(seconds, digits = 1) {
  const scale = 10 ** digits;
  const units = Math.round(Math.max(0, seconds) * scale);
  const whole = Math.floor(units / scale);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = ((units - (whole - whole % 60) * scale) / scale).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

/** A round step in seconds such that ticks lie at least `room` seconds apart, and how many digits it needs. */
export function tickStep(room) {
  const step = STEPS.find(candidate => candidate >= room) ?? STEPS[STEPS.length - 1];
  return { step, digits: step >= 1 ? 0 : step >= 0.1 ? 1 : 2 };
}

/** The index of the first item whose key is above the value; items are sorted by key. */
export function firstAbove(items, value, key) {
  let low = 0, high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(items[middle]) > value) high = middle; else low = middle + 1;
  }
  return low;
}
