"""The figures of calls over streams, in short: nothing is lost or doubled, and a clear is silence within a frame."""

from pathlib import Path

import anyio
import numpy as np
import pytest

from simulator.testing.take import Take
from tests.rtc_figures import band_noise, rtc_figures_of
from tests.stream_figures import (
    Kind,
    clears_of,
    echoing,
    figures_of,
    job_of,
    play_all,
    serving_clears,
    session_in,
)


@pytest.mark.parametrize(
    "kind",
    [pytest.param("websocket", marks=pytest.mark.slow), "twilio", pytest.param("pipecat", marks=pytest.mark.slow)],
)
def test_a_counted_signal_comes_back_whole_in_every_one_of_three_calls(kind: Kind, tmp_path: Path) -> None:
    """Over a socket, through an agent that says it back: sample for sample, in order, at once in three calls."""

    async def calls() -> None:
        async with echoing() as url:
            jobs = [job_of(kind, url, tmp_path, 0.6, name=f"call{index}") for index in range(3)]
            played = await play_all(jobs, tmp_path)
        assert [one.status for one in played] == ["completed"] * 3, played
        for job in jobs:
            found = figures_of(session_in(tmp_path, job))
            assert (found.lost, found.doubled) == (0, 0), found
            assert 20 <= found.mouth_to_ear_p50_ms < 600

    anyio.run(calls)


@pytest.mark.slow
def test_no_block_of_a_signal_over_webrtc_is_lost_or_doubled(tmp_path: Path) -> None:
    """Through Opus and back no sample is as it was, but every tenth of a second is there, once."""
    pytest.importorskip("aiortc", reason="needs the extra connect")
    from tests.contracts.rtc_peers import RtcFarEnd, rtc_far_end

    with rtc_far_end(RtcFarEnd(None)) as (url, _):
        job = job_of("webrtc", url, tmp_path, 3, sound=band_noise(3, 48_000))
        (played,) = anyio.run(play_all, [job], tmp_path)
    assert played.status == "completed", played.problem
    found = rtc_figures_of(session_in(tmp_path, job))
    assert (found.lost, found.doubled) == (0, 0), found
    assert 100 <= found.mouth_to_ear_p50_ms < 800


@pytest.mark.parametrize(
    ("cuts", "lost", "doubled"),
    [
        pytest.param([(0, 3)], 0, 0, id="whole"),
        pytest.param([(0, 2.05), None, (2.05, 3)], 0, 0, id="a gap in the middle of a block"),
        pytest.param([(0, 2.033), None, (2.033, 3)], 0, 0, id="a gap in a block's first third"),
        pytest.param([(0, 2), (1.9, 3)], 0, 1600, id="a block twice"),
        pytest.param([(0, 2), (1.94, 3)], 0, 1600, id="part of a block twice"),
        pytest.param([(0, 2), None, (2.1, 3)], 1600, 0, id="a block lost"),
    ],
)
def test_a_block_is_doubled_where_a_part_of_it_comes_twice_and_not_where_it_has_a_gap(
    cuts: list[tuple[float, float] | None], lost: int, doubled: int, tmp_path: Path
) -> None:
    """Made by cutting the signal: stretches of it in seconds, None is silence of 0.1 s."""
    rate = 16_000
    take, noise = Take(tmp_path / "take", 4.5, rate), band_noise(3, rate)
    silent = np.zeros(rate // 10, np.float32)
    came = [silent if cut is None else noise[round(cut[0] * rate) : round(cut[1] * rate)] for cut in cuts]
    take.add("user", 0, noise)
    take.add("agent", rate // 10, np.concatenate(came))
    found = rtc_figures_of(take.session())
    assert (found.lost, found.doubled) == (lost, doubled), found


def test_a_clear_is_silence_with_the_next_frame_of_ten_milliseconds(tmp_path: Path) -> None:
    """No sample is heard behind the frame in which it came in: what is said then is drawn when it is due."""

    async def call() -> None:
        async with serving_clears() as url:
            job = job_of("twilio", url, tmp_path, 0.1, frame_ms=10)
            (played,) = await play_all([job], tmp_path)
        assert played.status == "completed", played.problem
        session = session_in(tmp_path, job)
        found = clears_of(session)
        late_ms = played.pacing.lateness_max_ms if played.pacing else 0.0
        assert found and all(clear.since_acted_ms == 0 for clear in found), found
        assert all(clear.since_arrival_ms <= 10 + late_ms for clear in found), (found, late_ms)

    anyio.run(call)
