"""Two runs, pair by pair: the same scenario and trial, once with each; what differs, and how sure that is.

Pairing takes the difficulty of a scenario out of the comparison. Sessions of one scenario (of one sample, where there
is one scenario) are one cluster, and pairs that sound the same on both sides, bit by bit, count once. Of the metrics
that were asked for none is called different unless it still is with Holm's adjustment over all of them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from simulator.errors import SessionError
from simulator.intervals.difference import (
    ALPHA,
    PairedEstimate,
    clusters_needed,
    holm_adjusted,
    interval_of_difference,
)
from simulator.intervals.observations import Origin, distinct, population
from simulator.results.policy import mean_ranks
from simulator.results.row import Row, valid
from simulator.results.run import Run
from simulator.score import Definition, Parts, add_parts
from simulator.scoring.scorer import definition_of

NEW, GONE = "not measured on the first side", "not measured on the second side"
"""Why there is no difference of what one run alone was scored by: what is new is no finding, what is gone is one."""

Tone = Literal["better", "worse", "different", "unclear", "undefined"]


class Pair(NamedTuple):
    """The same scenario and trial in two runs."""

    first: Row
    second: Row

    @property
    def origin(self) -> Origin:
        """What decides how this pair is pooled with others."""
        sounds = (self.first.sound, self.second.sound)
        return Origin(self.first.scenario, self.first.sample, " ".join(sounds) if all(sounds) else "")


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over pairs: both values, second minus first with its 95 % interval, and which way that is good.

    tone: `better`, `worse` (`different` where no side is the good one) if it is so with `p_adjusted` below 0.05, else
    `unclear`; `undefined` where one side has no value, which is a finding of its own. p: two-sided. effect: in standard
    deviations of the clusters' differences. reason: what could not be told, and why. n: pairs that were scored by it on
    both sides, identical ones counted once; clusters: to how many independent observations they come. margin: what
    `second` may be worse by (differ by, where no side is the good one); not_inferior: whether the interval shows that
    it is no more. more_sessions: how many more of each side would show a difference as large as was asked about, four
    times of five.
    """

    metric: str
    unit: str
    first: float | None
    second: float | None
    value: float | None
    ci95: tuple[float, float] | None
    n: int
    tone: Tone
    clusters: int = 0
    p: float | None = None
    p_adjusted: float | None = None
    effect: float | None = None
    reason: str | None = None
    margin: float | None = None
    not_inferior: bool | None = None
    more_sessions: int | None = None


class Inquiry(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison is asked. metrics: None for all. margins: by metric. need: a difference in a metric's unit."""

    metrics: Sequence[str] | None = None
    margins: Mapping[str, float] = {}
    need: float | None = None


def pairs_of(first: Run, second: Run) -> list[Pair]:
    """Give the pairs of two runs by scenario, dataset item and trial, in the first run's order.

    A pair with an invalid session says nothing of the agents, and is none.
    """
    others = _by_key(second.rows)
    return [Pair(row, others[key]) for key, row in _by_key(first.rows).items() if key in others]


def without_partner(first: Run, second: Run, pairs: Sequence[Pair]) -> list[str]:
    """Say which sessions are no part of a comparison although they were played, and which were not completed."""
    sides = [(run.name, list(_by_key(run.rows).values())) for run in (first, second)]
    alone = [f"{len(rows) - len(pairs)} of {name}" for name, rows in sides if len(rows) > len(pairs)]
    lines = [f"sessions without a partner, left out: {' and '.join(alone)}"] if alone else []
    for name, rows in sides:
        lost = sum(row.status != "completed" for row in rows)
        lines += [f"{name}: {lost} of {len(rows)} sessions not completed"] if lost else []
    return lines


def paired(first: Run, second: Run) -> list[Pair]:
    """Give the pairs of two runs; SessionError when they share no valid session of a scenario and trial."""
    pairs = pairs_of(first, second)
    for run in () if pairs else (first, second):
        if run.rows and not _by_key(run.rows):
            raise SessionError(f"{run.folder}: no session is valid, so nothing can be paired (--keep-invalid)")
    if not pairs:
        raise SessionError(
            f"{second.folder}: shares no scenario and trial with {first.folder}, so nothing can be paired"
        )
    return pairs


def _by_key(rows: Iterable[Row]) -> dict[tuple[str, str, int, int], Row]:
    """Give the valid rows by scenario, sample, trial and attempt: of one trial several may count (--keep-invalid)."""
    attempts: Counter[tuple[str, str, int]] = Counter()
    found: dict[tuple[str, str, int, int], Row] = {}
    for row in valid(rows):
        if not row.control_of:
            key = (row.scenario, row.sample, row.trial)
            found[(*key, attempts[key])] = row
            attempts[key] += 1
    return found


def differences(pairs: Sequence[Pair], asked: Inquiry | None = None) -> list[Difference]:
    """Give the paired difference of every metric asked for that a side has and an installed scorer defines."""
    asked = asked or Inquiry()
    measured = dict.fromkeys(metric for pair in pairs for row in pair for metric in row.scores)
    known = {metric: card for metric in measured if (card := definition_of(metric)) is not None}
    wanted = [metric for metric in known if asked.metrics is None or metric in {*asked.metrics, *asked.margins}]
    kept = distinct_pairs(pairs)
    plain = [difference_of(known[metric], kept, asked) for metric in wanted]
    adjusted = holm_adjusted([item.p for item in plain])
    return [_toned(known[item.metric], item, p) for item, p in zip(plain, adjusted, strict=True)]


def distinct_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    """Give the pairs that count: of those that sound the same on both sides, bit by bit, the first one alone."""
    return [pairs[place] for place in distinct([pair.origin for pair in pairs])]


def difference_of(definition: Definition, pairs: Sequence[Pair], asked: Inquiry | None = None) -> Difference:
    """Give the paired difference of one metric, by itself: of pooled values; of quantiles the mean over clusters."""
    asked = asked or Inquiry()
    scored = [pair for pair in pairs if all(definition.id in row.scores for row in pair)]
    if not scored:  # a scorer that is gone, or sessions that all failed: a value on one side alone is a finding
        scored = [pair for pair in pairs if any(definition.id in row.scores for row in pair)]
    parts = [_parts(definition, pair) for pair in scored]
    groups = population([pair.origin for pair in scored]).clusters
    estimate = interval_of_difference(definition, [_added([parts[place] for place in group]) for group in groups])
    margin = asked.margins.get(definition.id)
    more = None
    if asked.need is not None and estimate.error is not None:
        clusters = clusters_needed(estimate.error, estimate.clusters, asked.need)
        more = max(0, round((clusters - estimate.clusters) * len(scored) / estimate.clusters))
    item = Difference(
        metric=definition.id,
        unit=definition.unit,
        first=estimate.first,
        second=estimate.second,
        value=estimate.value,
        ci95=estimate.bounds,
        n=sum(all(definition.id in row.scores for row in pair) for pair in scored),
        clusters=estimate.clusters,
        p=estimate.p,
        effect=estimate.effect,
        reason=_unmeasured(definition, scored) or estimate.reason,
        tone="unclear",
        margin=margin,
        not_inferior=_not_inferior(definition, estimate, margin),
        more_sessions=more,
    )
    return _toned(definition, item, estimate.p)


def most_different(pairs: Sequence[Pair]) -> list[Pair]:
    """Order pairs by how far apart their sessions lie in rank over all metrics with a good side."""
    rows = [msgspec.structs.replace(row, id=f"{side}/{row.id}") for pair in pairs for side, row in enumerate(pair)]
    metrics = tuple(dict.fromkeys(metric for row in rows for metric in row.scores))
    ranks = mean_ranks(rows, metrics)
    return sorted(
        pairs,
        key=lambda pair: (-abs(ranks[f"0/{pair.first.id}"] - ranks[f"1/{pair.second.id}"]), pair.first.id),
    )


def _parts(definition: Definition, pair: Pair) -> tuple[Parts, Parts]:
    first, second = (row.scores[definition.id].parts if definition.id in row.scores else {} for row in pair)
    return first, second


def _unmeasured(definition: Definition, pairs: Sequence[Pair]) -> str | None:
    """Say on which side nobody measured a metric at all; None where both did, or neither."""
    sides = [any(definition.id in pair[side].scores for pair in pairs) for side in (0, 1)]
    return None if sides[0] == sides[1] else NEW if sides[1] else GONE


def _added(parts: Sequence[tuple[Parts, Parts]]) -> tuple[Parts, Parts]:
    return add_parts([first for first, _ in parts]), add_parts([second for _, second in parts])


def _toned(definition: Definition, item: Difference, p: float | None) -> Difference:
    tone: Tone = "unclear"
    if (item.first is None) != (item.second is None) and item.reason != NEW:
        tone = "undefined"
    elif p is not None and p < ALPHA and item.value:
        good = (item.value > 0) == (definition.better == "higher")
        tone = "different" if definition.better == "neither" else "better" if good else "worse"
    return msgspec.structs.replace(item, p_adjusted=p, tone=tone)


def _not_inferior(definition: Definition, found: PairedEstimate, margin: float | None) -> bool | None:
    """Whether the interval leaves out that the second side is worse by more than the margin; None where not asked.

    Where no side is the good one, it may differ either way by no more. A difference that is the same in all clusters,
    and in enough of them to be tested, is what it is.
    """
    if margin is None:
        return None
    if found.value is None or found.p is None:
        return False
    low, high = found.bounds or (found.value, found.value)
    return (definition.better == "lower" or -low <= margin) and (definition.better == "higher" or high <= margin)
