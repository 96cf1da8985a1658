"""The draws of langdetect, many at a time, and how likely they make each language.

Seven times over, letters are drawn from all those of a text, and every language is multiplied by how often it has
them; every fifth draw it is looked whether one language is sure. The package's chance is `random.Random(seed)`, and
the words that this is made of are the same for every text: here they are kept, and choices and normal numbers are read
off them as Python's own methods do. The numbers are the package's but for their last bits, which hang on the order of
a product.

Source: langdetect 1.0.9 (Apache-2.0), `Detector`: constants and loop; CPython, `Random.choice` and `Random.gauss`.
"""

import math
import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_TRIALS = 7
_ALPHA, _ALPHA_WIDTH = 0.5, 0.05
_ALPHA_SCALE = 10_000
_SURE = 0.99999
_LOOK_EVERY = 5
_LAST_DRAW = 1000
"""At this draw a trial ends, whether a language is sure or not."""
_AT_ONCE = 12 * _LOOK_EVERY
"""Draws multiplied at once. A factor is 3e-5 at the least, so that sixty of them are still above the least number."""
_WORDS_AT_ONCE = 2 * _AT_ONCE
"""At worst every second word is too large for a choice."""
_WORDS = 2 * _TRIALS * (_LAST_DRAW + _AT_ONCE) + 2_000
"""Words of 32 bits: what seven trials take, if half of the words are too large and a little more."""


class Draws:
    """What `random.Random(seed)` gives, in its order, as often as it is begun."""

    def __init__(self, seed: int) -> None:
        raw = random.Random(seed).getrandbits(32 * _WORDS).to_bytes(4 * _WORDS, "little")
        self._words = np.frombuffer(raw, "<u4")
        self.begin()

    def begin(self) -> None:
        """Begin anew, as with the same seed."""
        self._at = 0
        self._second: float | None = None

    def gauss(self) -> float:
        """Give the next normal number, mean 0, deviation 1; they are made in pairs."""
        if self._second is not None:
            value, self._second = self._second, None
            return value
        angle = self._uniform() * 2 * math.pi
        radius = math.sqrt(-2 * math.log(1 - self._uniform()))
        self._second = math.sin(angle) * radius
        return math.cos(angle) * radius

    def _uniform(self) -> float:
        high, low = self._words[self._at : self._at + 2].tolist()
        self._at += 2
        return float(((high >> 5) * 2**26 + (low >> 6)) / 2**53)

    def ahead(self, of: int) -> tuple[Places, Places]:
        """Give the next choices of `of` things, a multiple of 5 and at most 60, and the words that each one takes
        with all before it. They are drawn once `taken` says so.
        """
        words = self._words[self._at : self._at + _WORDS_AT_ONCE] >> (32 - of.bit_length())
        (places,) = (words < of).nonzero()
        places = places[: min(_AT_ONCE, len(places) // _LOOK_EVERY * _LOOK_EVERY)]
        return words[places].astype(np.intp), places + 1

    def taken(self, words: int) -> None:
        """Go on behind so many words."""
        self._at += words


def languages_drawn(shares: Floats, rows: Sequence[int], draws: Draws) -> Floats:
    """Give how likely each language is, (languages,): the mean over the trials.

    shares: how often each language has certain letters, (letters, languages). rows: which letters a text has, one at
    least, each as often as it has them.
    """
    draws.begin()
    letters = np.array(rows, np.intp)
    total = np.zeros(shares.shape[1])
    for _ in range(_TRIALS):
        total += _trial(shares, letters, draws) / _TRIALS
    return total


def _trial(shares: Floats, letters: Places, draws: Draws) -> Floats:
    weight = (_ALPHA + draws.gauss() * _ALPHA_WIDTH) / _ALPHA_SCALE
    likely = np.full(shares.shape[1], 1 / shares.shape[1])
    drawn = 0
    while True:
        chosen, behind = draws.ahead(len(letters))
        products = shares.take(letters[chosen], axis=0)
        products += weight
        products[0] *= likely
        np.multiply.accumulate(products, axis=0, out=products)
        looks = products[::_LOOK_EVERY]
        sums = looks.sum(axis=1)
        sure = looks.max(axis=1) > _SURE * sums
        last = _LAST_DRAW - drawn
        if last < len(chosen):
            sure[last // _LOOK_EVERY] = True
        if sure.any():
            look = int(sure.argmax())
            draws.taken(int(behind[look * _LOOK_EVERY]))
            found: Floats = looks[look] / sums[look]
            return found
        draws.taken(int(behind[-1]))
        drawn += len(chosen)
        likely = products[-1] / products[-1].sum()
