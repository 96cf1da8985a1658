/* Keys: everything the page does, without a mouse. */

const TYPING = "input[type=text], input[type=search], textarea, select";

/** Listen on the document; `element` is the time line, `actions` are functions by name. */
export function watchKeys(element, actions) {
  const everywhere = {
    "[": actions.previous, "]": actions.next, ",": actions.back, ".": actions.on,
    "0": actions.whole, "Home": actions.first, "End": actions.last, "l": actions.link, "h": actions.heard, "c": actions.clip, "/": actions.search,
    "u": () => actions.listen("user"), "a": () => actions.listen("agent"), "b": () => actions.listen("both"),
    "Escape": actions.leave,
  };
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches(TYPING)) return;
    const control = event.target.closest("button, a, summary, input");
    const act = chosen(event, control, element, everywhere, actions);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function chosen(event, control, element, everywhere, actions) {
  if (event.key === " ") return control && control.type !== "radio" ? null : actions.play;
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    if (control?.type === "radio") return null;
    const step = (event.shiftKey ? 0.1 : 1) * (event.key === "ArrowLeft" ? -1 : 1);
    return () => actions.move(step);
  }
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    return event.target === element ? () => actions.zoom(event.key === "ArrowUp" ? 1.6 : 1 / 1.6) : null;
  }
  return everywhere[event.key];
}
