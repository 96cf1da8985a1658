"""Echo, rooms, bands, clipping, gates and clocks: measured on what comes out, by another method than made it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from simulator.errors import ScenarioError
from simulator.frame import Samples, silence
from simulator.speaking.voice import spoken
from simulator.testing import burst
from tests.channel_runs import FRAME, RATE, Run, level_db, steady, tone

SPEECH = spoken(
    "The quick brown fox jumps over the lazy dog, and then it sits down by the river.", "en-us+m3", RATE
).samples
SPEECH = np.tile(np.concatenate([SPEECH, np.zeros(RATE // 2, np.float32)]), 3)


@pytest.mark.parametrize("loss_db", [6.0, 20.0, 40.0])
@pytest.mark.parametrize("sound", [burst(10 * RATE), SPEECH], ids=["noise", "speech"])
def test_the_return_loss_of_an_echo_is_the_one_asked_for(loss_db: float, sound: Samples) -> None:
    """The listener's voice over what comes of it while the speaker is silent, within half a decibel."""
    run = Run({"kind": "echo", "loss_db": loss_db}, silence(len(sound)), sound)
    assert level_db(sound[: len(run.heard)]) - level_db(run.heard) == pytest.approx(loss_db, abs=0.5)
    assert run.measured()["loss_db"] == pytest.approx(loss_db, abs=0.5)


@pytest.mark.parametrize("delay_ms", [0, 50, 123, 400])
def test_an_echo_comes_back_when_it_is_told_to_and_leaves_the_speaker_alone(delay_ms: int) -> None:
    """The direct sound of a click is `delay` late; what the speaker says is as it was."""
    click = np.zeros(RATE, np.float32)
    click[1000] = 0.5
    said = burst(RATE)
    channel = {"kind": "echo", "delay": f"{delay_ms}ms", "loss_db": 0}
    echo = Run(channel, silence(RATE), click).heard
    late = round(delay_ms * RATE / 1000)
    assert np.argmax(np.abs(echo)) == 1000 + late
    assert np.abs(echo[: 1000 + late]).max() < 1e-6
    assert np.allclose(Run(channel, said, click).heard, said + echo, atol=1e-6)


def test_an_echo_is_the_room_s_response_convolved(tmp_path: Path) -> None:
    """With a response from a file: what numpy's own convolution gives, at its level."""
    response = np.random.default_rng(5).standard_normal(3000) * np.exp(-np.arange(3000) / 600)
    soundfile.write(tmp_path / "room.wav", 0.5 * response / np.abs(response).max(), RATE, subtype="FLOAT")
    sound = burst(2 * RATE)
    run = Run(
        {"kind": "echo", "response": "room.wav", "delay": "10ms", "loss_db": 10},
        silence(len(sound)),
        sound,
        folder=tmp_path,
    )
    unit = response / np.sqrt(np.sum(response**2)) * 10**-0.5
    expected = np.concatenate([np.zeros(240), np.convolve(sound.astype(np.float64), unit)])[: len(sound)]
    assert np.allclose(run.heard, expected, atol=1e-5)


def test_a_canceller_learns_while_the_loudspeaker_sounds() -> None:
    """Nothing is cancelled at first, half of 30 dB after half of two seconds, all of it from then on."""
    canceller = {"erle_db": 30, "converges": "2s"}
    sound = burst(4 * RATE)
    alone = Run({"kind": "echo", "delay": "0ms"}, silence(len(sound)), sound).heard
    left = Run({"kind": "echo", "delay": "0ms", "canceller": canceller}, silence(len(sound)), sound).heard
    gain = [level_db(left[at : at + FRAME]) - level_db(alone[at : at + FRAME]) for at in (0, RATE, 3 * RATE)]
    assert gain == pytest.approx([0, -15, -30], abs=0.5)
    late = np.concatenate([np.zeros(2 * RATE, np.float32), sound[: 2 * RATE]])
    waited = Run({"kind": "echo", "delay": "0ms", "canceller": canceller}, silence(len(late)), late).heard
    assert level_db(waited[2 * RATE : 2 * RATE + FRAME]) > level_db(alone[:FRAME]) - 1


def test_a_loudspeaker_at_its_limit_adds_harmonics() -> None:
    """A tone of 500 Hz, 3 dB over a limit that a straight loudspeaker has not: its third harmonic, no even one."""
    channel = {"kind": "echo", "loss_db": 0, "headroom_db": 3}
    spectrum = [
        np.abs(np.fft.rfft(Run({**channel, **more}, silence(2 * RATE), tone(500)).heard[RATE:]))
        for more in ({}, {"headroom_db": None})
    ]
    bent, straight = ([20 * np.log10(s[n * 500] / s[500] + 1e-12) for n in (2, 3)] for s in spectrum)
    assert bent[1] > -35 and bent[0] < -80
    assert max(straight) < -80


@pytest.mark.parametrize(
    ("size", "rt60_s", "distance"),
    [([5, 4, 3], 0.3, 1.0), ([6, 4, 2.8], 0.4, 2.0), ([8, 6, 3], 0.8, 3.0), ([20, 12, 6], 1.5, 5.0)],
)
def test_a_room_rings_for_its_reverberation_time(size: list[float], rt60_s: float, distance: float) -> None:
    """By noise that is switched off, as ISO 3382 has it: the fall from -5 to -35 dB, within a tenth."""
    channel = {"kind": "reverb", "size": size, "rt60": f"{rt60_s}s", "distance": distance}
    fall = np.zeros(round(rt60_s * RATE) // 240)
    for seed in range(12):
        sound = np.concatenate([burst(round(1.5 * RATE), seed), np.zeros(2 * RATE, np.float32)])
        heard = Run(channel, sound).heard[round(1.5 * RATE) :]
        fall += np.square(heard[: len(fall) * 240].reshape(-1, 240)).mean(axis=1)
    fall_db = 10 * np.log10(fall / fall[0])
    part = (fall_db < -5) & (fall_db > -35)
    slope = np.polyfit(np.flatnonzero(part) * 240 / RATE, fall_db[part], 1)[0]
    assert -60 / slope == pytest.approx(rt60_s, rel=0.1)


def test_a_room_keeps_the_level_and_the_moment_of_what_is_said() -> None:
    """Noise is as loud behind it; the direct sound comes first and at once; far away there is less of it."""
    sound = burst(10 * RATE)
    near, far = (Run({"kind": "reverb", "size": [8, 6, 3], "distance": metres}, sound) for metres in (0.5, 3.0))
    assert level_db(near.heard[RATE:]) == pytest.approx(level_db(sound), abs=0.3)
    assert near.measured()["direct_db"] > far.measured()["direct_db"] + 10
    click = np.zeros(RATE, np.float32)
    click[100] = 1
    heard = Run({"kind": "reverb", "distance": 0.5}, click).heard
    assert np.argmax(np.abs(heard)) == 100 and np.abs(heard[:100]).max() < 1e-5


def response_db(channel: dict[str, Any], hz: float, rate: int = RATE) -> float:
    """The level of a tone behind a channel over its level before."""
    run = Run(channel, tone(hz, 1.0, rate), rate=rate)
    return level_db(run.heard[rate // 2 :]) - level_db(run.said[rate // 2 :])


@pytest.mark.parametrize(
    ("hz", "least", "most"),
    # After the limits of ITU-T G.712 for the attenuation of a voice-frequency port, turned into gains.
    [(50, -99, -24), (300, -2, 0.5), (400, -1, 0.5), (1000, -0.5, 0.5), (2000, -0.5, 0.5), (3000, -0.9, 0.5),
     (3400, -3, 0.5), (4600, -99, -28)],
)  # fmt: skip
@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_a_telephone_band_is_within_the_limits_of_g712(hz: float, least: float, most: float, rate: int) -> None:
    """At tones, at two rates."""
    assert least <= response_db({"kind": "band", "shape": "telephone"}, hz, rate) <= most


@pytest.mark.parametrize(
    ("shape", "hz", "db"),
    [("wideband", 100, 0), ("wideband", 6000, 0), ("wideband", 9000, -40), ("far_field", 1000, 0),
     ("far_field", 4000, -3), ("far_field", 8000, -7), ("mask", 500, 0), ("mask", 4000, -6), ("mask", 8000, -7),
     ("handset", 1000, 0), ("handset", 2000, 4.3), ("handset", 400, -3.5), ("handset", 3150, 6.7)],
)  # fmt: skip
def test_a_band_has_the_response_of_its_curve(shape: str, hz: float, db: float) -> None:
    """At points of the curve, within a decibel."""
    assert response_db({"kind": "band", "shape": shape}, hz) == pytest.approx(db, abs=1)


def test_a_curve_of_one_s_own_is_followed() -> None:
    """Straight between its points, level behind the last."""
    channel = {"kind": "band", "curve": [[500, 0], [2500, -20]]}
    found = [response_db(channel, hz) for hz in (300, 1500, 2500, 8000)]
    assert found == pytest.approx([0, -10, -20, -20], abs=0.5)


def test_hard_clipping_cuts_off_and_counts() -> None:
    """A sine of amplitude 0.1 at a limit of 0.0501 (nothing over nominal): above it for two thirds of its samples."""
    run = Run({"kind": "clip", "headroom_db": 0}, tone(375))
    limit = 10 ** (-26 / 20)
    assert np.array_equal(run.heard, np.clip(run.said, -np.float32(limit), np.float32(limit)))
    share = 1 - 2 / np.pi * np.arcsin(limit / 0.1)
    assert run.measured()["clipped_percent"] == pytest.approx(100 * share, abs=1.5)


@pytest.mark.parametrize("percent", [1.0, 5.0, 20.0])
def test_a_share_of_a_voice_is_clipped(percent: float) -> None:
    """Another voice and another sentence at the nominal level: within a third of what was asked for."""
    sound = spoken("I would like to book a table for four people tomorrow evening.", "en-gb-scotland", RATE).samples
    measured = Run({"kind": "clip", "percent": percent}, np.array(sound)).measured()
    assert measured["clipped_percent"] == pytest.approx(percent, rel=1 / 3)


def test_soft_clipping_bends_and_never_passes_the_limit() -> None:
    """Small samples keep their size, large ones come close to the limit: tanh."""
    run = Run({"kind": "clip", "headroom_db": 0, "shape": "soft"}, np.linspace(-1, 1, 2 * RATE, dtype=np.float32))
    limit = 10 ** (-26 / 20)
    assert np.abs(run.heard).max() <= limit * (1 + 1e-6)
    assert np.allclose(run.heard, limit * np.tanh(run.said / limit), atol=1e-6)


def test_a_gate_eats_the_onset_and_holds_over_a_short_pause() -> None:
    """Open after 40 ms of sound; open through a pause of 100 ms, shut after one of 300; 40 dB down while it is shut."""
    sound = np.concatenate([steady(0.5), steady(0.1, 0.001), steady(0.5), steady(0.3, 0.001), steady(0.2)])
    run = Run({"kind": "denoise"}, sound)
    gain = run.heard / run.said
    at = [0.01, 0.06, 0.55, 0.7, 1.25, 1.38, 1.42, 1.5]
    assert [float(gain[round(s * RATE)]) for s in at] == pytest.approx([0.01, 1, 1, 1, 1, 0.01, 0.01, 1], abs=1e-3)
    assert run.measured()["opened"] == 2


def test_a_gate_eats_what_is_said_quietly() -> None:
    """At 20 dB under the nominal level nothing passes a threshold 15 dB under it."""
    run = Run({"kind": "denoise", "depth_db": 100}, burst(RATE) * np.float32(0.1))
    assert level_db(run.heard) < -120
    assert run.measured() == {"opened": 0, "eaten_percent": None}


@pytest.mark.parametrize("ppm", [100.0, -50.0, 12.5])
def test_a_clock_runs_off_by_its_ppm(ppm: float) -> None:
    """A pulse every second for ten minutes: the line through how late they are heard, within 1 ppm."""
    sound = np.zeros(600 * RATE, np.float32)
    width = np.arange(-40, 41)
    pulse = 0.5 * np.exp(-0.5 * (width / 8.0) ** 2)
    places = np.arange(RATE // 2, len(sound) - RATE, RATE)
    for place in places:
        sound[place - 40 : place + 41] = pulse
    run = Run({"kind": "drift", "ppm": ppm, "buffer": "400ms"}, sound)
    late = []
    for place in places:
        part = run.heard[place : place + RATE // 2].astype(np.float64) ** 2
        late.append(float(np.sum(part * np.arange(len(part))) / np.sum(part)))
    slope = np.polyfit(places, late, 1)[0]
    assert abs(1e6 * slope - ppm) < 1
    assert late[0] == pytest.approx(run.channel.delay_samples, abs=2)
    assert run.measured()["slips"] == 0


def test_a_drifting_tone_stays_clean() -> None:
    """1 kHz at 200 ppm is 1000 / 1.0002 Hz, and nothing else above -70 dB."""
    heard = Run({"kind": "drift", "ppm": 200, "buffer": "400ms"}, tone(1000, 21.0)).heard[RATE : 17 * RATE]
    spectrum = 20 * np.log10(np.abs(np.fft.rfft(heard * np.blackman(len(heard)))) + 1e-12)
    hz = np.fft.rfftfreq(len(heard), 1 / RATE)
    peak = int(np.argmax(spectrum))
    assert hz[peak] == pytest.approx(1000 / 1.0002, abs=0.1)
    assert spectrum[np.abs(hz - hz[peak]) > 2].max() < spectrum[peak] - 70


def test_a_full_buffer_slips_back_to_half_and_tells_it() -> None:
    """10 ms of buffer at 1000 ppm: 5 ms are used up in five seconds."""
    run = Run({"kind": "drift", "ppm": 1000, "buffer": "10ms"}, burst(11 * RATE))
    assert run.measured()["slips"] == 2
    delays_ms = [1000 * fields["delay"] / RATE for _, fields in run.told("line_delay")]
    assert delays_ms == pytest.approx([5.5, 6.5, 7.5, 8.5, 9.5, 5, 5.5, 6.5, 7.5, 8.5, 9.5, 5, 5.5], abs=0.1)


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ({"kind": "echo", "response": "nothing.wav"}, r"case\.response: .*nothing\.wav"),
        ({"kind": "echo", "response": "silent.wav"}, "is digital silence, which is no response"),
        ({"kind": "reverb", "size": [2, 2, 2], "rt60": "1.5s"}, "is too small"),
        ({"kind": "reverb", "size": [2, 2, 2], "rt60": "1.5s", "distance": 0.3}, "too small to ring for 1.5 s"),
        ({"kind": "reverb", "rt60": "5s"}, "rt60 is 5s; allowed are 100ms to 1.5s"),
        ({"kind": "clip", "percent": 5, "headroom_db": 3}, "at most one of headroom_db and percent"),
        ({"kind": "band"}, "exactly one of shape"),
        ({"kind": "band", "curve": [[100, 0], [50, 0]]}, "must rise in frequency"),
        ({"kind": "drift", "ppm": 5000}, "expected `float` <= 1000"),
        ({"kind": "jitter", "buffer": "10s"}, "buffer is 10s; allowed are up to 5s"),
        ({"kind": "dropout", "length": "2s", "every": "1s"}, "every is 1s; it must be longer than length, 2s"),
        ({"kind": "mute", "hold": "music", "file": "a.wav"}, "at most one of hold and file"),
    ],
)
def test_what_cannot_be_built_is_refused(channel: dict[str, Any], told: str, tmp_path: Path) -> None:
    """In a sentence, before anything starts."""
    soundfile.write(tmp_path / "silent.wav", np.zeros(100), RATE)
    with pytest.raises(ScenarioError, match=told):
        Run(channel, steady(0.1), folder=tmp_path)


def test_a_model_of_listeners_hears_less_echo_with_more_loss() -> None:
    """AECMOS (speechmos, which needs librosa), both talking: 12, 20, 30 and 40 dB are rated 2.3, 2.5, 3.6 and 4.2.

    With a canceller of 40 dB behind the 12 it is 4.6.
    """
    pytest.importorskip("librosa")
    aecmos = pytest.importorskip("speechmos.aecmos")
    rate = 16_000
    far = np.tile(spoken("The quick brown fox jumps over the lazy dog.", "en-us+m3", rate).samples, 3)[: 8 * rate]
    near = np.zeros_like(far)
    reply = spoken("I would like to book a table for four people.", "en-gb-scotland", rate).samples[: 4 * rate]
    near[4 * rate : 4 * rate + len(reply)] = reply

    def rated(**more: Any) -> float:
        heard = np.array(Run({"kind": "echo", **more}, near, far, rate=rate).heard)
        sample = {"lpb": np.array(far[: len(heard)]), "mic": heard, "enh": heard}
        return float(aecmos.run(sample, sr=rate, talk_type="dt")["echo_mos"])

    ratings = [rated(loss_db=loss_db) for loss_db in (12, 20, 30, 40)]
    assert ratings == sorted(ratings) and ratings[-1] > ratings[0] + 1
    assert rated(loss_db=12, canceller={"erle_db": 40, "converges": "1s"}) > ratings[0] + 1
