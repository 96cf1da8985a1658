"""Detection over several tracks at once: one batched model call hears the next 32 ms of every track.

A detector is twice as fast on two tracks side by side as on one after the other, and three times on eight; the numbers
are the same. So that they do not depend on what means nothing, every track is heard from its first sound on (a detector
that decides every 32 ms hears the same sound otherwise 20 ms later), in two phases half a chunk apart, at one level of
speech, and without what lies under 50 Hz: it is read twice, first for its level. Memory is a block of each track: it
does not grow with their length (but for 3 MB an hour of energy, which the edges are refined with).
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from simulator.engines import engine
from simulator.engines.activity import CHUNK, SENSITIVE, ActivitySettings, Resampled, located
from simulator.engines.energy_edges import HOP_S, HopPowers
from simulator.engines.faint import speech_level_dbfs
from simulator.events import Party
from simulator.frame import Samples
from simulator.session import Session
from simulator.sound.highpass import above_rumble
from simulator.timeline import Timeline

BLOCK_S = 30.0
WIDTH = 16
"""Tracks heard side by side: beyond 16 nothing is gained."""

HEARD_DBFS = -33.0
"""All speech is brought to this level before it is detected.

Silero misses soft words, from -57 dBFS on most of them, and hears the more breaths the louder they are. Chosen among
-30 to -34 by the real clips: at this one none of their turns is lost or invented, with noise under them or without.
"""
_SILENT_DBFS = -84.0
_LEAD_HOPS = 16
"""Silence heard before the first sound, 80 ms: a word that begins with the detector's first chunk is heard worse.

Which chunk an edge falls into is chance, and moves what is found under noise: that is why there are two phases. Of
twelve leads up to 290 ms, heard in one phase, this was one of those that lose fewest turns and answers.
"""


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """One party's channel of a session."""

    session: Session
    party: Party


def detect(tracks: Sequence[Track], settings: ActivitySettings = SENSITIVE, *, width: int = WIDTH) -> list[Timeline]:
    """Give where each track holds speech, in samples of its session, both edges refined by energy.

    Tracks of any lengths and rates; the result of one does not depend on the others.
    """
    order = sorted(range(len(tracks)), key=lambda index: -_seconds(tracks[index]))
    found: dict[int, Timeline] = {}
    for first in range(0, len(order), width):
        batch = order[first : first + width]
        heard = [_Heard(tracks[index]) for index in batch]
        _hear(heard)
        for row, index in enumerate(batch):
            found[index] = heard[row].speech(settings)
    return [found[index] for index in range(len(tracks))]


def _seconds(track: Track) -> float:
    return track.session.duration / track.session.sample_rate


class _Sound:
    """A track from its first sound on: read as often as needed, in blocks at its own rate, without rumble."""

    def __init__(self, track: Track) -> None:
        self._track = track
        self.rate = track.session.sample_rate
        self.hop = round(self.rate * HOP_S)
        self.begins = 0
        self._begun = False

    def blocks(self) -> Iterator[Samples]:
        """Give the sound without what lies under 50 Hz, behind a little silence."""
        yield np.zeros(_LEAD_HOPS * self.hop, np.float32)
        yield from above_rumble(self._from_first(), self.rate)

    def _from_first(self) -> Iterator[Samples]:
        at = 0
        for block in self._track.session.said_blocks(
            self._track.party, round(BLOCK_S * self.rate) // self.hop * self.hop
        ):
            if not self._begun:
                loud = np.flatnonzero(np.square(block) > 10 ** (_SILENT_DBFS / 10))
                self.begins = at + (int(loud[0]) if len(loud) else len(block)) // self.hop * self.hop
                self._begun = bool(len(loud))
            yield block[max(0, self.begins - at) :]
            at += len(block)


class _Heard:
    """A track on its way through the detector: whole chunks at 16 kHz out of blocks at its own rate."""

    def __init__(self, track: Track) -> None:
        self._sound = _Sound(track)
        self._powers = HopPowers(self._sound.hop)
        for block in self._sound.blocks():
            self._powers.feed(block)
        level = speech_level_dbfs(self._powers.finish())
        self._gain = np.float32(10 ** ((HEARD_DBFS - level) / 20) if level > _SILENT_DBFS else 1.0)
        self._blocks = self._sound.blocks()
        self._resampled = Resampled(self._sound.rate)
        self._rest: Samples = np.zeros(CHUNK, np.float32)
        self._over = False
        self.probabilities: list[Samples] = []

    def chunks(self) -> Samples:
        """Give the next whole chunks in both phases, float32 (n, 2, 512); none when the track is over."""
        while len(self._rest) < 2 * CHUNK and not self._over:
            self._read()
        whole = (len(self._rest) // CHUNK - 1) * CHUNK
        phases = [self._rest[begins : begins + whole].reshape(-1, CHUNK) for begins in (CHUNK, CHUNK // 2)]
        self._rest = self._rest[whole:]
        return np.stack(phases, axis=1)

    def _read(self) -> None:
        block = next(self._blocks, None)
        if block is not None:
            ready = self._resampled.feed(block * self._gain)
        else:
            self._over = True
            last = self._resampled.finish()
            # To the end of the last chunk, and one more: the second phase ends half a chunk later.
            ready = np.concatenate([last, np.zeros(-self._resampled.length % CHUNK + CHUNK, np.float32)])
        self._rest = np.concatenate([self._rest, ready])

    def speech(self, settings: ActivitySettings) -> Timeline:
        """Give the segments once the track is over."""
        probabilities = _of_halves(self.probabilities)
        found = located(
            probabilities, self._resampled.length, self._powers, self._sound.rate, settings, chunk=CHUNK // 2
        )
        lead = _LEAD_HOPS * self._sound.hop
        return found.crop(lead, self._powers.length).shift(self._sound.begins - lead)


def _of_halves(parts: Sequence[Samples]) -> Samples:
    """Give what the two phases say of every half of a chunk, in the mean. parts: float32 (n, 2) -> float32 (2 n,)."""
    heard = np.concatenate([np.zeros((0, 2), np.float32), *parts])
    first, second = (np.repeat(heard[:, phase], 2) for phase in range(2))
    return np.asarray((first[:-2] + second[1:-1]) / 2, np.float32)


def _hear(tracks: list[_Heard]) -> None:
    """Run tracks, the longest first, through the detector; those that end leave it, the last one first."""
    model = engine("silero").tracks(2 * len(tracks))
    waiting = [track.chunks() for track in tracks]
    while active := max((row + 1 for row, chunks in enumerate(waiting) if len(chunks)), default=0):
        waiting = waiting[:active]
        count = min(len(chunks) for chunks in waiting if len(chunks))
        # A track that ends before a later one (by its first sound, or by rounding) hears silence until that one ends.
        silent = np.zeros((count, 2, CHUNK), np.float32)
        rows = np.stack([chunks[:count] if len(chunks) else silent for chunks in waiting], axis=1)
        heard = [model.step(rows[step].reshape(-1, CHUNK)).reshape(-1, 2) for step in range(count)]
        probabilities = np.stack(heard, axis=1)
        for row, chunks in enumerate(waiting):
            if len(chunks):
                tracks[row].probabilities.append(probabilities[row])
                waiting[row] = chunks[count:] if len(chunks) > count else tracks[row].chunks()
