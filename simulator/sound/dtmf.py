"""Keys of a telephone as tones: made as ITU-T Q.23 says, found again as ITU-T Q.24 asks.

    Hz     1209  1336  1477  1633
    697      1     2     3     A
    770      4     5     6     B
    852      7     8     9     C
    941      *     0     #     D

Found is a pair of one low and one high tone that holds 70 % of the energy of a window of 20 ms (no speech does so for
long), within 2.5 % of its frequencies (Q.24: 1.5 % must pass, 3.5 % must not), the high one at most 4 dB above and 8 dB
below the low one, for at least 30 ms (40 must pass, 23 must not). A key is over after 25 ms without it: 40 ms of pause
divide two, a hole of 10 ms does not.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples, freeze, to_grid

LOW_HZ = (697.0, 770.0, 852.0, 941.0)
HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
ROWS = ("123A", "456B", "789C", "*0#D")
KEYS = "".join(ROWS)

TONE_S = 0.1
PAUSE_S = 0.1
LOW_DBFS, HIGH_DBFS = -16.0, -14.0
"""RMS of each tone: the high one is 2 dB louder, as telephones make it, as long lines lose more of it."""

WINDOW_S, HOP_S = 0.02, 0.005
PURE = 0.7
FAR_OFF = 0.025
LEAST_THROUGH = 0.25
"""Of a tone beside its wave the window lets through more than this, as far off as a key may be."""
TWIST_DB = (-8.0, 4.0)
QUIETEST = 10 ** (-45 / 10)
"""Energy per sample of the quietest key: Q.24 asks for -25 dBm, which is about -28 dBFS."""
LEAST_WINDOWS, WINDOWS_OVER = 5, 5
AT_ONCE = 4
"""Windows in a product of matrices: BLAS shares larger ones, and complex ones that are smaller still, between threads,
which cost 40 times as much in waiting."""
STRETCH_S = 0.1


class KeyFound(NamedTuple):
    """A key that is heard, at samples [start, end)."""

    digit: str
    start: int
    end: int


def check_keys(digits: str) -> None:
    """Refuse what no telephone has. ValueError."""
    wrong = sorted(set(digits) - set(KEYS))
    if not digits or wrong:
        found = f"found {', '.join(wrong)}" if wrong else "found none"
        raise ValueError(f"keys are 0 to 9, *, # and A to D; {found}")


def key_samples(sample_rate: int) -> int:
    """Give how many samples a key takes with the pause behind it."""
    return round((TONE_S + PAUSE_S) * sample_rate)


@cache
def tones(digits: str, sample_rate: int) -> Samples:
    """Give the tones of keys, each with its pause: float32 (len(digits) * key_samples,), on the grid."""
    whole = key_samples(sample_rate)
    out = np.zeros(whole * len(digits), np.float32)
    count = round(TONE_S * sample_rate)
    times = np.arange(count) / sample_rate
    edge = np.minimum(1.0, np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.002 * sample_rate))
    for index, digit in enumerate(digits):
        low, high = pair_of(digit)
        tone = _sine(low, LOW_DBFS, times) + _sine(high, HIGH_DBFS, times)
        out[index * whole : index * whole + count] = tone * edge
    return freeze(to_grid(out))


def pair_of(digit: str) -> tuple[float, float]:
    """Give the two frequencies of a key, in Hz."""
    row = next(index for index, keys in enumerate(ROWS) if digit in keys)
    return LOW_HZ[row], HIGH_HZ[ROWS[row].index(digit)]


class KeyEars:
    """Hears keys in sound that comes piece by piece, in stretches of 100 ms, which cost less; rate: Hz."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._window, self._hop = round(WINDOW_S * sample_rate), round(HOP_S * sample_rate)
        self._rest = np.zeros(0, np.float32)
        self._at = 0
        self._digit = ""
        self._held = self._missed = 0
        self._start = self._end = 0
        self._told = False

    def hear(self, samples: Samples, at: int) -> list[KeyFound]:
        """Take the next sound, float32 (n,), which lies at `at`, and give the keys that are over with it."""
        self._at = at - len(self._rest) if len(self._rest) else at
        joined = np.concatenate([self._rest, samples])
        if len(joined) < STRETCH_S * self._rate:
            self._rest = joined
            return []
        count = max(0, (len(joined) - self._window) // self._hop + 1)
        digits = _digits(joined, count, self._window, self._hop, self._rate) if joined.any() else [""] * count
        found = [key for index in range(count) if (key := self._next(digits[index], self._at + index * self._hop))]
        self._rest = joined[count * self._hop :]
        return found

    def _next(self, digit: str, at: int) -> KeyFound | None:
        """Take the window at `at`; gives the key that is over with it."""
        if digit and digit == self._digit:
            self._held, self._missed, self._end = self._held + 1, 0, at + self._window
            return None
        self._missed += 1
        over = None
        if self._digit and (digit or self._missed >= WINDOWS_OVER):
            if self._held >= LEAST_WINDOWS:
                over = KeyFound(self._digit, self._start, self._end)
            self._digit = ""
        if digit and not self._digit:
            self._digit, self._held, self._missed = digit, 1, 0
            self._start, self._end = at, at + self._window
        return over


def find_keys(samples: Samples, sample_rate: int, start: int = 0) -> list[KeyFound]:
    """Give the keys in a recording, float32 (n,), whose first sample lies at `start`."""
    ears = KeyEars(sample_rate)
    quiet = np.zeros(round(2 * STRETCH_S * sample_rate), np.float32)
    return [*ears.hear(samples, start), *ears.hear(quiet, start + len(samples))]


def _sine(hertz: float, dbfs: float, times: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * times))


@cache
def _waves(window: int, sample_rate: int) -> NDArray[np.float64]:
    """The eight tones as waves, the real parts before the imaginary: (window, 16)."""
    turns = 2 * np.pi * np.arange(window)[:, None] / sample_rate * np.array([*LOW_HZ, *HIGH_HZ])
    return np.hstack([np.cos(turns), -np.sin(turns)])


def _digits(samples: Samples, count: int, window: int, hop: int, rate: int) -> Sequence[str]:
    """Give the key in each window, "" where there is none."""
    if not count:
        return []
    blocks: Any = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop][:count]
    energy = np.einsum("ij,ij->i", blocks, blocks, dtype=np.float64) / window
    waves = _waves(window, rate)
    parts: Any = np.concatenate([blocks[row : row + AT_ONCE] @ waves for row in range(0, count, AT_ONCE)])
    strength = np.square(parts[:, :8]) + np.square(parts[:, 8:])
    most = 2 / LEAST_THROUGH / window**2 * (strength[:, :4].max(1) + strength[:, 4:].max(1))
    fine = (energy > QUIETEST) & (most >= PURE * energy)
    if not fine.any():  # as nearly always: the rest takes three times as long
        return [""] * count
    lines = parts[:, :8] + 1j * parts[:, 8:]
    power, keys = [], []
    for hertz, first in ((LOW_HZ, 0), (HIGH_HZ, 4)):
        chosen = strength[:, first : first + 4].argmax(1)
        off = _off_pitch(lines, first + chosen, np.array(hertz)[chosen], hop, rate)
        fine &= np.abs(off) <= FAR_OFF * np.array(hertz)[chosen]
        # A tone beside its wave is measured too small, by what the window lets through there.
        through = np.maximum(np.sinc(off * window / rate) ** 2, LEAST_THROUGH)
        power.append(2 * strength[np.arange(count), first + chosen] / window**2 / through)
        keys.append(chosen)
    twist = 10 * np.log10(np.maximum(power[1], 1e-20) / np.maximum(power[0], 1e-20))
    fine &= ((power[0] + power[1]) >= PURE * energy) & (twist >= TWIST_DB[0]) & (twist <= TWIST_DB[1])
    return [ROWS[keys[0][index]][keys[1][index]] if fine[index] else "" for index in range(count)]


def _off_pitch(lines: Any, waves: Any, hertz: Any, hop: int, rate: int) -> NDArray[np.float64]:
    """How far each window's tone lies from its wave, in Hz: by how its phase goes on to the window before or behind."""
    count = len(lines)
    if count < 2:
        return np.zeros(count)
    after = np.minimum(np.arange(count) + 1, count - 1)
    turned = lines[after, waves] * np.conj(lines[after - 1, waves])
    # The waves begin anew with every window: what a whole hop of the wave turns is taken off.
    return np.asarray(np.angle(turned * np.exp(-2j * np.pi * hertz * hop / rate)) * rate / (2 * np.pi * hop))
