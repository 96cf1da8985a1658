"""Expectations: `<metric id> <op> <number> [with confidence <c>]`, what a scenario must measure to pass; or an outcome.

Without a confidence the value itself is judged. With one, a bound on it is: the expectation is held when the value
lies on the right side with that confidence, failed when it lies on the wrong one, and undecided in between.
"""

import math
import re
from collections.abc import Callable, Mapping
from operator import ne
from pathlib import Path
from typing import Any, Literal

import msgspec

from simulator.intervals.pooled import QUANTILES, SHARES
from simulator.reading.bounds import COMPARED
from simulator.reading.outcome_id import id_of
from simulator.reading.outcomes import ExpectedOutcome, read_outcome
from simulator.score import Definition, Score
from simulator.spec import Convert, decode, encode
from simulator.texts import quoted

_OPS = {**COMPARED, "!=": ne}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TEXT = re.compile(rf"\s*([\w:.\-]+)\s*(<=|>=|==|!=|<|>)\s*({_NUMBER})\s*(?:with\s+confidence\s+({_NUMBER})\s*)?")
_LIKE = "write it like `latency.response_p50_s < 1.2`, or `barge_in.yield_rate >= 0.9 with confidence 0.95`"

Range = tuple[float, float]
Verdicted = Literal["held", "failed", "undecided"]


class _Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An expectation on a metric as a mapping: its text under `metric`, and what a text cannot say."""

    metric: str
    inform: bool = False
    within: Range | None = None


class Expectation:
    """One expectation on the pooled value of a metric, or an outcome: on the share of sessions that meet it.

    inform: it is reported and never decides an exit code. within: between what the values of a session lie, where the
    metric does not say so itself; a mean is only decided while a run goes on if that is known.
    """

    __slots__ = ("bound", "confidence", "inform", "metric", "op", "outcome", "text", "within")

    def __init__(
        self, text: str, *, inform: bool = False, within: Range | None = None, outcome: ExpectedOutcome | None = None
    ) -> None:
        self.text = " ".join(text.split())
        self.inform = inform
        self.within = within
        self.outcome = outcome
        if outcome is not None:
            self.metric, self.op = id_of(outcome), ">="
            self.bound, self.confidence = outcome.at_least, outcome.confidence
            return
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no expectation; {_LIKE}")
        self.metric, self.op, bound, confidence = match.groups()
        self.bound = float(bound)
        if not math.isfinite(self.bound):
            raise ValueError(f"{text!r}: {bound} is greater than any number")
        self.confidence = float(confidence) if confidence else None
        if self.confidence is not None and self.op in ("==", "!="):
            raise ValueError(f"{text!r}: a single value is never certain; with a confidence write <, <=, > or >=")
        if self.confidence is not None and not 0.5 <= self.confidence < 1:
            raise ValueError(f"{text!r}: confidence is {self.confidence:g}; allowed are 0.5 up to below 1")
        if within is not None and not -math.inf < within[0] < within[1] < math.inf:
            raise ValueError(f"{text!r}: within is {list(within)}; write the lower bound first, and numbers only")

    @classmethod
    def of(cls, outcome: ExpectedOutcome) -> "Expectation":
        """Give the expectation that sessions meet an outcome."""
        share = f", in {outcome.at_least:.0%} of sessions" if outcome.at_least < 1 else ""
        confidence = f" with confidence {outcome.confidence:g}" if outcome.confidence else ""
        named = f"{outcome.name}: " if outcome.name else ""
        return cls(f"{named}{outcome.text}{share}{confidence}", inform=outcome.inform, outcome=outcome)

    def with_confidence(self, confidence: float) -> "Expectation":
        """Give the same expectation, decided with this confidence if it names none."""
        if self.confidence is not None:
            return self
        if self.outcome is not None:
            return Expectation.of(msgspec.structs.replace(self.outcome, confidence=confidence))
        return Expectation(f"{self.text} with confidence {confidence:g}", inform=self.inform, within=self.within)

    def informing(self) -> "Expectation":
        """Give the same expectation, which decides no exit code."""
        if self.outcome is not None:
            return Expectation.of(msgspec.structs.replace(self.outcome, inform=True))
        return Expectation(self.text, inform=True, within=self.within)

    def holds(self, value: float | None) -> bool:
        """Whether a value meets the bound; an undefined one does not."""
        return value is not None and bool(_OPS[self.op](value, self.bound))

    @classmethod
    def __decode__(cls, value: object, convert: Convert) -> "Expectation":
        if isinstance(value, dict) and "metric" not in value:
            return cls.of(read_outcome(value, convert))
        if isinstance(value, dict):
            told: _Told = convert(value, _Told)
            return cls(told.metric, inform=told.inform, within=told.within)
        if not isinstance(value, str):
            raise ValueError(f"{quoted(value)} is no expectation; {_LIKE}")
        return cls(value)

    def __encode__(self) -> object:
        if self.outcome is not None:
            return encode(self.outcome)
        if not self.inform and self.within is None:
            return self.text
        more = {"within": list(self.within)} if self.within else {}
        return {"metric": self.text, "inform": self.inform, **more}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expectation) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return self.text, self.inform, self.within


def read_expectation(value: object, source: str) -> Expectation:
    """Read an expectation as it was written down. ScenarioError names the source."""
    return decode(value, Expectation, source=source, folder=Path())


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an expectation: `found` is None when the metric was undefined, which counts as failed.

    undecided: neither held nor failed with the confidence that was asked for. trials: after how many it was decided,
    where it was while the run went on. inform, within: as the expectation says. asked: an outcome as it was written.
    """

    text: str
    metric: str
    op: str
    bound: float
    found: float | None
    passed: bool
    reason: str | None = None
    undecided: bool = False
    inform: bool = False
    within: Range | None = None
    trials: int | None = None
    asked: dict[str, Any] | None = None

    @property
    def outcome(self) -> Verdicted:
        """In one word."""
        return "held" if self.passed else "undecided" if self.undecided else "failed"

    def found_as(self, figure: Callable[[float], str]) -> str:
        """What was found, as a figure; of an outcome in one session, or alike in all, that it was met or was not."""
        if self.found is None:
            return "undefined"
        if self.asked is not None and self.found in (0, 1):
            return "met" if self.found else "unmet"
        return f"found {figure(self.found)}"

    @property
    def gates(self) -> bool:
        """Whether it stops a release: it did not hold, and was not there to inform alone."""
        return not self.passed and not self.inform

    @property
    def expectation(self) -> Expectation:
        """What was expected. ValueError: it is no expectation any more."""
        if self.asked is not None:
            return read_expectation(self.asked, "expectations")
        return Expectation(self.text, inform=self.inform, within=self.within)

    def violated_by(self, value: float | None) -> bool:
        """Whether this value alone breaks the expectation; an undefined one does."""
        return value is None or not _OPS[self.op](value, self.bound)


def judge(expectation: Expectation, scores: Mapping[str, Score]) -> Verdict:
    """Hold an expectation against the values of scores by metric id, whatever confidence it asks for."""
    score = scores.get(expectation.metric)
    found = score.value if score else None
    reason = None if found is not None else f"undefined: {score.reason if score else 'the metric was not measured'}"
    passed = expectation.holds(found)
    if score is not None and expectation.outcome is not None and found is not None and not passed:
        reason = next((item.label for item in score.evidence if item.label), None)
    return verdict_of(expectation, found, passed=passed, reason=reason)


def verdict_of(
    expectation: Expectation,
    found: float | None,
    *,
    passed: bool,
    reason: str | None = None,
    undecided: bool = False,
    trials: int | None = None,
) -> Verdict:
    """Make the verdict of an expectation."""
    return Verdict(
        text=expectation.text,
        metric=expectation.metric,
        op=expectation.op,
        bound=expectation.bound,
        found=found,
        passed=passed,
        reason=reason,
        undecided=undecided,
        inform=expectation.inform,
        within=expectation.within,
        trials=trials,
        asked=encode(expectation.outcome) if expectation.outcome is not None else None,
    )


def undecidable(expectation: Expectation, definition: Definition) -> str | None:
    """Say why an expectation cannot be decided by one trial after the other; None where it can."""
    if expectation.op in ("==", "!="):
        return "a single value is never certain; write <, <=, > or >="
    if expectation.outcome is not None and expectation.bound >= 1:
        return "no number of trials shows that it is always met; say `at_least` below 1"
    if definition.statistic in QUANTILES:
        return None
    if definition.statistic not in ("ratio", "mean", "fmean"):
        return f"{definition.id} is a {definition.statistic}, which no bound of single sessions decides"
    if expectation.within is None and definition.unit not in SHARES:
        return (
            f"nobody knows between what the values of {definition.id} lie; say it "
            f"({{metric: {expectation.text!r}, within: [0, 10]}}), or expect a quantile"
        )
    low, high = values_of_one(expectation, definition)
    if (expectation.op, expectation.bound) in ((">=", high), ("<=", low)):
        return f"no number of trials shows that it is always {expectation.bound:g}; write a bound that leaves room"
    return None


def values_of_one(expectation: Expectation, definition: Definition) -> Range:
    """Between what a session's value lies, in the unit of the metric: as the expectation says, else a share's range."""
    return expectation.within or (0.0, definition.scale)
