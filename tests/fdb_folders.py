"""Full-Duplex-Bench folders made for the tests, and the benchmark's rules restated without the scorers' code."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

Word = tuple[str, float | None, float | None]


def words(*timed: Word) -> dict[str, Any]:
    """The content of a word file."""
    return {
        "text": " ".join(text for text, _, _ in timed),
        "chunks": [{"text": text, "timestamp": [start, end]} for text, start, end in timed],
    }


def spoken(start: float, count: int, each: float = 0.3) -> dict[str, Any]:
    """A word file of `count` words, one after the other from `start`."""
    return words(*((f"w{index}", start + index * each, start + (index + 1) * each) for index in range(count)))


def write_sample(folder: Path, files: Mapping[str, Any]) -> Path:
    """Write a sample folder: JSON content by name; text is written as it stands, (rate, samples) as a sound file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if isinstance(content, str):
            (folder / name).write_text(content)
        elif name.endswith(".wav"):
            rate, samples = content
            soundfile.write(folder / name, samples, rate, subtype="PCM_16")
        else:
            (folder / name).write_text(json.dumps(content))
    return folder


def silence(seconds: float, rate: int = 16000, channels: int = 1) -> tuple[int, Any]:
    """A silent sound file."""
    shape = (round(seconds * rate),) if channels == 1 else (round(seconds * rate), channels)
    return rate, np.zeros(shape, np.float32)


def voiced(
    spans: Sequence[tuple[float, float]], seconds: float, rate: int = 16000, level: float = 0.1
) -> tuple[int, Any]:
    """A sound file that is loud in the spans (a buzz at 150 Hz, no speech) and silent elsewhere."""
    time = np.arange(round(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 20))
    loud = np.zeros(len(time), bool)
    for start, end in spans:
        loud |= (time >= start) & (time < end)
    return rate, (level * buzz * loud).astype(np.float32)


def rule_r(chunks: Sequence[Mapping[str, Any]]) -> int:
    """The takeover rule, restated: span of all words under a second and at most three of them is none."""
    if len(chunks) == 0:
        return 0
    span = chunks[-1]["timestamp"][1] - chunks[0]["timestamp"][0]
    if span >= 1.0:
        return 1
    return 1 if len(chunks) > 3 else 0
