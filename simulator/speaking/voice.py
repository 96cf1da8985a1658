"""Voices: prepared speech, queued and said frame by frame, with an exact account of what was said.

Everything synthesised or played is scaled to the nominal active level of -26 dBFS (ITU-T P.56) unless `level: keep`,
and kept on the int16 grid, so that a frame said is a slice of an array: no work per tick.
"""

from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from simulator.engines import Word
from simulator.engines.activity import active_level_dbfs
from simulator.engines.cache import cached
from simulator.engines.espeak import EspeakSpec
from simulator.engines.kinds import VoiceSpec, voice_of
from simulator.errors import located
from simulator.events import Emit, Party
from simulator.frame import Samples, freeze, silence, to_grid
from simulator.sound import recordings
from simulator.sound.pitch import at_tempo
from simulator.speaking.ears import NOMINAL_DBFS
from simulator.spec import Duration

Level = Literal["nominal", "keep"]
Role = Literal["turn", "interruption", "backchannel", "aside", "recording"]

DEFAULT_VOICES: dict[Party, VoiceSpec] = {"user": EspeakSpec(name="en-gb-x-rp"), "agent": EspeakSpec(name="en-us+f2")}
"""The two espeak voices that recognition understands best; clearly different from each other."""

FADE_S = 0.005
"""A cut voice fades over 5 ms: a hard cut clicks."""


class Pause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A silence inside a turn: `{pause: 700ms}`.

    pause: how long it is.
    """

    pause: Duration

    def __post_init__(self) -> None:
        if self.pause > LONGEST_PAUSE_S:
            raise ValueError(f"a pause of {self.pause} is too long; allowed are {LONGEST_PAUSE_S:g}s inside a turn")


LONGEST_PAUSE_S = 600.0

Say = str | list[str | Pause]
"""What a turn says: a text, or texts with pauses between them."""

WordsPerMinute = Annotated[int, msgspec.Meta(ge=80, le=450)]
"""What espeak can do."""


def check_say(say: Say) -> None:
    """Refuse a turn that no voice can say: a text without a letter or a digit, or only pauses. ValueError."""
    texts = [say] if isinstance(say, str) else [part for part in say if isinstance(part, str)]
    if not texts or not all(any(character.isalnum() for character in text) for text in texts):
        raise ValueError(f"there is nothing to say in {say!r}; a text holds at least one letter or digit")


class PreparedSpeech(msgspec.Struct, frozen=True, kw_only=True):
    """Speech ready to be said: samples on the grid at the session's rate, words as onsets into them, inner pauses."""

    text: str
    samples: Samples
    words: tuple[tuple[str, int], ...] = ()
    pauses: tuple[tuple[int, int], ...] = ()

    def cut(self, length: int, fade: int) -> "PreparedSpeech":
        """The same speech as if its voice were stopped after `length` samples: faded out over `fade` samples more."""
        end = min(len(self.samples) - length, fade)
        if end <= 0:
            return self
        tail = self.samples[length : length + end] * np.linspace(1, 0, end, dtype=np.float32)
        return msgspec.structs.replace(self, samples=to_grid(np.concatenate([self.samples[:length], tail])))

    def louder(self, by_db: float) -> "PreparedSpeech":
        """The same speech, louder or quieter by so many dB, on the grid."""
        if by_db == 0:
            return self
        return msgspec.structs.replace(self, samples=to_grid(self.samples * np.float32(10 ** (by_db / 20))))


def spoken(say: Say, voice: VoiceSpec | str, sample_rate: int, *, words_per_minute: int = 160) -> PreparedSpeech:
    """Synthesise what a turn says, at the nominal level, on the grid. ScenarioError for an unknown voice.

    voice: its spec, or the word for it.
    """
    speaker = voice_of(voice)
    parts = [say] if isinstance(say, str) else say
    lines: list[PreparedSpeech] = []
    for part in parts:
        if isinstance(part, Pause):
            length = part.pause.samples(sample_rate)
            lines.append(PreparedSpeech(text="", samples=silence(length), pauses=((0, length),)))
        else:
            lines.append(_synthesised(part, speaker, sample_rate, words_per_minute))
    return lines[0] if len(lines) == 1 else _joined(lines)


@lru_cache(maxsize=512)
def _synthesised(text: str, voice: VoiceSpec, sample_rate: int, words_per_minute: int) -> PreparedSpeech:
    utterance = cached(voice, text, words_per_minute)
    samples = at_level(
        recordings.resample(utterance.samples, utterance.sample_rate, sample_rate), sample_rate, "nominal"
    )
    scale = sample_rate / utterance.sample_rate
    words = tuple((word.text, round(word.start * scale)) for word in utterance.words)
    return PreparedSpeech(text=text, samples=samples, words=words)


@lru_cache(maxsize=32)  # what one scenario plays, over and over: a dataset plays each recording once
def played(
    path: Path, sample_rate: int, channel: int | None, level: Level, text: str = "", *, tempo: float = 1.0
) -> PreparedSpeech:
    """Read a recording as speech to be said, faster or slower by `tempo`. ScenarioError when it cannot be played."""
    samples = recordings.load(path, sample_rate, channel=channel)
    if tempo != 1:
        samples = at_tempo(samples, sample_rate, tempo)
    return PreparedSpeech(text=text, samples=at_level(samples, sample_rate, level))


def line_of(text: str, samples: Samples, words: Sequence[Word] = ()) -> PreparedSpeech:
    """Make a line of sound that something else made, at its own level, on the grid."""
    return PreparedSpeech(text=text, samples=to_grid(samples), words=tuple((word.text, word.start) for word in words))


def at_level(samples: Samples, sample_rate: int, level: Level) -> Samples:
    """Scale to the nominal active level (`nominal`) or not at all (`keep`), on the grid: float32 (n,) both ways.

    Sound without any active speech (digital silence) stays as it is. Peaks that the gain would clip lower the gain.
    """
    if level == "nominal" and len(samples):
        active = active_level_dbfs(samples, sample_rate)
        if np.isfinite(active):
            gain = 10 ** ((NOMINAL_DBFS - active) / 20)
            peak = float(np.max(np.abs(samples)))
            samples = samples * np.float32(min(gain, 0.999 / peak))
    return to_grid(samples)


def _joined(lines: Sequence[PreparedSpeech]) -> PreparedSpeech:
    words: list[tuple[str, int]] = []
    pauses: list[tuple[int, int]] = []
    at = 0
    for line in lines:
        words += [(text, onset + at) for text, onset in line.words]
        pauses += [(start + at, end + at) for start, end in line.pauses]
        at += len(line.samples)
    samples = freeze(np.concatenate([line.samples for line in lines]))
    text = " ".join(line.text for line in lines if line.text)
    return PreparedSpeech(text=text, samples=samples, words=tuple(words), pauses=tuple(pauses))


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
                self._emit(at + filled, "speech_end", id=name, said_samples=self._said, cut=self._cut)
                self._now, self._cut = None, False
        return freeze(frame)

    def close(self) -> None:
        """Account for what the end of the session cuts off."""
        if self._now is not None:
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
