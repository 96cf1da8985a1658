"""Detection over several tracks at once: one batched model call hears the next 32 ms of every track.

A detector is twice as fast on two tracks side by side as on one after the other, and three times on eight;
the numbers are the same. Memory is a block of each track: it does not grow with their length (but for 3 MB an
hour of energy, which the edges are refined with).
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from simulator.engines import engine
from simulator.engines.activity import CHUNK, SENSITIVE, ActivitySettings, Resampled, located
from simulator.engines.energy_edges import HOP_S, HopPowers
from simulator.events import Party
from simulator.frame import Samples
from simulator.session import Session
from simulator.timeline import Timeline

BLOCK_S = 30.0
WIDTH = 16
"""Tracks heard side by side: beyond 16 nothing is gained."""


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
        found |= {index: one.speech(settings) for index, one in zip(batch, heard, strict=True)}
    return [found[index] for index in range(len(tracks))]


def _seconds(track: Track) -> float:
    return track.session.duration / track.session.sample_rate


class _Heard:
    """A track on its way through the detector: whole chunks at 16 kHz out of blocks at its own rate."""

    def __init__(self, track: Track) -> None:
        self._rate = track.session.sample_rate
        self._blocks: Iterator[Samples] = track.session.said_blocks(track.party, round(BLOCK_S * self._rate))
        self._resampled = Resampled(self._rate)
        self._powers = HopPowers(round(self._rate * HOP_S))
        self._rest: Samples = np.zeros(0, np.float32)
        self._over = False
        self.probabilities: list[Samples] = []

    def chunks(self) -> Samples:
        """Give the next whole chunks, float32 (n, 512); none when the track is over."""
        while len(self._rest) < CHUNK and not self._over:
            self._read()
        whole = len(self._rest) // CHUNK * CHUNK
        ready, self._rest = self._rest[:whole], self._rest[whole:]
        return ready.reshape(-1, CHUNK)

    def _read(self) -> None:
        block = next(self._blocks, None)
        if block is not None:
            self._powers.feed(block)
            ready = self._resampled.feed(block)
        else:
            self._over = True
            last = self._resampled.finish()
            ready = np.concatenate([last, np.zeros(-self._resampled.length % CHUNK, np.float32)])
        self._rest = np.concatenate([self._rest, ready])

    def speech(self, settings: ActivitySettings) -> Timeline:
        """Give the segments once the track is over."""
        probabilities = np.concatenate(self.probabilities) if self.probabilities else np.zeros(0, np.float32)
        return located(probabilities, self._resampled.length, self._powers, self._rate, settings)


def _hear(tracks: list[_Heard]) -> None:
    """Run tracks, the longest first, through the detector; those that end leave it, the last one first."""
    model = engine("silero").tracks(len(tracks))
    waiting = [track.chunks() for track in tracks]
    while active := max((row + 1 for row, chunks in enumerate(waiting) if len(chunks)), default=0):
        waiting = waiting[:active]
        count = min(len(chunks) for chunks in waiting if len(chunks))
        # A track that, by rounding, ends a chunk before a later one hears silence until that one ends.
        silent = np.zeros((count, CHUNK), np.float32)
        rows = np.stack([chunks[:count] if len(chunks) else silent for chunks in waiting], axis=1)
        probabilities = np.stack([model.step(rows[step]) for step in range(count)], axis=1)
        for row, chunks in enumerate(waiting):
            if len(chunks):
                tracks[row].probabilities.append(probabilities[row])
                waiting[row] = chunks[count:] if len(chunks) > count else tracks[row].chunks()
