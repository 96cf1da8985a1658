"""Corpus values of compatibility scorers from joined parts, their intervals, sentinels and rounding."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.as_scorer import AsScorer, Column, Measured, corpus_result
from metrics.compat.pooling import interval, value_of
from simulator.scoring.corpus import CorpusScorer

VALUES = st.lists(st.floats(-100, 100), min_size=1, max_size=12)


@given(VALUES)
def test_values_are_those_of_the_joined_list(values: list[float]) -> None:
    """mean, population deviation and the mean between the 5th and 95th percentile, as numpy has them."""
    parts = {"values": values}
    assert value_of("mean", parts) == pytest.approx(np.mean(values), abs=1e-9)
    assert value_of("std", parts) == pytest.approx(np.std(values), abs=1e-9)
    low, high = np.percentile(values, [5, 95])
    inner = [value for value in values if low <= value <= high] if len(values) >= 3 else values
    assert value_of("trimmed_mean", parts) == pytest.approx(np.mean(inner), abs=1e-9)


@pytest.mark.parametrize("statistic", ["mean", "std", "trimmed_mean", "p50", "ratio"])
@pytest.mark.parametrize("parts", [None, {"values": [], "count": 0, "of": 0}])
def test_nothing_measured_has_no_value(statistic: Any, parts: Mapping[str, Any] | None) -> None:
    """No parts, empty parts: None."""
    assert value_of(statistic, parts) is None


@pytest.mark.parametrize("statistic", ["mean", "std", "trimmed_mean", "p50"])
def test_intervals_draw_whole_samples(statistic: Any) -> None:
    """Seeded, ordered, and wider for few samples with many values than for many samples with one each."""
    rng = np.random.default_rng(0)
    groups = [list(rng.normal(rng.normal(0, 3), 0.1, 10)) for _ in range(8)]
    clustered = interval(statistic, [{"values": group} for group in groups])
    spread = interval(statistic, [{"values": [value]} for group in groups for value in group])
    assert clustered is not None and spread is not None and clustered[0] < clustered[1]
    assert clustered == interval(statistic, [{"values": group} for group in groups])
    assert clustered[1] - clustered[0] > spread[1] - spread[0]


def test_one_sample_and_sums_have_no_interval() -> None:
    """There is nothing to draw from one sample; a count is what it is."""
    assert interval("mean", [{"values": [1.0, 2.0]}]) is None
    assert interval("sum", [{"count": 1, "of": 1}] * 3) is None
    assert interval("ratio", [{"count": 1, "of": 2}, {"count": 0, "of": 2}]) == (0.0, 0.5)


class Trial(AsScorer, CorpusScorer, frozen=True, kw_only=True, tag="trial"):
    """A scorer with one column of each sort."""

    table = (
        Column(id="m", unit="s", title="a mean"),
        Column(id="m_std", of="m", unit="s", title="its deviation", statistic="std"),
        Column(id="r", unit="share", title="a rounded share", statistic="ratio", decimals=2),
        Column(id="s", unit="s", title="with a stand-in", sentinel=9999.0),
    )
    accepts = ("fdb",)
    extras = ("besides",)


def measured(value: float | None) -> Measured:
    """A measurement with or without a value."""
    found = Measured(shown={} if value is None else {"besides": [value]})
    if value is None:
        found.undefined(["m", "r"], "nothing there")
    else:
        found.add("m", value)
        found.parts["r"] = {"count": 1, "of": 3}
    return found


def test_a_result_holds_metrics_and_samples() -> None:
    """n counts what entered; a spread beside a mean is of the corpus only; a skipped sample shows nulls."""
    result = corpus_result(Trial(), [("a", measured(1.0)), ("b", measured(3.0)), ("c", measured(None))])
    assert result.n == 2 and result.metrics["m"].value == 2.0 and result.metrics["m"].n == 2
    assert result.metrics["m_std"].value == 1.0 and result.metrics["r"].value == 1 / 3
    assert result.samples[0].metrics == {"m": 1.0, "r": 1 / 3, "s": None, "besides": [1.0]}
    assert result.samples[2].metrics == {"m": None, "r": None, "s": None, "besides": None}


def test_stand_ins_and_rounding_belong_to_compat() -> None:
    """compat gives the original's stand-in with the reason sentinel and rounds; strict gives null and all digits."""
    samples = [("a", measured(1.0))]
    strict, compat = corpus_result(Trial(), samples).metrics, corpus_result(Trial(mode="compat"), samples).metrics
    assert (compat["s"].value, compat["s"].reason, compat["s"].n) == (9999.0, "sentinel", 0)
    assert strict["s"].value is None and compat["r"].value == 0.33


def test_a_sentinel_among_values_is_not_the_value() -> None:
    """The reason says sentinel only where nothing but stand-ins entered."""
    stand_in, real = measured(1.0), measured(0.5)
    stand_in.sentinels.add("m")
    compat = Trial(mode="compat")
    assert corpus_result(compat, [("a", stand_in)]).metrics["m"].reason == "sentinel"
    assert corpus_result(compat, [("a", stand_in), ("b", real)]).metrics["m"].reason is None
