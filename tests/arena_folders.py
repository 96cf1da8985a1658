"""Folders of answers for tests of the arena: noise of a stated length for every clip, with its words beside it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

RATE = 8000


def sound(path: Path, length_s: float = 1.0, *, rate: int = RATE, words: str = "") -> Path:
    """Write noise; words: into a .txt beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(list("/".join(path.parts[-3:]).encode())).uniform(-0.3, 0.3, round(length_s * rate))
    soundfile.write(path, noise, rate)
    if words:
        path.with_suffix(".txt").write_text(words)
    return path


def answers(folder: Path, lengths: Mapping[str, float], *, rate: int = RATE) -> Path:
    """Write a system's answers to `TASK/CLIP`, each of its length, with as many words as it has tenths of a second."""
    for name, length_s in lengths.items():
        sound(folder / f"{name}.wav", length_s, rate=rate, words=" ".join(["word"] * round(10 * length_s)))
    return folder
