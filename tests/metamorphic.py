"""Recordings and what may be done to them without changing what happened in them: truth that costs nothing.

A change gives other sound of the same conversation; what is measured must stay, but for a shift that is known.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import soundfile
from numpy.typing import NDArray

from simulator.annotation.annotate import annotate_many
from simulator.events import PARTIES
from simulator.plugins import load
from simulator.score import Evidence
from simulator.scoring.scorer import DEFAULT_SCORERS
from simulator.session import Session
from simulator.speech import Segment
from tests.conversations import conversation

Stereo = NDArray[np.float64]
"""float64 (n, 2) on the grid of 16 bits: left the user, right the agent."""

WITHOUT_WORDS = tuple(name for name in DEFAULT_SCORERS if name not in ("content", "validity"))
FRAME_S = 0.02
LAST_S = 6.0
"""Silence behind every recording before anything is changed: what its end cuts off is decided by how it ends."""
PEAK = 0.45
"""Of every recording, so that 6 dB more still fit."""


class Change(msgspec.Struct, frozen=True):
    """What is done to a recording. later_s: by how much all is later afterwards. suffix, subtype: of the file."""

    name: str
    apply: Callable[[Stereo, int], Stereo]
    later_s: float = 0.0
    suffix: str = ".wav"
    subtype: str = "PCM_16"
    swapped: bool = False


def _later(seconds: float) -> Callable[[Stereo, int], Stereo]:
    return lambda sound, rate: np.concatenate([np.zeros((round(seconds * rate), 2)), sound])


def _dithered(seed: int) -> Callable[[Stereo, int], Stereo]:
    """Triangular noise of one step of 16 bits: -98 dBFS."""

    def apply(sound: Stereo, rate: int) -> Stereo:
        rng = np.random.default_rng(seed)
        return sound + (rng.random(sound.shape) - rng.random(sound.shape)) / 32768

    return apply


def _as_it_is(sound: Stereo, rate: int) -> Stereo:
    return sound


SAME_SOUND = (
    Change("silence appended", lambda sound, rate: np.concatenate([sound, np.zeros((5 * rate, 2))])),
    Change("channels and roles swapped", lambda sound, rate: sound[:, ::-1], swapped=True),
    Change("FLAC", _as_it_is, suffix=".flac"),
    Change("24 bit", _as_it_is, subtype="PCM_24"),
    Change("float", _as_it_is, subtype="FLOAT"),
)
"""After these every sample of the conversation is the same: everything that is measured must be, to the last digit."""

DITHERS = (Change("dither", _dithered(1)), Change("another dither", _dithered(2)))

SAME_CONVERSATION = (
    *(Change(f"{count} frames later", _later(count * FRAME_S), later_s=count * FRAME_S) for count in (1, 7, 32, 51)),
    Change("6 dB louder", lambda sound, rate: sound * 2),
    Change("6 dB quieter", lambda sound, rate: sound / 2),
)

WITHIN_S = 0.010 + 1e-6
"""One step of the detector's edges, and the error of a float."""

UNCHANGED = Change("as it is", _as_it_is)


def generated(folder: Path, seed: int, rate: int = 16_000) -> tuple[Stereo, int]:
    """Give a generated talk of half a minute."""
    take = conversation(folder / f"talk-{seed}", seed, rate=rate, duration=30.0).take
    return prepared(np.stack([take.tracks["user"], take.tracks["agent"]], axis=1), rate)


def recorded(path: Path) -> tuple[Stereo, int]:
    """Give a recorded clip."""
    sound, rate = soundfile.read(path, dtype="float64", always_2d=True)
    return prepared(sound, rate)


def prepared(sound: NDArray[np.floating], rate: int) -> tuple[Stereo, int]:
    """Bring a recording to a peak that leaves room, with silence behind it, on the grid."""
    louder = np.asarray(sound, np.float64) * (PEAK / np.abs(sound).max())
    quiet = np.zeros((round(LAST_S * rate), 2))
    return np.round(np.concatenate([louder, quiet]) * 32768) / 32768, rate


def changed(sound: Stereo, rate: int, changes: Sequence[Change], folder: Path) -> list[Session]:
    """Write a recording with every change, read each as a foreign file, and annotate them side by side."""
    sessions = []
    for change in changes:
        path = folder / f"{change.name.replace(' ', '-')}{change.suffix}"
        soundfile.write(path, change.apply(sound, rate), rate, subtype=change.subtype)
        user = 1 if change.swapped else 0
        sessions.append(Session.of_recording(path, user_channel=user, agent_channel=1 - user))
    return [one.with_speech(speech) for one, speech in zip(sessions, annotate_many(sessions, words=False), strict=True)]


class Measured(msgspec.Struct, frozen=True):
    """One thing that was measured: of which metric, what was said of it, and its times in seconds of the recording."""

    metric: str
    verdict: str
    times_s: tuple[float, ...]


VERDICTS = (
    "barge_in.", "backchannel.", "latency.", "takeover.", "agent_interruption.", "selectivity.", "turns.fto",
)  # fmt: skip
"""Metrics that say what happened. A silence of 160 to 220 ms is on the edge of what parts two segments or two ipus, and
these voices have many: counts of those are no verdicts."""


def measured(session: Session, later_s: float = 0.0) -> Iterator[Measured]:
    """Give the segments of both parties, and the evidence and the values of every score.

    Counts over the length of the session are left to their evidence: silence makes it longer.
    """

    def times(item: Segment | Evidence) -> tuple[float, float]:
        return session.seconds(item.start) - later_s, session.seconds(item.end) - later_s

    for party in PARTIES:
        for segment in session.speech.of(party).segments:
            yield Measured(f"{party} speech", "", times(segment))
    for name in WITHOUT_WORDS:
        for score in load("scorers", name)().build().score(session):
            for item in score.evidence:
                value = () if item.value is None or score.unit != "s" else (item.value,)
                yield Measured(score.id, f"{item.party} {item.label}", (*times(item), *value))
            yield Measured(f"{score.id} values", "", tuple(score.parts.get("values", ())))


def verdicts(session: Session, later_s: float = 0.0) -> list[Measured]:
    """Give what is said to have happened."""
    return [item for item in measured(session, later_s) if item.metric.startswith(VERDICTS)]


def differences(before: Sequence[Measured], after: Sequence[Measured], within_s: float) -> list[str]:
    """Say what is not the same any more: a verdict, or a time by more than `within_s`."""
    if [_shape(item) for item in before] != [_shape(item) for item in after]:
        return [f"{sorted(map(_shape, before))} became {sorted(map(_shape, after))}"]
    return [
        f"{one.metric} {one.verdict}: {one.times_s} became {other.times_s}"
        for one, other in zip(before, after, strict=True)
        if any(abs(a - b) > within_s for a, b in zip(one.times_s, other.times_s, strict=True))
    ]


def _shape(item: Measured) -> tuple[str, str, int]:
    return item.metric, item.verdict, len(item.times_s)
