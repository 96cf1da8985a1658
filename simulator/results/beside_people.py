"""A run's turn-taking beside people's: distances and quantiles, from what the scorer `dialogue` kept of sessions."""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.results.pooling import pooled
from simulator.results.row import Row, values_of
from simulator.score import Score, quantile
from simulator.scoring.scorer import definition_of

PREFIX, SUFFIX = "dialogue.", "_w1_s"
SHAPES = ("fto", "gap", "overlap", "pause", "ipu", "backchannel")
SHARES = ("collapsed", "silent", "both_talking", "one_sided", "loop", "parrot")
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


class Beside(NamedTuple):
    """One shape of turn-taking: its distance from people's, and both sides' quantiles (QUANTILES) in seconds."""

    shape: str
    title: str
    distance: Score
    ours: tuple[float, ...]
    people: tuple[float, ...]


def beside_people(rows: Sequence[Row]) -> list[Beside]:
    """Give the shapes that occur in sessions scored by `dialogue`; none where they were not."""
    found: list[Beside] = []
    for shape in SHAPES:
        metric = f"{PREFIX}{shape}{SUFFIX}"
        definition = definition_of(metric)
        values = values_of(rows, metric)
        if definition is None or not definition.reference or not values:
            continue
        ours, people = (tuple(quantile(side, q) for q in QUANTILES) for side in (values, definition.reference))
        title = definition.title.partition(":")[0]
        found.append(Beside(shape, title, pooled(rows, metric), ours, people))
    return found


def collapse_shares(rows: Sequence[Row]) -> list[Score]:
    """Give the shares of sessions that collapsed, over all and by how; none where nobody looked."""
    scores = [pooled(rows, f"{PREFIX}{name}") for name in SHARES]
    return [score for score in scores if score.value is not None]
