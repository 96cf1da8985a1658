/* The view: which stretch of the session is on the screen, and where in it a moment lies. */

const SHORTEST_S = 0.05;

export class View {
  constructor(duration) {
    // A session that failed before its first frame has no length; a view of nothing would have infinitely many ticks.
    this.duration = Math.max(duration, SHORTEST_S);
    this.start = 0;
    this.end = this.duration;
    this.left = 0;   // pixels: where the time axis begins, after the gutter
    this.right = 1;
    this.changed = () => {};
  }

  get span() { return this.end - this.start; }
  get pxPerS() { return (this.right - this.left) / this.span; }

  x(time) { return this.left + (time - this.start) * this.pxPerS; }
  time(x) { return this.start + (x - this.left) / this.pxPerS; }
  holds(time) { return time >= this.start && time <= this.end; }

  /** Show [start, end), moved and cut to what there is. */
  show(start, end) {
    const span = Math.min(this.duration, Math.max(SHORTEST_S, end - start));
    const from = Math.min(Math.max(0, start), this.duration - span);
    if (from === this.start && from + span === this.end) return;
    this.start = from;
    this.end = from + span;
    this.changed();
  }

  /** Zoom by a factor (above 1: closer) so that the moment `around` stays where it is. */
  zoom(factor, around) {
    const span = Math.min(this.duration, Math.max(SHORTEST_S, this.span / factor));
    const share = (around - this.start) / this.span;
    this.show(around - share * span, around + (1 - share) * span);
  }

  pan(seconds) { this.show(this.start + seconds, this.end + seconds); }

  /** Move so that a moment is in sight, a little after the left edge. */
  reveal(time) {
    if (!this.holds(time)) this.show(time - this.span * 0.1, time + this.span * 0.9);
  }

  /** Bring a stretch into sight with its surroundings; leave the view alone when it already shows it well. */
  frame(start, end) {
    const length = end - start;
    const fits = start >= this.start && end <= this.end && length > this.span / 40;
    const margin = Math.max(1.5, length * 0.8);
    if (!fits) this.show(start - margin, end + margin);
  }
}
