"""Scores: what is said of a session in one number, with what is needed to trust it and to pool it.

One form for our metrics and for those of other projects: a definition, parts, a value. A score's `parts` add up over
sessions: a share is a count of a count, a time is a list of measured values. A corpus value is computed from the
summed parts, never from an average of averages (scoring/pooling.py; its interval: intervals/pooled.py). A value that
is undefined is None with a reason; it is never made up.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import numpy as np

Statistic = Literal["ratio", "sum", "mean", "fmean", "std", "trimmed_mean", "p50", "p95", "w1"]
"""How a value comes from parts. `ratio`: count / of. `sum`: count, undefined where `of` is given and 0. Over `values`:
`fmean` the mean, exactly rounded, so that no order of sessions matters; `mean` the same added up one value after the
other, as most other projects do; `std` the standard deviation (ddof 0); `trimmed_mean` the mean of the values between
their 5th and 95th percentile; `p50`, `p95`; `w1` the Wasserstein-1 distance from `reference`."""

Better = Literal["higher", "lower", "neither"]

Parts = Mapping[str, Any]
"""What adds up over sessions: {"values": [...]}, or {"count": c, "of": n} (with "n" where `of` counts no cases).
Empty where nothing could be measured at all: such a session is no evidence and is not drawn for an interval."""

Amount = Annotated[int, msgspec.Meta(ge=-(10**15), le=10**15)] | Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
"""A number as parts keep it: sums of a million of them, and their squares, are numbers too."""
if TYPE_CHECKING:
    KeptParts = dict[str, Any]
else:
    KeptParts = dict[str, Amount | list[Amount]]
    """Parts as they are kept in a file and read back."""

SENTINEL = "sentinel"
"""The reason of a value that another project puts where nothing was measured."""
NOTHING = "nothing was measured"
"""The reason of last resort: it gives way to any other."""

TRIM = 0.05
FEWEST_TRIMMED = 3  # of two values neither is an outlier


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A definition card: what a metric measures, told so that a stranger could recompute it.

    statistic: how the value comes from parts, times `scale` (all but a sum). better: which way is good, for reports.
    card: about ten lines for `simulate explain`. reference: what `w1` is the distance from. of: the metric whose parts
    it is computed from, where they are not its own (a spread beside a mean). sentinel: what another project puts where
    nothing was measured, decimals: to how many it rounds; both only where its numbers are reproduced, quirks included.
    """

    id: str
    unit: str
    title: str
    statistic: Statistic = "mean"
    card: str = ""
    better: Better = "neither"
    scale: float = 1.0
    source: str = ""
    reference: tuple[float, ...] = ()
    of: str = ""
    sentinel: float | None = None
    decimals: int | None = None

    @property
    def parts_of(self) -> str:
        """The id of the metric whose parts these are: its own, or `of`."""
        return self.of or self.id


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch of the session [start, end) in samples that a score rests on, and what was measured there.

    value is in the metric's unit (None where it is a yes or no told by `label`). start: its first sample. end: one past
    its last. party: whose. label: what it is. value: in the metric's unit.
    """

    start: int
    end: int
    party: str = ""
    label: str = ""
    value: float | None = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One number about one session (or, pooled, about many). `n` counts the values or cases that entered.

    ci95: its 95 % interval where it is pooled; ci95_reason: why there is none. id: the metric. value: null where it is
    undefined. unit: of the value. n: how many values or cases entered. reason: why it is undefined. parts: what adds up
    over sessions. evidence: the cases, each a stretch of the session. definition: the metric whose card it follows.
    """

    id: str
    value: float | None
    unit: str
    n: int
    ci95: tuple[float, float] | None = None
    ci95_reason: str | None = None
    reason: str | None = None
    parts: KeptParts = {}
    evidence: list[Evidence] = []
    definition: str = ""


def share(definition: Definition, count: float, of: float, evidence: Sequence[Evidence] = (), *, reason: str) -> Score:
    """Make a ratio score, scale * count / of; undefined with `reason` when `of` is 0."""
    return from_parts(definition, {"count": count, "of": of}, evidence, reason=reason)


def spread(definition: Definition, values: Sequence[float], evidence: Sequence[Evidence] = (), *, reason: str) -> Score:
    """Make a mean or percentile score over measured values; undefined with `reason` when there are none."""
    return from_parts(definition, {"values": [float(value) for value in values]}, evidence, reason=reason)


def undefined(definition: Definition, reason: str) -> Score:
    """Make the score of a metric that cannot be measured on this session, and say why."""
    parts: Parts = {"count": 0, "of": 0} if definition.statistic in ("ratio", "sum") else {"values": []}
    return from_parts(definition, parts, reason=reason)


def from_parts(definition: Definition, parts: Parts, evidence: Sequence[Evidence] = (), *, reason: str) -> Score:
    """Make the score that these parts give under a definition; `reason` says why where they give none.

    Where nothing was measured and the definition has a sentinel, that is the value, and the reason says so.
    """
    found = value_of(definition, parts)
    missing = reason if definition.sentinel is None else SENTINEL
    value = definition.sentinel if found is None else found
    if value is not None and definition.decimals is not None:
        value = round(value, definition.decimals)
    return Score(
        id=definition.id,
        value=value,
        unit=definition.unit,
        n=count_of(definition, parts),
        reason=missing if found is None else None,
        parts=dict(parts),
        evidence=list(evidence),
        definition=definition.id,
    )


def fits(definition: Definition, parts: Parts) -> bool:
    """Whether these are parts that the definition's value comes from, or none."""
    if not parts:
        return True
    if definition.statistic in ("ratio", "sum"):
        counts = [parts.get("count"), parts.get("of", 0 if definition.statistic == "sum" else None)]
        return not any(count is None or isinstance(count, list) for count in counts)
    return isinstance(parts.get("values"), list)


def add_parts(parts: Sequence[Parts]) -> dict[str, Any]:
    """Add parts up: numbers are summed, lists are joined."""
    total: dict[str, Any] = {}
    for part in parts:
        for name, item in part.items():
            if isinstance(item, list):
                total.setdefault(name, []).extend(item)
            else:
                total[name] = total.get(name, 0) + item
    return total


def count_of(definition: Definition, parts: Parts) -> int:
    """The number of cases or values that entered the value of these parts."""
    if "values" not in parts:
        return int(parts.get("n", parts.get("of", 0)))
    values = parts["values"]
    return len(_trimmed(values) if definition.statistic == "trimmed_mean" else values)


def value_of(definition: Definition, parts: Parts) -> float | None:
    """Compute a definition's value from parts; None when nothing was measured."""
    if not parts:
        return None
    if definition.statistic == "sum":
        return float(parts["count"]) if parts.get("of", 1) else None
    if definition.statistic == "ratio":
        return definition.scale * parts["count"] / parts["of"] if parts["of"] else None
    values = parts["values"]
    if not values:
        return None
    if definition.statistic == "w1":
        return definition.scale * wasserstein_1(values, definition.reference) if definition.reference else None
    return definition.scale * _OF_VALUES[definition.statistic](values)


def _mean(values: Sequence[float]) -> float:
    return reduce(operator.add, values) / len(values)  # `sum` has compensated its errors since Python 3.12


def _fmean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _std(values: Sequence[float]) -> float:
    mean = _fmean(values)
    return math.sqrt(_fmean([(value - mean) ** 2 for value in values]))


def _trimmed(values: Sequence[float]) -> Sequence[float]:
    if len(values) < FEWEST_TRIMMED:
        return values
    low, high = np.percentile(values, [100 * TRIM, 100 * (1 - TRIM)])
    return [value for value in values if low <= value <= high]


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile by linear interpolation between the sorted values (the common definition, numpy's default)."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


_OF_VALUES: dict[Statistic, Callable[[Sequence[float]], float]] = {
    "mean": _mean,
    "fmean": _fmean,
    "std": _std,
    "trimmed_mean": lambda values: _mean(_trimmed(values)),
    "p50": lambda values: quantile(values, 0.5),
    "p95": lambda values: quantile(values, 0.95),
}


def wasserstein_1(values: Sequence[float], reference: Sequence[float]) -> float:
    """The Wasserstein-1 (earth mover's) distance of two samples: the area between their distribution functions.

    In the unit of the values; 0 when they are the same distribution. Neither may be empty.
    """
    mine, theirs = (np.sort(np.asarray(side, float)) for side in (values, reference))
    places = np.sort(np.concatenate([mine, theirs]))
    mine_below = np.searchsorted(mine, places[:-1], side="right") / len(mine)
    theirs_below = np.searchsorted(theirs, places[:-1], side="right") / max(1, len(theirs))
    return float(np.sum(np.abs(mine_below - theirs_below) * np.diff(places)))


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
