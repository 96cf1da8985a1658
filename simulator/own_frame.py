"""An actor's own frame: how many ticks it is long, at which rates, and how late resampling makes it.

An actor's frame is m ticks; it hears ticks j*m ... j*m+m-1 as one frame and its answer is said in ticks (j+1)*m ....
A scenario is checked with these numbers before anything is built; `simulator/call/edge.py` does what they say.
"""

import math
from fractions import Fraction
from functools import lru_cache

import msgspec
import numpy as np

from simulator.errors import ScenarioError
from simulator.sound.recordings import HIGHEST_HZ, LOWEST_HZ
from simulator.traits import AudioFormat


class EdgeShape(msgspec.Struct, frozen=True, kw_only=True):
    """An actor's frame in numbers: ticks per own frame; rates (Hz) and samples per own frame, heard and said.

    input_delay, output_delay: what resampling adds on either side, in session samples.
    """

    ticks: int
    input_rate: int
    output_rate: int
    input_samples: int
    output_samples: int
    input_delay: int = 0
    output_delay: int = 0


def shape_of(form: AudioFormat, sample_rate: int, frame_samples: int) -> EdgeShape:
    """Work out an actor's frame in a session; ScenarioError when its frame is no whole number of session frames."""
    input_rate, output_rate = form.input_rate or sample_rate, form.output_rate or sample_rate
    for rate in (input_rate, output_rate):
        if not LOWEST_HZ <= rate <= HIGHEST_HZ:
            raise ScenarioError(f"a rate of {rate} Hz is not allowed; {LOWEST_HZ} to {HIGHEST_HZ} Hz are")
    # The smallest number of ticks that is a whole number of samples at every rate.
    whole = math.lcm(*(Fraction(frame_samples * rate, sample_rate).denominator for rate in (input_rate, output_rate)))
    ticks = whole if form.frame_ms is None else _own_ticks(form.frame_ms, sample_rate, frame_samples, whole)
    length = ticks * frame_samples
    heard, said = length * input_rate // sample_rate, length * output_rate // sample_rate

    def delay(lag_s: float) -> int:
        return math.ceil(lag_s * sample_rate / frame_samples / whole) * whole * frame_samples

    return EdgeShape(
        ticks=ticks,
        input_rate=input_rate,
        output_rate=output_rate,
        input_samples=heard,
        output_samples=said,
        input_delay=delay(streaming_lag(sample_rate, input_rate, length) / input_rate),
        output_delay=delay(streaming_lag(output_rate, sample_rate, said) / sample_rate),
    )


def _own_ticks(frame_ms: float, sample_rate: int, frame_samples: int, whole: int) -> int:
    ticks = Fraction(frame_ms).limit_denominator(1000) * sample_rate / (1000 * frame_samples)
    if ticks.denominator != 1 or ticks < 1 or ticks % whole:
        fitting = ", ".join(f"{frame_ms / count:g}" for count in (1, 2, 4, 5, 8) if frame_ms / count >= 5)
        raise ScenarioError(
            f"its frame of {frame_ms:g} ms is no whole number of session frames of "
            f"{1000 * frame_samples / sample_rate:g} ms; frame_ms may be {fitting}"
        )
    return int(ticks)


@lru_cache(maxsize=64)
def streaming_lag(from_hz: int, to_hz: int, chunk: int, quality: str = "HQ") -> int:
    """By how many output samples streaming soxr falls behind at worst when it is fed `chunk` samples at a time."""
    if from_hz == to_hz:
        return 0
    import soxr

    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality=quality)
    quiet = np.zeros(chunk, np.float32)
    given = lag = 0
    for fed in range(1, 2 + 2 * from_hz // chunk):
        given += len(stream.resample_chunk(quiet))
        lag = max(lag, math.ceil(Fraction(fed * chunk * to_hz, from_hz)) - given)
    return lag
