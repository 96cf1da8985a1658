"""The capture counter of a live microphone, placed on the session by what the events tell."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from simulator.session import Session

Told = Iterable[tuple[int, str, Mapping[str, Any]]]
"""Events as (at, type, fields)."""

Said = list[tuple[float, NDArray[np.float32]]]
"""Where each utterance lies, in seconds, and its sound."""

LIKE, WHOLE = 0.6, 0.8
"""From these correlations on a piece is the one that is looked for, and an utterance whole."""

SEARCHED_S = 5.0
"""How far a driver may have shifted an utterance against the others."""

PIECE = 12_000
"""Half a second at the session's rate."""


def counter_map(news: Told, rate: int, session_rate: int) -> tuple[list[float], list[float]]:
    """Give session samples and capture frames between which both run straight."""
    points: list[tuple[float, float]] = []
    for at, type_, fields in news:
        if type_ == "underrun" and "frame" in fields:
            points += [(at - fields["size"], fields["frame"]), (at, fields["frame"])]
        elif type_ == "late" and "frame" in fields:
            points += [(at, fields["frame"]), (at, fields["frame"] + fields["size"] * rate / session_rate)]
        elif type_ == "microphone":
            points.append((at, fields["frame"]))
    return [at for at, _ in points], [frame for _, frame in points]


def found_at(track: NDArray[np.float32], pattern: NDArray[np.float32]) -> tuple[int, float]:
    """Give where in a track a pattern lies best, and how well: its normalised correlation there, 0 to 1."""
    size = 1 << (len(track) + len(pattern) - 1).bit_length()
    match = np.fft.irfft(np.fft.rfft(track, size) * np.conj(np.fft.rfft(pattern, size)), size)[: len(track)]
    place = int(np.abs(match).argmax())
    piece = track[place : place + len(pattern)]
    return place, float(abs(match[place]) / max(1e-9, np.linalg.norm(piece) * np.linalg.norm(pattern)))


def caught(said: Said, microphone: tuple[int, NDArray[np.float32]], session_rate: int) -> Said:
    """Say where the utterances lie on the capture counter, in seconds; those that the driver tore are left out.

    said: where each was played, and its samples at the session's rate. microphone: rate, and what was captured from
    frame 0 on. A driver on a busy machine stutters before anybody can count: the file is where it wants it to be, and
    the counter is what a session can be held to.
    """
    rate, track = microphone
    heard = soxr.resample(track, rate, session_rate).astype(np.float32)
    shifts = [found_at(heard, samples)[0] / session_rate - second for second, samples in said[:5]]
    shift = float(np.median(shifts))
    kept = []
    for second, samples in said:
        begin = max(0, round((second + shift - SEARCHED_S) * session_rate))
        around = heard[begin : begin + len(samples) + round(2 * SEARCHED_S * session_rate)]
        if len(around) < len(samples):
            break
        place, likeness = found_at(around, samples)
        if likeness > WHOLE:
            kept.append(((begin + place) / session_rate, samples))
    return kept


def misplaced_s(session: Session, said: Said) -> list[float]:
    """Say by how many seconds each utterance lies off its place on the counter, after one alignment of all.

    said: where each utterance lies on the counter, in seconds, and its samples at the session's rate. One that began
    before the session, or lasts longer than it, is left out; one that is not there is infinitely far off.
    """
    news = [(event.at, event.type, event.data) for event in session.events if event.party == "user"]
    rate, session_rate = next(fields["rate"] for _, type_, fields in news if type_ == "microphone"), session.sample_rate
    places, frames = counter_map(news, rate, session_rate)
    # The track as the counter saw it: what resampling stretched is as long again as it was.
    counted = np.arange(frames[0], frames[-1], rate / session_rate)
    track = np.interp(np.interp(counted, frames, places), np.arange(session.duration), session.said("user"))
    expected = [(round((second - frames[0] / rate) * session_rate), samples) for second, samples in said]
    within = [(place, samples) for place, samples in expected if 0 <= place <= len(track) - len(samples)]
    off = [_off_s(track, place, samples, session_rate) for place, samples in within]
    return [round(one - float(np.median(off)), 4) for one in off]


def _off_s(track: NDArray[np.float64], expected: int, samples: NDArray[np.float32], rate: int) -> float:
    """How far from its place an utterance lies, looked for 2 s around: the median over its pieces of half a second.

    Infinite where none is found. The whole is no pattern: a delay that moves by a millisecond within it undoes that.
    """
    found = []
    for begin in range(0, len(samples) - PIECE, PIECE):
        around = max(0, expected + begin - 2 * rate)
        piece = samples[begin : begin + PIECE]
        place, likeness = found_at(track[around : expected + begin + 2 * rate].astype(np.float32), piece)
        if likeness > LIKE:
            found.append((around + place - expected - begin) / rate)
    return float(np.median(found)) if found else float("inf")
