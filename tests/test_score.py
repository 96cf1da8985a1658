"""Scores: parts that add up, corpus values from sums, intervals clustered by scenario, no made-up numbers."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.intervals.observations import Origin
from simulator.score import (
    NOTHING,
    Definition,
    Score,
    Statistic,
    from_parts,
    pass_at_k,
    pass_hat_k,
    share,
    spread,
    undefined,
    value_of,
    wasserstein_1,
)
from simulator.scoring.pooling import pool

VALUES = st.lists(st.floats(-100, 100).map(lambda value: round(value, 3)), max_size=6)


def definition(statistic: Statistic, **more: Any) -> Definition:
    return Definition(id="m.x", unit="s", statistic=statistic, title="x", card="what x is", **more)


def test_a_share_of_nothing_is_undefined_and_says_why() -> None:
    """No cases: the value is None with the reason, never 0."""
    score = share(definition("ratio"), 0, 0, reason="nobody asked")
    assert (score.value, score.reason, score.n) == (None, "nobody asked", 0)
    assert undefined(definition("p50"), "silence").value is None


def test_a_ratio_is_scaled_count_over_cases() -> None:
    """scale times count over `of`; `n` is the number of cases unless the parts say otherwise."""
    assert share(definition("ratio", scale=60), 3, 4, reason="").value == 45
    assert from_parts(definition("ratio"), {"count": 3, "of": 0.5, "n": 3}, reason="").n == 3


@given(st.lists(VALUES, min_size=1, max_size=5), st.sampled_from(["mean", "p50", "p95"]))
def test_a_pooled_spread_is_that_of_all_values_together(groups: list[list[float]], statistic: Statistic) -> None:
    """Sessions with many values weigh more: no average of averages."""
    card = definition(statistic)
    scores = [spread(card, values, reason="none") for values in groups]
    together = [value for values in groups for value in values]
    pooled = pool(card, scores, origins(range(len(scores))))
    if not together:
        assert pooled.value is None
        assert pooled.ci95 is None
    else:
        expected = {"mean": np.mean, "p50": np.median, "p95": lambda v: np.quantile(v, 0.95)}[statistic](together)
        assert pooled.value == pytest.approx(float(expected), abs=1e-9)
        assert pooled.n == len(together)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(5, 9)), min_size=2, max_size=6))
def test_a_pooled_ratio_is_the_ratio_of_the_sums(pairs: list[tuple[int, int]]) -> None:
    """Counts and cases are added before dividing; the interval holds the value and lies between 0 and 1."""
    card = definition("ratio")
    pooled = pool(card, [share(card, count, of, reason="") for count, of in pairs], origins(range(len(pairs))))
    assert pooled.value == pytest.approx(sum(c for c, _ in pairs) / sum(o for _, o in pairs))
    assert (pooled.ci95 is None) == (len(pairs) < 3) == (pooled.ci95_reason is not None)
    assert pooled.ci95 is None or 0 <= pooled.ci95[0] <= pooled.value <= pooled.ci95[1] <= 1


def origins(scenarios: Iterable[object]) -> list[Origin]:
    """Sessions of these scenarios."""
    return [Origin(str(scenario)) for scenario in scenarios]


def test_a_pooled_sum_has_no_interval() -> None:
    """A count is what it is."""
    card = definition("sum")
    pooled = pool(card, [from_parts(card, {"count": count, "of": 1}, reason="") for count in (1, 2, 4)], origins("abc"))
    assert (pooled.value, pooled.ci95) == (7.0, None)


def test_what_was_not_measured_at_all_is_not_drawn() -> None:
    """A session without parts is no evidence: the interval is that of the others."""
    card = definition("mean")
    scores = [spread(card, [value], reason="") for value in (1.0, 2.0, 5.0)]
    bare = from_parts(card, {}, reason="no recogniser")
    assert pool(card, [*scores, bare], origins("abcd")) == pool(card, scores, origins("abc"))


def test_many_reasons_are_cut_short() -> None:
    """A table has one line for them: three, in the order of the sessions, and a sign that there are more."""
    card = definition("mean")
    scores = [undefined(card, reason) for reason in ("d", "c", NOTHING, "b", "a")]
    assert pool(card, scores, origins("abcde")).reason == "d; c; b; ..."
    assert pool(card, scores[2:3], origins("a")).reason == NOTHING


def test_pooling_undefined_scores_keeps_every_reason() -> None:
    """A corpus value that nobody could measure says why, each reason once."""
    card = definition("ratio")
    scores = [share(card, 0, 0, reason=reason) for reason in ("no turn", "silent", "no turn")]
    assert pool(card, scores, origins("abc")).reason == "no turn; silent"


def test_pooling_no_scores_is_undefined() -> None:
    """An empty run has no corpus value."""
    empty: list[Score] = []
    assert pool(definition("ratio"), empty, []).value is None


@given(VALUES.filter(bool), VALUES.filter(bool), st.floats(-5, 5))
def test_wasserstein_is_a_distance_of_distributions(one: list[float], two: list[float], by: float) -> None:
    """Zero for the same values in any order or number, symmetric, and a shift costs its own length."""
    assert wasserstein_1(one, [*reversed(one), *one]) == pytest.approx(0, abs=1e-9)
    assert wasserstein_1(one, two) == pytest.approx(wasserstein_1(two, one), abs=1e-9)
    assert wasserstein_1(one, [value + by for value in one]) == pytest.approx(abs(by), abs=1e-9)


def test_wasserstein_of_unequal_numbers_of_values() -> None:
    """{0, 1} against {0}: half of the mass moves by 1."""
    assert wasserstein_1([0, 1], [0]) == 0.5
    assert value_of(definition("w1"), {"values": [1.0]}) is None


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.integers(1, 6))
def test_pass_at_k_counts_draws_without_replacement(passed: list[bool], k: int) -> None:
    """pass@k and pass^k are the shares of k-subsets in which one, or every, trial passed."""
    from itertools import combinations

    if k > len(passed):
        assert pass_at_k(passed, k) is None
        assert pass_hat_k(passed, k) is None
        return
    subsets = list(combinations(passed, k))
    assert pass_at_k(passed, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))
    assert pass_hat_k(passed, k) == pytest.approx(sum(map(all, subsets)) / len(subsets))


def test_a_mean_does_not_depend_on_the_order_of_sessions() -> None:
    """Sums are exact: the same values in another order give the same bits."""
    values = [0.1, 1e16, -1e16, 0.2, 0.3]
    card = definition("fmean")
    assert value_of(card, {"values": values}) == value_of(card, {"values": sorted(values)})
    assert math.isclose(value_of(card, {"values": [0.1, 0.2]}) or 0, 0.15)
