"""Audibility: whether what a party said can be heard in what reached the other, after the line."""

import numpy as np
from numpy.typing import NDArray

from simulator.annotation.audible import AUDIBLE
from simulator.events import Party, other_party
from simulator.session import Session

Floats = NDArray[np.float64]

LOWEST_SNR_DB = -14.0
"""What stands less above the rest is not told from it: noise without any speech gives up to -15 dB by chance, and
people hear no words there."""

LONGEST_DELAY_S = 2.0
"""How much later than it was said sound is looked for at the listener."""

_FAINTEST = 1e-20


def is_audible(session: Session, party: Party, start: int, end: int) -> bool:
    """Whether what a party said in [start, end) samples reached the other's ears, as far as can be told.

    Of what was heard in the time it may have taken, the part that is a copy of what was said: inaudible below -60 dBFS,
    or 14 dB under the rest. Where no line had channels only its own level counts.
    """
    said = session.said(party, start, end).astype(np.float64)
    energy = float(np.dot(said, said))
    if energy / max(1, len(said)) < AUDIBLE**2:
        return False
    if not session.has_heard:
        return True
    reach = round(LONGEST_DELAY_S * session.sample_rate)
    heard = session.heard(other_party(party), start, min(session.duration, end + reach)).astype(np.float64)
    match = _correlation(heard, said)
    place = int(np.argmax(np.abs(match)))
    arrived = heard[place : place + len(said)]
    copied = float(match[place]) ** 2 / energy
    rest = max(float(np.dot(arrived, arrived)) - copied, _FAINTEST)
    return copied / len(said) >= AUDIBLE**2 and 10 * np.log10(max(copied, _FAINTEST) / rest) >= LOWEST_SNR_DB


def _correlation(heard: Floats, said: Floats) -> Floats:
    """Correlate what was heard with what was said, at every delay at which all of it fits."""
    size = 1 << (len(heard) + len(said)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size))
    return np.fft.irfft(spectrum, size)[: max(1, len(heard) - len(said) + 1)]
