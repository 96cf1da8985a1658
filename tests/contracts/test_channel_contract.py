"""What every channel keeps, over ours; and what a line and noise promise beside it."""

from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from channels.band import SHAPES
from simulator.frame import AudioFrame, Samples, silence
from simulator.line import Channel, ChannelContext, Line, Lines
from simulator.spec import decode
from simulator.testing import burst, channel_contract
from tests.distributions import own_kinds
from tests.test_codecs import needs_amr

RATE, FRAME = 24_000, 480

CHANNELS: list[dict[str, Any]] = [
    {"kind": "gain", "db": -6},
    {"kind": "gain", "db": 0},
    {"kind": "noise", "snr_db": 20, "color": "white"},
    {"kind": "noise", "snr_db": 10, "color": "pink"},
    {"kind": "noise", "snr_db": 15, "color": "babble"},
    {"kind": "noise", "snr_db": 15, "color": "traffic"},
    {"kind": "noise", "snr_db": 15, "color": "keyboard"},
    {"kind": "noise", "snr_db": 15, "color": "music"},
    {"kind": "talker", "say": ["Dinner is ready."], "start": "100ms"},
    {"kind": "talker", "say": ["Hello.", "Over here."], "every": "1s"},
    {"kind": "burst", "color": "white", "start": "100ms"},
    {"kind": "burst", "color": "pink", "every": "300ms", "length": "50ms", "snr_db": 10},
    {"kind": "delay", "time": "150ms"},
    {"kind": "delay", "time": "0ms"},
    {"kind": "delay", "time": "33ms"},
    {"kind": "codec", "name": "mulaw"},
    {"kind": "codec", "name": "alaw", "loss": {"percent": 10}},
    {"kind": "codec", "name": "gsm"},
    {"kind": "codec", "name": "gsm", "packet": "60ms", "loss": {"percent": 10}, "conceal": "none"},
    {"kind": "mute"},
    {"kind": "loss", "loss": {"percent": 20}},
    {"kind": "loss", "loss": {"percent": 20, "burst": 3}, "conceal": "none", "packet": "10ms"},
    {"kind": "loss", "loss": {"p": 0.1, "r": 0.4, "bad_percent": 60}, "packet": "60ms"},
    {"kind": "loss", "loss": {"trace": "losses.txt"}, "packet": "33ms"},
    {"kind": "jitter"},
    {"kind": "jitter", "distribution": "pareto", "std": "60ms", "packet": "10ms"},
    {"kind": "jitter", "distribution": "normal", "buffer": "33ms", "reorder": False},
    {"kind": "jitter", "trace": "delays.txt"},
    {"kind": "dropout", "length": "200ms", "start": "100ms"},
    {"kind": "dropout", "length": "100ms", "per_minute": 200},
    {"kind": "echo"},
    {"kind": "echo", "delay": "0ms", "loss_db": 6, "headroom_db": 3, "canceller": {"erle_db": 20}},
    {"kind": "echo", "delay": "133ms", "length": "300ms"},
    {"kind": "reverb"},
    {"kind": "reverb", "size": [3, 2.5, 2.4], "rt60": "200ms", "distance": 0.5},
    {"kind": "clip"},
    {"kind": "clip", "shape": "soft", "headroom_db": -6},
    {"kind": "denoise"},
    {"kind": "denoise", "threshold_db": 0, "opens": "10ms", "hold": "20ms", "depth_db": 20},
]
SLIGHTLY_LATE: list[dict[str, Any]] = [
    *({"kind": "band", "shape": shape} for shape in SHAPES),
    {"kind": "band", "curve": [[0, 0], [4000, -20]]},
    *({"kind": "preset", "name": name} for name in ("pstn", "mobile_3g", "call_centre", "tau_voice_regular")),
    {"kind": "drift", "ppm": 80},
    {"kind": "drift", "ppm": -200, "buffer": "10ms"},
]
"""Filters, and delays that vary."""
OPUS: list[dict[str, Any]] = [
    {"kind": "codec", "name": "opus"},
    {"kind": "codec", "name": "opus", "bit_rate": 32_000, "fec": True, "loss": {"percent": 10}},
    {"kind": "codec", "name": "opus", "packet": "60ms", "dtx": True},
    {"kind": "codec", "name": "opus", "packet": "10ms", "loss": {"percent": 10}, "conceal": "none"},
]
G722: list[dict[str, Any]] = [
    {"kind": "codec", "name": "g722"},
    {"kind": "codec", "name": "g722", "packet": "40ms", "loss": {"percent": 10}},
]
AMR: list[dict[str, Any]] = [
    {"kind": "codec", "name": "amr_nb"},
    {"kind": "codec", "name": "amr_nb", "bit_rate": 4750, "loss": {"percent": 10}},
]
WHILE_IT_MOVES: list[dict[str, Any]] = [
    {"kind": "jitter", "adaptive": True, "mean": "60ms", "std": "30ms"},
    {"kind": "dropout", "length": "200ms", "start": "500ms", "then": "late"},
    {"kind": "pitch", "semitones": 4},
    {"kind": "pitch", "semitones": -12},
]
"""Sound is as late as they tell: a second of them has no one delay."""

LONG_FRAMES: list[dict[str, Any]] = [
    {"kind": "band", "shape": "telephone"},
    {"kind": "codec", "name": "mulaw"},
    {"kind": "drift", "ppm": 1000},
    {"kind": "drift", "ppm": -1000},
    {"kind": "reverb"},
]
"""What filters, in frames of 80 ms: more than a product of matrices holds, and more than a sample of drift."""


def traces(folder: Path) -> None:
    """Write the traces that cases name."""
    (folder / "losses.txt").write_text("0 0 1  # the third\n1 0\n")
    (folder / "delays.txt").write_text("20 30 120 40\n")


TestOurChannels = channel_contract(CHANNELS, prepare=traces)
TestOurFilters = channel_contract(SLIGHTLY_LATE, delay_within_samples=3)


@pytest.mark.skipif(find_library("opus") is None and find_spec("av") is None, reason="needs libopus")
class TestOpus(channel_contract(OPUS, delay_within_samples=3)):  # type: ignore[misc]
    """Codecs code noise roughly: the best place may be a sample or two beside."""


@pytest.mark.skipif(find_spec("av") is None, reason="needs PyAV")
class TestG722(channel_contract(G722, delay_within_samples=3)):  # type: ignore[misc]
    """By PyAV."""


@needs_amr
class TestAmr(channel_contract(AMR, delay_within_samples=3)):  # type: ignore[misc]
    """By a PyAV that has it."""


TestOurMovingDelays = channel_contract(WHILE_IT_MOVES, delay_within_samples=24_000)
TestAtAnotherRate = channel_contract([*CHANNELS, *SLIGHTLY_LATE], prepare=traces, sample_rate=22_050, frame_samples=441,
                                     delay_within_samples=3)  # fmt: skip
TestOfLongFrames = channel_contract(LONG_FRAMES, frame_samples=1920, delay_within_samples=3)


def test_each_of_our_channels_is_under_the_contract() -> None:
    """A channel that is added is added here."""
    assert {case["kind"] for case in [*CHANNELS, *SLIGHTLY_LATE, *WHILE_IT_MOVES]} == set(own_kinds("channels"))


def build(kind: str, fields: dict[str, Any]) -> Channel:
    """Build a channel as a scenario would."""
    lines = decode({"user_to_agent": [{"kind": kind, **fields}]}, Lines, source="t", folder=Path())
    (spec,) = lines.heard_by("agent")
    return spec.build(ChannelContext(sample_rate=RATE, frame_samples=FRAME, rng=np.random.default_rng(0)))


def carried(channel: Channel, sound: Samples) -> Samples:
    """Carry a sound through a channel frame by frame."""
    starts = range(0, len(sound), FRAME)
    frames = [AudioFrame(start, sound[start : start + FRAME]) for start in starts]
    return np.concatenate([channel.carry(frame, AudioFrame(frame.start, silence(FRAME))).samples for frame in frames])


def test_a_line_carries_in_the_order_of_the_yaml_and_adds_the_delays() -> None:
    """Gain after noise lowers the noise too; noise after gain does not."""
    quiet = silence(FRAME)
    first = Line([build("noise", {"snr_db": 10, "color": "white"}), build("gain", {"db": -40})])
    last = Line([build("gain", {"db": -40}), build("noise", {"snr_db": 10, "color": "white"})])
    frame = AudioFrame(0, quiet)
    assert np.std(first.carry(frame, frame).samples) < np.std(last.carry(frame, frame).samples) / 50
    assert Line([build("delay", {"time": "20ms"}), build("delay", {"time": "30ms"})]).delay_samples == 1200


@pytest.mark.parametrize(("snr_db", "color"), [(20, "white"), (10, "pink"), (5, "babble")])
def test_noise_has_its_level_from_sample_zero_on(snr_db: float, color: str) -> None:
    """Noise gain = nominal level - snr_db, whoever speaks; the measured SNR is reported."""
    channel: Any = build("noise", {"snr_db": snr_db, "color": color})
    noise = carried(channel, np.concatenate([silence(FRAME)] * 1500))
    level = 10 * np.log10(np.mean(np.square(noise, dtype=np.float64)))
    assert abs(level - (-26 - snr_db)) < 0.2
    carried(channel, burst(50 * FRAME))
    assert abs(channel.measured()["snr_db"] - snr_db) < 0.3
