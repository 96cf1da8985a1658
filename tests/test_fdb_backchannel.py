"""Full-Duplex-Bench's backchannel task."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.fdb.backchannel import (
    FdbBackchannelSpec,
    timing_distance,
    walk_as_original,
    walk_strictly,
    words_over,
)
from metrics.compat.fdb.samples import Chunk
from simulator.errors import ScenarioError
from simulator.scoring.corpus import CorpusResult
from tests.fdb_folders import silence, spoken, voiced, words, write_sample

TIMES = st.floats(0, 20, allow_nan=False).map(lambda value: round(value, 1))
SPANS = st.tuples(TIMES, st.floats(0, 4).map(lambda value: round(value, 1))).map(lambda pair: (pair[0], sum(pair)))
WORDS = st.lists(
    st.tuples(st.none() | TIMES, st.none() | TIMES).map(lambda pair: Chunk(text="w", timestamp=pair)), max_size=8
)


def oracle_words(start: float, end: float, chunks: list[Chunk]) -> int:
    """The counting of overlapping words, restated case by case."""
    count = 0
    for chunk in chunks:
        first, last = chunk.timestamp
        if first is None or (last is None and first < end):
            continue
        if last is None:
            last = first
        if (first >= start and last <= end) or (first <= end and last > end) or (first <= start and last > start):
            count += 1
    return count


def oracle_walk(spans: list[tuple[float, float]], chunks: list[Chunk]) -> tuple[int, list[tuple[float, float]]]:
    """The walk over segments, restated: verdict and listed spans."""
    verdict, listed = 0, []
    for start, end in spans:
        if end - start > 3:
            return 1, listed
        verdict = 0 if oracle_words(start, end, chunks) <= 2 and end - start < 1 else 1
        listed.append((start, end))
    return verdict, listed


def oracle_distance(spans: list[tuple[float, float]], human: list[float], duration: float) -> float:
    """The Jensen-Shannon distance, restated bin by bin."""
    bins = int(duration / 0.2) + 1
    counts = [1e-10] * bins
    for start, end in spans:
        for index in range(int(start / 0.2), int(end / 0.2) + 1):
            if index < bins:
                counts[index] += 1
    p = [count / sum(counts) for count in counts]
    q = []
    for index in range(bins):
        place = (index / (bins - 1) if bins > 1 else 0.0) * (len(human) - 1)
        low = min(int(place), len(human) - 1)
        high = min(low + 1, len(human) - 1)
        q.append(human[low] + (human[high] - human[low]) * (place - low))
    q = [share / sum(q) for share in q]
    m = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    left = math.fsum(a * math.log(a / c) for a, c in zip(p, m, strict=True) if a > 0)
    right = math.fsum(b * math.log(b / c) for b, c in zip(q, m, strict=True) if b > 0)
    return math.sqrt(max(0.0, left + right) / 2)


@given(SPANS, WORDS)
def test_words_are_counted_by_the_rule(span: tuple[float, float], chunks: list[Chunk]) -> None:
    """Inside, over the end, or over the start; words without end are moments, and only after the segment."""
    assert words_over(*span, chunks) == oracle_words(*span, chunks)


@given(st.lists(SPANS, max_size=6), WORDS)
def test_the_original_walk(spans: list[tuple[float, float]], chunks: list[Chunk]) -> None:
    """The last verdict wins, and a long segment ends the walk."""
    found = walk_as_original(spans, chunks)
    assert (int(found.takeover), found.spans) == oracle_walk(spans, chunks)
    assert found.words == [oracle_words(*span, chunks) for span in found.spans]


@given(st.lists(SPANS, max_size=6), WORDS)
def test_the_strict_walk_never_forgets_a_takeover(spans: list[tuple[float, float]], chunks: list[Chunk]) -> None:
    """Any takeover counts, and only short segments with at most two words are listed."""
    found = walk_strictly(spans, chunks)
    short = [span for span in spans if span[1] - span[0] < 1 and oracle_words(*span, chunks) <= 2]
    assert found.spans == short and found.takeover == (len(short) < len(spans))


@given(
    st.lists(SPANS, min_size=1, max_size=5),
    st.lists(st.integers(1, 50), min_size=2, max_size=40),
    st.floats(1, 30),
)
def test_the_distance_is_that_of_the_bins(spans: list[tuple[float, float]], counts: list[int], duration: float) -> None:
    """Histogram of 0.2 s bins against the interpolated human distribution, root of the divergence, base e."""
    human = [count / sum(counts) for count in counts]
    found, wanted = timing_distance(spans, human, duration), oracle_distance(spans, human, duration)
    assert found**2 == pytest.approx(wanted**2, abs=1e-12)


def test_the_distance_is_bounded_by_the_root_of_log_2() -> None:
    """Distributions with nothing in common are sqrt(ln 2) apart."""
    human = [0.0] * 100 + [1.0] + [0.0] * 100
    assert timing_distance([(0.0, 0.1)], human, 40.0) == pytest.approx(math.sqrt(math.log(2)), abs=1e-6)


def score(root: Path, **options: Any) -> CorpusResult:
    """Score with a flat human distribution for samples 0 to 9."""
    gt = root.parent / "gt.json"
    gt.write_text(json.dumps({str(index): [1 / 50] * 50 for index in range(10)}))
    return FdbBackchannelSpec(gt=gt, **{"mode": "strict", **options}).score_corpus([root])


def given_segments(folder: Path, agent: dict[str, Any]) -> Path:
    """Write a file of the agent's segments."""
    path = folder / "segments.json"
    path.write_text(json.dumps({name: {"agent": spans} for name, spans in agent.items()}))
    return path


def test_a_sample_from_segments_to_table(tmp_path: Path) -> None:
    """tor, frequency, distance, their means and population deviations, and what they rest on."""
    root = tmp_path / "root"
    write_sample(root / "0", {"output.wav": silence(10), "output.json": words(("mm", 1.0, 1.3), ("hm", 5.0, 5.2))})
    write_sample(root / "1", {"output.wav": silence(20), "output.json": spoken(2.0, 8)})
    segments = given_segments(tmp_path, {"0": [[1.0, 1.4], [5.0, 5.3]], "1": [[2.0, 4.4]]})
    result = score(root, mode="compat", segments=segments)
    first, second = (sample.metrics for sample in result.samples)
    assert first["tor"] == 0.0 and first["freq_hz"] == 0.2 and first["words_per_segment"] == [1, 1]
    assert second["tor"] == 1.0 and second["freq_hz"] == 1 / 20 and second["predicted"] == [(2.0, 4.4)]
    distances = [
        oracle_distance(spans, [1 / 50] * 50, length)
        for spans, length in (([(1.0, 1.4), (5.0, 5.3)], 10.0), ([(2.0, 4.4)], 20.0))
    ]
    assert [first["jsd"], second["jsd"]] == pytest.approx(distances, abs=1e-12)
    metrics = {name: metric.value for name, metric in result.metrics.items()}
    assert metrics["tor"] == 0.5 and metrics["tor_std"] == 0.5
    assert metrics["jsd"] == pytest.approx(np.mean(distances)) and metrics["jsd_std"] == pytest.approx(
        np.std(distances)
    )
    assert metrics["freq_hz_std"] == pytest.approx(np.std([0.2, 0.05]))
    assert result.metrics["jsd_std"].n == 2


def test_a_silent_agent_has_a_sentinel_or_nothing(tmp_path: Path) -> None:
    """compat gives the original's 1 with the reason sentinel, strict null."""
    root = tmp_path / "root"
    write_sample(root / "0", {"output.wav": silence(6), "output.json": words()})
    compat, strict = score(root, mode="compat").metrics["jsd"], score(root).metrics["jsd"]
    assert compat.value == 1.0 and compat.reason == "sentinel" and compat.n == 1
    assert strict.value is None and strict.reason == "the agent says no backchannel"


def test_the_distance_needs_a_reference(tmp_path: Path) -> None:
    """Without gt=FILE, or without the sample in it, the distance is undefined and says why; the rest is scored."""
    root = tmp_path / "root"
    write_sample(root / "77", {"output.wav": silence(6), "output.json": words()})
    without = FdbBackchannelSpec(mode="compat").score_corpus([root])
    assert without.metrics["jsd"].reason == "no reference distribution is given (gt=FILE)"
    assert without.metrics["tor"].value == 0.0
    assert score(root, mode="compat").metrics["jsd"].reason == "gt holds no distribution for the sample"


def test_a_reference_of_the_wrong_shape_is_refused(tmp_path: Path) -> None:
    """gt=FILE must give numbers per sample id."""
    (tmp_path / "gt.json").write_text('{"0": "flat"}')
    write_sample(tmp_path / "0", {"output.wav": silence(6), "output.json": words()})
    with pytest.raises(ScenarioError, match=r"gt=.*expected"):
        FdbBackchannelSpec(mode="strict", gt=tmp_path / "gt.json").score_corpus([tmp_path])


def test_stereo_and_oddly_named_folders_are_left_out(tmp_path: Path) -> None:
    """Stereo sound crashes the original; a folder whose name is no number is skipped by it (strict takes it)."""
    root = tmp_path / "root"
    write_sample(root / "0", {"output.wav": silence(6, channels=2), "output.json": words()})
    write_sample(root / "extra", {"output.wav": silence(6), "output.json": words()})
    compat = score(root, mode="compat")
    assert compat.metrics["tor"].value is None and compat.n == 0
    assert ["2 channels" in compat.samples[0].notes[0], "not a number" in compat.samples[1].notes[0]] == [True, True]
    assert score(root).metrics["tor"].n == 1


def test_only_strict_hears_the_real_rate(tmp_path: Path, real_audio: Path) -> None:
    """compat hears a 24 kHz file 1.5 times slow, as the original does; strict gives the times of the 16 kHz file."""
    import soundfile

    from simulator.sound.recordings import resample

    samples, rate = soundfile.read(real_audio / "speech" / "order_status.wav", dtype="float32")
    root = tmp_path / "root"
    write_sample(root / "0", {"output.wav": (16000, samples), "output.json": words()})
    write_sample(root / "1", {"output.wav": (24000, resample(samples, rate, 24000)), "output.json": words()})
    compat = [sample.metrics["vad_segments"] for sample in score(root, mode="compat").samples]
    strict = [sample.metrics["vad_segments"] for sample in score(root).samples]
    assert compat[1][-1][1] > 1.3 * compat[0][-1][1]
    assert np.allclose(strict[0], strict[1], atol=0.07)
    assert all(round(time, 1) == time for time, _ in compat[0])


def test_loud_noise_is_no_speech(tmp_path: Path) -> None:
    """What the detector takes for no speech is no backchannel, however loud."""
    root = tmp_path / "root"
    rng = np.random.default_rng(0)
    write_sample(root / "0", {"output.wav": (16000, 0.1 * rng.standard_normal(64000)), "output.json": words()})
    assert score(root, mode="compat").samples[0].metrics["vad_segments"] == []


def test_words_are_not_needed_without_segments(tmp_path: Path) -> None:
    """A silent sample without a word file is scored all the same."""
    root = tmp_path / "root"
    write_sample(root / "0", {"output.wav": voiced([], 6)})
    result = score(root, mode="compat")
    assert result.metrics["tor"].value == 0.0 and result.metrics["freq_hz"].value == 0.0
