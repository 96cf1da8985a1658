"""The response of a shoebox room by the image method, with the reverberation time that was asked for.

Source: Allen and Berkley 1979. All six walls reflect alike. The textbook's way from a reverberation time to that
reflection (Eyring) misses by a tenth and more in a small room, since mirrored walls decay at another pace in every
direction; so the time is measured on the response (Schroeder 1965, from -5 to -35 dB) and the walls corrected.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples, freeze

SOUND_M_S = 343.0
ROUNDS = 6
"""Corrections of the walls: after these the time is within one in a hundred."""
LOWEST_HZ = 60.0
"""Images are all of one sign, which piles up below what a room carries; Allen and Berkley filter it away, too."""
MICROPHONE = (0.41, 0.37, 0.46)
"""Its place in each direction, as a share of the room: on no line of symmetry."""

MOST_IMAGES = 5e6
"""More take seconds and a gigabyte: a cupboard that rings for a second is no room."""

Floats = NDArray[np.float64]


@lru_cache(maxsize=16)
def room_response(size_m: tuple[float, float, float], rt60_s: float, distance_m: float, sample_rate: int) -> Samples:
    """Give the response from the arrival of the direct sound on: float32 (n,), unit energy, read-only.

    size_m: length, width, height. distance_m: from mouth to microphone. ValueError: the room is too small for that.
    """
    far, bounces = _images(size_m, mouth_at(size_m, distance_m), SOUND_M_S * rt60_s + distance_m)
    places = np.rint((far - far.min()) / SOUND_M_S * sample_rate).astype(np.int64)
    damping = _eyring(size_m, rt60_s)
    for _ in range(ROUNDS):
        response = _without_rumble(np.bincount(places, np.exp(-damping * bounces) / far), sample_rate)
        damping *= decay_s(response, sample_rate) / rt60_s
    return freeze(np.asarray(response / np.sqrt(np.sum(response**2)), np.float32))


def check_room(size_m: tuple[float, float, float], rt60_s: float, distance_m: float) -> None:
    """Refuse a room that cannot be. ValueError."""
    mouth_at(size_m, distance_m)
    images = 4 / 3 * np.pi * (SOUND_M_S * rt60_s) ** 3 / np.prod(size_m)
    if images > MOST_IMAGES:
        raise ValueError(f"a room of {size_m} m is too small to ring for {rt60_s:g} s; say a larger size")


def mouth_at(size_m: tuple[float, float, float], distance_m: float) -> Floats:
    """Give a place `distance_m` from the microphone, towards the far corner. ValueError where that is a wall."""
    size, microphone = np.array(size_m), np.array(size_m) * MICROPHONE
    towards = (size - microphone) * (1, 1, 0.2)
    mouth = microphone + towards / np.linalg.norm(towards) * distance_m
    if np.any(mouth >= size - 0.05):
        raise ValueError(f"distance is {distance_m:g} m, for which a room of {size_m} m is too small")
    return np.asarray(mouth)


def direct_db(response: Samples, sample_rate: int) -> float:
    """The level of the direct sound (2.5 ms) over that of all that follows, in dB."""
    ends = round(0.0025 * sample_rate)
    rest = float(np.sum(response[ends:].astype(np.float64) ** 2))
    return float(10 * np.log10(np.sum(response[:ends].astype(np.float64) ** 2) / rest)) if rest else np.inf


def decay_s(response: Floats | Samples, sample_rate: int) -> float:
    """The reverberation time: a line through the backward integral from -5 to -35 dB, taken on to 60 dB."""
    left = np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1]
    level_db = 10 * np.log10(np.maximum(left / left[0], 1e-12))
    begins, ends = (int(np.argmax(level_db <= db)) for db in (-5, -35))
    slope, _ = np.polyfit(np.arange(begins, ends) / sample_rate, level_db[begins:ends], 1)
    return float(-60 / slope)


def _images(size_m: tuple[float, float, float], mouth: Floats, reach_m: float) -> tuple[Floats, Floats]:
    """How far every mirrored mouth within reach is, in m, and by how many walls it is mirrored."""
    squared, walls = np.zeros(1), np.zeros(1)
    for side, place, share in zip(size_m, mouth, MICROPHONE, strict=True):
        rooms = np.arange(-int(reach_m / (2 * side)) - 1, int(reach_m / (2 * side)) + 2)
        away = np.concatenate([place + 2 * rooms * side, -place + 2 * rooms * side]) - share * side
        mirrored = np.concatenate([2 * np.abs(rooms), np.abs(rooms - 1) + np.abs(rooms)])
        squared = (squared[:, None] + away**2).reshape(-1)
        walls = (walls[:, None] + mirrored).reshape(-1)
        near = squared <= reach_m**2
        squared, walls = squared[near], walls[near]
    return np.sqrt(squared), walls


def _eyring(size_m: tuple[float, float, float], rt60_s: float) -> float:
    """How much a wall damps, in nepers of amplitude, by Eyring's formula: where the corrections begin."""
    length, width, height = size_m
    surface = 2 * (length * width + length * height + width * height)
    return 0.5 * 0.161 * length * width * height / (surface * rt60_s)


def _without_rumble(response: NDArray[Any], sample_rate: int) -> Floats:
    """A high-pass of the first order, by its spectrum."""
    keep = np.exp(-2 * np.pi * LOWEST_HZ / sample_rate)
    size = 2 * len(response)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    passed = 1 - (1 - keep) / (1 - keep * turn)
    return np.asarray(np.fft.irfft(np.fft.rfft(response, size) * passed, size)[: len(response)])
