"""Controls of a run: what full duplex cost, as paired differences of its sessions minus their half-duplex controls."""

from collections.abc import Iterable, Sequence

import msgspec

from simulator.results.leading import LEADING
from simulator.results.pairs import Difference, Inquiry, Pair, differences
from simulator.results.row import Row, valid

FIRST, SECOND = "half duplex", "full duplex"
"""How both sides are called, in the order of a pair: what is shown is the second minus the first."""


class ControlSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a scenario's controls say. headline: the metric of the one row; pairs: how many, both of them valid."""

    kind: str = "half_duplex"
    pairs: int
    headline: str | None
    differences: list[Difference]

    @property
    def row(self) -> list[Difference]:
        """The one row, in a list; empty where nothing could be compared."""
        return [item for item in self.differences if item.metric == self.headline]


def control_pairs(rows: Iterable[Row]) -> dict[str, list[Pair]]:
    """Give the pairs of every scenario that has controls: its control, then the session, by sample and trial."""
    rows = list(rows)
    controls = {(row.control_of, row.sample, row.trial): row for row in valid(rows) if row.control_of}
    found: dict[str, list[Pair]] = {row.control_of: [] for row in rows if row.control_of}
    for row in valid(rows):
        control = controls.get((row.scenario, row.sample, row.trial))
        if control is not None:
            found[row.scenario].append(Pair(control, row))
    return found


def control_summary(pairs: Sequence[Pair], asked: Sequence[str]) -> ControlSummary:
    """Compare pairs. asked: the metrics that the scenario is about, the first of which leads if it can be compared."""
    measured = dict.fromkeys(metric for pair in pairs for row in pair for metric in row.scores)
    wanted = [metric for metric in dict.fromkeys([*asked, "task.success_rate", *LEADING]) if metric in measured]
    found = {item.metric: item for item in differences(pairs, Inquiry(metrics=wanted))}
    told = [found[metric] for metric in wanted if metric in found]
    about = [item for item in told if not item.metric.startswith("validity.")]  # which speaks of the tester
    compared = [item.metric for item in about if item.value is not None]
    one_sided = [item.metric for item in about if item.tone == "undefined"]
    return ControlSummary(pairs=len(pairs), headline=next(iter([*compared, *one_sided]), None), differences=told)
