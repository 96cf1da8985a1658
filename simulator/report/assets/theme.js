/* Colours for the canvas, read from the style sheet, and the switch between light and dark. */

const NAMES = ["paper", "card", "ink", "quiet", "hair", "wash", "user", "agent", "both", "good", "bad", "cursor", "focus"];

/** The style sheet's colours as the canvas takes them, by name. */
export function colours() {
  const probe = document.createElement("i");
  document.body.append(probe);
  const found = {};
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

/** Call `changed` whenever the colours change: by the system, by the button, or for paper. */
export function watchTheme(button, changed) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remembered = storage().getItem("theme");
  if (remembered) root.dataset.theme = remembered;
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
    root.dataset.theme = dark ? "light" : "dark";
    storage().setItem("theme", root.dataset.theme);
    changed();
  });
  system.addEventListener("change", changed);
}

/** What the browser remembers between pages; forgetful where it is not allowed to. */
function storage() {
  try {
    return window.localStorage;
  } catch {
    return { getItem: () => null, setItem: () => {} };
  }
}
