"""Scores: what a scorer says about a session, with what is needed to trust it and to pool it.

A score's `parts` add up over sessions: a share is a count of a count, a time is a list of measured values. A
corpus value is computed from the summed parts, never from an average of averages, with a bootstrap interval
clustered by scenario. A value that is undefined is None with a reason; it is never made up.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec
import numpy as np

from simulator import bootstrap

Statistic = Literal["ratio", "mean", "p50", "p95", "sum", "w1"]


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A definition card: what a metric measures, told so that a stranger could recompute it.

    statistic: how the value comes from parts: `ratio` = count / of (times `scale`), `mean`, `p50`, `p95` over
    `values`, `sum` = count, `w1` = Wasserstein-1 distance of `values` from `reference`. better: which way is
    good, for reports. card: about ten lines for `simulate explain`.
    """

    id: str
    unit: str
    statistic: Statistic
    title: str
    card: str
    better: Literal["higher", "lower", "neither"] = "neither"
    scale: float = 1.0
    source: str = ""
    reference: tuple[float, ...] = ()


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch of the session [start, end) in samples that a score rests on, and what was measured there.

    value is in the metric's unit (None where it is a yes or no told by `label`).
    """

    start: int
    end: int
    party: str = ""
    label: str = ""
    value: float | None = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One number about one session (or, pooled, about many). `n` counts the values or cases that entered."""

    id: str
    value: float | None
    unit: str
    n: int
    ci95: tuple[float, float] | None = None
    reason: str | None = None
    parts: dict[str, Any] = {}
    evidence: list[Evidence] = []
    definition: str = ""


class Scorer(Protocol):
    """A pure function from a session to scores, with the cards of the metrics it gives."""

    definitions: Mapping[str, Definition]

    def score(self, session: Any) -> list[Score]:
        """Score one session (a `simulator.session.Session`); one Score per definition, in their order."""
        ...


def share(definition: Definition, count: float, of: float, evidence: Sequence[Evidence] = (), *, reason: str) -> Score:
    """Make a ratio score, scale * count / of; undefined with `reason` when `of` is 0."""
    return from_parts(definition, {"count": count, "of": of}, evidence, reason=reason)


def spread(definition: Definition, values: Sequence[float], evidence: Sequence[Evidence] = (), *, reason: str) -> Score:
    """Make a mean or percentile score over measured values; undefined with `reason` when there are none."""
    return from_parts(definition, {"values": [float(value) for value in values]}, evidence, reason=reason)


def from_parts(
    definition: Definition, parts: dict[str, Any], evidence: Sequence[Evidence] = (), *, reason: str
) -> Score:
    """Make the score that these parts give under a definition."""
    value = value_of(definition, parts)
    return Score(
        id=definition.id,
        value=value,
        unit=definition.unit,
        n=count_of(parts),
        reason=None if value is not None else reason,
        parts=parts,
        evidence=list(evidence),
        definition=definition.id,
    )


def undefined(definition: Definition, reason: str) -> Score:
    """Make the score of a metric that cannot be measured on this session, and say why."""
    parts: dict[str, Any] = {"count": 0, "of": 0} if definition.statistic in ("ratio", "sum") else {"values": []}
    return from_parts(definition, parts, reason=reason)


def count_of(parts: Mapping[str, Any]) -> int:
    """The number of cases or values behind parts."""
    if "values" in parts:
        return len(parts["values"])
    return int(parts.get("n", parts.get("of", 0)))


def value_of(definition: Definition, parts: Mapping[str, Any]) -> float | None:
    """Compute a definition's value from parts; None when nothing was measured."""
    if definition.statistic == "sum":
        return float(parts["count"]) if parts.get("of", 1) else None
    if definition.statistic == "ratio":
        return definition.scale * parts["count"] / parts["of"] if parts["of"] else None
    values = parts["values"]
    if not values:
        return None
    if definition.statistic == "mean":
        return math.fsum(values) / len(values)
    if definition.statistic == "w1":
        return wasserstein_1(values, definition.reference) if definition.reference else None
    return quantile(values, 0.5 if definition.statistic == "p50" else 0.95)


def wasserstein_1(values: Sequence[float], reference: Sequence[float]) -> float:
    """The Wasserstein-1 (earth mover's) distance of two samples: the area between their distribution functions.

    In the unit of the values; 0 when they are the same distribution. Neither may be empty.
    """
    mine = np.sort(np.asarray(values, float))
    return bootstrap.distance(mine, reference)(np.arange(1, len(mine) + 1))


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile by linear interpolation between the sorted values (the common definition, numpy's default)."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def add_parts(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Add parts up: numbers are summed, lists are joined."""
    total: dict[str, Any] = {}
    for part in parts:
        for name, item in part.items():
            total[name] = total[name] + item if name in total else (list(item) if isinstance(item, list) else item)
    return total


RESAMPLES = bootstrap.RESAMPLES


def pool(
    definition: Definition,
    scores: Sequence[Score],
    clusters: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Score:
    """Pool one metric over sessions: the value of the summed parts, with a 95 % percentile-bootstrap interval.

    clusters: for each score the scenario it belongs to. Clusters are drawn, not sessions: repeats of a
    scenario are not independent. With fewer than two clusters the sessions themselves are drawn; with one
    session there is no interval. Seeded, so the same scores give the same interval.
    """
    total = add_parts([score.parts for score in scores])
    reasons = sorted({score.reason for score in scores if score.reason})
    pooled = (
        from_parts(definition, total, reason="; ".join(reasons) or "no sessions")
        if total
        else undefined(definition, "; ".join(reasons) or "no sessions")
    )
    names = list(clusters) if len(set(clusters)) > 1 else [str(index) for index in range(len(scores))]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for name, score in zip(names, scores, strict=True):
        groups.setdefault(name, []).append(score.parts)
    if pooled.value is None:
        return pooled
    sums = [add_parts(group) for group in groups.values()]
    return msgspec.structs.replace(pooled, ci95=bootstrap.interval(definition, sums, seed, resamples))


def pass_at_k(passed: Sequence[bool], k: int) -> float | None:
    """The chance that at least one of k trials drawn from these passes (pass@k); None with fewer than k trials."""
    if not 1 <= k <= len(passed):
        return None
    failures = len(passed) - sum(passed)
    return 1 - math.comb(failures, k) / math.comb(len(passed), k)


def pass_hat_k(passed: Sequence[bool], k: int) -> float | None:
    """The chance that all of k trials drawn from these pass (pass^k); None with fewer than k trials."""
    if not 1 <= k <= len(passed):
        return None
    return math.comb(sum(passed), k) / math.comb(len(passed), k)
