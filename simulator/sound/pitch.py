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

PIECE_S = 0.02
"""At most so long from one chance to jump to the next; a jump fades over as long, which is heard least."""
PATTERN_S = 0.04
"""Every so often reading is at a whole sample again: the ratio is right to half a sample in that time, a cent."""
SHORTEST_S, LONGEST_S = 0.0075, 0.0175
"""Some multiple of every period up to the longest, 57 Hz, lies between them; shorter jumps would come more often."""
ALIKE_S = 0.012
"""How much sound is compared to find the place to jump to."""
HALF = 8
"""Taps on either side of a sample that lies between two others."""
KAISER_BETA = 6.0
COLUMNS = 16
"""Samples that are read by one product of matrices."""
LEAST_ENERGY = np.array(1e-9, np.float32)
"""Of a stretch of silence, which is like nothing."""
LEAST, MOST = 0.5, 2.0
"""An octave down, and up."""


class PitchShift:
    """Shifts the pitch of a stream, which comes `delay_samples` late on average.

    ratio: 0.5 to 2, an octave down or up. piece: samples of every call of `shift`, at most about PIECE_S of them.
    """

    def __init__(self, ratio: float, sample_rate: int, piece: int) -> None:
        self._count = piece
        self._reading = Reading(ratio, piece, max(1, round(PATTERN_S * sample_rate / piece)))
        self._shortest, self._longest = round(SHORTEST_S * sample_rate), round(LONGEST_S * sample_rate)
        self._alike = round(ALIKE_S * sample_rate)
        drift = max(abs(piece - advance) for advance in self._reading.advances)
        self._least = HALF + 2 + (drift if ratio > 1 else 0)
        self._most = self._least + self._longest + drift
        # Half a jump of middle length from the bound that is drifted to, in the middle of a piece.
        inside = ((self._shortest + self._longest) // 2 - drift) // 2
        self.delay_samples = self._least + inside if ratio > 1 else self._most - inside
        self._delay = max(self._least, self.delay_samples)
        reach = self._most + self._longest + piece + self._alike + 2 * HALF + 2
        self._past: Samples = np.zeros(reach, np.float32)
        self._fade = ((np.arange(piece) + 0.5) / piece).astype(np.float32)

    def shift(self, piece: Samples) -> Samples:
        """Give the next piece, float32 (piece,), for the next of the stream."""
        known = np.concatenate([self._past, piece])
        self._past = known[self._count :]
        begins = len(known) - self._count - self._delay
        heard = self._reading.read(known, begins)
        ends_at = self._delay + self._count - self._reading.advance
        if not self._least <= ends_at <= self._most:
            jump = self._jump(known, ends_at)
            heard += (self._reading.read(known, begins - jump) - heard) * self._fade
            ends_at += jump
        self._delay = ends_at
        self._reading.go_on()
        return heard

    def _jump(self, known: Samples, ends_at: int) -> int:
        """By how much to change the delay: back to within its bounds, to where the sound is most like it is here."""
        later = ends_at < self._least
        first = max(self._least - ends_at if later else ends_at - self._most, self._shortest)
        # Up to the longest period, and twice the shortest jump: a multiple of every period lies between.
        lags = max(self._longest - first, min(first, self._longest)) + 1
        # Compared is what lies around the middle of the fade.
        begin = len(known) - self._count - self._delay + (self._count - self._alike) // 2
        here = known[begin : begin + self._alike]
        # Later is further back in the stream, so that the range of places runs against that of jumps.
        low = begin - first - lags + 1 if later else begin + first
        low = min(max(low, 0), len(known) - self._alike - lags + 1)
        there = known[low : low + lags + self._alike - 1]
        return begin - low - most_alike(there, here)


class Reading:
    """Reads between samples, `ratio` of them for each that is given, a piece at a time, at the same fractions again.

    pieces: so many pieces later it is at a whole sample. Known fractions make reading one product of small matrices.
    """

    def __init__(self, ratio: float, piece: int, pieces: int) -> None:
        outputs = piece * pieces
        wide = max(part for part in range(1, COLUMNS + 1) if piece % part == 0)
        whole, fraction = np.divmod(np.arange(outputs + 1) * round(ratio * outputs), outputs)
        self.advances: list[int] = np.diff(whole[::piece]).tolist()
        """By how many whole samples each piece of the pattern goes on."""
        rows = whole[:-1].reshape(pieces, piece // wide, wide)
        firsts = rows[:, :, :1]
        within = rows - firsts
        reach = int(within.max()) + 2 * HALF
        self._places = list(firsts - rows[:, :1, :1] + np.arange(reach))
        """For each piece the samples that each of its rows needs, counted from the first."""
        taps = sinc_taps(HALF, outputs, KAISER_BETA, round(max(1.0, ratio), 6))[fraction[:-1]]
        columns = np.zeros((*rows.shape, reach), np.float32)
        np.put_along_axis(columns, within[..., None] + np.arange(2 * HALF), taps.reshape(*rows.shape, -1), axis=3)
        self._matrices = list(np.ascontiguousarray(columns.swapaxes(2, 3)))
        self._index = 0

    @property
    def advance(self) -> int:
        """By how many whole samples the piece under way goes on."""
        return int(self.advances[self._index])

    def read(self, known: Samples, begins: int) -> Samples:
        """The piece under way where it begins at a place in `known`: float32 (piece,)."""
        windows = known[begins - HALF + 1 :].take(self._places[self._index])
        heard: Samples = windows[:, None] @ self._matrices[self._index]
        return heard.reshape(-1)

    def go_on(self) -> None:
        """Go to the next piece of the pattern."""
        self._index = (self._index + 1) % len(self.advances)


def most_alike(there: Samples, here: Samples) -> int:
    """The place in a longer sound, float32 (n,), that is most like a shorter one by correlation, whatever its level."""
    likeness = np.correlate(there, here, "valid")
    sums = np.add.accumulate(there * there)  # never falls, so that no energy is below 0
    energy = sums[len(here) - 1 :]
    energy[1:] -= sums[: len(likeness) - 1]
    return int((likeness / np.sqrt(energy + LEAST_ENERGY)).argmax())


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
