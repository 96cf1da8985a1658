"""Peaks: what a waveform looks like, small enough to travel in a page.

Per lane one byte per stretch of time: the largest magnitude in it. Both lanes share one scale, so that they
can be compared by eye. The page decodes no audio to draw: an hour decoded takes a gigabyte.
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.events import PARTIES, Party, other_party
from simulator.session import Session

Bytes = NDArray[np.uint8]

STEPS = 127
"""Heights a peak can have: a lane is drawn some 50 pixels high to each side, and fewer steps compress better."""

QUIETEST = 0.05
"""The smallest full height (full scale 1.0): a nearly silent session must look nearly silent."""

BLOCK_S = 30


class Peaks(msgspec.Struct, frozen=True, kw_only=True):
    """Peaks of several lanes: uint8 (n,) each, 0..STEPS of `scale` (full scale 1.0), `per_second` peaks a second.

    lanes: `user said`, `agent said`, and `user heard`, `agent heard` (a party's speech as the other heard it)
    where a line changed it.
    """

    per_second: float
    scale: float
    lanes: dict[str, Bytes]


def peaks_of(session: Session) -> Peaks:
    """Give the peaks of everything there is to hear in a session."""
    hop = max(1, round(session.sample_rate / _per_second(session.duration / session.sample_rate)))
    raw = {f"{party} {track}": _peaks(session, party, track, hop) for track in tracks(session) for party in PARTIES}
    scale = max(QUIETEST, *(_loud(lane) for lane in raw.values()))
    lanes = {name: np.rint(np.minimum(lane, scale) * (STEPS / scale)).astype(np.uint8) for name, lane in raw.items()}
    return Peaks(per_second=session.sample_rate / hop, scale=scale, lanes=lanes)


def _loud(lane: NDArray[np.float32]) -> float:
    """The height that 99.5 % of the audible peaks stay below: one clap must not flatten a whole conversation."""
    audible = lane[lane > lane.max(initial=0.0) / 50]
    return float(np.quantile(audible, 0.995)) if len(audible) else 0.0


def tracks(session: Session) -> tuple[str, ...]:
    """Name the recordings of a session: `said`, and `heard` where a line changed what was said."""
    return ("said", "heard") if session.has_heard else ("said",)


def track_samples(session: Session, party: Party, track: str, start: int, end: int) -> NDArray[np.float32]:
    """Give a party's speech as it was said, or as the other party heard it: float32 (n,), full scale 1.0."""
    return session.said(party, start, end) if track == "said" else session.heard(other_party(party), start, end)


def _per_second(duration_s: float) -> int:
    """How fine to look: fine enough to zoom into a syllable, coarse enough that an hour stays under a megabyte."""
    return 500 if duration_s <= 120 else 200 if duration_s <= 1200 else 100


def _peaks(session: Session, party: Party, track: str, hop: int) -> NDArray[np.float32]:
    block = hop * math.ceil(BLOCK_S * session.sample_rate / hop)
    parts = [
        _block_peaks(track_samples(session, party, track, start, start + block), hop)
        for start in range(0, session.duration, block)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _block_peaks(samples: NDArray[np.float32], hop: int) -> NDArray[np.float32]:
    padded = np.pad(np.abs(samples), (0, -len(samples) % hop))
    return padded.reshape(-1, hop).max(axis=1)  # type: ignore[no-any-return]
