"""What every channel keeps: the length, its stated delay, its seed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.frame import AudioFrame, Samples, silence
from simulator.line import Channel, ChannelContext, Line
from simulator.plugins import installed
from simulator.scenario import Lines
from simulator.spec import decode
from simulator.testing import burst

RATE, FRAME = 24_000, 480

CHANNELS: dict[str, list[dict[str, Any]]] = {
    "gain": [{"db": -6}, {"db": 0}],
    "noise": [{"snr_db": 20, "color": "white"}, {"snr_db": 10, "color": "pink"}, {"snr_db": 15, "color": "babble"}],
    "talker": [{"say": ["Dinner is ready."], "start": "100ms"}, {"say": ["Hello.", "Over here."], "every": "1s"}],
    "burst": [
        {"color": "white", "start": "100ms"},
        {"color": "pink", "every": "300ms", "length": "50ms", "snr_db": 10},
    ],
    "delay": [{"time": "150ms"}, {"time": "0ms"}, {"time": "33ms"}],
    "codec": [{"name": "mulaw"}],
}
ALL = [(kind, fields) for kind, many in CHANNELS.items() for fields in many]


def test_every_installed_channel_is_under_the_contract() -> None:
    """A channel that is added is added here."""
    assert set(installed("channels")) == set(CHANNELS)


def build(kind: str, fields: dict[str, Any], seed: int = 0) -> Channel:
    """Build a channel as a scenario would."""
    lines = decode({"user_to_agent": [{"kind": kind, **fields}]}, Lines, source="t", folder=Path())
    (spec,) = lines.heard_by("agent")
    return spec.build(ChannelContext(sample_rate=RATE, frame_samples=FRAME, rng=np.random.default_rng(seed)))


def carried(channel: Channel, sound: Samples) -> Samples:
    """Carry a sound through a channel frame by frame."""
    frames = []
    for start in range(0, len(sound), FRAME):
        frame = channel.carry(AudioFrame(start, sound[start : start + FRAME]), AudioFrame(start, silence(FRAME)))
        assert frame.start == start
        frames.append(frame.samples)
    return np.concatenate(frames)


@pytest.mark.parametrize(("kind", "fields"), ALL)
def test_a_channel_keeps_length_and_place(kind: str, fields: dict[str, Any]) -> None:
    """As many samples out as in, frame by frame, finite."""
    heard = carried(build(kind, fields), burst(50 * FRAME))
    assert heard.shape == (50 * FRAME,)
    assert heard.dtype == np.float32
    assert np.isfinite(heard).all()


@pytest.mark.parametrize(("kind", "fields"), ALL)
def test_the_same_seed_gives_the_same_sound(kind: str, fields: dict[str, Any]) -> None:
    """A channel is seeded by the session."""
    sound = burst(50 * FRAME)
    assert np.array_equal(carried(build(kind, fields, 3), sound), carried(build(kind, fields, 3), sound))


@pytest.mark.parametrize(("kind", "fields"), ALL)
def test_a_channel_delays_by_what_it_states(kind: str, fields: dict[str, Any]) -> None:
    """What is said is heard `delay_samples` later, no more and no less (by correlation)."""
    n = np.arange(60 * FRAME)
    sound = (0.3 * np.sin(2 * np.pi * 300 * n / RATE) * np.exp(-(((n - 6000) / 900) ** 2))).astype(np.float32)
    channel = build(kind, fields)
    heard = carried(channel, sound).astype(np.float64)
    spectrum = np.fft.rfft(heard, 2 * len(n)) * np.conj(np.fft.rfft(sound, 2 * len(n)))
    assert int(np.argmax(np.fft.irfft(spectrum)[: len(n)])) == channel.delay_samples


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
    channel = build("noise", {"snr_db": snr_db, "color": color})
    noise = carried(channel, np.concatenate([silence(FRAME)] * 1500))
    level = 10 * np.log10(np.mean(np.square(noise, dtype=np.float64)))
    assert abs(level - (-26 - snr_db)) < 0.2
    carried(channel, burst(50 * FRAME))
    assert abs(channel.measured()["snr_db"] - snr_db) < 0.3  # type: ignore[attr-defined]
