"""What a compatibility scorer says of its metrics and of one sample: the columns of its table, and measurements."""

from collections.abc import Collection, Sequence
from typing import Any, Literal

import msgspec

from metrics.compat.pooling import Statistic

Parts = dict[str, Any]

SENTINEL = "sentinel"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of a scorer's table.

    of: the metric whose parts it is computed from, where they are not its own (a spread beside a mean).
    statistic: how the corpus value comes from parts (see pooling.py). sentinel: what the original puts where
    nothing was measured: compat gives it with the reason "sentinel". decimals: rounding of the corpus value
    in compat.
    """

    id: str
    unit: str
    title: str
    statistic: Statistic = "mean"
    better: Literal["higher", "lower", "neither"] = "neither"
    scale: float = 1.0
    sentinel: float | None = None
    decimals: int | None = None
    of: str = ""

    @property
    def parts_of(self) -> str:
        """The id under which measurements hold this column's parts, reasons and sentinels."""
        return self.of or self.id


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a sample something was measured, in seconds; value in the metric's unit, None for a yes or no."""

    start_s: float
    end_s: float
    party: str = "agent"
    label: str = ""
    value: float | None = None


class Measured(msgspec.Struct, kw_only=True):
    """What was measured on one sample.

    parts: by metric id, what enters the corpus value; a metric that is missing was not measured. shown: what
    the sample holds besides (any JSON values; may override a metric's own value). reasons: why a metric is
    undefined here. sentinels: metrics whose parts are the original's stand-in for "not measured". lines: for
    `--show`. cases: by metric id, where its parts come from. replies: raw replies of a judge. written: the
    original's own files for this sample, by name (JSON), for write=DIR. kept: what `finish` wants back.
    skipped: the sample could not be read at all.
    """

    parts: dict[str, Parts] = {}
    shown: dict[str, Any] = {}
    notes: list[str] = []
    lines: list[str] = []
    reasons: dict[str, str] = {}
    sentinels: set[str] = set()
    cases: dict[str, list[Case]] = {}
    replies: list[str] = []
    written: dict[str, Any] = {}
    kept: Any = None
    skipped: bool = False

    def add(self, metric: str, value: float) -> None:
        """Let one more value enter a metric."""
        self.parts.setdefault(metric, {"values": []})["values"].append(value)

    def case(
        self, metric: str, start_s: float, end_s: float, label: str = "", *, value: float | None = None,
        party: str = "agent",
    ) -> None:  # fmt: skip
        """Say where something was measured that entered a metric."""
        found = Case(start_s=start_s, end_s=max(start_s, end_s), party=party, label=label, value=value)
        self.cases.setdefault(metric, []).append(found)

    def undefined(self, metrics: Collection[str], reason: str) -> None:
        """Say why metrics are undefined on this sample (the first reason stays)."""
        for metric in metrics:
            self.reasons.setdefault(metric, reason)


def skipped(table: Sequence[Column], reason: str) -> Measured:
    """Give the measurement of a sample that was left out, and why."""
    return Measured(notes=[reason], reasons={column.id: reason for column in table}, skipped=True)
