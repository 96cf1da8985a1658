"""Measure a live conversation with the cascade: in a browser whose microphone is a file, or at PulseAudio null sinks.

    python -m tests.benchmarks.live_talk browser 600
    python -m tests.benchmarks.live_talk device 60

Prints what was understood, how far utterances lie off their place on the frame counter, steps and skew, the
mouth-to-ear delay with its parts, and the CPU share of the simulator while both talked.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from simulator import clock
from simulator.session import Session, read_session
from tests.live_browser import Said, caller, chromium, errors, hang_up, join, seconds_talked, start, talk, wait_until
from tests.live_counter import caught, misplaced_s
from tests.live_pulse import sound_server
from tests.live_tap import captured

RATE = 24_000


def in_browser(folder: Path, length_s: float) -> tuple[Said, float]:
    """Hold a conversation in a browser; gives what was said and the simulator's CPU share."""
    said = caller(folder / "caller.wav", length_s + 20, RATE)
    with talk(folder, "--no-open", "--set", f"duration={length_s + 60:.0f}s") as process, \
            chromium(folder / "caller.wav") as page:  # fmt: skip
        join(page, process.address())
        start(page)
        begin, used = clock.seconds(), process.cpu_s()
        wait_until(lambda: seconds_talked(page) >= length_s, 2 * length_s + 60)
        share = (process.cpu_s() - used) / (clock.seconds() - begin)
        print("console:", errors(page) or "quiet")
        hang_up(page)
        process.process.wait(120)
    return said, share


def at_device(folder: Path, length_s: float) -> tuple[Said, float]:
    """Hold a conversation at null sinks; gives what was said and the simulator's CPU share."""
    said = caller(folder / "caller.wav", length_s, RATE, first_s=4.0)
    with sound_server(folder) as sound:
        with talk(folder, "--audio", "device", "--set", f"duration={length_s:.0f}s", **sound) as process:
            wait_until(lambda: "a click did not come back" in process.lines, 40)
            begin, used = clock.seconds(), process.cpu_s()
            playing = ["paplay", "--device=mouth", str(folder / "caller.wav")]
            with subprocess.Popen(playing, env={**os.environ, **sound}):
                wait_until(lambda: clock.seconds() - begin > length_s - 2, length_s)
                share = (process.cpu_s() - used) / (clock.seconds() - begin)
                process.process.wait(120)
        loop = folder / "loop"
        loop.mkdir()
        arguments = ("--audio", "device", "--set", "duration=2s", "--set", "agent=silent", "--set", "scorers=[]")
        with talk(loop, *arguments, PULSE_SOURCE="speaker.monitor", **sound) as process:
            process.process.wait(60)
        print("loopback:", _delay(loop))
    return said, share


def _delay(folder: Path) -> Any:
    return read_session(folder / "run" / "talk-to-the-cascade-0").by_type["mouth_to_ear"][0].data


def _sizes_ms(session: Session, type_: str) -> list[int]:
    found = [event for event in session.by_type.get(type_, []) if event.party == "user"]
    return [round(1000 * event.data["size"] / RATE) for event in found]


def _off_the_file(whole: Said, said: Said) -> str:
    """Say how far the driver laid utterances off the file it played, after one alignment of all."""
    places = {id(samples): second for second, samples in said}
    shifts = np.array([counted - places[id(samples)] for counted, samples in whole])
    off_ms = 1000 * np.abs(shifts - np.median(shifts)) if len(shifts) else np.zeros(1)
    return f"off the file by {off_ms.max():.1f} ms at most, {int((off_ms > 40).sum())} of them by more than 40 ms"


def report(folder: Path, said: Said, share: float) -> None:
    """Print the figures of a finished conversation."""
    session = read_session(folder / "run" / "talk-to-the-cascade-0")
    whole = caught(said, captured(folder / "microphone.tap"), RATE)
    off = misplaced_s(session, whole)
    last = session.by_type["microphone"][-1].data
    steps = {name: _sizes_ms(session, name) for name in ("underrun", "late", "playback_underrun", "playback_late")}
    runner = [event for event in session.by_type.get("late", []) if event.party == "line"]
    explained = sum(steps["underrun"]) - sum(steps["late"])
    rest = 1000 * (last["offset"] - last["resampled"]) / RATE - explained
    print(f"length {session.duration / RATE:.1f} s, understood {len(session.by_type.get('recognised', []))} turns")
    worst_ms = 1000 * max(map(abs, off), default=float("nan"))
    print(f"utterances whole in what the driver gave: {len(whole)} of {len(said)}; {_off_the_file(whole, said)}")
    print(f"utterances placed: {len(off)} of {len(whole)}, worst {worst_ms:.1f} ms")
    print(f"steps in ms: {steps}; the runner was late {len(runner)} times; frames lost: {last['lost']}")
    print(f"resampled away: {1000 * last['resampled'] / RATE:.1f} ms; not explained: {rest:.1f} ms")
    print("mouth to ear:", _delay(folder))
    print(f"CPU share of the simulator: {100 * share:.1f} % of a core")


def main() -> None:
    """Measure one way for so many seconds."""
    way, length_s = sys.argv[1], float(sys.argv[2])
    with TemporaryDirectory() as name:
        folder = Path(name)
        said, share = (in_browser if way == "browser" else at_device)(folder, length_s)
        report(folder, said, share)


if __name__ == "__main__":
    main()
