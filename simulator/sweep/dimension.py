"""Dimensions of a sweep: a place in the scenario and the values it takes, listed or spread between two ends."""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from simulator.curves.function import Scale
from simulator.reading.secrets import mask
from simulator.spec import Duration

MOST_STEPS = 10_000
_FIGURES = 6
"""Significant figures of a value between two ends: a third of 1 is written 0.333333."""

Label = int | float | str
"""What a point says of its place on a dimension: a number, or a text; `200ms` is a number, too, in seconds."""


class Dimension(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True,
                rename={"low": "from", "high": "to"}):  # fmt: skip
    """`{path: ..., values: [...]}` or `{path: ..., from: -5, to: 25, steps: 7}`; the path is that of `--set`.

    scale: how the steps are spread, and what a curve is fitted over. labels: what tables and curves say instead of the
    values, one for each: names of agents, or how long texts are. Without values and ends the points are listed. path:
    what changes, as `--set` has it. values: one point each. from, to: the ends. steps: how many points between them,
    ends included.
    """

    path: str
    values: list[Any] | None = None
    labels: list[int | float | str] | None = None
    low: float | str | None = None
    high: float | str | None = None
    steps: Annotated[int, msgspec.Meta(ge=2, le=MOST_STEPS)] | None = None
    scale: Scale = "linear"

    def __post_init__(self) -> None:
        ends = [self.low is not None, self.high is not None]
        if self.values is not None and (any(ends) or self.steps is not None):
            raise ValueError("has values and ends; give `values`, or `from` and `to`")
        if self.values == []:
            raise ValueError("has no values; give one or more")
        if self.labels is not None and (len(self.labels) != len(self.values or []) or _repeat(self.labels)):
            raise ValueError("has labels that are not one for each of its values, all of them different")
        if any(ends) != all(ends) or (self.steps is not None and not all(ends)):
            raise ValueError("lacks an end; give `from` and `to`, and in a grid `steps`")
        if all(ends):
            low, high = self.ends
            if not low < high:
                raise ValueError(f"goes from {self.low} to {self.high}; the first must be the smaller")
        if self.scale == "log":
            least = [self.ends[0]] if all(ends) else [number_of(value) for value in self.labels or self.values or []]
            if any(value is None or value <= 0 for value in least):
                raise ValueError("has a logarithmic scale; its values must be numbers or times above 0")

    @property
    def ends(self) -> tuple[float, float]:
        """Where it begins and ends, times in seconds. ValueError where that is no number."""
        low, high = (number_of(end) for end in (self.low, self.high))
        if low is None or high is None or isinstance(self.low, str) != isinstance(self.high, str):
            raise ValueError(f"goes from {self.low!r} to {self.high!r}; allowed are two numbers, or two times")
        return low, high

    def listed(self) -> list[Any] | None:
        """Give its values, as they would be written; None where it has ends without steps, or nothing."""
        if self.values is not None:
            return self.values
        if self.steps is None:
            return None
        return [self.between(step / (self.steps - 1)) for step in range(self.steps)]

    def between(self, share: float) -> Any:
        """Give the value so far between its ends (0 to 1), as it would be written."""
        low, high = self.ends
        if self.scale == "log":
            value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            value = low + share * (high - low)
        value = float(f"{value:.{_FIGURES}g}")
        if isinstance(self.low, str):
            return str(Duration(value))
        return int(value) if value.is_integer() else value


def _repeat(labels: Sequence[Label]) -> bool:
    return len({str(label) for label in labels}) < len(labels)


def number_of(label: object) -> float | None:
    """Give a value as a number, a time in seconds; None where it is neither."""
    if isinstance(label, bool):
        return None
    if isinstance(label, int | float):
        return float(label)
    try:
        return float(Duration.__decode__(label, msgspec.convert))
    except ValueError:
        return None


def placed(at: Mapping[str, Label]) -> str:
    """Say where a point lies: `pause 200ms, snr 5`; nothing of no dimensions."""
    return ", ".join(f"{name} {label}" for name, label in at.items())


def same_value(value: Any) -> Hashable:
    """Give what equal values have in common, and no others: a key to look them up by."""
    if isinstance(value, dict):
        return frozenset((name, same_value(item)) for name, item in value.items())
    return tuple(map(same_value, value)) if isinstance(value, list) else value


def labels_of(values: Sequence[Any]) -> list[Label]:
    """Give a label for each value, no two the same: a number or a text as it is, of a kind its name."""
    labels: list[Label] = []
    alike: Counter[str] = Counter()
    for value in values:
        label = _label(mask({"value": value})["value"])  # labels are shown, and name folders
        same = alike[str(label)]
        labels.append(f"{label} #{same + 1}" if same and not isinstance(value, int | float) else label)
        alike[str(labels[-1]).split(" #")[0]] += 1
    return labels


def _label(value: Any) -> Label:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, int | float):
        return value
    if isinstance(value, dict):
        model = value.get("model")
        named = model.get("kind") if isinstance(model, dict) else model
        kind = str(value.get("kind", "mapping"))
        return f"{kind} {named}" if isinstance(named, str) and named != kind else kind
    return value if isinstance(value, str) else f"list of {len(value)}" if isinstance(value, list) else str(value)
