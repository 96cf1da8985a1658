"""Detection over several tracks at once: one batched model call hears the next 32 ms of every track.

A detector is twice as fast on two tracks side by side as on one after the other, and three times on eight;
the numbers are the same. What lies under 50 Hz is taken away first, and soft speech is heard again, louder. Memory is
a block of each track: it does not grow with their length (but for 3 MB an hour of energy, which the edges are refined
with).
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

LIFTED_DBFS = -30.0
"""Softer speech is lifted to this before it is detected: Silero misses soft words, from -57 dBFS on most of them."""
_SILENT_DBFS = -84.0


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
        again = {row: _Heard(tracks[batch[row]], gain) for row, one in enumerate(heard) if (gain := one.lift()) > 1}
        _hear(list(again.values()))
        for row, index in enumerate(batch):
            found[index] = again.get(row, heard[row]).speech(settings)
    return [found[index] for index in range(len(tracks))]


def _seconds(track: Track) -> float:
    return track.session.duration / track.session.sample_rate


class _Heard:
    """A track on its way through the detector: whole chunks at 16 kHz out of blocks at its own rate."""

    def __init__(self, track: Track, gain: float = 1.0) -> None:
        self._rate = track.session.sample_rate
        self._gain = np.float32(gain)
        self._blocks: Iterator[Samples] = above_rumble(
            track.session.said_blocks(track.party, round(BLOCK_S * self._rate)), self._rate
        )
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
            block = block * self._gain if self._gain != 1 else block
            self._powers.feed(block)
            ready = self._resampled.feed(block)
        else:
            self._over = True
            last = self._resampled.finish()
            ready = np.concatenate([last, np.zeros(-self._resampled.length % CHUNK, np.float32)])
        self._rest = np.concatenate([self._rest, ready])

    def lift(self) -> float:
        """Give the factor that brings soft speech to where it is heard; 1 for louder tracks, and for silence."""
        level = speech_level_dbfs(self._powers.finish())
        return float(10 ** ((LIFTED_DBFS - level) / 20)) if _SILENT_DBFS < level < LIFTED_DBFS else 1.0

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
