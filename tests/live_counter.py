"""The capture counter of a live microphone, placed on the session by what the events tell."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.session import Session

Told = Iterable[tuple[int, str, Mapping[str, Any]]]
"""Events as (at, type, fields)."""


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


def misplaced_s(session: Session, said: Iterable[tuple[float, NDArray[np.float32]]]) -> list[float]:
    """Say by how many seconds each utterance lies off its place on the counter, after one alignment of all.

    said: where each utterance lies in what the microphone was given, in seconds, and its samples at the session's rate.
    """
    news = [(event.at, event.type, event.data) for event in session.events if event.party == "user"]
    rate = next(fields["rate"] for _, type_, fields in news if type_ == "microphone")
    places, frames = counter_map(news, rate, session.sample_rate)
    # The track as the counter saw it: what resampling stretched is as long again as it was.
    counted = np.arange(frames[0], frames[-1], rate / session.sample_rate)
    track = np.interp(np.interp(counted, frames, places), np.arange(session.duration), session.said("user"))
    said = list(said)
    session_rate = session.sample_rate
    everywhere = [found_at(track.astype(np.float32), samples)[0] / session_rate - second for second, samples in said]
    shift = float(np.median(everywhere))
    off = [_off_s(track, round((second + shift) * session_rate), samples, session_rate) for second, samples in said]
    kept = [one for one in off if one is not None]
    return [round(one - float(np.median(kept)), 4) for one in kept]


def _off_s(track: NDArray[np.float64], expected: int, samples: NDArray[np.float32], rate: int) -> float | None:
    """How far from its place an utterance lies, looked for 2 s around; None where it is not found or lies too late."""
    if expected + len(samples) > len(track):
        return None
    begin = max(0, expected - 2 * rate)
    place, likeness = found_at(track[begin : expected + len(samples) + 2 * rate].astype(np.float32), samples)
    return (begin + place - expected) / rate if likeness > 0.6 else None
