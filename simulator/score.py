"""Scores: what a scorer says about a session, with what is needed to trust it and to pool it.

A score's `parts` add up over sessions: a share is a count of a count, a time is a list of measured values. A corpus
value is computed from the summed parts, never from an average of averages, with a bootstrap interval clustered by
scenario. A value that is undefined is None with a reason; it is never made up.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec
import numpy as np

Statistic = Literal["ratio", "mean", "p50", "p95", "sum"]


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A definition card: what a metric measures, told so that a stranger could recompute it.

    statistic: how the value comes from parts: `ratio` = count / of (times `scale`), `mean`, `p50`, `p95` over `values`,
    `sum` = count. better: which way is good, for reports. card: about ten lines for `simulate explain`.
    """

    id: str
    unit: str
    statistic: Statistic
    title: str
    card: str
    better: Literal["higher", "lower", "neither"] = "neither"
    scale: float = 1.0
    source: str = ""


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


def spread(
    definition: Definition, values: Sequence[float], evidence: Sequence[Evidence] = (), *, reason: str
) -> Score:
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
    return quantile(values, 0.5 if definition.statistic == "p50" else 0.95)


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


RESAMPLES = 1000


def pool(
    definition: Definition, scores: Sequence[Score], clusters: Sequence[str], *, seed: int = 0, resamples: int = RESAMPLES
) -> Score:
    """Pool one metric over sessions: the value of the summed parts, with a 95 % percentile-bootstrap interval.

    clusters: for each score the scenario it belongs to. Clusters are drawn, not sessions: repeats of a scenario are
    not independent. With fewer than two clusters the sessions themselves are drawn; with one session there is no
    interval. Seeded, so the same scores give the same interval.
    """
    total = add_parts([score.parts for score in scores])
    reasons = sorted({score.reason for score in scores if score.reason})
    pooled = from_parts(definition, total, reason="; ".join(reasons) or "no sessions") if total else undefined(
        definition, "; ".join(reasons) or "no sessions"
    )
    names = list(clusters) if len(set(clusters)) > 1 else [str(index) for index in range(len(scores))]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for name, score in zip(names, scores, strict=True):
        groups.setdefault(name, []).append(score.parts)
    return msgspec.structs.replace(pooled, ci95=_interval(definition, list(groups.values()), seed, resamples))


def _interval(
    definition: Definition, groups: Sequence[Sequence[Mapping[str, Any]]], seed: int, resamples: int
) -> tuple[float, float] | None:
    if len(groups) < 2:
        return None
    sums = [add_parts(group) for group in groups]
    rng = np.random.default_rng(seed)
    values: list[float] = []
    for draw in rng.integers(0, len(sums), (resamples, len(sums))):
        value = value_of(definition, add_parts([sums[index] for index in draw]))
        if value is not None:
            values.append(value)
    return (quantile(values, 0.025), quantile(values, 0.975)) if len(values) > 1 else None
