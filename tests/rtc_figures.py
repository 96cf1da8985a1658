"""What came back of noise that went through a codec: block by block, where it lies, whether it is there, and how often.

No stretch of the noise is like another, so a block is found where it correlates with what came back, and nowhere else.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples
from simulator.session import Session
from tests.stream_figures import Figures

BLOCK_S, SEARCHED_S = 0.1, 1.0
FOUND = 0.5
"""Correlation: the codec leaves 0.9 and more of a block that is whole, chance 0.1."""
PARTS, WHOLE = 10, 0.75
"""A part that a gap divides, too, is no more than 0.71 like what lies at one place if it is as like at the other."""
APART_S = 0.02
BAND_HZ = (300, 3400)
"""Where Opus keeps the waveform at any of its rates."""


def band_noise(seconds: float, rate: int) -> Samples:
    """Noise at speech level, within the band."""
    rng = np.random.default_rng(7)
    count = round(seconds * rate)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / rate)
    spectrum[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0
    noise = np.fft.irfft(spectrum, count)
    return (0.05 * noise / noise.std()).clip(-0.9, 0.9).astype(np.float32)


def likeness(block: Samples, searched: Samples) -> NDArray[np.float64]:
    """Give the correlation, 0 to 1, of a block with every place of what is searched, in order of places."""
    size = 1 << (len(searched) + len(block)).bit_length()
    product = np.fft.irfft(np.fft.rfft(searched, size) * np.conj(np.fft.rfft(block, size)), size)
    energy = np.concatenate([[0.0], np.cumsum(np.square(searched, dtype=np.float64))])
    there = energy[len(block) :] - energy[: -len(block)]
    scale = np.sqrt(np.maximum(there, 1e-9) * float(np.dot(block, block)))
    return np.asarray(product[: len(there)] / scale)


def twice(block: Samples, back: Samples, place: int, again: int) -> bool:
    """Whether a part of a block lies at both places. A gap parts a block: then each place holds another part of it."""
    parts = np.array_split(block, PARTS)
    firsts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    return any(
        all(
            likeness(part, back[at + first : at + first + len(part)])[:1].max(initial=0) > WHOLE
            for at in (place, again)
        )
        for part, first in zip(parts, firsts, strict=True)
    )


def rtc_figures_of(session: Session) -> Figures:
    """Compare what came back with what was said; lost and doubled in samples of whole blocks."""
    rate = session.sample_rate
    said, back = session.said("user"), session.heard("user")
    size, searched, apart = (round(seconds * rate) for seconds in (BLOCK_S, SEARCHED_S, APART_S))
    last = int(np.flatnonzero(said)[-1])
    lags: list[float] = []
    lost = doubled = 0
    for start in range(0, last + 1 - size, size):
        found = likeness(said[start : start + size], back[start : start + size + searched])
        place = int(found.argmax())
        if found[place] < FOUND:
            lost += 1
            continue
        lags.append(place * 1000 / rate)
        found[max(0, place - apart) : place + apart] = 0
        again = int(found.argmax())
        doubled += bool(found[again] > FOUND) and twice(said[start : start + size], back[start:], place, again)
    low, high = np.percentile(lags, [5, 95])
    return Figures(
        samples=last + 1,
        lost=lost * size,
        doubled=doubled * size,
        mouth_to_ear_p50_ms=round(float(np.median(lags)), 2),
        jitter_p90_ms=round(float(high - low), 2),
        gaps=len(session.by_type.get("starved", ())),
    )
