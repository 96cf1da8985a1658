"""Full-Duplex-Bench's paired tests, and the statistics under them."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from metrics.compat.fdb.paired import PairedTest, critical_t, holm, paired_test, two_sided_p, without_outliers
from metrics.compat.fdb.significance import SignificanceSpec
from metrics.compat.options import Names
from simulator.scoring.corpus import CorpusResult
from tests.fdb_folders import write_sample


@pytest.mark.parametrize(
    ("t", "df", "p"),
    [  # closed forms: df 1 is arctan, df 2 algebraic
        (1.0, 1, 0.5),
        (2.0, 1, 1 - 2 / math.pi * math.atan(2.0)),
        (1e-6, 1, 1 - 2 / math.pi * math.atan(1e-6)),
        (3.0, 2, 1 - 3 / math.sqrt(11)),
        (0.0, 7, 1.0),
        (math.inf, 7, 0.0),
    ],
)
def test_the_t_distribution_where_it_has_a_closed_form(t: float, df: int, p: float) -> None:
    """Two-sided probabilities agree with the formulas for one and two degrees of freedom."""
    assert two_sided_p(t, df) == pytest.approx(p, abs=1e-14)


@pytest.mark.parametrize(
    ("df", "critical"),
    [(1, 12.706204736174698), (4, 2.7764451051977934), (30, 2.0422724563012373), (199, 1.9719565442517533)],
)
def test_critical_values_are_those_of_the_tables(df: int, critical: float) -> None:
    """The 95 % values, to twelve digits."""
    assert critical_t(0.05, df) == pytest.approx(critical, rel=1e-12)


@settings(deadline=None)
@given(st.floats(-50, 50), st.integers(1, 400))
def test_the_t_distribution_agrees_with_a_statistics_package(t: float, df: int) -> None:
    """Every probability is that of scipy, where it is installed; for t below 0.001 it rounds to 1 too early."""
    stats = pytest.importorskip("scipy.stats")
    assume(abs(t) >= 1e-3)
    assert two_sided_p(t, df) == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-11, abs=1e-300)


def test_a_paired_test_by_hand() -> None:
    """Differences 1, 2, 3, 4, 5: mean 3, sd sqrt(2.5), t = 3 / (sd / sqrt 5) with 4 degrees of freedom."""
    before = [10.0, 20.0, 30.0, 40.0, 50.0, math.nan]
    after = [11.0, 22.0, 33.0, 44.0, 55.0, 1.0]
    test = paired_test(before, after, "none")
    assert (test.n_raw, test.n_valid, test.n_used, test.n_dropped, test.df) == (6, 5, 5, 0, 4)
    assert (test.mean_before, test.mean_after, test.mean_diff) == (30.0, 33.0, 3.0)
    assert test.t == pytest.approx(3 / math.sqrt(0.5)) and test.cohen_dz == pytest.approx(3 / math.sqrt(2.5))
    reach = 2.7764451051977934 * math.sqrt(0.5)
    assert (test.ci95_low, test.ci95_high) == pytest.approx((3 - reach, 3 + reach))
    assert test.p_t == pytest.approx(0.013235, abs=1e-5)


def test_outliers_are_judged_on_the_difference() -> None:
    """mad: 3.5 scaled median deviations; none when they are 0. iqr: 1.5 ranges beyond the quartiles."""
    values = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    assert without_outliers(values, "mad").tolist() == [True, True, True, True, False]
    assert without_outliers(values, "iqr").tolist() == [True, True, True, True, False]
    assert without_outliers(values, "none").all()
    assert without_outliers(np.array([1.0, 1.0, 1.0, 100.0]), "mad").all()
    edge = np.array([-1.0, 0.0, 0.0, 1.0, 3.5 * 1.4826 * 0.5 + 1e-9])
    assert without_outliers(edge, "mad").shape == (5,)


def test_too_few_or_equal_differences_are_undefined() -> None:
    """The original skips or divides by zero; here the counts stand and the rest is None with the reason."""
    assert paired_test([1.0], [2.0], "mad").reason == "1 pairs are left; a paired test needs 2"
    alike = paired_test([1.0, 2.0], [2.0, 3.0], "mad")
    assert alike.t is None and alike.p_t is None and alike.mean_diff == 1.0 and "alike" in (alike.reason or "")


@given(st.lists(st.none() | st.floats(0, 1), max_size=8))
def test_holm_steps_down(ps: list[float | None]) -> None:
    """Sorted, times the number left, never decreasing, at most 1; tests without a p do not count."""
    tests = [PairedTest(n_raw=0, n_valid=0, n_used=0, n_dropped=0, p_t=p) for p in ps]
    adjusted = [test.p_adj for test in holm(tests)]
    real = sorted(p for p in ps if p is not None)
    steps = [max((len(real) - i) * p for i, p in enumerate(real[: rank + 1])) for rank in range(len(real))]
    assert sorted(p for p in adjusted if p is not None) == pytest.approx([min(1.0, step) for step in steps])
    assert [p is None for p in ps] == [p is None for p in adjusted]


def split(pre: float, post: float, clean: float, **extra: Any) -> dict[str, Any]:
    """A general_split.json with one measure."""
    return {
        "pre": {"wpm": 100.0, "mean_pitch": pre, **extra},
        "post": {"wpm": 120.0, "mean_pitch": post},
        "clean": {"wpm": 110.0, "mean_pitch": clean},
        "split_t": 5.0,
        "pre_dur_s": 5.0,
        "post_dur_s": 4.0,
    }


TAGGED = {"content_tag.json": {"behaviour": ["C_RESPOND"]}}


def dataset(root: Path) -> Path:
    """Six samples: four that enter, one not tagged, one with a rate of zero."""
    for index in range(4):
        write_sample(root / str(index), {**TAGGED, "general_split.json": split(100, 110 + index, 105)})
    write_sample(root / "4", {"content_tag.json": {"behaviour": ["C_RESUME"]}, "general_split.json": split(1, 2, 3)})
    silent = split(100, 120, 105)
    silent["post"]["wpm"] = 0
    write_sample(root / "5", {**TAGGED, "general_split.json": silent})
    return root


def values(result: CorpusResult, test: str) -> dict[str, float | None]:
    """The fields of one test."""
    return {
        name.rpartition(".")[2]: metric.value for name, metric in result.metrics.items() if name.startswith(test + ".")
    }


def test_rows_are_those_that_respond_and_speak(tmp_path: Path) -> None:
    """Only samples tagged C_RESPOND are loaded; rows with a rate of zero are dropped, and both numbers told."""
    result = SignificanceSpec(mode="strict").score_corpus([dataset(tmp_path)])
    assert result.metrics["rows_loaded"].value == 5 and result.metrics["rows_after_wpm_filter"].value == 4
    assert "not tagged C_RESPOND" in result.samples[4].notes[0]


def test_each_measure_is_tested_against_both(tmp_path: Path) -> None:
    """pre_vs_post and clean_vs_post per measure, after minus before, Holm over all of them."""
    result = SignificanceSpec(mode="strict", metrics=Names(["mean_pitch"])).score_corpus([dataset(tmp_path)])
    pre, clean = values(result, "pre_vs_post:mean_pitch"), values(result, "clean_vs_post:mean_pitch")
    direct = paired_test([100.0] * 4, [110.0, 111.0, 112.0, 113.0], "mad")
    assert pre["mean_diff"] == 11.5 and clean["mean_diff"] == 6.5 and pre["t"] == direct.t
    assert pre["p_adj"] == pytest.approx(2 * min(pre["p_t"] or 1, clean["p_t"] or 1))
    assert set(pre) == {
        "n_raw",
        "n_valid",
        "n_used",
        "n_dropped",
        "mean_before",
        "mean_after",
        "mean_diff",
        "ci95_low",
        "ci95_high",
        "t",
        "df",
        "p_t",
        "cohen_dz",
        "p_adj",
    }
    assert not values(result, "pre_vs_post:wpm")


def test_without_names_every_measure_is_tested(tmp_path: Path) -> None:
    """Every column of the parts, pre_dur_s too; a pair without its column is no test."""
    result = SignificanceSpec(mode="strict").score_corpus([dataset(tmp_path)])
    tests = {name.rpartition(".")[0] for name in result.metrics if ":" in name}
    assert tests == {
        "pre_vs_post:wpm",
        "clean_vs_post:wpm",
        "pre_vs_post:mean_pitch",
        "clean_vs_post:mean_pitch",
        "pre_vs_post:dur_s",
    }


def test_stand_ins_count_as_missing(tmp_path: Path) -> None:
    """A pitch of 0 and an intensity of -190 dB and less are no values; NaN in the file is none either."""
    text = json.dumps(split(0, 110, 105, mean_intensity=-200.0, utmosv2=math.nan))
    write_sample(tmp_path / "0", {**TAGGED, "general_split.json": text})
    write_sample(tmp_path / "1", {**TAGGED, "general_split.json": split(90, 110, 105, mean_intensity=60.0)})
    result = SignificanceSpec(mode="strict", metrics=Names(["mean_pitch", "mean_intensity"])).score_corpus([tmp_path])
    assert values(result, "pre_vs_post:mean_pitch")["n_valid"] == 1
    assert result.metrics["pre_vs_post:mean_intensity.t"].reason == "0 pairs are left; a paired test needs 2"


def test_tags_may_come_from_ready_replies(tmp_path: Path) -> None:
    """judge_replies=FILE gives the tags where content_tag.json is missing; without either a sample is left out."""
    for index in range(3):
        write_sample(tmp_path / "root" / str(index), {"general_split.json": split(100, 110 + index, 105)})
    replies = tmp_path / "replies.json"
    replies.write_text(json.dumps({"0": ['{"behaviour": ["C_RESPOND"]}'], "1": ['{"behaviour": ["C_RESUME"]}']}))
    result = SignificanceSpec(mode="strict", judge_replies=replies).score_corpus([tmp_path / "root"])
    assert result.metrics["rows_loaded"].value == 1 and "no judge reply is given" in result.samples[2].notes[0]
    bare = SignificanceSpec(mode="strict").score_corpus([tmp_path / "root"])
    assert bare.metrics["rows_loaded"].value == 0 and "content_tag.json is missing" in bare.samples[0].notes[0]
