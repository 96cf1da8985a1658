"""What a channel costs: microseconds of a core for a frame of 20 ms in which both sides speak all the time.

Run by hand: `python tests/benchmarks/lines.py [--seconds 60] [--runs 5]`. Prints JSON: for every channel the cost in
blocks (a second at once, as calls go that know ahead) and tick by tick, the best of some runs; and of a line of six.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from simulator.call.windows import Windows
from simulator.frame import AudioFrame, Samples, freeze
from simulator.line import ChannelContext, Line, Lines
from simulator.spec import decode
from simulator.testing import burst

RATE, FRAME = 24_000, 480
BLOCK = 50

CHANNELS: dict[str, list[dict[str, Any]]] = {
    "gain": [{"kind": "gain", "db": -6}],
    "delay": [{"kind": "delay", "time": "80ms"}],
    "noise": [{"kind": "noise", "color": "pink", "snr_db": 20}],
    "mute, windowed": [{"kind": "mute", "during": {"user_speaking": "1s", "length": "200ms"}}],
    "echo, 100 ms response": [{"kind": "echo"}],
    "echo, soft loudspeaker, canceller": [{"kind": "echo", "headroom_db": 3, "canceller": {"erle_db": 20}}],
    "loss 5 %": [{"kind": "loss", "loss": {"percent": 5, "burst": 2}}],
    "loss 20 %, 10 ms": [{"kind": "loss", "loss": {"percent": 20, "burst": 2}, "packet": "10ms"}],
    "jitter": [{"kind": "jitter"}],
    "jitter, adaptive": [{"kind": "jitter", "adaptive": True, "std": "30ms"}],
    "drift": [{"kind": "drift", "ppm": 80}],
    "dropout, lost": [{"kind": "dropout", "length": "200ms", "every": "2s"}],
    "dropout, late": [{"kind": "dropout", "length": "200ms", "every": "4s", "then": "late"}],
    "band": [{"kind": "band", "shape": "telephone"}],
    "reverb 300 ms": [{"kind": "reverb", "size": [5, 4, 3], "rt60": "300ms"}],
    "pitch": [{"kind": "pitch", "semitones": 3}],
    "clip": [{"kind": "clip"}],
    "denoise": [{"kind": "denoise"}],
    "codec mulaw": [{"kind": "codec", "name": "mulaw"}],
    "six: echo, noise, band, loss, jitter, drift": [
        {"kind": "echo"},
        {"kind": "noise", "color": "babble", "snr_db": 20},
        {"kind": "band", "shape": "telephone"},
        {"kind": "loss", "loss": {"percent": 3, "burst": 2}},
        {"kind": "jitter"},
        {"kind": "drift", "ppm": 50},
    ],
}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    said, other = (freeze(burst(args.seconds * RATE, seed)) for seed in (0, 1))
    found = {}
    for name, channels in CHANNELS.items():
        in_blocks = min(one_run(channels, said, other, BLOCK) for _ in range(args.runs))
        by_ticks = min(one_run(channels, said, other, 1) for _ in range(args.runs))
        found[name] = {"in_blocks_us": round(in_blocks, 1), "by_ticks_us": round(by_ticks, 1)}
    print(json.dumps({"sample_rate": RATE, "frame_ms": 20, "cost": found}, indent=2))


def one_run(channels: list[dict[str, Any]], said: Samples, other: Samples, at_once: int) -> float:
    """Carry both sounds over a line, so many frames at once: microseconds of the processor for a frame."""
    line = built(channels)
    frames = [
        (AudioFrame(at, said[at : at + at_once * FRAME]), AudioFrame(at, other[at : at + at_once * FRAME]))
        for at in range(0, len(said), at_once * FRAME)
    ]
    began = time.process_time()
    for frame, listener in frames:
        line.carry(frame, listener)
    return 1e6 * (time.process_time() - began) / (len(said) / FRAME)


def built(channels: list[dict[str, Any]]) -> Line:
    """A line as a session builds it."""
    specs = decode({"user_to_agent": channels}, Lines, source="benchmark", folder=Path()).user_to_agent
    windows = Windows("user", RATE, FRAME)
    contexts = [
        ChannelContext(sample_rate=RATE, frame_samples=FRAME, rng=np.random.default_rng([1, index]))
        for index in range(len(specs))
    ]
    made = [windows.built(spec, own, index) for index, (spec, own) in enumerate(zip(specs, contexts, strict=True))]
    return Line(made, windows.judge if any(spec.windowed for spec in specs) else None)


if __name__ == "__main__":
    main()
