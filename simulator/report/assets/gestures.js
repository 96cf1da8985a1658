/* Hands on the time line: click to go there, drag to zoom, two fingers or ctrl and wheel to zoom, wheel sideways to pan. */

const DRAG_PX = 5;

/** Listen on the time line's element. */
export function watchGestures({ element, timeline, view, selection, hint, seek }) {
  const fingers = new Map();
  let press = null, pinch = null;
  const place = event => event.clientX - element.getBoundingClientRect().left;

  element.addEventListener("pointerdown", event => {
    if (event.button || place(event) < view.left) return;
    fingers.set(event.pointerId, place(event));
    element.setPointerCapture(event.pointerId);
    press = fingers.size === 1 ? { x: place(event), start: view.start, touch: event.pointerType === "touch" } : null;
    pinch = fingers.size === 2 ? grip(fingers, view) : null;
    selection.hidden = true;
  });

  element.addEventListener("pointermove", event => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, place(event));
    if (pinch) pinched(pinch, fingers, view);
    else if (press) dragged(press, place(event));
    else showHint(event);
  });

  element.addEventListener("pointerup", event => {
    fingers.delete(event.pointerId);
    if (press && !press.dragging) seek(view.time(clamp(press.x, view)));
    else if (press && !press.touch) view.show(...sorted(view.time(press.x), view.time(clamp(place(event), view))));
    press = pinch = null;
    selection.hidden = true;
  });

  element.addEventListener("pointercancel", () => {
    fingers.clear();
    press = pinch = null;
    selection.hidden = true;
  });
  element.addEventListener("pointerleave", () => { hint.hidden = true; });
  element.addEventListener("dblclick", () => view.show(0, view.duration));

  element.addEventListener("wheel", event => {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey) view.zoom(Math.exp(-event.deltaY / 240), view.time(place(event)));
    else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) view.pan(sideways / view.pxPerS);
    else return;
    event.preventDefault();
  }, { passive: false });

  function dragged(press, x) {
    press.dragging ||= Math.abs(x - press.x) > DRAG_PX;
    if (!press.dragging) return;
    if (press.touch) {
      view.show(press.start - (x - press.x) / view.pxPerS, press.start - (x - press.x) / view.pxPerS + view.span);
      return;
    }
    const [left, right] = sorted(press.x, clamp(x, view));
    selection.hidden = false;
    selection.style.left = `${left}px`;
    selection.style.width = `${right - left}px`;
  }

  function showHint(event) {
    const box = element.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const text = timeline.told(x, y);
    hint.hidden = !text;
    if (!text) return;
    hint.textContent = text;
    hint.style.whiteSpace = "pre-line";
    const left = Math.min(x + 12, box.width - hint.offsetWidth - 4);
    const top = y + 18 + hint.offsetHeight < box.height ? y + 18 : y - hint.offsetHeight - 10;
    hint.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, top)}px)`;
  }
}

function grip(fingers, view) {
  const [a, b] = fingers.values();
  return { distance: Math.max(20, Math.abs(a - b)), span: view.span, around: view.time((a + b) / 2) };
}

function pinched(pinch, fingers, view) {
  const [a, b] = fingers.values();
  const span = pinch.span * pinch.distance / Math.max(20, Math.abs(a - b));
  const start = pinch.around - span * ((a + b) / 2 - view.left) / (view.right - view.left);
  view.show(start, start + span);
}

function clamp(x, view) { return Math.min(view.right, Math.max(view.left, x)); }
function sorted(a, b) { return a < b ? [a, b] : [b, a]; }
