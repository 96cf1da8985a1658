"""Questions and answers: what was asked, and what one system answered; their sound is read when it is wanted."""

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from simulator.annotation.annotate import annotate_cached
from simulator.annotation.answers import answer_of
from simulator.annotation.transcribe import RECOGNIZER
from simulator.frame import Samples
from simulator.session import read_session
from simulator.sound.recordings import open_recording, resample
from simulator.sound.wav import encode_wav

QUIET = 1e-3
"""Below it nothing is heard: -60 dBFS. A call begins with the question, during which its answer is silent."""
AIR_S = 0.1


class ArenaClip(msgspec.Struct, frozen=True, kw_only=True):
    """A sound file; channel: of a recording of both parties, None for a mix of all. trimmed: without silent ends."""

    path: Path
    channel: int | None = None
    trimmed: bool = False

    def read(self) -> tuple[Samples, int]:
        """Give float32 (n,), full scale 1.0, and its rate in Hz. SessionError: it cannot be read."""
        recording = open_recording(self.path, channels=(self.channel or 0,))
        if self.channel is not None or recording.width == 1:
            samples = recording.read(0)
        else:
            every = open_recording(self.path, channels=tuple(range(recording.width)))
            samples = np.mean([every.read(place) for place in range(every.width)], axis=0, dtype=np.float32)
        return (_trimmed(samples, recording.sample_rate) if self.trimmed else samples), recording.sample_rate

    def seconds(self) -> float:
        """Give its length."""
        samples, rate = self.read()
        return len(samples) / rate

    def wav(self, rate: int) -> bytes:
        """Give a mono 16-bit WAV at a rate of the caller's: a file's own would tell whose it is."""
        samples, own = self.read()
        return encode_wav(np.clip(resample(np.nan_to_num(samples), own, rate), -1, 1)[:, None], rate)


def _trimmed(samples: Samples, rate: int) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    if not len(loud):
        return samples[:0]
    air = round(AIR_S * rate)
    return samples[max(0, loud[0] - air) : loud[-1] + air]


class ArenaQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked. transcript: what is said in it; target: what a good answer does, where that is known."""

    id: str
    domain: str = ""
    transcript: str = ""
    target: str = ""
    sound: ArenaClip | None = None


class ArenaAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a system answered. told: its text, where that lies beside the sound; session: the folder of our call."""

    system: str
    question: str
    sound: ArenaClip
    told: str = ""
    session: Path | None = None

    def words(self) -> str:
        """Give what it says: as it was told, else as it is recognised. SessionError: its sound cannot be read."""
        if self.told:
            return self.told
        if self.session is not None:
            return answer_of(annotate_cached(read_session(self.session)), heard=False).text
        samples, rate = self.sound.read()
        return RECOGNIZER.shared().recognize(samples, rate).text.strip()


class Entrant(NamedTuple):
    """A system with its answers by question. notes: what of its folder could not be used, and why."""

    system: str
    answers: dict[str, ArenaAnswer]
    notes: list[str]
