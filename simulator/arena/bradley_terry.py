"""Bradley-Terry ratings: those under which the battles that were seen are most probable (Bradley & Terry 1952).

R such that a beats b with 1 / (1 + 10^((R_b - R_a) / 400)), their mean 1000, ties half a win each. Newton's method:
the likelihood has one top. That top is finite only where every model can be reached from every other along wins
(Ford 1957). Where it cannot, as for a model that never lost, every pair that met is given one more battle, tied, and
the board says so. Models that no chain of battles joins cannot be compared: each group then has a mean of 1000 of its
own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.arena.battle import Battle
from simulator.arena.elo import SCALE, START
from simulator.intervals.share import Bounds

Matrix = NDArray[np.float64]
"""Row beats column: float64 (models, models)."""

REPLICATES = 1000
ENDS = 0.025
"""Of the draws, beyond either end of an interval: where more of them are lifted from infinity an end is made up."""
_POINTS = SCALE / np.log(10.0)
"""Of a rating for one unit of log-odds."""
_STEPS = 200
_CLOSE = 1e-11


class RatingFit(NamedTuple):
    """Ratings by model. intervals: 95 %, of the bootstrap. notes: what had to be done, a sentence each."""

    ratings: dict[str, float]
    intervals: dict[str, Bounds]
    notes: list[str]


def bradley_terry(battles: Sequence[Battle], *, replicates: int = REPLICATES, seed: int = 0) -> RatingFit:
    """Rate models. The bootstrap draws inputs, with all battles over each; battles one by one where none is named."""
    models = sorted({name for battle in battles for name in (battle.model_a, battle.model_b)})
    if not models:
        return RatingFit({}, {}, [])
    scores = _Scores(battles, models)
    wins = scores.wins()
    met = wins + wins.T > 0
    groups = _groups(met)
    found, _ = _ratings(wins, met, groups)
    notes = _notes(models, groups, wins)
    intervals: dict[str, Bounds] = {}
    whole = [group for group in groups if _joined(wins[np.ix_(group, group)])]
    finite = [place for group in whole for place in group]
    if scores.units > 1 and replicates and finite:
        draws = np.random.default_rng(seed)
        drawn = [_ratings(scores.wins(draws.integers(scores.units, size=scores.units)), met, whole)
                 for _ in range(replicates)]  # fmt: skip
        low, high = np.percentile(np.array([ratings for ratings, _ in drawn]), (2.5, 97.5), axis=0)
        intervals = {models[place]: (float(low[place]), float(high[place])) for place in finite}
        notes += _about_draws(sum(lifted for _, lifted in drawn) / replicates)
    return RatingFit({name: float(found[place]) for place, name in enumerate(models)}, intervals, notes)


def _about_draws(lifted: float) -> list[str]:
    if lifted <= ENDS:
        return []
    return [f"{lifted:.0%} of the bootstrap's draws had no finite ratings and were given those ties too: "
            "intervals are narrower than they should be"]  # fmt: skip


class _Scores:
    """Battles as arrays. units: how many there are of what the bootstrap draws at once."""

    def __init__(self, battles: Sequence[Battle], models: Sequence[str]) -> None:
        place = {name: index for index, name in enumerate(models)}
        inputs: dict[object, int] = {}
        self._owner = np.array([inputs.setdefault(battle.input or number, len(inputs))
                                for number, battle in enumerate(battles)])  # fmt: skip
        first = np.array([place[battle.model_a] for battle in battles])
        second = np.array([place[battle.model_b] for battle in battles])
        self._share = np.array([battle.share for battle in battles])
        self._count = len(models)
        self._cells = np.concatenate([first * self._count + second, second * self._count + first])
        self.units = len(inputs)

    def wins(self, drawn: NDArray[np.int64] | None = None) -> Matrix:
        """Add up the wins of all battles, or of those over the units that were drawn, as often as each was."""
        weight = 1.0 if drawn is None else np.bincount(drawn, minlength=self.units)[self._owner]
        shares = np.concatenate([weight * self._share, weight * (1 - self._share)])
        summed: Matrix = np.bincount(self._cells, shares, self._count**2).astype(np.float64)
        return summed.reshape(self._count, self._count)


def _ratings(wins: Matrix, met: NDArray[np.bool_], groups: Sequence[Sequence[int]]) -> tuple[NDArray[np.float64], bool]:
    """Rate every group around START; with one tie more for each pair that met where its top lies at infinity.

    Says too whether any was.
    """
    ratings, lifted = np.full(len(wins), START), False
    for group in groups:
        place = np.ix_(group, group)
        own = wins[place]
        if not _joined(own):
            own, lifted = own + 0.5 * met[place], True
        ratings[list(group)] = START + _POINTS * _top(own)
    return ratings, lifted


def _top(wins: Matrix) -> NDArray[np.float64]:
    """Climb to the top of the likelihood: float64 (n,), log-odds; damped where a step would lead down."""
    games = wins + wins.T
    strengths = np.zeros(len(wins))
    best = _likelihood(wins, strengths)
    for _ in range(_STEPS):
        chance = _chances(strengths)
        slope = (wins - games * chance).sum(axis=1)
        if np.abs(slope).max() < _CLOSE * max(1.0, float(games.sum())):
            break
        weights = games * chance * (1 - chance)
        curve = np.diag(weights.sum(axis=1)) - weights
        step = np.linalg.solve(curve + 1 / len(wins), slope)  # the mean is free, and is held at zero
        while (now := _likelihood(wins, strengths + step)) < best and np.abs(step).max() > _CLOSE:
            step = step / 2
        strengths, best = strengths + step, max(now, best)
    strengths -= strengths.mean()
    return strengths


def _chances(strengths: NDArray[np.float64]) -> Matrix:
    chances: Matrix = 1.0 / (1.0 + np.exp(-np.subtract.outer(strengths, strengths)))
    return chances


def _likelihood(wins: Matrix, strengths: NDArray[np.float64]) -> float:
    return float(-(wins * np.logaddexp(0.0, -np.subtract.outer(strengths, strengths))).sum())


def _joined(wins: Matrix) -> bool:
    """Whether every model is reached from every other along wins."""
    return bool(_reached(wins > 0).all())


def _groups(met: NDArray[np.bool_]) -> list[list[int]]:
    """Give the models that battles join, however far round."""
    return [list(map(int, group)) for group in dict.fromkeys(tuple(np.flatnonzero(row)) for row in _reached(met))]


def _reached(steps: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which are reached from which in any number of steps, none included: bool (n, n)."""
    reached = steps | np.eye(len(steps), dtype=bool)
    while not np.array_equal(further := reached @ reached, reached):
        reached = further
    return reached


def _notes(models: Sequence[str], groups: Sequence[Sequence[int]], wins: Matrix) -> list[str]:
    notes = []
    if len(groups) > 1:
        told = "; ".join(", ".join(models[place] for place in group) for group in groups)
        notes.append(
            f"no battle joins these groups, so ratings compare within each alone, around {START:.0f} apiece: {told}"
        )
    for group in groups:
        own = wins[np.ix_(group, group)]
        if _joined(own):
            continue
        never = [f"{models[place]} never lost" for place in group if not wins[:, place].any()]
        never += [f"{models[place]} never won" for place in group if not wins[place].any()]
        why = ", ".join(never) or "some models never lost to the others"
        notes.append(
            f"{why}: no finite ratings fit best, so each pair that met is given one more battle, tied, "
            "and there are no intervals"
        )
    return notes
