"""What a comparison is about when nobody says: what the scenarios expect, and one head metric of every scorer."""

from collections.abc import Iterable, Mapping

from simulator.results.leading import LEADING
from simulator.results.run import Run
from simulator.score import Definition
from simulator.scoring.scorer import definitions_by_kind


def head_metrics(runs: Iterable[Run]) -> list[str]:
    """Give the metrics of `expect` and `measure` of these runs, then of every scorer the one that leads."""
    runs = list(runs)
    expected = [verdict.metric for run in runs for found in run.verdicts.values() for verdict in found]
    measured = {metric for run in runs for metric in run.metrics}
    heads = (_head(cards, measured) for cards in definitions_by_kind().values())
    swept = [metric for run in runs for info in (run.info.sweeps or {}).values() for metric in info.measure]
    return list(dict.fromkeys([*expected, *swept, *(head for head in heads if head is not None)]))


def _head(cards: Mapping[str, Definition], measured: set[str]) -> str | None:
    """The metric of a scorer that readers ask for first; else its first one with a good side, else its first."""
    mine = [name for name in cards if name in measured]
    leading = [name for name in LEADING if name in mine]
    judged = [name for name in mine if cards[name].better != "neither"]
    return next(iter([*leading, *judged, *mine]), None)
