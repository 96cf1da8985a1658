/* Small parts that the page's modules share. */

export const at = id => document.getElementById(id);

export function element(name, className, text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** Seconds as minutes and seconds: 1:05, or 1:05.2 with a digit. */
export function clock(seconds, digits = 0) {
  const whole = Math.floor(seconds / 60), rest = seconds - 60 * whole;
  return `${whole}:${rest.toFixed(digits).padStart(digits ? 3 + digits : 2, "0")}`;
}
