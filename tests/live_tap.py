"""`simulate` with all that its microphones were given kept in a file: what a live test compares the session with.

python -m tests.live_tap FILE talk ...
"""

import struct
import sys
from pathlib import Path

import numpy as np

from simulator.cli import main
from simulator.frame import Samples
from simulator.live.microphone import Microphone

_HEAD = struct.Struct("<QII")
"""Frame number of the first sample, rate in Hz, samples; then as many float32."""


def tap(path: Path) -> None:
    """Keep every piece of sound in a file, as it comes and before anything is made of it."""
    file = path.open("wb", buffering=0)
    feed = Microphone.feed

    def kept(self: Microphone, frame: int, samples: Samples) -> None:
        file.write(_HEAD.pack(frame, self.rate, len(samples)) + samples.astype("<f4").tobytes())
        feed(self, frame, samples)

    setattr(Microphone, "feed", kept)  # noqa: B010 - the type checker forbids the plain way


def captured(path: Path) -> tuple[int, Samples]:
    """Read the file: rate in Hz, and what was captured with the counter's frame 0 first, float32 (n,)."""
    content, place, pieces = path.read_bytes(), 0, []
    rate = 0
    while place < len(content):
        frame, rate, count = _HEAD.unpack_from(content, place)
        place += _HEAD.size
        pieces.append((frame, np.frombuffer(content, "<f4", count, place)))
        place += 4 * count
    track = np.zeros(max((frame + len(piece) for frame, piece in pieces), default=0), np.float32)
    for frame, piece in pieces:
        track[frame : frame + len(piece)] = piece
    return rate, track


if __name__ == "__main__":
    tap(Path(sys.argv.pop(1)))
    sys.exit(main())
