"""A headless Chromium whose microphone is a file, in conversation with `simulate talk`: for tests and benchmarks."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from simulator import clock
from simulator.frame import Samples
from simulator.speaking.voice import spoken
from tests.report_browser import browser, errors

FILE_HZ = 48_000
TEXTS = (
    "Good evening, I would like to book a table.", "There will be four of us.", "Do you have something by the window?",
    "That sounds very good, thank you.",
)  # fmt: skip

Said = list[tuple[float, Samples]]
"""Where each utterance lies, in seconds, and its sound."""


def caller(path: Path, length_s: float, session_rate: int, *, first_s: float = 8.0, every_s: float = 7.0) -> Said:
    """Write a caller's side as a WAV for the fake microphone; gives where each utterance lies and its sound."""
    track = np.zeros(round(length_s * FILE_HZ), np.float32)
    said = []
    for number, start_s in enumerate(np.arange(first_s, length_s - 5.0, every_s)):
        # No two alike: each is looked for in the whole recording.
        text = f"{TEXTS[number % len(TEXTS)]} Number {17 * number + 3}."
        line = spoken(text, "en-gb-x-rp", FILE_HZ).samples
        begin = round(float(start_s) * FILE_HZ)
        track[begin : begin + len(line)] += line
        said.append((float(start_s), spoken(text, "en-gb-x-rp", session_rate).samples))
    soundfile.write(path, track, FILE_HZ, subtype="PCM_16")
    return said


class Talk:
    """A running `simulate talk`. microphone: the file with what its microphones were given."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path, microphone: Path) -> None:
        self.process = process
        self.microphone = microphone
        self._log = log

    @property
    def lines(self) -> str:
        """What it printed on stderr so far."""
        return self._log.read_text()

    def address(self, role: str = "talk/user") -> str:
        """Wait for an address and give it."""
        wait_until(lambda: re.search(rf"http://\S+/{role}\?pass=\S+", self.lines), 30)
        found = re.search(rf"http://\S+/{role}\?pass=\S+", self.lines)
        assert found is not None
        return found[0]

    def cpu_s(self) -> float:
        """CPU time that it has used, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def talk(folder: Path, *arguments: str, **environment: str) -> Iterator[Talk]:
    """Run `simulate talk` with these arguments; its session goes to folder/run."""
    log, microphone = folder / "talk.log", folder / "microphone.tap"
    tapped = [sys.executable, "-m", "tests.live_tap", str(microphone)]
    command = [*tapped, "talk", "--out", str(folder / "run"), *arguments]
    with (
        log.open("w") as file,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, text=True, env={**os.environ, **environment}
        ) as process,
    ):
        try:
            yield Talk(process, log, microphone)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(20)


def wait_until(true: Callable[[], Any], seconds: float) -> None:
    """Wait until something is true; AssertionError after so many seconds."""
    begin = clock.seconds()
    while not true():
        assert clock.seconds() - begin < seconds, "it did not come true"
        _pause(0.05)


def _pause(seconds: float) -> None:
    import threading

    threading.Event().wait(seconds)


@contextmanager
def chromium(microphone: Path) -> Iterator[Any]:
    """Give a driver of a browser whose microphone plays a file once."""
    flags = (
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
    )  # fmt: skip
    with browser(1280, 900, flags=flags) as driver:
        yield driver


def join(driver: Any, address: str, *, canceller: bool = False) -> None:
    """Take the seat and wait until the line has been tried. An empty address: the page is there."""
    if address:
        driver.get(address)
    driver.execute_script(f"document.getElementById('canceller').checked = {'true' if canceller else 'false'}")
    driver.find_element("id", "join").click()
    wait_until(lambda: driver.execute_script("return document.documentElement.dataset.ready") == "tried", 30)


def start(driver: Any) -> None:
    """Begin, and wait until the page says `Speak now`."""
    driver.find_element("id", "start").click()
    wait_until(lambda: driver.execute_script("return document.body.dataset.state") == "talking", 60)


def seconds_talked(driver: Any) -> float:
    """How far the session is, as the page shows it."""
    minutes, seconds = driver.find_element("id", "now").text.split(":")
    return 60 * int(minutes) + float(seconds)


def hang_up(driver: Any) -> None:
    """Hang up, read the scorecard, and go on to the session page."""
    driver.find_element("id", "hang_up").click()
    wait_until(driver.find_element("id", "report").is_displayed, 120)
    assert len(driver.find_elements("css selector", "#scorecard dt")) in (0, 5)
    driver.find_element("id", "report").click()
    wait_until(lambda: driver.current_url.endswith("/report"), 120)


__all__ = ["Talk", "caller", "chromium", "errors", "hang_up", "join", "seconds_talked", "start", "talk", "wait_until"]
