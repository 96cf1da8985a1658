"""The figure of docs/lines.md, one sentence and what channels make of it. `python -m tests.lines_figure` draws it."""

from pathlib import Path
from typing import Any

import numpy as np

from simulator.frame import Samples
from simulator.speaking.voice import spoken
from tests.channel_runs import RATE, Run

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "lines.svg"

ROWS: dict[str, dict[str, Any]] = {
    "echo, 14 dB": {"kind": "echo", "loss_db": 14, "delay": "150ms"},
    "echo, canceller": {"kind": "echo", "loss_db": 14, "delay": "150ms", "canceller": {"erle_db": 30}},
    "reverb, 600 ms": {"kind": "reverb", "rt60": "600ms", "distance": 2.5},
    "band, telephone": {"kind": "band", "shape": "telephone"},
    "clip, hard": {"kind": "clip", "headroom_db": 3},
    "denoise": {"kind": "denoise", "threshold_db": -8, "opens": "60ms", "hold": "60ms"},
    "noise, keyboard": {"kind": "noise", "color": "keyboard", "snr_db": 10},
    "codec, gsm": {"kind": "codec", "name": "gsm"},
    "loss, 20 %, silence": {"kind": "loss", "loss": {"percent": 20, "burst": 2}, "conceal": "none"},
    "loss, 20 %, repeat": {"kind": "loss", "loss": {"percent": 20, "burst": 2}},
    "jitter, buffer 80 ms": {"kind": "jitter", "mean": "50ms", "std": "35ms", "buffer": "80ms"},
    "dropout, lost": {"kind": "dropout", "length": "400ms", "start": "900ms"},
    "dropout, late": {"kind": "dropout", "length": "400ms", "start": "900ms", "then": "late"},
}
"""Drift is left out: nobody sees 80 ppm."""

LABEL, WIDTH, ROW = 150, 640, 46
COLUMN = 2
LENGTH_S = 5.0
FULL = 0.35
"""The amplitude that fills a row."""

STYLE = """
text { font: 13px sans-serif; fill: #333 } .said { fill: #c9ced6 } .heard { fill: #2563a8; fill-opacity: .8 }
@media (prefers-color-scheme: dark) { text { fill: #ccc } .said { fill: #4a4f57 } .heard { fill: #6aa9ee } }
"""


def figure() -> str:
    """Give the figure: what is said in grey, behind what is heard of it."""
    said, other = _padded("I would like to book a table, please.", 0.3), _padded("Of course. For how many?", 2.9)
    rows = {"said by both": (said + other, said + other)}
    rows |= {name: (said, Run(channel, said, other, seed=4).heard) for name, channel in ROWS.items()}
    drawn = [_row(index, name, *sounds) for index, (name, sounds) in enumerate(rows.items())]
    size = f'viewBox="0 0 {LABEL + WIDTH} {len(rows) * ROW}" width="{LABEL + WIDTH}" height="{len(rows) * ROW}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    return "\n".join(
        [head, "<title>What channels make of a sentence</title>", f"<style>{STYLE}</style>", *drawn, "</svg>\n"]
    )


def _padded(text: str, at_s: float) -> Samples:
    sound = np.zeros(round(LENGTH_S * RATE), np.float32)
    speech = spoken(text, "en-us+m3", RATE).samples
    begin = round(at_s * RATE)
    sound[begin : begin + len(speech)] = speech[: len(sound) - begin]
    return sound


def _row(index: int, name: str, said: Samples, heard: Samples) -> str:
    middle = index * ROW + ROW / 2
    label = f'<text x="0" y="{middle + 4:g}">{name}</text>'
    return "\n".join([label, _wave(said, middle, "said"), _wave(heard, middle, "heard")])


def _wave(sound: Samples, middle: float, kind: str) -> str:
    """Least and greatest value of every column, as one shape."""
    columns = sound.reshape(WIDTH // COLUMN, -1)
    scale = (ROW / 2 - 2) / FULL
    tops = middle - np.clip(columns.max(axis=1), -FULL, FULL) * scale
    bottoms = middle - np.clip(columns.min(axis=1), -FULL, FULL) * scale + 0.5
    there = [f"{LABEL + COLUMN * x} {y:.1f}" for x, y in enumerate(tops)]
    back = [f"{LABEL + COLUMN * x} {y:.1f}" for x, y in reversed(list(enumerate(bottoms)))]
    return f'<path class="{kind}" d="M{" L".join([*there, *back])}Z"/>'


if __name__ == "__main__":
    FIGURE.write_text(figure(), encoding="utf-8")
