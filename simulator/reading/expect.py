"""Expectations: `<metric id> <op> <number>`, what a scenario must measure to pass."""

import re
from collections.abc import Mapping
from operator import eq, ge, gt, le, lt, ne

import msgspec

from simulator.score import Score
from simulator.spec import Convert

_OPS = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}
_TEXT = re.compile(r"\s*([\w:.\-]+)\s*(<=|>=|==|!=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


class Expectation:
    """One expectation; compares the pooled value of a metric with a bound."""

    __slots__ = ("bound", "metric", "op", "text")

    def __init__(self, text: str) -> None:
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no expectation; write it like `latency.response_p50_s < 1.2`")
        self.text = text.strip()
        self.metric, self.op, bound = match.groups()
        self.bound = float(bound)

    def holds(self, value: float | None) -> bool:
        """Whether a value meets the bound; an undefined one does not."""
        return value is not None and bool(_OPS[self.op](value, self.bound))

    @classmethod
    def __decode__(cls, value: object, _convert: Convert) -> "Expectation":
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no expectation; write it like `latency.response_p50_s < 1.2`")
        return cls(value)

    def __encode__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expectation) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an expectation: `found` is None when the metric was undefined, which counts as failed."""

    text: str
    metric: str
    op: str
    bound: float
    found: float | None
    passed: bool
    reason: str | None = None

    def violated_by(self, value: float | None) -> bool:
        """Whether this value alone breaks the expectation; an undefined one does."""
        return value is None or not _OPS[self.op](value, self.bound)


def judge(expectation: Expectation, scores: Mapping[str, Score]) -> Verdict:
    """Hold an expectation against scores by metric id."""
    score = scores.get(expectation.metric)
    found = score.value if score else None
    reason = None if found is not None else f"undefined: {score.reason if score else 'the metric was not measured'}"
    return Verdict(
        text=expectation.text,
        metric=expectation.metric,
        op=expectation.op,
        bound=expectation.bound,
        found=found,
        passed=expectation.holds(found),
        reason=reason,
    )
