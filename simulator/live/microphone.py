"""A live microphone: sound with the capture clock's own frame numbers in, session samples out.

Frame numbers count at the capture's native rate and never lie: a hole in them is lost sound and becomes silence of
that length. What differs between that counter and session time is accounted for by the elastic buffer and told: steps
as `underrun` and `late`, each with the frame where it happened, the slow rest as `resampled` in a `microphone` event
every few seconds. Between these points session time and the counter run straight, so every sample can be placed:

    microphone  the frame said at `at`
    underrun    silence from `since` to `at`: at both, the next frame to be said is `frame`
    late        at `at` the frames from `frame` on are left out, as many as `size` session samples hold
"""

from typing import Any

import numpy as np

from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.live.elastic import ElasticBuffer
from simulator.sound.recordings import HIGHEST_HZ, LOWEST_HZ

MOST_WAITING_S = 2.0
"""More sound than this in one piece, or as one hole, is no live microphone any more: the stream starts anew."""

REPORT_S = 5.0

News = tuple[str, dict[str, Any]]


class Microphone:
    """One capture stream. rate: its native rate in Hz. session_rate: Hz of what `take` gives.

    lost: frames that never came, by their numbers, at the native rate. level: peak of the last piece, 0 to 1.
    """

    def __init__(self, rate: int, session_rate: int) -> None:
        import soxr

        if not LOWEST_HZ <= rate <= HIGHEST_HZ:
            raise RemoteError(f"the microphone has a rate of {rate} Hz; allowed are {LOWEST_HZ} to {HIGHEST_HZ} Hz")
        self.rate = rate
        self.lost = 0
        self.level = 0.0
        self._session_rate = session_rate
        self._buffer = ElasticBuffer(session_rate)
        self._stream = soxr.ResampleStream(rate, session_rate, 1, dtype="float32", quality="HQ")
        self._next: int | None = None
        self._forget()

    @property
    def delay_samples(self) -> float:
        """What waits in the buffer and in the resampler now, in session samples."""
        return self._buffer.pushed - self._buffer.place + float(self._stream.delay())

    def feed(self, frame: int, samples: Samples) -> None:
        """Take sound that begins at `frame` of the capture counter: float32 (n,) at the native rate.

        Sound from before what is already there is left out; a hole becomes silence.
        """
        expected = frame if self._next is None else self._next
        hole = frame - expected
        if abs(hole) > MOST_WAITING_S * self.rate:
            raise RemoteError(f"the microphone's frame numbers jumped from {expected} to {frame}")
        if hole < 0:
            samples = samples[-hole:]
        elif hole > 0:
            self.lost += hole
            samples = np.concatenate([np.zeros(hole, np.float32), samples])
        self._next = expected + len(samples)
        self.level = float(np.abs(samples).max(initial=0.0))
        if len(samples):
            self._buffer.push(self._stream.resample_chunk(samples))

    def take(self, count: int) -> Samples:
        """Give the next `count` session samples: float32 (count,), read-only."""
        buffer = self._buffer
        self._at = self._given
        self._inserted, self._stretched = buffer.inserted, buffer.stretched
        samples = buffer.take(count)
        self._given += count
        return samples

    def begin(self) -> None:
        """Session time begins: account from here, and leave out old sound."""
        self._buffer.settle()
        self._buffer.restart_accounts()
        self._forget()

    def _forget(self) -> None:
        self._given = self._reported = self._at = self._inserted = self._told_inserted = 0
        self._stretched = 0.0
        self._first_offset: float | None = None

    def news(self) -> list[News]:
        """Give what is to be told since the last time, as event types with their fields."""
        told = [self._step_told(*change) for change in self._buffer.changes]
        self._buffer.changes.clear()
        if told or self._first_offset is None or self._given - self._reported >= REPORT_S * self._session_rate:
            told.append(("microphone", self._report()))
        return told

    def last_news(self) -> list[News]:
        """Give what is to be told when the last sample has been taken: silence that nothing ended, and a report."""
        told = self.news()
        open_gap = self._inserted - self._told_inserted
        if open_gap > 0:
            told.append(self._step_told("underrun", open_gap, self._buffer.began))
        return [*told, ("microphone", self._report())]

    def _report(self) -> dict[str, Any]:
        """Say which capture frame the last take began with, and what explains its distance to session time then.

        offset: session time minus the counter, in session samples, relative to the first report; it equals underruns
        minus late ones plus `resampled`, but for rounding.
        """
        self._reported = self._given
        frame = self._frame_at(self._buffer.began)
        offset = self._at - frame * self._session_rate / self.rate
        if self._first_offset is None:
            self._first_offset = offset - self._inserted + self._buffer.dropped - self._stretched
        return {
            "frame": round(frame), "rate": self.rate, "offset": round(offset - self._first_offset),
            "resampled": round(self._stretched), "lost": self.lost,
        }  # fmt: skip

    def _step_told(self, what: str, size: int, place: float) -> News:
        if what == "underrun":
            self._told_inserted += size
        return what, {"size": size, "frame": round(self._frame_at(place))}

    def _frame_at(self, place: float) -> float:
        """The capture frame of a place in the buffer's stream."""
        behind = self._buffer.pushed + float(self._stream.delay()) - place
        return (self._next or 0) - behind * self.rate / self._session_rate
