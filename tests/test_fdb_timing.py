"""Full-Duplex-Bench's stop and response intervals, and the resampler behind them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.detection import merge, resample_sinc
from metrics.compat.fdb.timing import TimingSpec, response_intervals, stop_intervals
from simulator.scoring.corpus import CorpusResult
from tests.fdb_folders import silence, write_sample

TRACKS = st.lists(st.tuples(st.integers(0, 80), st.integers(1, 15)), max_size=8).map(
    lambda items: merge([(start / 10, (start + length) / 10) for start, length in items], 0.0)
)
Spans = list[tuple[float, float]]


def ticks(spans: Spans) -> set[int]:
    """The tenths of a second that spans cover."""
    return {tick for start, end in spans for tick in range(round(start * 10), round(end * 10))}


@given(TRACKS, TRACKS)
def test_stop_intervals_are_where_both_speak(user: Spans, agent: Spans) -> None:
    """On a grid of tenths: the shared tenths, each interval inside one segment of both sides, in order."""
    found = stop_intervals(user, agent)
    assert ticks(found) == ticks(user) & ticks(agent)
    assert found == sorted(found, key=lambda item: item[1])
    assert all(any(s <= a and b <= e for s, e in side) for a, b in found for side in (user, agent))


@given(TRACKS, TRACKS)
def test_response_intervals_reach_the_next_later_start(user: Spans, agent: Spans) -> None:
    """From each user end to the next strictly later start; of those to one start only the latest end stays."""
    wanted: dict[float, float] = {}
    for _, end in user:
        later = [start for start, _ in agent if start > end]
        if later:
            wanted[min(later)] = max(end, wanted.get(min(later), 0.0))
    assert response_intervals(user, agent) == [
        (round(end, 3), round(start, 3)) for start, end in sorted(wanted.items())
    ]


def test_the_shortest_of_one_millisecond_stays() -> None:
    """Intervals that end in the same millisecond are one, the shortest; times are rounded to 1 ms."""
    user, agent = [(0.0, 1.00001), (1.00002, 1.0003)], [(0.5, 2.0)]
    assert stop_intervals(user, agent) == [(1.0, 1.0)]
    assert stop_intervals([(0.12345, 1.23456)], [(0.0, 9.0)]) == [(0.123, 1.235)]


@pytest.mark.parametrize(
    ("spans", "gap", "merged"),
    [
        ([(0, 1.0), (1.6, 2.0)], 0.6, 2),  # 1.6 - 1.0 is 0.6000000000000001
        ([(0, 1.0), (1.5, 2.0)], 0.5, 1),
        ([(5, 6), (0, 1), (0.5, 3)], 0.1, 2),
    ],
)
def test_merging_compares_raw_floats(spans: Spans, gap: float, merged: int) -> None:
    """A gap of at most the limit is bridged, on floats as they are; order does not matter."""
    assert len(merge(spans, gap)) == merged


def score(root: Path, segments: dict[str, Any], **options: Any) -> CorpusResult:
    """Score with given segments."""
    path = root.parent / "segments.json"
    path.write_text(json.dumps(segments))
    return TimingSpec(segments=path, **{"mode": "strict", **options}).score_corpus([root])


SEGMENTS = {
    "1": {"user": [[0.0, 1.0], [1.5, 3.0], [6.0, 8.0]], "agent": [[4.0, 5.0], [5.4, 6.8], [9.0, 10.0]]},
    "2": {"user": [[0.0, 1.0]], "agent": [[2.0, 3.0]]},
}


def test_both_readings_of_the_lists(tmp_path: Path) -> None:
    """Pooled means take every interval of every sample; event values look at the overlap of metadata.json alone."""
    root = tmp_path / "root"
    write_sample(root / "1", {"metadata.json": {"timestamps": [6.0, 8.0]}})
    write_sample(root / "2", {"metadata.json": {"timestamps": [5.0, 6.0]}})
    result = score(root, SEGMENTS)
    first, second = (sample.metrics for sample in result.samples)
    assert first["user_segments"] == [(0.0, 3.0), (6.0, 8.0)] and first["agent_segments"] == [(4.0, 6.8), (9.0, 10.0)]
    assert first["user_vad_samples"] == [(0, 16000), (24000, 48000), (96000, 128000)]
    assert first["stop_intervals"] == [(6.0, 6.8)] and first["response_intervals"] == [(3.0, 4.0), (8.0, 9.0)]
    assert first["stop_s.event"] == pytest.approx(0.8) and first["response_s.event"] == 1.0
    assert second["stop_s.pooled"] is None and second["response_s.event"] is None
    assert result.metrics["response_s.pooled"].value == 1.0 and result.metrics["response_s.pooled"].n == 3
    assert result.metrics["stop_s.pooled"].n == 1 and result.metrics["response_s.event"].n == 1


def test_the_event_response_may_start_a_little_early(tmp_path: Path) -> None:
    """A response interval that starts up to 0.6 s before the overlap's marked end is the answer to it."""
    root = tmp_path / "root"
    for name, end in (("1", 8.5), ("2", 8.7)):
        write_sample(root / name, {"metadata.json": {"timestamps": [6.0, end]}})
    result = score(root, {"1": SEGMENTS["1"], "2": SEGMENTS["1"]})
    assert [sample.metrics["response_s.event"] for sample in result.samples] == [1.0, None]


def test_without_an_overlap_only_the_pooled_values_stand(tmp_path: Path) -> None:
    """metadata.json missing: the event values are undefined and say why."""
    write_sample(tmp_path / "root" / "2", {"output.json": {"text": "", "chunks": []}})
    result = score(tmp_path / "root", SEGMENTS)
    assert result.metrics["response_s.pooled"].value == 1.0
    assert "no overlap is marked" in (result.metrics["stop_s.event"].reason or "")


def test_the_original_file_is_written_where_asked(tmp_path: Path) -> None:
    """write=DIR gets latency_intervals.json per sample, and the input folder nothing."""
    root = tmp_path / "root"
    write_sample(root / "1", {"metadata.json": {"timestamps": [6.0, 8.0]}})
    before = sorted(root.rglob("*"))
    score(root, SEGMENTS, write=tmp_path / "out")
    written = json.loads((tmp_path / "out" / "1" / "latency_intervals.json").read_text())
    assert written == {"latency_stop_list": [[6.0, 6.8]], "latency_resp_list": [[3.0, 4.0], [8.0, 9.0]]}
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize("mode", ["compat", "strict"])
def test_missing_stereo_and_unreadable_sound_is_told(tmp_path: Path, mode: Any) -> None:
    """A sample whose sound cannot be used has nulls and a note; the rest is scored."""
    root = tmp_path / "root"
    write_sample(root / "1", {"input.wav": silence(2)})
    write_sample(root / "2", {"input.wav": silence(2), "output.wav": silence(2, channels=2)})
    write_sample(root / "3", {"input.wav": silence(2), "output.json": "{}"})
    (root / "3" / "output.wav").write_text("no sound")
    write_sample(root / "4", {"input.wav": silence(2), "output.wav": silence(2)})
    result = TimingSpec(mode=mode).score_corpus([root])
    notes = [" ".join(sample.notes) for sample in result.samples]
    assert "output.wav: missing" in notes[0] and "2 channels" in notes[1] and "not a sound file" in notes[2]
    assert result.samples[3].metrics["stop_intervals"] == [] and result.samples[0].metrics["stop_intervals"] is None


# --- the resampler


@pytest.mark.parametrize("rate", [8000, 24000, 44100, 48000])
def test_a_tone_comes_out_as_a_tone(rate: int) -> None:
    """A tone well inside both bands keeps level and phase; the length is rounded up."""
    count = rate + 7
    tone = np.sin(2 * np.pi * 440 * np.arange(count) / rate).astype(np.float32)
    found = resample_sinc(tone, rate, 16000)
    assert len(found) == -(-16000 * count // rate) and found.dtype == np.float32
    wanted = np.sin(2 * np.pi * 440 * np.arange(len(found)) / 16000)
    assert np.max(np.abs(found[200:-200] - wanted[200:-200])) < 2e-3


def test_a_tone_above_the_band_is_gone() -> None:
    """What 16 kHz cannot hold is filtered out."""
    tone = np.sin(2 * np.pi * 11000 * np.arange(48000) / 48000).astype(np.float32)
    assert np.max(np.abs(resample_sinc(tone, 48000, 16000)[200:-200])) < 0.02


@pytest.mark.parametrize(("from_hz", "to_hz"), [(24000, 16000), (8000, 16000), (44100, 16000)])
def test_samples_are_the_defining_sum(from_hz: int, to_hz: int) -> None:
    """Each output sample is the windowed-sinc sum over the input, computed here the slow way."""
    rng = np.random.default_rng(1)
    samples = rng.standard_normal(400).astype(np.float32)
    found = resample_sinc(samples, from_hz, to_hz)
    lower = min(from_hz, to_hz) * 0.99
    for index in (0, 1, 5, len(found) // 2, len(found) - 1):
        time = (np.arange(len(samples)) / from_hz - index / to_hz) * lower
        inside = np.abs(time) < 6
        taps = np.sinc(time) * np.cos(np.pi * time / 12) ** 2 * lower / from_hz
        assert found[index] == pytest.approx(float(np.sum(samples[inside] * taps[inside])), abs=2e-6)


def test_the_same_rate_is_left_alone() -> None:
    """Nothing is filtered when there is nothing to resample."""
    samples = np.ones(10, np.float32)
    assert resample_sinc(samples, 16000, 16000) is samples


def test_the_public_examples(real_audio: Path) -> None:
    """Detection and intervals on the benchmark's example samples stay what they were found to be."""
    result = TimingSpec(mode="compat").score_corpus([real_audio / "fdb_examples" / "smooth_turn_taking_example"])
    metrics = result.samples[0].metrics
    assert metrics["user_vad_samples"] == [(7200, 32224)]
    assert metrics["agent_vad_samples"] == [(54304, 61408), (72736, 102368), (111648, 130528), (135200, 166400)]
    assert metrics["response_intervals"] == [(2.014, 3.394)] and metrics["stop_intervals"] == []
