"""Hearing: the sound of what the other says, kept until somebody asks what was said.

What is kept begins with the first stretch of speech after `forget`, a little before the ears noticed it; however the
frames came, the same samples are given.
"""

import re
from typing import Any

import anyio
import numpy as np

from simulator.engines.kinds import RecognizerSpec
from simulator.frame import Samples
from simulator.speaking.ears import Activity
from simulator.speaking.turn_taking import LONGEST_TURN_S, PRE_ROLL_S

SILENCE_KEPT_S = 2.0
"""Sound kept while nobody speaks: more than any ears are late by."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


class HeardSound:
    """Keeps what is heard, frame by frame. Times: samples of the heard stream, at sample_rate Hz."""

    def __init__(self, sample_rate: int, activity: Activity) -> None:
        self.sample_rate = sample_rate
        self._activity = activity
        self._frames: list[Samples] = []
        self._first = self._end = 0
        self._from: int | None = None
        self._known = activity.stretches

    def hear(self, start: int, samples: Samples) -> None:
        """Take a frame after the ears have taken it."""
        if not self._frames:
            self._first = start
        self._frames.append(samples)
        self._end = start + len(samples)
        if self._activity.stretches != self._known:
            self._known = self._activity.stretches
            if self._from is None:
                self._from = self._activity.since
        longest = LONGEST_TURN_S if self._from is not None else SILENCE_KEPT_S
        while self._end - self._first - len(self._frames[0]) > longest * self.sample_rate:
            self._first += len(self._frames.pop(0))

    @property
    def since(self) -> int | None:
        """Where the speech begins that is kept; None where there was none."""
        return self._from

    def sound(self) -> Samples:
        """Give what was said since the last `forget`: float32 (n,), with 300 ms before it; empty where nothing was."""
        if self._from is None or not self._frames:
            return np.zeros(0, np.float32)
        kept = np.concatenate(self._frames)
        return kept[max(0, self._from - round(PRE_ROLL_S * self.sample_rate) - self._first) :]

    def forget(self) -> None:
        """Let what was heard be the past; a stretch that goes on begins anew."""
        self._from = self._end if self._activity.speaking else None
        self._frames, self._first = [], self._end


def words_of(text: str) -> list[str]:
    """Give the words of a text, lower case, without punctuation."""
    return [word.lower() for word in _WORD.findall(text.replace("’", "'"))]


LIKE = 0.5
"""From this likeness on, two texts say the same: a recogniser's slips cost a third of it, another answer more."""


class Listening(HeardSound):
    """Keeps what the other says, for turns that name what they hear; it is recognised when all is over."""

    def __init__(self, sample_rate: int, activity: Activity, recognizer: RecognizerSpec) -> None:
        super().__init__(sample_rate, activity)
        self._recognizer = recognizer
        self._kept: list[tuple[Samples, bool, dict[str, Any]]] = []

    def turn(self, index: int, hears: str, now: int, *, so_far: bool) -> None:
        """Keep what a turn hears that comes now, where it names that. so_far: the other's turn still goes on."""
        if hears:
            self._kept.append((self.sound(), so_far, {"turn": index, "expected": hears, "since": now}))

    async def diverged(self) -> list[dict[str, Any]]:
        """Give the fields of `diverged` for the turns that heard something else. ScenarioError: no recogniser."""
        found: list[dict[str, Any]] = []
        recognizer = self._recognizer.shared()
        for sound, so_far, told in self._kept:
            recognized = (sound, self.sample_rate) if len(sound) else None
            heard = (await anyio.to_thread.run_sync(recognizer.recognize, *recognized)).text if recognized else ""
            if not still_fits(told["expected"], heard, so_far=so_far):
                found.append({**told, "heard": heard})
        self._kept = []
        return found


def still_fits(expected: str, heard: str, *, so_far: bool = False) -> bool:
    """Whether what was heard is what was expected. so_far: of a turn that goes on, as much as was expected counts."""
    if so_far:
        heard = " ".join(words_of(heard)[: len(words_of(expected))])
    return likeness(expected, heard) >= LIKE


def likeness(one: str, other: str) -> float:
    """Give how alike two texts are: words in both over words in either (token Jaccard), 0 to 1; two empty ones: 1."""
    first, second = set(words_of(one)), set(words_of(other))
    return len(first & second) / len(first | second) if first | second else 1.0
