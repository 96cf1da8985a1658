"""Real conversation with manual word times (AMI clips), as it is and as bad recordings hold it.

The clips are not ours to keep: they are found in the folder that SIMULATOR_TEST_AUDIO names.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import soundfile

from channels.noises import Color, generate
from simulator.annotation.detect import Track, detect
from simulator.events import PARTIES
from simulator.frame import Samples
from simulator.session import Session
from simulator.sound.loudness import active_level_dbfs
from simulator.timeline import Timeline

RATE = 16_000
JOINED_S = 1.15
"""The marks join what one person says over pauses of up to 1.1 s."""

Change = Callable[[Samples], Samples]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """How detection did: edge errors in seconds, turns that were marked, missed and invented."""

    errors_s: list[float]
    turns: int
    missed: int
    invented: int


def hum(level_dbfs: float, count: int, hz: float = 50.0) -> Samples:
    """A tone of the mains with its first two harmonics."""
    at = np.arange(count) / RATE
    tone = sum(np.sin(2 * np.pi * hz * k * at) / k for k in (1, 2, 3))
    return (tone * 10 ** (level_dbfs / 20) / np.std(tone)).astype(np.float32)


def at_level(sound: Samples, dbfs: float) -> Samples:
    """The same speech at another level, in whole steps of 16 bits."""
    scaled = sound * 10 ** ((dbfs - active_level_dbfs(sound, RATE)) / 20)
    return (np.round(scaled * 32768) / 32768).astype(np.float32)


def _noisy(color: Color, snr_db: float) -> Change:
    """Noise this far under the clip's own speech."""

    def change(sound: Samples) -> Samples:
        noise = np.resize(generate(color, RATE, np.random.default_rng(11)), len(sound))
        rms = 10 ** ((active_level_dbfs(sound, RATE) - snr_db) / 20)
        return (sound + noise * np.float32(rms / np.std(noise))).astype(np.float32)

    return change


def _rumble(sound: Samples) -> Samples:
    return sound + 0.05 * np.cos(2 * np.pi * 17 * np.arange(len(sound)) / RATE).astype(np.float32)


CHANGES: dict[str, Change] = {
    "offset 0.05": lambda sound: sound + np.float32(0.05),
    "offset -0.1": lambda sound: sound - np.float32(0.1),
    "rumble": _rumble,
    "hum": lambda sound: sound + hum(-60, len(sound)),
    "level -50": lambda sound: at_level(sound, -50),
    "level -63": lambda sound: at_level(sound, -63),
    "level -12": lambda sound: at_level(sound, -12),
}
IN_NOISE: dict[str, Change] = {
    f"{color} {snr:g} dB": _noisy(color, snr) for snr in (20, 10) for color in ("white", "pink", "babble")
}


def detected(folder: Path, *sounds: Samples) -> list[Timeline]:
    """Where each sound holds speech as a party's channel of a stereo file; silences under 200 ms bridged."""
    tracks = []
    for index, sound in enumerate(sounds):
        path = folder / f"{index}.wav"
        soundfile.write(path, np.stack([sound, np.zeros_like(sound)], axis=1), RATE, subtype="FLOAT")
        tracks.append(Track(session=Session.of_recording(path), party="user"))
    return [found.bridge(RATE // 5) for found in detect(tracks)]


def found_in(clips: Path, change: Change, scratch: Path) -> Found:
    """Detect every clip's turns after a change, and hold them against the marks."""
    errors: list[float] = []
    turns = missed = invented = 0
    for path in sorted(clips.glob("*.json")):
        told = json.loads(path.read_text())
        sound = soundfile.read(path.parent / told["audio"], dtype="float32")[0]
        marked = [told["reference_render"][f"{party}_segments_sec"] for party in ("caller", "agent")]
        tracks = [change(np.ascontiguousarray(sound[:, channel])) for channel in range(len(PARTIES))]
        for marks, heard in zip(marked, detected(scratch, *tracks), strict=True):
            found = heard.bridge(round(JOINED_S * RATE))
            turns += len(marks)
            missed += max(0, len(marks) - len(found))
            invented += max(0, len(found) - len(marks))
            errors += _errors(marks, found, told["duration_sec"])
    return Found(errors_s=errors, turns=turns, missed=missed, invented=invented)


def _errors(marks: Sequence[Sequence[float]], found: Timeline, length_s: float) -> list[float]:
    """Of every marked edge to the nearest one found; where the clip begins or ends inside a turn, there is none."""
    return [
        min((abs(mark[side] - stretch[side] / RATE) for stretch in found), default=length_s)
        for mark in marks
        for side in (0, 1)
        if 0 < mark[side] < length_s
    ]
