"""Figures of the session page: size, time to write, time to load, seeking, memory, frames per second.

    python tests/benchmarks/report_page.py [--minutes 0.5 10 60] [--heard] [--keep DIR]

Needs Chromium with its driver, and selenium. The sound is synthetic, voiced bursts that FLAC packs a little
worse than speech.
"""

import argparse
import random
import statistics
import sys
import tempfile
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(HOME))

from simulator import clock  # noqa: E402 - after the path
from simulator.report.page import write_session_page  # noqa: E402
from simulator.results.run import SESSION_PAGE  # noqa: E402
from tests.report_browser import browser, errors, renderer_megabytes, wait_ready  # noqa: E402
from tests.report_sessions import make_session  # noqa: E402

SEEKS = 40
PLAYED_S = 6

FRAMES = """
const done = arguments[arguments.length - 1];
const end = performance.now() + arguments[0] * 1000;
let frames = 0, moves = 0, last = "", longest = 0, before = performance.now();
const step = now => {
  frames++;
  longest = Math.max(longest, now - before);
  before = now;
  const place = document.getElementById("cursor").style.transform;
  if (place !== last) moves++;
  last = place;
  if (performance.now() < end) requestAnimationFrame(step); else done([frames, moves, longest]);
};
requestAnimationFrame(step);
"""

SEEK = """
const [time, done] = [arguments[0], arguments[arguments.length - 1]];
const audio = document.querySelector("audio[data-track=said]");
const begin = performance.now();
audio.addEventListener("seeked", () => done(performance.now() - begin), { once: true });
location.hash = `#t=${time}`;
"""


def main() -> None:
    """Measure pages of several lengths and print a line of figures for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", nargs="+", type=float, default=[0.5, 10, 60])
    parser.add_argument("--heard", action="store_true", help="with a line that changes the sound")
    parser.add_argument("--audio", default="auto")
    parser.add_argument("--keep", type=Path, help="make and keep the sessions here")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for minutes in args.minutes:
            measure(
                Path(args.keep or scratch) / f"{minutes:g}-minutes",
                minutes,
                heard=args.heard,
                audio=args.audio,
            )


def measure(folder: Path, minutes: float, *, heard: bool, audio: str) -> None:
    """Make a session, write its page, open it, and print what was found."""
    if not (folder / "session.json").is_file():
        make_session(folder, duration_s=minutes * 60, heard=heard)
    begin = clock.seconds()
    write_session_page(folder, audio)  # type: ignore[arg-type]
    written_s = clock.seconds() - begin
    page = folder / SESSION_PAGE
    size = page.stat().st_size
    sound = sum(len(line) for line in page.open("rb") if line.startswith(b'<script type="text/plain" data-audio'))
    budget = 300e3 + 2e6 * minutes / 60
    print(
        f"{minutes:g} min: page {size / 1e6:.2f} MB, of it sound {sound / 1e6:.2f} MB, the rest "
        f"{(size - sound) / 1e3:.0f} kB of {budget / 1e3:.0f} kB allowed; written in {written_s:.2f} s"
    )
    with browser(1280, 900) as driver:
        begin = clock.seconds()
        driver.get(page.resolve().as_uri())
        wait_ready(driver, "lanes")
        lanes_s = driver.execute_script("return performance.getEntriesByName('lanes')[0].startTime / 1000")
        wait_ready(driver, "all")
        all_s = driver.execute_script("return performance.getEntriesByName('all')[0].startTime / 1000")
        print(
            f"  lanes drawn after {lanes_s:.2f} s, sound ready after {all_s:.2f} s "
            f"({clock.seconds() - begin:.2f} s by the driver's clock)"
        )
        rng = random.Random(1)
        seeks = [driver.execute_async_script(SEEK, round(rng.uniform(0, minutes * 60 - 1), 2)) for _ in range(SEEKS)]
        print(f"  {SEEKS} seeks: median {statistics.median(seeks):.0f} ms, longest {max(seeks):.0f} ms")
        driver.execute_script("location.hash = '#t=1'; document.getElementById('play').click()")
        frames, moves, longest = driver.execute_async_script(FRAMES, PLAYED_S)
        print(
            f"  playing at 1280 px: {frames / PLAYED_S:.0f} frames/s, cursor moved in {moves / PLAYED_S:.0f} of them, "
            f"longest frame {longest:.0f} ms"
        )
        print(f"  renderer {renderer_megabytes(driver):.0f} MB resident; console errors: {errors(driver) or 'none'}")


if __name__ == "__main__":
    main()
