"""dGSLM's counts against a recount on a grid, and the `dgslm` scorer."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.dgslm.events import backchannel_count, event_durations, merge_units, wasserstein
from metrics.compat.dgslm.scorer import DgslmSpec
from simulator.errors import ScenarioError, SessionError

CELL_S, CELLS = 0.05, 240

Cells = list[tuple[int, int]]


def cells() -> st.SearchStrategy[Cells]:
    """Segments on a grid of 50 ms in 12 s, in any order, overlapping or not."""
    return st.lists(st.tuples(st.integers(0, CELLS - 1), st.integers(1, 50)), max_size=8).map(
        lambda found: [(start, min(start + length, CELLS)) for start, length in found]
    )


def in_seconds(found: Cells) -> list[tuple[float, float]]:
    """Cells as seconds."""
    return [(start * CELL_S, end * CELL_S) for start, end in found]


def merged_flags(found: Cells) -> list[bool]:
    """Whether each cell lies in a unit: gaps of at most four cells (200 ms) are filled."""
    flags = [any(start <= cell < end for start, end in found) for cell in range(CELLS)]
    for cell in range(CELLS):
        left = next((back for back in range(1, 6) if cell - back >= 0 and flags[cell - back]), None)
        right = next((ahead for ahead in range(1, 6) if cell + ahead < CELLS and flags[cell + ahead]), None)
        if not flags[cell] and left and right and left + right - 1 <= 4:
            flags[cell] = None  # type: ignore[call-overload]
    return [flag is None or flag for flag in flags]


def runs(flags: list[bool]) -> list[tuple[int, int]]:
    """Maximal stretches of true cells."""
    edges = [
        cell for cell in range(len(flags) + 1) if (cell < len(flags) and flags[cell]) != (cell > 0 and flags[cell - 1])
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))


@given(cells(), cells())
def test_events_agree_with_a_recount_on_the_grid(user: Cells, agent: Cells) -> None:
    """Units, pauses, gaps, overlaps and back-channels equal those counted cell by cell."""
    u, a = merged_flags(user), merged_flags(agent)
    units = {0: runs(u), 1: runs(a)}
    pauses: list[float] = []
    gaps: list[float] = []
    for start, end in runs([not (one or other) for one, other in zip(u, a, strict=True)]):
        if start == 0 or end == CELLS:
            continue
        same = any(
            any(stop == start for _, stop in units[side]) and any(begin == end for begin, _ in units[side])
            for side in units
        )
        (pauses if same else gaps).append((end - start) * CELL_S)
    overlaps = [(end - start) * CELL_S for start, end in runs([one and other for one, other in zip(u, a, strict=True)])]
    heard = (merge_units(in_seconds(user)), merge_units(in_seconds(agent)))
    found = event_durations(heard[0], heard[1], CELLS * CELL_S)
    assert found.ipu == pytest.approx([(end - start) * CELL_S for side in units for start, end in units[side]])
    assert found.pause == pytest.approx(pauses)
    assert found.gap == pytest.approx(gaps)
    assert found.overlap == pytest.approx(overlaps)
    # Whether a unit is shorter than 1 s is asked of raw floats, as in the original.
    listening = sum(
        2 * sum((a if side == 0 else u)[start:end]) >= end - start
        for side in units
        for start, end in units[side]
        if end * CELL_S - start * CELL_S < 1.0
    )
    assert backchannel_count(*heard) == listening


@pytest.mark.parametrize(("gap_s", "units"), [(0.2, 1), (0.19999, 1), (0.2001, 2)])
def test_gaps_up_to_200_ms_merge(gap_s: float, units: int) -> None:
    """A gap of exactly 200 ms merges also where floats make it a hair longer."""
    assert len(merge_units([(1.0, 3.0), (3.0 + gap_s, 4.0)])) == units


def test_units_in_any_order_and_nested_ones_merge() -> None:
    """Segments need not be sorted; one inside another adds nothing."""
    assert merge_units([(5.0, 6.0), (1.0, 4.0), (2.0, 3.0)]) == [(1.0, 4.0), (5.0, 6.0)]


def test_silence_at_the_ends_is_neither_pause_nor_gap() -> None:
    """Leading and trailing silence, and a silent recording, count nothing."""
    assert event_durations([(1.0, 2.0)], [], 4.0)[1:] == ([], [], [])
    assert event_durations([], [], 4.0) == ([], [], [], [])


def test_a_silence_whose_edges_share_a_speaker_is_a_pause() -> None:
    """When both stop together and one goes on, the silence is that one's pause."""
    assert event_durations([(0.0, 1.0), (2.0, 3.0)], [(0.5, 1.0)], 4.0).pause == [1.0]
    assert event_durations([(0.0, 1.0)], [(2.0, 3.0)], 4.0).gap == [1.0]


@given(st.lists(st.floats(0, 10), max_size=12), st.lists(st.floats(0, 10), max_size=12))
def test_wasserstein_is_the_area_between_the_quantiles(ours: list[float], theirs: list[float]) -> None:
    """Stretched to one length, the mean distance of the sorted values; None for an empty list."""
    found = wasserstein(ours, theirs)
    if not ours or not theirs:
        assert found is None
        return
    stretched = zip(sorted(ours * len(theirs)), sorted(theirs * len(ours)), strict=True)
    assert found == pytest.approx(sum(abs(one - other) for one, other in stretched) / (len(ours) * len(theirs)))


def recordings(folder: Path, *names: str) -> Path:
    """Stereo files of 6 s of silence."""
    folder.mkdir(exist_ok=True)
    for name in names:
        soundfile.write(folder / f"{name}.wav", np.zeros((48000, 2), np.float32), 8000)
    return folder


def test_the_corpus_is_the_plain_mean_over_recordings(tmp_path: Path) -> None:
    """Each recording's rate counts once; distances to a reference leave out what has none."""
    segments = {
        "a": {"user": [[0.5, 1.5], [2.0, 3.0]], "agent": []},
        "b": {"user": [], "agent": [[1.0, 2.0]]},
    }
    reference = {"a": {"user": [[0.0, 2.0], [4.0, 5.0]], "agent": []}}
    (tmp_path / "s.json").write_text(json.dumps(segments))
    (tmp_path / "r.json").write_text(json.dumps(reference))
    spec = DgslmSpec(segments=tmp_path / "s.json", reference=tmp_path / "r.json")
    result = spec.score_corpus([recordings(tmp_path / "calls", "a", "b")])
    assert result.mode == "compat"
    assert result.metrics["ipu_per_min"].value == pytest.approx((20 + 10) / 2)
    assert result.metrics["pause_dur_per_min"].value == pytest.approx(5 / 2)
    assert result.metrics["w1_ipu"].value == pytest.approx(0.5)
    assert result.metrics["w1_ipu"].n == 1
    assert result.metrics["w1_gap"].value is None
    assert "no gap" in str(result.metrics["w1_gap"].reason)
    assert [sample.metrics["pause_per_min"] for sample in result.samples] == [pytest.approx(10), 0.0]


def test_silence_is_detected_as_silence(tmp_path: Path) -> None:
    """Without given segments the detector listens; a silent recording has rates of 0 and says so."""
    result = DgslmSpec(mode="strict").score_corpus([recordings(tmp_path / "calls", "quiet")])
    assert result.metrics["ipu_per_min"].value == 0.0
    assert result.samples[0].notes[-2:] == ["no speech of the user was found", "no speech of the agent was found"]


def test_mono_files_are_told_and_refused_when_alone(tmp_path: Path) -> None:
    """A file of one channel is skipped; nothing but such files is a refusal."""
    folder = recordings(tmp_path / "calls", "good")
    soundfile.write(folder / "mono.wav", np.zeros(8000), 8000)
    result = DgslmSpec(mode="strict").score_corpus([folder])
    assert [bool(sample.metrics["ipu_per_min"] is None) for sample in result.samples] == [False, True]
    with pytest.raises((SessionError, ScenarioError), match="channel"):
        DgslmSpec(mode="strict").score_corpus([folder / "mono.wav"])
