"""Probes: sounds that are played before a conversation, and what their return says about the line.

A click measures the way from the session through loudspeaker buffer, microphone buffer and back. A tone measures how
much of the loudspeaker leaks into the microphone: an agent that hears itself interrupts itself.
"""

import msgspec
import numpy as np

from simulator.frame import Samples, freeze, to_grid

CLICK_S = 0.004
TONE_HZ = 1000.0
TONE_S = 1.0
TONE_LEVEL = 0.25
"""Loud enough for any room, 12 dB below full scale."""

_HOP_S = 0.005
_FADE_S = 0.02
_RISE = 4.0
"""A level this many times that before the probe (12 dB) is the probe, not the room."""


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the tone came back. level_db: relative to what was played; None when nothing came that stands out.

    delay_ms: after how long. floor_db: what the room itself holds at the tone's frequency, the least that can be seen.
    """

    level_db: float | None
    delay_ms: float | None
    floor_db: float

    def verdict(self) -> str:
        """Say in a sentence what that means for a conversation."""
        if self.level_db is None:
            return f"no echo: nothing came back above {self.floor_db:.0f} dB"
        found = f"the loudspeaker leaks into the microphone at {self.level_db:.0f} dB, {self.delay_ms:.0f} ms later"
        if self.level_db < -40:
            return f"{found}: too faint to matter"
        loud = self.level_db >= -25
        return f"{found}: " + ("use headphones" if loud else "the agent may hear itself; headphones are better")


def click(rate: int) -> Samples:
    """Give a click: a burst of 2 kHz, 4 ms long, at half of full scale; float32 (n,)."""
    times = np.arange(round(CLICK_S * rate)) / rate
    return to_grid((0.5 * np.sin(2 * np.pi * 2000 * times) * np.hanning(len(times))).astype(np.float32))


def click_return(heard: Samples, rate: int) -> int | None:
    """Find the click in what came back: samples from the beginning of `heard`, when it was played; None when not there.

    heard: float32 (n,). It is there when its correlation stands 12 dB above everything else.
    """
    pattern = click(rate)
    if len(heard) < 2 * len(pattern):
        return None
    match = np.abs(np.correlate(heard, pattern, "valid"))
    best = int(match.argmax())
    near = slice(max(0, best - 2 * len(pattern)), best + 2 * len(pattern))
    rest = np.delete(match, np.r_[near])
    other = float(rest.max(initial=0.0))
    return best if match[best] > max(_RISE * other, 1e-4) else None


def tone(rate: int) -> Samples:
    """Give the tone: 1 kHz for a second, faded in and out over 20 ms; float32 (n,)."""
    count = round(TONE_S * rate)
    envelope = np.minimum(1.0, np.minimum(np.arange(count), np.arange(count)[::-1]) / (_FADE_S * rate))
    return to_grid((TONE_LEVEL * envelope * np.sin(2 * np.pi * TONE_HZ * np.arange(count) / rate)).astype(np.float32))


def leak_of(before: Samples, heard: Samples, rate: int) -> Leak:
    """Say how much of the tone is in `heard`, float32 (n,) from when it was played on; `before`: the room without it.

    The level is that of 5 ms hops at the tone's frequency (a Hann window of 20 ms), so that a canceller that changes
    the phase, or a room that smears it, is still seen. The tone's middle counts, its edges give the delay.
    """
    floor, levels = _at_tone(before, rate), _at_tone(heard, rate)
    if not len(levels) or not len(floor):
        return Leak(level_db=None, delay_ms=None, floor_db=0.0)
    quiet = max(float(np.percentile(floor, 90)), 1e-7)
    length = round(TONE_S / _HOP_S)
    sums = np.convolve(levels, np.ones(min(length, len(levels))), "valid")
    start = int(sums.argmax())
    level = float(np.median(levels[start : start + length]))
    floor_db = round(_db(_RISE * quiet), 1)
    if level < _RISE * quiet:
        return Leak(level_db=None, delay_ms=None, floor_db=floor_db)
    above = np.flatnonzero(levels > level / 2)
    # A hop's window begins 10 ms before its middle; the fade reaches half after 10 ms.
    onset_s = float(above[0]) * _HOP_S + 0.01 - _FADE_S / 2
    return Leak(level_db=round(_db(level), 1), delay_ms=round(1000 * max(0.0, onset_s), 1), floor_db=floor_db)


def _at_tone(samples: Samples, rate: int) -> Samples:
    """Give the tone's amplitude around every hop, relative to the played one: float32 (hops,)."""
    window, hop = round(4 * _HOP_S * rate), round(_HOP_S * rate)
    if len(samples) < window:
        return freeze(np.zeros(0, np.float32))
    shape = np.hanning(window)
    probe = shape * np.exp(-2j * np.pi * TONE_HZ * np.arange(window) / rate) / (0.5 * shape.sum())
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    levels: Samples = np.abs(frames @ probe).astype(np.float32) / np.float32(TONE_LEVEL)
    return levels


def _db(ratio: float) -> float:
    return 20 * float(np.log10(max(ratio, 1e-7)))
