"""What a compatibility scorer found on one sample: parts by metric, and where in the sample they come from."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from simulator.score import NOTHING, SENTINEL, Definition, Evidence, Score, from_parts

Parts = dict[str, Any]


class Measured(msgspec.Struct, kw_only=True):
    """What was measured on one sample.

    parts: by metric id, what enters the corpus value; a metric that is missing was not measured. shown: what
    the sample holds besides (any JSON values; may override a metric's own value). reasons: why a metric is
    undefined here. sentinels: metrics whose parts are the original's stand-in for "not measured". lines: for
    `--show`. evidence: by metric id, where its parts come from, in samples of sample_rate (Hz): the session's. replies:
    raw replies of a judge. written: the original's own files for this sample, by name (JSON), for write=DIR. kept: what
    `finish` wants back. source: the file it is a row of. row: that row, with what the original adds to it. skipped: the
    sample could not be read at all.
    """

    sample_rate: int = 16_000  # nobody asks for the evidence of a sample that is no session
    parts: dict[str, Parts] = {}
    shown: dict[str, Any] = {}
    notes: list[str] = []
    lines: list[str] = []
    reasons: dict[str, str] = {}
    sentinels: set[str] = set()
    evidence: dict[str, list[Evidence]] = {}
    replies: list[str] = []
    written: dict[str, Any] = {}
    kept: Any = None
    source: str = ""
    row: dict[str, Any] = {}
    skipped: bool = False

    def add(self, metric: str, value: float) -> None:
        """Let one more value enter a metric."""
        self.parts.setdefault(metric, {"values": []})["values"].append(value)

    def place(
        self, metric: str, start_s: float, end_s: float, label: str = "", *, value: float | None = None,
        party: str = "agent",
    ) -> None:  # fmt: skip
        """Say where something was measured that entered a metric; value in the metric's unit, None for a yes or no."""
        start, end = (max(0, round(time_s * self.sample_rate)) for time_s in (start_s, max(start_s, end_s)))
        told = None if value is None else round(value, 6)
        found = Evidence(start=start, end=end, party=party, label=label, value=told)
        self.evidence.setdefault(metric, []).append(found)

    def undefined(self, metrics: Collection[str], reason: str) -> None:
        """Say why metrics are undefined on this sample (the first reason stays)."""
        for metric in metrics:
            self.reasons.setdefault(metric, reason)

    def score(self, definition: Definition) -> Score:
        """Give one metric of this sample."""
        name = definition.parts_of
        why = self.reasons.get(name, NOTHING)
        score = from_parts(definition, self.parts.get(name, {}), self.evidence.get(name, ()), reason=why)
        return msgspec.structs.replace(score, reason=SENTINEL) if name in self.sentinels else score


def skipped(table: Sequence[Definition], reason: str) -> Measured:
    """Give the measurement of a sample that was left out, and why."""
    return Measured(notes=[reason], reasons={column.id: reason for column in table}, skipped=True)
