"""Conversations of synthetic voices with events known to the sample, and the same as foreign recordings in noise.

A user and an agent take turns with offsets from -0.8 to 2 s; the user pauses inside turns, gives backchannels and
barges in; the agent is cut at a known moment. The voices are espeak's, so onsets are as soft as speech's.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import soundfile

from channels.noise import at_rms
from channels.noises import Color, generate
from simulator.annotation.audible import frame_levels
from simulator.events import Party
from simulator.frame import Samples
from simulator.session import Session
from simulator.speaking.ears import NOMINAL_DBFS
from simulator.speaking.voice import spoken
from simulator.testing.take import Take

VOICES: dict[Party, tuple[str, ...]] = {
    "user": ("en-gb-x-rp", "en-us+f2", "en-us+m3"),
    "agent": ("en-us+klatt2", "en-us+m1", "en-gb-scotland"),
}
"""Those of a conversation are drawn by its seed: detectors hear some of them better than others."""
USER_TURNS = (
    "Hi, I would like to book a table for two people.",
    "Could you tell me whether you have anything near the window?",
    "That sounds good, and what time does the kitchen close?",
    "Okay, please put it on the name of Miller.",
)
AGENT_TURNS = (
    "Certainly, let me have a look at what is still free for this evening, one moment please.",
    "There is a table by the window at half past eight, but it is quite close to the kitchen door.",
    "The kitchen closes at ten, and the bar stays open until midnight on every day of the week.",
)
BACKCHANNELS = ("mm-hm", "right", "okay")
INTERRUPTIONS = ("Wait, stop, that is not what I meant.", "Sorry, I need to change something there.")

Kind = Literal["plain", "backchannel", "barge_in"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What was made to happen: `gap` (value: the offset in s), `barge_in` (value: the yield latency), `backchannel`."""

    kind: str
    at: int
    value: float = 0.0


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A told session, and the events planned in it."""

    take: Take
    events: tuple[Event, ...]


@lru_cache(maxsize=256)
def voiced(text: str, voice: str, rate: int) -> Samples:
    """A text in a voice, cut to its audible part."""
    samples = spoken(text, voice, rate).samples
    sound = frame_levels([samples], rate, len(samples)).audible(0, len(samples))
    return samples[sound[0].start : sound[-1].end]


def conversation(folder: Path, seed: int, *, rate: int = 16_000, duration: float = 60.0) -> Conversation:
    """Make a conversation of `duration` seconds, told in events."""
    talk = _Talk(Take(folder, duration, rate), np.random.default_rng(seed))
    at = rate
    while at < talk.take.length - 14 * rate:
        at = talk.user_turn(at)
        offset = talk.samples(-0.8, 2.0)
        talk.events.append(Event(kind="gap", at=at, value=offset / rate))
        at = talk.agent_turn(at, at + offset) + talk.samples(0.3, 1.5)
    return Conversation(take=talk.take, events=tuple(talk.events))


class _Talk:
    """A conversation in the making: turns that begin at a sample and give the sample after their last."""

    def __init__(self, take: Take, rng: np.random.Generator) -> None:
        self.take = take
        self.events: list[Event] = []
        self._rng = rng
        self._voices: dict[Party, str] = {party: str(rng.choice(names)) for party, names in VOICES.items()}

    def samples(self, low_s: float, high_s: float) -> int:
        """Draw a length of time."""
        return round(float(self._rng.uniform(low_s, high_s)) * self.take.rate)

    def _voiced(self, party: Party, texts: Sequence[str]) -> Samples:
        return voiced(str(self._rng.choice(texts)), self._voices[party], self.take.rate)

    def user_turn(self, at: int) -> int:
        """A sentence, every other time two with a pause between them."""
        samples = self._voiced("user", USER_TURNS)
        if self._rng.random() < 0.5:
            pause = np.zeros(self.samples(0.4, 0.9), np.float32)
            samples = np.concatenate([samples, pause, self._voiced("user", USER_TURNS)])
        return speak(self.take, "user", at, samples)

    def agent_turn(self, user_end: int, at: int) -> int:
        """A sentence, which the user may acknowledge or cut short."""
        samples = self._voiced("agent", AGENT_TURNS)
        kind: Kind = ("plain", "backchannel", "barge_in")[int(self._rng.integers(3))]  # type: ignore[assignment]
        onset = max(at, user_end) + self.samples(1.2, 2.4)
        if kind == "backchannel":
            speak(self.take, "user", onset, self._voiced("user", BACKCHANNELS), "backchannel")
            self.events.append(Event(kind="backchannel", at=onset))
        if kind != "barge_in":
            return speak(self.take, "agent", at, samples)
        stop = _audible_before(self.take, samples, onset - at + self.samples(0.3, 1.5))
        speak(self.take, "agent", at, samples[:stop], cut=True)
        self.events.append(Event(kind="barge_in", at=onset, value=(at + stop - onset) / self.take.rate))
        return speak(self.take, "user", onset, self._voiced("user", INTERRUPTIONS), "interruption")


def _audible_before(take: Take, samples: Samples, stop: int) -> int:
    """The end of the last sound before a sample: where a voice that is cut there can be heard to stop."""
    return frame_levels([samples], take.rate, len(samples)).audible(0, min(stop, len(samples)))[-1].end


def speak(take: Take, party: Party, start: int, samples: Samples, role: str = "turn", *, cut: bool = False) -> int:
    """Say samples from a sample on and tell of it; gives the sample after the last."""
    take.add(party, start, samples)
    take.count += 1
    end = start + len(samples)
    name = f"{party}-{take.count}"
    take.note(
        start / take.rate,
        "speech_start",
        party,
        id=name,
        role=role,
        text="speech",
        planned_samples=len(samples) * (2 if cut else 1),
        words=[["speech", start]],
    )
    take.note(end / take.rate, "speech_end", party, id=name, said_samples=len(samples), cut=cut)
    return end


def foreign(talk: Conversation, path: Path, *, color: Color | None = None, snr_db: float = 20.0) -> Session:
    """Write a conversation as a stereo file, with noise on both channels if asked, and read it as a foreign one."""
    rate = talk.take.rate
    tracks = [talk.take.tracks["user"], talk.take.tracks["agent"]]
    if color is not None:
        tracks = [track + _noise(color, rate, index, len(track), snr_db) for index, track in enumerate(tracks)]
    soundfile.write(path, np.stack(tracks, axis=1), rate, subtype="PCM_16")
    return Session.of_recording(path)


def _noise(color: Color, rate: int, index: int, count: int, snr_db: float) -> Samples:
    return np.resize(at_rms(_loop(color, rate, index), NOMINAL_DBFS - snr_db), count)


@lru_cache(maxsize=32)
def _loop(color: Color, rate: int, index: int) -> Samples:
    return generate(color, rate, np.random.default_rng(100 + index))


def nearest(found: Sequence[int], at: int) -> int | None:
    """The value nearest to a sample."""
    return min(found, key=lambda value: abs(value - at), default=None)
