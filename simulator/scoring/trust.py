"""Trust: whether a two-channel recording is what it claims to be, before anybody believes a number from it.

One mix in both channels, values that are no sound, a rate that lies or is impossible, and audio that cannot be read
make scoring pointless: they refuse it. Silence, clipping, offsets, faint speech, bleed, drift, dropouts and suspected
swaps are told: a silent agent is a result. Everything is measured in blocks, so an hour costs no more memory than a
minute.

One mix is one however it came there: with another gain, inverted, delayed, through a codec or with noise under it, the
one channel explains the other nearly wholly and is louder or softer by the same all along. Where two people have a
microphone each, whoever speaks is louder on their own.

Bleed is looked for where one channel is loud: how well the other one is explained by it, delayed by up to 0.5 s
(normalised cross-correlation on 1 s windows at 8 kHz), and how loud it is beside it. Drift is the slope of that delay.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.annotation.truth import told
from simulator.engines.energy_edges import HOP_S, HopPowers
from simulator.engines.faint import speech_level_dbfs
from simulator.errors import SessionError
from simulator.events import PARTIES, Party, other_party
from simulator.frame import Samples
from simulator.session import Session
from simulator.sound import recordings
from simulator.sound.wav import wav_data

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
MIX_SHARE = 0.9
"""The share of loud seconds in which that must be so."""
LOUDEST = 1000.0
"""Nobody records so many times full scale: bytes that are no samples were read as some."""
OFFSET = 0.003
"""A mean further from zero than this (-50 dBFS) is an offset worth telling."""
DRIFT_MS_PER_MIN = 1.0
DROPOUT_S = (0.005, 0.5)
"""Digital zeros for so long with sound hard on both sides are a hole, not a pause."""

_WINDOW_HZ = 8_000
_LOUD_DBFS = -45.0
_LONGEST_LAG_S = 0.5


class SoundFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found. severity: `refuse` makes scores meaningless, `note` is to be known.

    values: what was measured, units in the names.
    """

    what: str
    severity: Literal["refuse", "note"]
    sentence: str
    values: dict[str, float] = {}


def examine(session: Session) -> list[SoundFinding]:
    """Look at a session or a stereo recording: what is wrong with its sound, worst first."""
    tally = _Tally(session.sample_rate)
    for user, agent in zip(
        session.said_blocks("user", session.sample_rate), session.said_blocks("agent", session.sample_rate), strict=True
    ):
        tally.add(user, agent)
    found = [*_rate(session), *tally.findings(), *_swapped(session)]
    return sorted(found, key=lambda finding: finding.severity != "refuse")


def refuse_if_untrustworthy(session: Session, *, force: bool = False) -> list[str]:
    """Give the notes on a recording; SessionError when scoring it would be meaningless and `force` is not set."""
    found = examine(session)
    for finding in found:
        if finding.severity == "refuse" and not force:
            raise SessionError(f"{session.folder}: {finding.sentence}; --set force=true scores it all the same")
    return [finding.sentence for finding in found]


class _Tally:
    """What the blocks of both channels add up to."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._same = True
        self._broken = dict.fromkeys(PARTIES, 0)
        self._sum = dict.fromkeys(PARTIES, 0.0)
        self._mixed: list[tuple[float, float]] = []
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
        levels = {party: _dbfs(sound) for party, sound in sounds.items()}
        if len(sounds["user"]) < self._rate or max(levels.values()) < _LOUD_DBFS:
            return
        user, agent = (recordings.resample(sounds[party], self._rate, _WINDOW_HZ) for party in PARTIES)
        explained: dict[Party, tuple[float, float]] = {
            "user": _explained(user, agent),
            "agent": _explained(agent, user),
        }
        for source, (coherence, lag) in explained.items():
            if levels[source] >= _LOUD_DBFS:
                under = levels[other_party(source)] - levels[source]
                self._lags[source].append((self._samples / self._rate, coherence, lag / _WINDOW_HZ, under))
        coherence = max(coherence for coherence, _ in explained.values())
        self._mixed.append((coherence, levels["user"] - levels["agent"]))

    def _one_mix(self) -> bool:
        """Whether what one channel holds is all along what the other holds, at one difference of levels."""
        if len(self._mixed) < 2:
            return False
        coherence, level = np.array(self._mixed).T
        spread = float(np.ptp(np.percentile(level, [10, 90])))
        alike = float(np.mean(coherence >= MIX_COHERENCE)) >= MIX_SHARE
        return alike and spread <= MIX_SPREAD_DB and abs(float(np.median(level))) <= MIX_LEVEL_DB

    def findings(self) -> Iterator[SoundFinding]:
        """Give what the channels show."""
        silent = [party for party in PARTIES if 20 * np.log10(max(self._peak[party], 1e-9)) < SILENT_DBFS]
        if self._same and len(silent) < 2 and self._samples:
            yield SoundFinding(what="identical", severity="refuse", sentence="both channels hold the same sound")
            return
        if self._one_mix():
            yield SoundFinding(
                what="one_mix",
                severity="refuse",
                values={"coherence": float(np.median([coherence for coherence, _ in self._mixed]))},
                sentence="both channels hold one mix, in which the parties cannot be told apart",
            )
            return
        for party in silent:
            yield SoundFinding(what="silent", severity="note", sentence=f"the {party} channel is silent")
        for party in PARTIES:
            yield from self._of_party(party)
        for source in PARTIES:
            yield from self._bleed(source)

    def _of_party(self, party: Party) -> Iterator[SoundFinding]:
        if self._broken[party]:
            yield SoundFinding(
                what="not_numbers",
                severity="refuse",
                values={"samples": self._broken[party]},
                sentence=f"the {party} channel holds {self._broken[party]} values that are no sound (NaN, infinity)",
            )
        offset = self._sum[party] / max(1, self._samples)
        if abs(offset) >= OFFSET:
            yield SoundFinding(
                what="offset",
                severity="note",
                values={"offset": offset},
                sentence=f"the {party} channel has an offset of {offset:.3f} of full scale; it is measured without",
            )
        level = speech_level_dbfs(self._powers[party].finish())
        if SILENT_DBFS - 20 < level < FAINT_DBFS:
            yield SoundFinding(
                what="faint",
                severity="note",
                values={"level_dbfs": level},
                sentence=f"the {party}'s speech is as faint as {level:.0f} dBFS; it is lifted for detection",
            )
        if self._clips[party]:
            yield SoundFinding(
                what="clipping",
                severity="note",
                values={"peaks": self._clips[party]},
                sentence=f"the {party} channel is clipped at {self._clips[party]} peak(s)",
            )
        if self._holes[party]:
            yield SoundFinding(
                what="dropouts",
                severity="note",
                values={"holes": self._holes[party]},
                sentence=f"the {party} channel has {self._holes[party]} hole(s) of digital silence inside sound",
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
        yield SoundFinding(
            what="bleed", severity="note", values=values,
            sentence=f"the {other_party(source)} channel holds the {source}'s sound {values['level_db']:.0f} dB down "
            f"and {values['delay_ms']:.0f} ms later",
        )  # fmt: skip
        if len(windows) >= 5 and times[-1] - times[0] >= 20:
            drift = 60_000 * float(np.polyfit(times, lags, 1)[0])
            if abs(drift) >= DRIFT_MS_PER_MIN:
                yield SoundFinding(
                    what="drift",
                    severity="note",
                    values={"drift_ms_per_min": drift},
                    sentence=f"the channels drift apart by {drift:.1f} ms per minute",
                )


def _dbfs(samples: Samples) -> float:
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
    match = np.abs(match[: round(_LONGEST_LAG_S * _WINDOW_HZ)])
    lag = int(np.argmax(match))
    return float(match[lag]) / energy, float(lag)


def _rate(session: Session) -> Iterator[SoundFinding]:
    rate = session.sample_rate
    if not recordings.LOWEST_HZ <= rate <= recordings.HIGHEST_HZ:
        yield SoundFinding(what="rate", severity="refuse", sentence=f"a rate of {rate} Hz is impossible for speech")
    audio_rate = session.audio_rate
    if audio_rate != rate:
        yield SoundFinding(
            what="rate",
            severity="refuse",
            sentence=f"the recording says {audio_rate} Hz and session.json says {rate} Hz",
        )
    stated = _byte_rate(session.audio_source[0])
    if stated is not None and stated != audio_rate:
        yield SoundFinding(
            what="rate",
            severity="refuse",
            sentence=f"the header says {audio_rate} Hz and a byte rate that belongs to {stated:g} Hz",
        )
    planned = session.meta.duration_samples
    if planned and session.meta.status == "completed" and abs(planned - session.duration) > rate / 100:
        yield SoundFinding(
            what="length",
            severity="note",
            sentence=f"the recording holds {session.duration} samples and session.json says {planned}",
        )


def _byte_rate(path: Path) -> float | None:
    """The sample rate that a WAV's byte rate stands for; None for other files and for samples packed in blocks."""
    data = wav_data(path)
    return data.byte_rate / data.block if data and data.plain and data.block else None


def _swapped(session: Session) -> Iterator[SoundFinding]:
    """Compare where the user is known to have spoken with where its sound is; nothing to say without truth."""
    known = [item for item in told(session, "user") if item.role != "recording"]
    other = [item for item in told(session, "agent") if item.role != "recording"]
    on_own = sum(_sounds(session, "user", item.start, item.end) for item in known)
    on_wrong = sum(
        _sounds(session, "agent", item.start, item.end) and not _sounds(session, "user", item.start, item.end)
        for item in known
        if not any(item.start < mine.end and mine.start < item.end for mine in other)
    )
    if on_wrong > on_own:
        yield SoundFinding(
            what="swapped",
            severity="note",
            values={"utterances": on_wrong},
            sentence="the channels seem swapped: what the user is known to have said is on the agent's",
        )


def _sounds(session: Session, party: Party, start: int, end: int) -> bool:
    return _dbfs(session.said(party, start, end)) > _LOUD_DBFS
