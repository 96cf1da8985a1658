"""Standings: both ratings and the wins of every pair, over all battles and over those of each domain."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from simulator.arena.battle import Battle
from simulator.arena.bradley_terry import REPLICATES, bradley_terry
from simulator.arena.elo import elo_ratings
from simulator.intervals.share import Bounds

Wins = dict[tuple[str, str], tuple[float, int]]
"""By winner and loser: the wins, ties counted half, and how often the two met."""


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """The models of some battles, best first. intervals: of bradley_terry. notes: what its ratings need to be read."""

    battles: int
    elo: dict[str, float]
    bradley_terry: dict[str, float]
    intervals: dict[str, Bounds]
    wins: Wins
    notes: list[str]

    def met(self, model: str) -> tuple[float, int]:
        """How often a model won, and in how many battles."""
        own = [found for (first, _), found in self.wins.items() if first == model]
        return sum(wins for wins, _ in own), sum(of for _, of in own)

    def as_json(self) -> dict[str, Any]:
        """Give both ratings by model."""
        return {"elo": self.elo, "bradley_terry": self.bradley_terry}


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """All boards: over everything, and by domain."""

    overall: Board
    domains: dict[str, Board]

    def as_json(self) -> dict[str, Any]:
        """Give ratings, wins by `A > B`, and the ratings of each domain."""
        wins = {f"{first} > {second}": list(found) for (first, second), found in self.overall.wins.items()}
        domains = {name: board.as_json() for name, board in self.domains.items()}
        return {**self.overall.as_json(), "wins": wins, "domains": domains}

    @property
    def notes(self) -> list[str]:
        """What all boards note, with the domain's name in front."""
        mine = [f"{name}: {note}" for name, board in self.domains.items() for note in board.notes]
        return [*self.overall.notes, *mine]


def standings(battles: Iterable[Battle], *, replicates: int = REPLICATES, seed: int = 0) -> Standings:
    """Rate models overall and, from the start again, by domain. Battles that repeat one count in no rating."""
    counted = [battle for battle in battles if not battle.repeat]
    domains: dict[str, list[Battle]] = {}
    for battle in counted:
        if battle.domain:
            domains.setdefault(battle.domain, []).append(battle)
    return Standings(
        overall=board(counted, replicates=replicates, seed=seed),
        domains={
            name: board(domains[name], replicates=replicates, seed=seed) for name in sorted(domains)
        },
    )  # fmt: skip


def board(battles: Sequence[Battle], *, replicates: int = REPLICATES, seed: int = 0) -> Board:
    """Rate the models of some battles."""
    fit = bradley_terry(battles, replicates=replicates, seed=seed)
    best_first = sorted(fit.ratings, key=lambda name: (-fit.ratings[name], name))
    elo = elo_ratings(battles)
    return Board(
        battles=len(battles),
        elo={name: elo[name] for name in sorted(elo, key=lambda name: (-elo[name], name))},
        bradley_terry={name: fit.ratings[name] for name in best_first},
        intervals=fit.intervals,
        wins=wins_of(battles),
        notes=fit.notes,
    )


def wins_of(battles: Iterable[Battle]) -> Wins:
    """Count for every pair that met, in both directions, the wins and the battles."""
    wins: Wins = {}
    for battle in battles:
        for first, second, share in (
            (battle.model_a, battle.model_b, battle.share),
            (battle.model_b, battle.model_a, 1 - battle.share),
        ):
            before, of = wins.get((first, second), (0.0, 0))
            wins[first, second] = before + share, of + 1
    return dict(sorted(wins.items()))
