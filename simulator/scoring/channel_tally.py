"""What the two channels of a recording show: one mix in both, broken values, offsets, levels, bleed, drift, holes.

One mix is one however it came there: with another gain, inverted, delayed, through a codec or with noise under it, the
one channel explains the other nearly wholly and is louder or softer by the same all along; two microphones in one room
explain each other less, and are alike in this. Where two people have a microphone each, whoever speaks is louder on it.

Bleed is looked for where one channel is loud: how well the other one is explained by it, delayed by up to 0.5 s
(normalised cross-correlation on 1 s windows at 8 kHz), and how loud it is beside it. Drift is the slope of that delay.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.engines.energy_edges import HOP_S, HopPowers
from simulator.engines.faint import speech_level_dbfs
from simulator.events import PARTIES, Party, other_party
from simulator.frame import Samples
from simulator.sound import recordings

SILENT_DBFS = -60.0
"""A channel whose loudest sample is below this is silent."""
FAINT_DBFS = -50.0
"""Speech below this level is told: recognisers miss words of it."""
CLIP_RUN = 3
"""So many full-scale samples in a row are a clipped peak; one may be a loud sound."""
BLEED_COHERENCE = 0.7
BLEED_DB = -40.0
"""A channel explained by the other to this degree and this loud beside it holds the other's sound."""
MIX_COHERENCE = 0.9
MIX_SPREAD_DB = 6.0
MIX_LEVEL_DB = 15.0
"""Channels hold one mix that explain each other to this degree, at a difference of levels that hardly changes (from the
10th to the 90th percentile) and is itself no larger than that: the echo on a silent agent's channel is softer."""
ROOM_COHERENCE = 0.6
ROOM_LEVEL_DB = 6.0
"""And so do two microphones that hear one room, each with its own reflections, where they are nearly equally loud."""
MIX_SHARE = 0.9
"""The share of loud seconds in which that must be so."""
MIX_RANGE_DB = 25.0
"""Seconds that are so much softer than the loudest are not asked: there the noise under a mix is heard."""
MIX_FLOOR_DBFS = -80.0
"""Softer seconds hold the last bits of a recording."""
LOUDEST = 1000.0
"""Nobody records so many times full scale: bytes that are no samples were read as some."""
OFFSET = 0.003
"""A mean further from zero than this (-50 dBFS) is an offset worth telling."""
DRIFT_MS_PER_MIN = 1.0
DROPOUT_S = (0.005, 0.5)
"""Digital zeros for so long with sound hard on both sides are a hole, not a pause."""

LONGEST_LAG_S = 0.5
"""Up to which delay one channel is looked for in the other."""
_WINDOW_HZ = 8_000
LOUD_DBFS = -45.0
"""A second above this is loud enough to be held against the other channel."""


class SoundFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found. severity: `refuse` makes scores meaningless, `note` is to be known.

    values: what was measured, units in the names.
    """

    what: str
    severity: Literal["refuse", "note"]
    sentence: str
    values: dict[str, float] = {}


class ChannelTally:
    """What the blocks of both channels add up to."""

    def __init__(self, sample_rate: int, *, longest_lag_s: float = LONGEST_LAG_S) -> None:
        """longest_lag_s: up to which delay one sound in both channels is one mix."""
        self._rate = sample_rate
        self._longest_lag_s = longest_lag_s
        self._same = True
        self._broken = dict.fromkeys(PARTIES, 0)
        self._sum = dict.fromkeys(PARTIES, 0.0)
        self._mixed: list[tuple[float, float, float, float]] = []
        self._before: dict[Party, Samples] = {}
        self._peak = dict.fromkeys(PARTIES, 0.0)
        self._powers = {party: HopPowers(round(sample_rate * HOP_S)) for party in PARTIES}
        self._clips = dict.fromkeys(PARTIES, 0)
        self._holes = dict.fromkeys(PARTIES, 0)
        self._tails = {party: np.zeros(0, np.float32) for party in PARTIES}
        self._samples = 0
        self._lags: dict[Party, list[tuple[float, float, float, float]]] = {party: [] for party in PARTIES}

    def add(self, user: Samples, agent: Samples) -> None:
        """Take the next second of both channels."""
        self._same = self._same and np.array_equal(user, agent)
        blocks: dict[Party, Samples] = {"user": user, "agent": agent}
        for party, block in blocks.items():
            broken = ~(np.abs(block) <= LOUDEST)  # so that NaN is broken, too
            self._broken[party] += int(np.count_nonzero(broken))
            blocks[party] = np.where(broken, np.float32(0), block)
        centred = {party: block - np.float32(block.mean(dtype=np.float64)) for party, block in blocks.items()}
        for party, block in blocks.items():
            self._powers[party].feed(centred[party])
            self._sum[party] += float(np.sum(block, dtype=np.float64))
            self._peak[party] = max(self._peak[party], float(np.max(np.abs(centred[party]), initial=0.0)))
            self._clips[party] += _runs(np.abs(block) >= 32767 / 32768, CLIP_RUN)
            self._holes[party] += _holes(self._tails[party], block, self._rate)
            self._tails[party] = block[-round(2 * DROPOUT_S[1] * self._rate) :]
        self._compare(centred)
        self._samples += len(user)

    def _compare(self, sounds: dict[Party, Samples]) -> None:
        """Hold the channels of a second against each other, both ways, where one of them is loud."""
        if len(sounds["user"]) < self._rate:
            return
        levels = {party: dbfs(sound) for party, sound in sounds.items()}
        narrow = {party: recordings.resample(sound, self._rate, _WINDOW_HZ) for party, sound in sounds.items()}
        if self._before:
            self._mixed.append(_alike(*(np.concatenate([self._before[party], narrow[party]]) for party in PARTIES)))
        self._before = narrow
        if max(levels.values()) < LOUD_DBFS:
            return
        user, agent = narrow["user"], narrow["agent"]
        explained: dict[Party, tuple[float, float]] = {
            "user": _explained(user, agent),
            "agent": _explained(agent, user),
        }
        for source, (coherence, lag) in explained.items():
            if levels[source] >= LOUD_DBFS:
                under = levels[other_party(source)] - levels[source]
                self._lags[source].append((self._samples / self._rate, coherence, lag / _WINDOW_HZ, under))

    def _one_mix(self) -> float | None:
        """Give how well each channel explains the other where both hold one mix, at one difference of levels."""
        loudest = max((level for *_, level in self._mixed), default=MIX_FLOOR_DBFS)
        threshold = max(MIX_FLOOR_DBFS, loudest - MIX_RANGE_DB)
        loud = [window for window in self._mixed if window[3] > threshold and window[2] <= self._longest_lag_s]
        if len(loud) < min(2, max(1, len(self._mixed))) or len(loud) < MIX_SHARE * sum(
            window[3] > threshold for window in self._mixed
        ):
            return None
        coherence, under, _, _ = np.array(loud).T
        if float(np.ptp(np.percentile(under, [10, 90]))) > MIX_SPREAD_DB:
            return None
        apart = abs(float(np.median(under)))
        least = MIX_COHERENCE if apart > ROOM_LEVEL_DB else ROOM_COHERENCE
        mixed = apart <= MIX_LEVEL_DB and float(np.mean(coherence >= least)) >= MIX_SHARE
        return float(np.median(coherence)) if mixed else None

    def findings(self) -> Iterator[SoundFinding]:
        """Give what the channels show."""
        silent = [party for party in PARTIES if 20 * np.log10(max(self._peak[party], 1e-9)) < SILENT_DBFS]
        if self._same and len(silent) < 2 and self._samples:
            yield refusal("identical", "both channels hold the same sound")
            return
        coherence = self._one_mix()
        if coherence is not None:
            yield refusal(
                "one_mix",
                "both channels hold one mix, in which the parties cannot be told apart",
                coherence=coherence,
            )
            return
        for party in silent:
            yield remark("silent", f"the {party} channel is silent")
        for party in PARTIES:
            yield from self._of_party(party)
        for source in PARTIES:
            yield from self._bleed(source)

    def _of_party(self, party: Party) -> Iterator[SoundFinding]:
        if self._broken[party]:
            yield refusal(
                "not_numbers",
                f"the {party} channel holds {self._broken[party]} values that are no sound (NaN, infinity)",
                samples=self._broken[party],
            )
        offset = self._sum[party] / max(1, self._samples)
        if abs(offset) >= OFFSET:
            yield remark(
                "offset",
                f"the {party} channel has an offset of {offset:.3f} of full scale; it is measured without",
                offset=offset,
            )
        level = speech_level_dbfs(self._powers[party].finish())
        if SILENT_DBFS - 20 < level < FAINT_DBFS:
            yield remark(
                "faint",
                f"the {party}'s speech is as faint as {level:.0f} dBFS; it is lifted for detection",
                level_dbfs=level,
            )
        if self._clips[party]:
            yield remark(
                "clipping", f"the {party} channel is clipped at {self._clips[party]} peak(s)", peaks=self._clips[party]
            )
        if self._holes[party]:
            yield remark(
                "dropouts",
                f"the {party} channel has {self._holes[party]} hole(s) of digital silence inside sound",
                holes=self._holes[party],
            )

    def _bleed(self, source: Party) -> Iterator[SoundFinding]:
        windows = [window for window in self._lags[source] if window[1] >= BLEED_COHERENCE and window[3] >= BLEED_DB]
        if len(windows) < max(2, len(self._lags[source]) // 4):
            return
        times, coherences, lags, levels = (np.array(column) for column in zip(*windows, strict=True))
        values = {
            "coherence": float(np.median(coherences)),
            "level_db": float(np.median(levels)),
            "delay_ms": 1000 * float(np.median(lags)),
        }
        yield remark(
            "bleed",
            f"the {other_party(source)} channel holds the {source}'s sound {values['level_db']:.0f} dB down "
            f"and {values['delay_ms']:.0f} ms later",
            **values,
        )
        if len(windows) >= 5 and times[-1] - times[0] >= 20:
            drift = 60_000 * float(np.polyfit(times, lags, 1)[0])
            if abs(drift) >= DRIFT_MS_PER_MIN:
                yield remark("drift", f"the channels drift apart by {drift:.1f} ms per minute", drift_ms_per_min=drift)


def refusal(what: str, sentence: str, **values: float) -> SoundFinding:
    """Give a finding that makes scores meaningless."""
    return SoundFinding(what=what, severity="refuse", sentence=sentence, values=values)


def remark(what: str, sentence: str, **values: float) -> SoundFinding:
    """Give a finding that is to be known."""
    return SoundFinding(what=what, severity="note", sentence=sentence, values=values)


def dbfs(samples: Samples) -> float:
    """Give the mean power in dB relative to full scale, -120 at least."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10 * float(np.log10(max(power, 1e-12)))


def _runs(flags: NDArray[np.bool_], length: int) -> int:
    """Count the runs of at least `length` true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return int(np.sum(edges[1::2] - edges[::2] >= length))


def _holes(before: Samples, block: Samples, rate: int) -> int:
    """Count stretches of exact zeros that end in `block` and begin and end hard: next to a sample above -40 dBFS."""
    joined = np.concatenate([before, block])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (joined == 0).astype(np.int8), [0]])))
    shortest, longest = (round(limit * rate) for limit in DROPOUT_S)
    return sum(
        shortest <= end - start <= longest
        and start > 0
        and len(before) <= end < len(joined)
        and min(abs(joined[start - 1]), abs(joined[end])) > 0.01
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    )


def _explained(source: Samples, other: Samples) -> tuple[float, float]:
    """How well `other` is explained by `source` delayed by up to 0.5 s: (coherence 0 to 1, lag in samples)."""
    energy = float(np.sqrt(np.sum(np.square(source, dtype=np.float64)) * np.sum(np.square(other, dtype=np.float64))))
    if energy < 1e-9:
        return 0.0, 0.0
    size = 2 * len(source)
    match = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(source, size)))
    match = np.abs(match[: round(LONGEST_LAG_S * _WINDOW_HZ)])
    lag = int(np.argmax(match))
    return float(match[lag]) / energy, float(lag)


def _alike(user: Samples, agent: Samples) -> tuple[float, float, float, float]:
    """Hold the middle of the user's two seconds against all of the agent's, up to half a second apart either way.

    user, agent: float32 (2 n,). Gives how well it explains the best matching stretch (0 to 1), by how many dB it is
    louder, how many seconds lie between the two, and the level of the louder one in dBFS.
    """
    length = len(user) // 2
    middle = user[length // 2 : length // 2 + length].astype(np.float64)
    whole = agent.astype(np.float64)
    size = len(whole)  # no lag that is looked at reaches around the end
    match = np.fft.irfft(np.fft.rfft(whole) * np.conj(np.fft.rfft(middle, size)), size)[: length + 1]
    summed = np.concatenate([[0.0], np.cumsum(np.square(whole))])
    own, others = float(np.sum(np.square(middle))), np.maximum(summed[length:] - summed[:-length], 0)[: length + 1]
    explained = np.abs(match) / np.sqrt(np.maximum(own * others, 1e-12))
    at = int(np.argmax(explained))
    mine, theirs = (10 * float(np.log10(max(power / length, 1e-12))) for power in (own, others[at]))
    return float(explained[at]), mine - theirs, abs(at - length // 2) / _WINDOW_HZ, max(mine, theirs)
