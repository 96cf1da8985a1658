"""What becomes of an expectation that asks for a confidence: held, failed, or undecided.

Trials come in rounds, one of every sample (of a scenario without a dataset: one session). A round is one observation,
and simulator/intervals/betting.py decides by one after the other, so that a run may stop as soon as it knows. A
quantile is decided by the share of values on the right side of its bound. What has no known range (a mean of seconds)
can only be judged when all is over, by the interval of its pooled value.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from simulator.intervals.betting import decided_side
from simulator.intervals.observations import distinct
from simulator.intervals.pooled import QUANTILES
from simulator.intervals.share import Floats
from simulator.reading.expect import Expectation, Verdict, judge, undecidable, values_of_one, verdict_of
from simulator.results.row import Row, RowScore, scored
from simulator.score import Definition, Parts, Score, add_parts
from simulator.scoring.pooling import pool
from simulator.scoring.validity import counts


def decided(expectation: Expectation, definition: Definition, rows: Sequence[Row]) -> Verdict:
    """Judge an expectation by a scenario's sessions, in the order of their trials."""
    rows = [row for row in rows if counts(definition.id, row.invalid)]
    found = list(scored(rows, definition.id))
    scores, origins = [score for _, score in found], [row.origin for row, _ in found]
    pooled = pool(definition, scores, origins)
    if expectation.outcome is not None and pooled.value is not None:
        told = _in_how_many(scores)
        if expectation.confidence is None:
            kept = [scores[place] for place in distinct(origins)]  # as the pooled value has them
            passed = expectation.holds(sum(score.parts["count"] for score in kept) / len(kept))
            return verdict_of(expectation, pooled.value, passed=passed, reason=told if len(scores) > 1 else None)
    if pooled.value is None or expectation.confidence is None:
        return judge(expectation, {definition.id: pooled})
    if all_alike(rows):
        reason = f"{len(rows)} identical trials: nothing in them depends on the seed"
        return verdict_of(expectation, pooled.value, passed=expectation.holds(pooled.value), reason=reason)
    if undecidable(expectation, definition) is not None:
        wide = pool(definition, scores, origins, confidence=2 * expectation.confidence - 1)
        return _by_interval(expectation, wide)
    if expectation.outcome is not None:
        found = [(row, score if score.value is not None else _unmet(score)) for row, score in found]
    return _by_rounds(expectation, definition, pooled.value, _rounds(found))


def _in_how_many(scores: Sequence[RowScore]) -> str:
    """Say in how many sessions an outcome was met; one that is undefined in some of them counts as unmet there."""
    met, defined = (sum(int(score.parts[word]) for score in scores) for word in ("count", "of"))
    unknown = next((score.reason for score in scores if score.value is None), None)
    more = f", undefined in {len(scores) - defined}: {unknown}" if defined < len(scores) else ""
    return f"met in {met} of {len(scores)} sessions{more}"


def _unmet(score: RowScore) -> RowScore:
    """An outcome of which nobody can tell counts as unmet."""
    return msgspec.structs.replace(score, parts={"count": 0, "of": 1})


def all_alike(rows: Sequence[Row]) -> bool:
    """Say whether every sample was repeated, and sounded the same every time, bit by bit."""
    places = {(row.scenario, row.sample) for row in rows}
    return len(rows) > len(places) == len(distinct([row.origin for row in rows]))


def _rounds(found: Sequence[tuple[Row, RowScore]]) -> list[Parts]:
    """The summed parts of each round, by trial."""
    rounds: dict[int, list[Parts]] = {}
    for row, score in found:
        rounds.setdefault(row.trial, []).append(score.parts)
    return [add_parts(rounds[trial]) for trial in sorted(rounds)]


def _by_rounds(expectation: Expectation, definition: Definition, value: float, rounds: Sequence[Parts]) -> Verdict:
    upward = expectation.op in (">", ">=")
    observed, bound = _observed(expectation, definition, rounds, upward=upward)
    outside = float(max(-observed.min(initial=0.0), observed.max(initial=0.0) - 1))
    if outside > 1e-9:
        lies = list(values_of_one(expectation, definition))
        reason = f"undecided: a session's value lies outside {lies}; say `within` what they lie"
        return verdict_of(expectation, value, passed=False, undecided=True, reason=reason)
    if definition.statistic not in QUANTILES:
        edges = {expectation.holds(edge) for edge in values_of_one(expectation, definition)}
        if len(edges) == 1:  # whatever the sessions say
            reason = (
                f"values lie between {' and '.join(f'{edge:g}' for edge in values_of_one(expectation, definition))}"
            )
            return verdict_of(expectation, value, passed=edges.pop(), reason=reason)
    assert expectation.confidence is not None
    side, trials = decided_side(np.clip(observed, 0, 1), bound, expectation.confidence)
    if side == "open":
        reason = (
            f"undecided after {len(rounds)} trial{'s' * (len(rounds) != 1)} with confidence {expectation.confidence:g}"
        )
        return verdict_of(expectation, value, passed=False, undecided=True, reason=reason)
    # The share of values on the right side of a quantile's bound is to be large, whichever side that is.
    wanted = "above" if upward or definition.statistic in QUANTILES else "below"
    passed = side == wanted
    if expectation.outcome is None and expectation.holds(value) != passed:  # a trial of one case weighs as one of ten
        reason = f"undecided: single trials say {'yes' if passed else 'no'}, their pooled value the opposite"
        return verdict_of(expectation, value, passed=False, undecided=True, reason=reason)
    return verdict_of(expectation, value, passed=passed, trials=trials)


def _observed(
    expectation: Expectation, definition: Definition, rounds: Sequence[Parts], *, upward: bool
) -> tuple[Floats, float]:
    """Each round's observation, 0 to 1, and what its mean is held against."""
    bound = expectation.bound / definition.scale
    if definition.statistic in QUANTILES:
        q = QUANTILES[definition.statistic]
        lists = [np.asarray(parts["values"], np.float64) for parts in rounds if parts["values"]]
        right = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal}[expectation.op]
        return np.array([right(values, bound).mean() for values in lists]), 1 - q if upward else q
    if definition.statistic == "ratio":
        each = [parts["count"] / parts["of"] for parts in rounds if parts["of"]]
    else:
        each = [float(np.mean(parts["values"])) for parts in rounds if parts["values"]]
    low, high = (edge / definition.scale for edge in values_of_one(expectation, definition))
    return (np.array(each) - low) / (high - low), (bound - low) / (high - low)


def _by_interval(expectation: Expectation, pooled: Score) -> Verdict:
    if pooled.ci95 is None:
        why = f"undecided: {pooled.ci95_reason}"
        return verdict_of(expectation, pooled.value, passed=False, undecided=True, reason=why)
    sides = [expectation.holds(bound) for bound in pooled.ci95]
    reason: str | None = None
    if any(sides) and not all(sides):
        low, high = pooled.ci95
        reason = f"undecided: the value lies between {low:.3g} and {high:.3g}"
    return verdict_of(expectation, pooled.value, passed=all(sides), undecided=reason is not None, reason=reason)
