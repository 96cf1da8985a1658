"""Voices: prepared speech, queued and said frame by frame, with an exact account of what was said.

Everything synthesised or played is scaled to the nominal active level of -26 dBFS (ITU-T P.56) unless `level: keep`,
and kept on the int16 grid, so that a frame said is a slice of an array: no work per tick.
"""

from collections import deque
from typing import Annotated, Literal

import msgspec
import numpy as np

from simulator.engines.espeak import EspeakSpec
from simulator.engines.kinds import VoiceSpec
from simulator.errors import located
from simulator.events import Emit, Party
from simulator.frame import Samples, freeze, silence
from simulator.speaking.prepared import Band, Level, PreparedSpeech, at_level, line_of, played, pressed
from simulator.speaking.saying import Pause, Say, check_say, spoken

__all__ = [
    "DEFAULT_VOICES",
    "FADE_S",
    "Band",
    "Level",
    "Pause",
    "PreparedSpeech",
    "Role",
    "Say",
    "Voice",
    "WordsPerMinute",
    "at_level",
    "check_say",
    "check_voice",
    "line_of",
    "played",
    "pressed",
    "spoken",
]

Role = Literal["turn", "interruption", "backchannel", "aside", "recording"]

DEFAULT_VOICES: dict[Party, VoiceSpec] = {"user": EspeakSpec(name="en-gb-x-rp"), "agent": EspeakSpec(name="en-us+f2")}
"""The two espeak voices that recognition understands best; clearly different from each other."""

FADE_S = 0.005
"""A cut voice fades over 5 ms: a hard cut clicks."""

WordsPerMinute = Annotated[int, msgspec.Meta(ge=80, le=450)]
"""What espeak can do."""


class Voice:
    """Says queued lines frame by frame and emits `speech_start` (what is planned) and `speech_end` (what happened).

    prefix: what utterance ids begin with, unique in the session. last_end: one past the last sample said.
    """

    def __init__(self, emit: Emit, prefix: str, sample_rate: int) -> None:
        self._emit = emit
        self._prefix = prefix
        self._fade = round(FADE_S * sample_rate)
        self._queue: deque[tuple[str, PreparedSpeech, Role]] = deque()
        self._now: tuple[str, PreparedSpeech, Role] | None = None
        self._said = 0
        self._count = 0
        self.last_end = 0

    @property
    def speaking(self) -> bool:
        """Whether something is being said or waits to be."""
        return self._now is not None or bool(self._queue)

    def say(self, line: PreparedSpeech, role: Role = "turn") -> str:
        """Queue a line behind what is queued and give its id."""
        self._count += 1
        name = f"{self._prefix}{self._count}"
        self._queue.append((name, line, role))
        return name

    def remaining(self) -> int:
        """How many samples are still to be said, queue included."""
        current = len(self._now[1].samples) - self._said if self._now else 0
        return current + sum(len(line.samples) for _, line, _ in self._queue)

    def stop(self) -> str:
        """Stop speaking within 5 ms and drop the queue; give the text whose sound had begun, up to the cut.

        The words whose onset was reached are kept; where onsets are unknown, the share of the text that was said.
        """
        self._queue.clear()
        if self._now is None:
            return ""
        name, line, role = self._now
        short = line.cut(self._said, self._fade)
        if short is line:
            return line.text
        self._now = (name, short, role)
        self._cut = len(short.samples) < len(line.samples)
        return _text_until(line, self._said)

    _cut = False

    def take(self, at: int, count: int) -> Samples:
        """Say the next `count` samples, which lie at `at` on the output stream: float32 (count,), read-only."""
        now = self._now
        if now is None:
            if not self._queue:
                return silence(count)
            now = self._begin(at)
        samples = now[1].samples
        start, end = self._said, self._said + count
        if end < len(samples):
            self._said = end
            self.last_end = at + count
            return samples[start:end]
        return self._across(at, count)

    def _begin(self, at: int) -> tuple[str, PreparedSpeech, Role]:
        now = self._now = self._queue.popleft()
        name, line, role = now
        self._said = 0
        fields: dict[str, object] = {"pauses": [[at + s, at + e] for s, e in line.pauses]} if line.pauses else {}
        self._press(at, name, line)
        if line.unsounded:
            return now
        if line.disfluent:
            fields |= {"meant": line.meant, "disfluent": [list(mark) for mark in line.disfluent]}
        self._emit(
            at,
            "speech_start",
            id=name,
            role=role,
            text=line.text,
            planned_samples=len(line.samples),
            words=[[text, at + onset] for text, onset in line.words],
            **fields,
        )
        return now

    def _press(self, at: int, name: str, line: PreparedSpeech) -> None:
        """Tell of every key at the moment it is pressed."""
        band = {"band": "out"} if line.unsounded else {"band": "in", "id": name}
        for index, digit in enumerate(line.keys):
            self._emit(at + index * len(line.samples) // len(line.keys), "keys_pressed", digits=digit, **band)

    def _across(self, at: int, count: int) -> Samples:
        """Fill a frame in which the current line ends, going on with the next one in the queue."""
        frame = np.zeros(count, np.float32)
        filled = 0
        while filled < count and (self._now or self._queue):
            name, line, _ = self._now or self._begin(at + filled)
            piece = line.samples[self._said : self._said + count - filled]
            frame[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._said += len(piece)
            self.last_end = at + filled
            if self._said >= len(line.samples):
                if not line.unsounded:
                    self._emit(at + filled, "speech_end", id=name, said_samples=self._said, cut=self._cut)
                self._now, self._cut = None, False
        return freeze(frame)

    def close(self) -> None:
        """Account for what the end of the session cuts off."""
        if self._now is not None and not self._now[1].unsounded:
            self._emit(self.last_end, "speech_end", id=self._now[0], said_samples=self._said, cut=True)
        self._now = None


def _text_until(line: PreparedSpeech, said: int) -> str:
    if line.words:
        return " ".join(text for text, onset in line.words if onset < said)
    words = line.text.split()
    return " ".join(words[: round(len(words) * said / max(1, len(line.samples)))])


def check_voice(voice: VoiceSpec, where: str) -> None:
    """Refuse a voice that cannot speak here; `where` is its path in the file. ScenarioError."""
    located(where, voice.check)
