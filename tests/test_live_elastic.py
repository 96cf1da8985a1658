"""Rules of the elastic buffer and the live microphone: every sample is accounted for, skew is not heard as a step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import RemoteError
from simulator.live.elastic import ElasticBuffer
from simulator.live.microphone import Microphone
from tests.live_counter import counter_map

RATE = 24_000
FRAME = 480


def ramp(count: int) -> np.ndarray:
    """Samples that tell their own position."""
    return (np.arange(count) / 1e6).astype(np.float32)


def test_sound_passes_untouched_where_both_clocks_agree() -> None:
    """With equal clocks and no jitter the buffer is a delay and nothing else."""
    buffer, sound, said = ElasticBuffer(RATE), ramp(100 * FRAME), []
    for start in range(0, len(sound), FRAME):
        buffer.push(sound[start : start + FRAME])
        said.append(buffer.take(FRAME))
    heard = np.concatenate(said)
    begin = int(np.flatnonzero(heard)[0]) - 1
    np.testing.assert_array_equal(heard[begin:], sound[: len(heard) - begin])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 4 * FRAME), min_size=5, max_size=80))
def test_what_went_in_and_what_came_out_differ_by_what_was_counted(pieces: list[int]) -> None:
    """given - used = inserted - dropped + stretched, whatever arrives when."""
    buffer = ElasticBuffer(RATE)
    for piece in pieces:
        buffer.push(ramp(piece))
        buffer.take(FRAME)
    assert buffer.given - buffer.used == pytest.approx(buffer.inserted - buffer.dropped + buffer.stretched, abs=1e-6)


@pytest.mark.parametrize("skew", [0.9985, 1.0015])
def test_a_clock_that_runs_off_is_followed_without_a_step(skew: float) -> None:
    """A skew of 0.15 % is resampled away: the depth is held and nothing is inserted or dropped after the start."""
    buffer, pushed = ElasticBuffer(RATE), 0
    depths = []
    for tick in range(3000):
        until = int(tick * FRAME * skew) + 2000
        buffer.push(ramp(until - pushed))
        pushed = until
        buffer.take(FRAME)
        if tick == 50:
            buffer.restart_accounts()
        depths.append(buffer.waiting)
    assert not buffer.changes
    saved = depths[50] - depths[-1]
    assert buffer.stretched == pytest.approx(2949 * FRAME * (1 - skew) - saved, abs=2)
    assert max(depths[1500:]) - min(depths[1500:]) < 0.02 * RATE


def test_a_stall_is_one_step_there_and_one_back() -> None:
    """Sound that comes 300 ms late in one burst: silence of that size, then what is too old is left out."""
    buffer = ElasticBuffer(RATE)
    for tick in range(200):
        if not 100 <= tick < 115:
            buffer.push(ramp(FRAME * (16 if tick == 115 else 1)))
        buffer.take(FRAME)
    steps = [change for change in buffer.changes if change.size > FRAME * 4]
    assert [step.what for step in steps] == ["underrun", "late"]
    assert abs(steps[0].size - steps[1].size) <= 0.06 * RATE


def test_interpolation_keeps_speech_frequencies() -> None:
    """Read between samples, a tone of 8 kHz keeps its level within 0.1 dB."""
    buffer = ElasticBuffer(RATE)
    tone = np.sin(2 * np.pi * 8000 / RATE * np.arange(RATE * 4)).astype(np.float32)
    said, pushed = [], 0
    for tick in range(150):
        until = int(tick * FRAME * 1.003) + 2400
        buffer.push(tone[pushed:until])
        pushed = until
        said.append(buffer.take(FRAME))
    assert buffer.stretched
    level = np.sqrt(np.mean(np.concatenate(said[50:]) ** 2))
    assert 20 * np.log10(level * np.sqrt(2)) == pytest.approx(0.0, abs=0.1)


def played(microphone: Microphone, sound: np.ndarray, ticks: int, clock_skew: float, stall: range) -> tuple:
    """Feed blocks of 512 as a capture clock of that skew would, take ticks; gives the said track and the news."""
    said, news, fed = [], [], 0
    for tick in range(ticks):
        due = fed if tick in stall else int(tick * FRAME / RATE * microphone.rate / clock_skew) + 3000
        while fed + 512 <= due:
            microphone.feed(7000 + fed, sound[fed : fed + 512])
            fed += 512
        if tick == 20:
            microphone.begin()
            said.clear()
        said.append(microphone.take(FRAME))
        if tick >= 20:
            new = microphone.last_news() if tick == ticks - 1 else microphone.news()
            news += [((tick - 20) * FRAME, type_, fields) for type_, fields in new]
    return np.concatenate(said), news


@pytest.mark.parametrize("rate", [44_100, 48_000, 16_000])
def test_the_frame_number_tells_where_every_sample_lies(rate: int) -> None:
    """Through skew and a stall, the reports place what is said within 2 ms on the capture counter."""
    sound = np.zeros(rate * 40, np.float32)
    sound[rate // 2 :: rate] = 0.9
    said, news = played(Microphone(rate, RATE), sound, 1900, 1.0007, range(600, 615))
    places, frames = counter_map(news, rate, RATE)
    clicks = [i for i in np.flatnonzero(said > 0.2) if said[i] == said[max(0, i - 40) : i + 40].max()]
    clicks = [click for click in clicks if click < places[-1]]
    assert len(clicks) > 30
    seconds = (np.interp(clicks, places, frames) - 7000) / rate - 0.5
    assert np.abs(seconds - np.round(seconds)).max() < 0.002


@pytest.mark.parametrize("stall", [range(600, 640), range(8, 40), range(1800, 1900)], ids=["inside", "begin", "end"])
def test_the_steps_explain_what_resampling_does_not(stall: range) -> None:
    """Session time minus the counter = underruns - late ones + resampled, but for rounding, wherever the stall is."""
    _, news = played(Microphone(48_000, RATE), np.zeros(48_000 * 40, np.float32), 1900, 1.0007, stall)
    last = next(fields for _, type_, fields in reversed(news) if type_ == "microphone")
    sign = {"underrun": 1, "late": -1}
    steps = sum(sign[type_] * fields["size"] for _, type_, fields in news if type_ in sign)
    assert steps
    assert last["offset"] - last["resampled"] == pytest.approx(steps, abs=3)


def test_a_hole_in_the_frame_numbers_is_silence_of_that_length() -> None:
    """Lost sound keeps its time: what follows it lies where its number says, and the loss is counted."""
    microphone = Microphone(RATE, RATE)
    microphone.feed(0, np.full(960, 0.5, np.float32))
    microphone.feed(1440, np.full(960, 0.5, np.float32))
    said = np.concatenate([microphone.take(480) for _ in range(4)])
    assert microphone.lost == 480
    np.testing.assert_allclose(np.flatnonzero(said < 0.01)[[0, -1]], [960, 1439], atol=20)


def test_sound_that_is_there_already_is_left_out() -> None:
    """A block that repeats frame numbers adds only what is new."""
    microphone = Microphone(RATE, RATE)
    microphone.feed(0, np.full(4800, 0.5, np.float32))
    microphone.feed(2400, np.full(4800, 0.5, np.float32))
    assert microphone.delay_samples == pytest.approx(7200, abs=2)


@pytest.mark.parametrize("frame", [0, 10_000_000])
def test_frame_numbers_that_jump_are_refused(frame: int) -> None:
    """More than two seconds either way is no live microphone."""
    microphone = Microphone(RATE, RATE)
    microphone.feed(1_000_000, np.zeros(480, np.float32))
    with pytest.raises(RemoteError, match="frame numbers jumped"):
        microphone.feed(frame, np.zeros(480, np.float32))


@pytest.mark.parametrize("rate", [0, 3999, 200_000])
def test_a_rate_that_no_microphone_has_is_refused(rate: int) -> None:
    """Rates from 4 to 192 kHz are allowed at an edge."""
    with pytest.raises(RemoteError, match="allowed are 4000 to 192000"):
        Microphone(rate, RATE)
