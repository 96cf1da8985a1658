"""Rules of intervals: hand-worked values, no certainty that nobody has, and what counts as one observation."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.intervals.betting import decided_side
from simulator.intervals.difference import clusters_needed, holm_adjusted, interval_of_difference
from simulator.intervals.influence import influences
from simulator.intervals.observations import Origin, distinct, population, told
from simulator.intervals.pooled import cases_of, interval, is_rate
from simulator.intervals.quantile import quantile_bounds
from simulator.intervals.share import cases_as_measured, effective_cases, wilson, wilson_corrected
from simulator.score import Definition, Parts, Statistic, value_of

Z95 = 1.959964


def card(statistic: Statistic = "mean", unit: str = "s", **more: Any) -> Definition:
    """A definition."""
    return Definition(id="m.x", unit=unit, title="x", statistic=statistic, **more)


def each(*values: float) -> list[Parts]:
    """A cluster per value."""
    return [{"values": [value]} for value in values]


def test_wilson_is_as_published() -> None:
    """Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20 and 1 of 29, by methods 3 and 4."""
    published = [
        (81, 263, (0.2553, 0.3662), (0.2535, 0.3682)),
        (15, 148, (0.0624, 0.1605), (0.0598, 0.1644)),
        (0, 20, (0.0, 0.1611), (0.0, 0.2005)),
        (1, 29, (0.0061, 0.1718), (0.0018, 0.1963)),
    ]
    for count, of, plain, corrected in published:
        assert wilson(count / of, of, Z95) == pytest.approx(plain, abs=5e-5)
        assert wilson_corrected(count / of, of, Z95) == pytest.approx(corrected, abs=5e-5)


def test_a_mean_of_alike_spread_is_students() -> None:
    """1, 2, 3: no skewness, standard error 1 / sqrt(3), t(2) = 4.302653."""
    found = interval(card(), each(11.0, 12.0, 13.0)).bounds
    reach = 4.302653 / math.sqrt(3)
    assert found == pytest.approx((12 - reach, 12 + reach), abs=1e-5)


def test_what_is_skewed_reaches_further_on_its_side() -> None:
    """One slow session of six: more room above than below; all values mirrored: the other way round."""
    values = [1.0, 1.1, 0.9, 1.0, 1.2, 3.0]
    middle = sum(values) / 6
    low, high = interval(card(), each(*values)).bounds or (0, 0)
    assert high - middle > middle - low > 0
    mirrored = interval(card(), each(*(-value for value in values))).bounds
    assert mirrored == pytest.approx((-high, -low))


@pytest.mark.parametrize(
    ("definition", "clusters", "reason"),
    [
        (card(), each(1.0, 2.0), "2 independent observations; an interval needs 3"),
        (card(), [*each(1.0, 2.0), {"values": []}], "2 independent observations; an interval needs 3"),
        (card(), each(2.0, 2.0, 2.0), "all 3 observations give the same value"),
        (card("p50"), each(2.0, 2.0, 2.0, 2.0), "all 4 observations give the same value"),
        (card("p95"), [{"values": [1.0, 2.0, 3.0]}] * 6, "18 values; the interval of a 95th percentile needs 20"),
        (card("sum", "count"), [{"count": 1}, {"count": 2}, {"count": 3}], "a count is what it is"),
    ],
)
def test_no_interval_without_a_reason(definition: Definition, clusters: list[Parts], reason: str) -> None:
    """Nothing is claimed of too little; the reason is a sentence of its own."""
    assert interval(definition, clusters) == (None, reason)


def test_nothing_but_successes_is_no_certainty() -> None:
    """Five of five: the exact one-sided bound is .05^(1/5) = .549, and two-sided Newcombe's is wider still."""
    low, high = interval(card("ratio", "ratio"), [{"count": 1, "of": 1}] * 5).bounds or (1, 0)
    assert 0.4 < low < 0.55 and high == 1.0


PARTS = st.lists(st.lists(st.floats(-50, 50).map(lambda value: round(value, 2)), max_size=5), min_size=3, max_size=9)
STATISTICS: list[Statistic] = ["mean", "fmean", "std", "trimmed_mean", "p50", "p95", "w1"]


@given(st.sampled_from(STATISTICS), PARTS)
def test_an_interval_has_a_width_or_a_reason(statistic: Statistic, lists: list[list[float]]) -> None:
    """Whatever was measured: finite bounds with room between them, or none and why."""
    found = interval(card(statistic, reference=(0.0, 1.0)), [{"values": values} for values in lists])
    assert (found.bounds is None) == (found.reason is not None)
    if found.bounds is not None:
        assert math.isfinite(found.bounds[0]) and found.bounds[0] < found.bounds[1] < math.inf


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=3, max_size=12))
def test_a_share_lies_within_what_is_possible(pairs: list[tuple[int, int]]) -> None:
    """Between 0 and 1, around the value, however the cases are spread over clusters."""
    parts: list[Parts] = [{"count": count, "of": count + more} for count, more in pairs]
    found = interval(card("ratio", "ratio"), parts)
    value = value_of(card("ratio", "ratio"), {"count": sum(c for c, _ in pairs), "of": sum(c + m for c, m in pairs)})
    if found.bounds is not None:
        assert value is not None and 0 <= found.bounds[0] <= value <= found.bounds[1] <= 1


def test_trials_that_agree_add_little() -> None:
    """Ten scenarios of one trial, then each five times with the same answer: not five times the evidence."""
    once = np.array([1.0] * 6 + [0.0] * 4)
    assert effective_cases(once, np.ones(10)) == 10
    assert 10 < effective_cases(5 * once, np.full(10, 5.0)) < 14
    mixed = np.array([3.0, 2.0] * 5)  # nothing of it lies between clusters
    assert 30 < effective_cases(mixed, np.full(10, 5.0)) < 50


@pytest.mark.parametrize("count", [0.0, 2.0, 4.0])
def test_one_cluster_tells_nothing_of_how_clusters_differ(count: float) -> None:
    """Four cases of one session are believed to be as alike as any: 4 / (1 + 3 * 0.4)."""
    assert effective_cases(np.array([count]), np.array([4.0])) == pytest.approx(4 / 2.2)


@pytest.mark.parametrize("statistic", ["mean", "std", "trimmed_mean", "w1"])
def test_an_influence_is_what_leaving_a_cluster_out_does(statistic: Statistic) -> None:
    """Against the plain jackknife: the value without each cluster, on many clusters, where the limit has set in."""
    rng = np.random.default_rng(4)
    clusters: list[Parts] = [{"values": rng.exponential(1.0, 3).tolist()} for _ in range(400)]
    definition = card(statistic, reference=(0.2, 0.5, 3.0))

    def value(kept: list[Parts]) -> float:
        return value_of(definition, {"values": [one for parts in kept for one in parts["values"]]}) or 0.0

    left_out = np.array([value(clusters[:place] + clusters[place + 1 :]) for place in range(400)])
    jackknife = 399 / 400 * float(((left_out - left_out.mean()) ** 2).sum())
    assert 400 / 399 * float((influences(definition, clusters) ** 2).sum()) == pytest.approx(jackknife, rel=0.03)


def test_a_paired_difference_is_students_paired_test() -> None:
    """Differences 1, 2, 3, 4: t = 2.5 / (1.290994 / 2) = 3.872983 at 3 degrees of freedom, p = .030466."""
    pairs = list(zip(each(1, 1, 1, 1), each(2, 3, 4, 5), strict=True))
    found = interval_of_difference(card(), pairs)
    assert (found.value, found.clusters) == (2.5, 4)
    assert found.p == pytest.approx(0.030466, abs=1e-6) and found.effect == pytest.approx(2.5 / 1.290994)
    assert found.bounds == pytest.approx((2.5 - 3.182446 * 0.645497, 2.5 + 3.182446 * 0.645497), abs=1e-5)


def test_a_median_is_compared_within_clusters() -> None:
    """Medians 1, 5, 9 become 1.2, 5.3, 9.4: 0.3 +- 4.302653 x 0.1 / sqrt(3), however far apart the clusters lie."""
    first: list[Parts] = [{"values": [middle - 0.5, middle, middle + 3]} for middle in (1.0, 5.0, 9.0)]
    second: list[Parts] = [{"values": [middle]} for middle in (1.2, 5.3, 9.4)]
    found = interval_of_difference(card("p50"), list(zip(first, second, strict=True)))
    reach = 4.302653 * 0.1 / math.sqrt(3)
    assert found.value == pytest.approx(0.3) and found.bounds == pytest.approx((0.3 - reach, 0.3 + reach), abs=1e-6)


def test_a_95th_percentile_of_few_values_is_not_compared() -> None:
    """Of 15 values each the run's table has no interval, so a comparison has none; of 20 it has."""
    few: list[Parts] = [{"values": [middle, middle + 1, middle + 2]} for middle in (1.0, 5.0, 9.0, 2.0, 3.0)]
    late: list[Parts] = [
        {"values": [value + 0.1 * place for value in parts["values"]]} for place, parts in enumerate(few)
    ]
    found = interval_of_difference(card("p95"), list(zip(few, late, strict=True)))
    assert (found.p, found.bounds, found.reason) == (
        None,
        None,
        "15 values; the interval of a 95th percentile needs 20",
    )
    more = [({"values": one["values"] * 2}, {"values": two["values"] * 2}) for one, two in zip(few, late, strict=True)]
    assert interval_of_difference(card("p95"), more).bounds is not None


def test_two_clusters_differ_by_nothing_that_can_be_shown() -> None:
    """However far apart: no p, no interval, and the reason; a value on one side only is a finding."""
    found = interval_of_difference(card(), list(zip(each(1, 1), each(9, 9), strict=True)))
    assert (found.value, found.p, found.bounds) == (8.0, None, None) and "needs 3" in (found.reason or "")
    lost = interval_of_difference(card(), list(zip(each(1, 2, 3), [{"values": []}] * 3, strict=True)))
    assert (lost.first, lost.second, lost.reason) == (2.0, None, "undefined on the second side")


def test_what_has_a_value_on_one_side_alone_is_no_part_of_a_difference() -> None:
    """Answers of 1 s and 9 s, five each; who gives the quick ones alone is no quicker: five differences of 0, p = 1."""
    lost: list[Parts] = [{"values": []}] * 5
    pairs = list(zip(each(*[1.0] * 5, *[9.0] * 5), [*each(*[1.0] * 5), *lost], strict=True))
    found = interval_of_difference(card(), pairs)
    assert (found.first, found.second, found.value, found.p, found.clusters) == (1.0, 1.0, 0.0, 1.0, 5)
    assert (found.reason or "").startswith("5 of 10 independent observations left out: a value on one side alone; ")
    apart = interval_of_difference(card(), list(zip([*each(1, 2), *lost], [*lost[:2], *each(*range(5))], strict=True)))
    assert (apart.value, apart.reason) == (None, "no observation has a value on both sides")


def test_two_shares_differ_by_no_more_than_all() -> None:
    """From all of four cases to none: the difference is -1, and no interval reaches beyond."""
    some: list[Parts] = [{"count": number, "of": 1} for number in (1, 1, 1, 1, 0, 0, 0, 0)]
    found = interval_of_difference(card("ratio"), list(zip(some[:4], some[4:], strict=True)))
    assert found.value == -1 and found.bounds is not None and found.bounds[0] == -1 < found.bounds[1] < 0


def test_a_difference_that_is_the_same_everywhere_is_as_likely_as_coins_that_fall_alike() -> None:
    """Six times exactly 0.25 s more: p = 2 / 2^6, and no interval of width zero; identical runs: p = 1."""
    pairs = list(zip(each(1, 2, 3, 4, 5, 6), each(1.25, 2.25, 3.25, 4.25, 5.25, 6.25), strict=True))
    found = interval_of_difference(card(), pairs)
    assert (found.p, found.bounds) == (2**-5, None)
    assert interval_of_difference(card(), [(first, first) for first, _ in pairs]).p == 1.0


def test_holm_steps_down() -> None:
    """Holm (1979): .01, .04, .03 of three become .03, .06, .06; what has no p takes no part."""
    assert holm_adjusted([0.01, 0.04, None, 0.03]) == pytest.approx([0.03, 0.06, None, 0.06])


def test_how_many_more_would_do() -> None:
    """A spread of 1 and a difference of 1: ten clusters are the least with 80 % power (tables give n = 10)."""
    assert clusters_needed(1 / math.sqrt(5), 5, 1.0) == 10
    assert clusters_needed(1 / math.sqrt(5), 5, 100.0) == 3
    assert clusters_needed(1 / math.sqrt(5), 5, 1e-9) == pytest.approx((1.959964 + 0.841621) ** 2 * 1e18, rel=1e-4)


def test_identical_trials_count_once() -> None:
    """The same sound within a scenario and sample; unknown sound, and that of another sample, counts."""
    trials = [Origin("a", "", "x"), Origin("a", "", "x"), Origin("a", "", "x"), Origin("a", "", "y")]
    assert distinct(trials) == [0, 3]
    assert told(trials)[1] == "3 identical trials count once"
    assert told(trials[1:])[1] == "2 identical trials count once"
    assert told(trials[1:] + trials[3:])[1] == "4 identical trials count as 2"
    assert distinct([Origin("a"), Origin("a"), Origin("a", "s1", "x"), Origin("b", "s1", "x")]) == [0, 1, 2, 3]


def test_what_stands_together_is_a_cluster() -> None:
    """Scenarios where there are several; samples of one scenario; trials of one scenario without samples."""
    assert population([Origin("a"), Origin("a"), Origin("b")]) == ([[0, 1], [2]], "scenarios like these")
    samples = [Origin("a", "1"), Origin("a", "2"), Origin("a", "1")]
    assert population(samples) == ([[0, 2], [1]], "samples like these")
    assert population([Origin("a"), Origin("a")]) == ([[0], [1]], "further trials")
    assert told([Origin("a", "1"), Origin("a", "2")]) == [
        "intervals speak for samples like these: 2 independent observations"
    ]


def test_successes_decide_when_the_capital_says_so() -> None:
    """Nothing but successes against .9 at .99: never before log(100) / log(1 / .9) = 43.7 trials; failures at once."""
    side, trials = decided_side(np.ones(200), 0.9, 0.99)
    assert side == "above" and 44 <= trials <= 65
    side, trials = decided_side(np.zeros(200), 0.9, 0.99)
    assert side == "below" and trials <= 4
    assert decided_side(np.ones(20), 0.9, 0.99) == ("open", 20)
    assert decided_side(np.array([]), 0.9, 0.99) == ("open", 0)


@given(st.lists(st.floats(0, 1), max_size=60), st.floats(0, 1))
def test_deciding_reads_no_further_than_it_says(observed: list[float], bound: float) -> None:
    """What comes later cannot change what was decided."""
    side, trials = decided_side(np.array(observed), bound, 0.9)
    assert decided_side(np.array(observed[:trials]), bound, 0.9) == (side, trials)


def test_a_gate_errs_less_often_than_it_says() -> None:
    """At the bound itself, where nobody could be right: 300 runs of 200 trials, wrong at most three times."""
    rng = np.random.default_rng(9)
    sides = [decided_side(rng.binomial(4, 0.9, 200) / 4, 0.9, 0.99)[0] for _ in range(300)]
    assert sum(side == "below" for side in sides) <= 6 and sum(side == "above" for side in sides) <= 6


def test_leaving_out_the_only_cluster_with_cases_moves_nothing() -> None:
    """1 of 2, and a cluster without any case: without either the value is .5 as far as anybody knows."""
    clusters: list[Parts] = [{"count": 1, "of": 2}, {"count": 0, "of": 0}]
    assert influences(card("ratio", "ratio"), clusters).tolist() == [0, 0]


def test_a_quantiles_bounds_are_read_off_between_the_values() -> None:
    """Of 1, 2 ... 99 the value at a share is a hundred times that share, between two values as well as on one."""
    values, owner = np.arange(1.0, 100.0), np.arange(99)
    below = (values <= 90 - 0.8).astype(np.float64)  # numpy's: 1 + .9 * 98 = 89.2
    shares = wilson_corrected(0.9, effective_cases(below, np.ones(99)), Z95)
    assert quantile_bounds(values, owner, 0.9, Z95, 1.98) == pytest.approx((100 * shares[0], 100 * shares[1]))


def test_a_quantiles_bound_beyond_the_values_continues_their_tail() -> None:
    """Of 1, 2 ... 10 the outer quarter is three, 2 from the next on average: so much for every factor e beyond 1/11."""
    values, owner = np.arange(1.0, 11.0), np.arange(10)
    cases = effective_cases((values <= 9).astype(np.float64), np.ones(10))
    high = wilson_corrected(0.9, cases, Z95)[1]
    assert 10 / 11 < high < 1
    found = quantile_bounds(values, owner, 0.9, Z95, 2.26)
    assert found[1] == pytest.approx(10 + 2 * math.log(1 / 11 / max(1 - high, 1e-4)))
    mirrored = quantile_bounds(11 - values, owner, 0.1, Z95, 2.26)
    assert mirrored[0] == pytest.approx(11 - found[1])


@pytest.mark.parametrize(
    ("unit", "rate"), [("Hz", True), ("per min", True), ("calls/h", True), ("ratio", False), ("%", False)]
)
def test_counts_by_time_are_told_from_shares(unit: str, rate: bool) -> None:
    """A share is bounded by one, a rate by nothing."""
    assert is_rate(card("ratio", unit)) == rate


def test_a_medians_bounds_are_the_same_share_of_values_away_on_both_sides() -> None:
    """Wilson's at a share of .5 simplifies to .5 +- z / (2 sqrt(n + z^2)): .0966349 of 1, 2 ... 99."""
    found = interval(card("p50"), each(*np.arange(1.0, 100.0))).bounds
    assert found == pytest.approx((50 - 9.66349, 50 + 9.66349), abs=1e-4)


def test_the_tail_of_a_few_values_is_judged_by_the_outer_two() -> None:
    """Of 1, 2, 3, 4 the outer two lie 1.5 beyond the next on average; the share of .849961 lies ln(.2 / .150039) out.

    The outer quarter alone would be one value, which has no mean excess to speak of.
    """
    reach = 1.5 * math.log(0.2 / 0.150039)
    assert interval(card("p50"), each(1.0, 2.0, 3.0, 4.0)).bounds == pytest.approx((1 - reach, 4 + reach), abs=1e-4)


def test_a_share_of_cases_is_told_from_a_share_of_anything_else() -> None:
    """Whole cases, none above what they are of; seconds of seconds, and counts that exceed, are no cases."""
    ratio = card("ratio", "ratio")
    cases = cases_of(ratio, [{"count": 1, "of": 2}, {"count": 0, "of": 1}])
    assert cases is not None and (cases[0].tolist(), cases[1].tolist()) == ([1, 0], [2, 1])
    assert cases_of(ratio, [{"count": 0.5, "of": 2.5}, {"count": 1.0, "of": 2.0}]) is None
    assert cases_of(ratio, [{"count": 3, "of": 2}, {"count": 1, "of": 2}]) is None
    assert cases_of(ratio, [{"count": -1, "of": 2}, {"count": 1, "of": 2}]) is None


def test_verdicts_that_are_averaged_have_the_interval_of_the_share_they_are() -> None:
    """Yes is 1, no is 0: whether three of four are told as a mean or as a count of cases, it is the same finding."""
    counted: list[Parts] = [{"count": value, "of": 1} for value in (0, 1, 1, 1)]
    assert interval(card("mean", "share"), each(0, 1, 1, 1)) == interval(card("ratio", "share"), counted)
    assert cases_of(card("mean", "share"), each(0, 0.5, 1)) is None


def test_clusters_more_alike_than_chance_tell_no_more_than_independent_cases() -> None:
    """Half of every cluster: nothing lies between them, and twelve cases are twelve, less what few clusters know."""
    count, of = np.full(3, 2.0), np.full(3, 4.0)
    assert cases_as_measured(count, of, 2.0, 2.0) == pytest.approx(12)
    assert cases_as_measured(count, of, 2.0, 4.0) == pytest.approx(3)


def test_where_nothing_varies_no_cluster_pulls_at_the_deviation() -> None:
    """A deviation of zero has no slope to follow; it is zero without any of them."""
    assert influences(card("std"), each(2.0, 2.0, 2.0)).tolist() == [0, 0, 0]
