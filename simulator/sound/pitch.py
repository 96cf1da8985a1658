"""Pitch and tempo of speech, apart from each other: read faster or slower, and repeat or skip whole periods.

A stream is read at `ratio` samples for each that is given out, so that everything sounds higher or lower, formants
too, as it does from a tape. To stay as late as it was, reading jumps by as many periods as the time lost or won,
where the sound is most like itself, and fades over (synchronised overlap-add: Roucos and Wilgus 1985; Verhelst and
Roelands 1993). What is resampled first and then brought back to its pitch has another tempo.
"""

import numpy as np

from simulator.frame import Samples
from simulator.sound.recordings import resample
from simulator.sound.sinc import sinc_taps

PIECE_S = 0.01
"""Between two chances to jump."""
SHORTEST_S, LONGEST_S = 0.0025, 0.0175
"""Periods from 400 Hz down to 57 Hz: a jump of the longest one stays within one of the deepest voices."""
ALIKE_S = 0.012
"""How much sound is compared to find the place to jump to."""
HALF = 8
"""Taps on either side of a sample that lies between two others."""
PHASES = 256
KAISER_BETA = 6.0
LEAST, MOST = 0.5, 2.0
"""An octave down, and up."""


class PitchShift:
    """Shifts the pitch of a stream, which comes `delay_samples` late on average.

    ratio: 0.5 to 2, an octave down or up. piece: samples of every call of `shift`, at most about PIECE_S of them.
    """

    def __init__(self, ratio: float, sample_rate: int, piece: int) -> None:
        self._ratio, self._count = ratio, piece
        self._taps = sinc_taps(HALF, PHASES, KAISER_BETA, round(max(1.0, ratio), 6))
        self._shortest, self._longest = round(SHORTEST_S * sample_rate), round(LONGEST_S * sample_rate)
        self._alike = round(ALIKE_S * sample_rate)
        self._drift = (1.0 - ratio) * piece
        self._least = float(HALF + 2 + max(0, -self._drift))
        self._most = self._least + self._longest + abs(self._drift)
        self.delay_samples = round((self._least + self._most) / 2)
        self._delay = float(self.delay_samples)
        reach = int(self._most + self._longest) + piece + self._alike + 2 * HALF + 2
        self._past: Samples = np.zeros(reach, np.float32)
        self._steps = np.arange(piece) * ratio
        self._fade = ((np.arange(piece) + 0.5) / piece).astype(np.float32)
        self._around = np.arange(2 * HALF) - (HALF - 1)

    def shift(self, piece: Samples) -> Samples:
        """Give the next piece, float32 (piece,), for the next of the stream."""
        known = np.concatenate([self._past, piece])
        self._past = known[self._count :]
        heard = self._read(known, self._delay)
        ends_at = self._delay + self._drift
        if not self._least <= ends_at <= self._most:
            jump = self._jump(known, ends_at)
            heard += (self._read(known, self._delay + jump) - heard) * self._fade
            ends_at += jump
        self._delay = ends_at
        return heard

    def _read(self, known: Samples, delay: float) -> Samples:
        """The piece as it is read from a delay on: float32 (piece,)."""
        at = len(known) - self._count - delay + self._steps
        whole = np.floor(at)
        phase = ((at - whole) * PHASES + 0.5).astype(np.intp)
        places = whole.astype(np.intp)[:, None] + self._around
        return np.asarray(np.einsum("ij,ij->i", known[places], self._taps[phase]))

    def _jump(self, known: Samples, ends_at: float) -> int:
        """By how much to change the delay: back to within its bounds, to where the sound is most like it is here."""
        later = ends_at < self._least
        needed = int(np.ceil(self._least - ends_at if later else ends_at - self._most))
        first = max(needed, self._shortest)
        lags = self._longest - self._shortest + 1
        begin = len(known) - self._count - int(self._delay) - self._alike // 2
        here = known[begin : begin + self._alike]
        # Later is further back in the stream, so that the range of places runs against that of jumps.
        low = begin - first - lags + 1 if later else begin + first
        low = min(max(low, 0), len(known) - self._alike - lags + 1)
        there = known[low : low + lags + self._alike - 1]
        likeness = np.correlate(there, here, "valid")
        energy = np.convolve(there * there, np.ones(self._alike, np.float32), "valid")
        best = low + int(np.argmax(likeness / np.sqrt(energy + 1e-9)))
        return begin - best


def pitch_shifted(samples: Samples, sample_rate: int, ratio: float) -> Samples:
    """Shift the pitch of a recording by a ratio from 0.5 to 2; as long as it was, at the same times."""
    piece = round(PIECE_S * sample_rate)
    shift = PitchShift(ratio, sample_rate, piece)
    whole = -(-(len(samples) + shift.delay_samples) // piece) * piece
    padded = np.zeros(whole, np.float32)
    padded[: len(samples)] = samples
    heard = np.concatenate([shift.shift(padded[start : start + piece]) for start in range(0, whole, piece)])
    return heard[shift.delay_samples : shift.delay_samples + len(samples)]


def at_tempo(samples: Samples, sample_rate: int, tempo: float) -> Samples:
    """Speak a recording faster or slower, by a factor from 0.5 to 2, at the pitch it has: 1 / tempo as long."""
    return pitch_shifted(resample(samples, round(sample_rate * tempo), sample_rate), sample_rate, 1 / tempo)
