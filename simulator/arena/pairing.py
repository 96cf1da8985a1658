"""Who meets whom over what: every pair for machines, the pair that tells most for people; sides drawn by a seed."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations, zip_longest
from typing import NamedTuple

from simulator.arena.battle import Battle
from simulator.arena.bradley_terry import bradley_terry
from simulator.arena.elo import expected
from simulator.arena.sources import ArenaField

Pair = tuple[str, str]
"""Two systems, in the order of their names."""


class Match(NamedTuple):
    """Two answers to one question. first: the system whose answer is shown first, or on the left."""

    question: str
    first: str
    second: str

    def turned(self) -> "Match":
        """The same with sides exchanged."""
        return Match(self.question, self.second, self.first)

    @property
    def key(self) -> tuple[str, str, str]:
        """The same whoever stands first; a battle's `pair`."""
        one, other = sorted((self.first, self.second))
        return self.question, one, other


def drawn(question: str, pair: Pair, seed: int) -> Match:
    """Draw the sides; the same seed gives the same ones, whatever else is judged."""
    first, second = sorted(pair, reverse=random.Random(f"{seed}|{question}|{pair}").random() < 0.5)
    return Match(question, first, second)


def all_matches(field: ArenaField, seed: int, most: int | None = None) -> list[Match]:
    """Give every pair over every question that both answered, pair by pair in turn; `most`: so many of them."""
    rows = []
    for pair, questions in _met(field).items():
        mixed = random.Random(f"{seed}|{pair}").sample(questions, len(questions))
        rows.append([drawn(question, pair, seed) for question in mixed])
    turns = [match for column in zip_longest(*rows) for match in column if match is not None]
    return turns[:most]


def next_match(field: ArenaField, battles: Sequence[Battle], rater: str, seed: int) -> Match | None:
    """Give what a rater should judge next; None when nothing is left.

    The pair is the one of which a verdict tells most: p (1 - p) / (n + 1), of the chance that the ratings so far give
    it and how often it met. The question is the one that was judged least.
    """
    own = {battle.pair for battle in battles if battle.rater == rater}
    left = {pair: [name for name in names if (name, *pair) not in own] for pair, names in _met(field).items()}
    left = {pair: names for pair, names in left.items() if names}
    if not left:
        return None
    ratings = bradley_terry([battle for battle in battles if not battle.repeat], replicates=0).ratings
    seen = Counter(battle.pair for battle in battles)
    draw = random.Random(f"{seed}|{rater}|{len(battles)}")
    pair = max(left, key=lambda pair: (_worth(pair, seen, ratings), draw.random()))
    question = min(left[pair], key=lambda name: (seen[name, pair[0], pair[1]], draw.random()))
    return drawn(question, pair, seed)


def _worth(pair: Pair, seen: Mapping[tuple[str, str, str], int], ratings: Mapping[str, float]) -> float:
    met = sum(count for (_, *names), count in seen.items() if tuple(names) == pair)
    chance = expected(ratings.get(pair[0], 1000.0), ratings.get(pair[1], 1000.0))
    return chance * (1 - chance) / (met + 1)


def _met(field: ArenaField) -> dict[Pair, list[str]]:
    """Give the questions that both of a pair answered."""
    ordered = sorted(field.entrants, key=lambda one: one.system)
    pairs = {(one.system, other.system): field.common(one, other) for one, other in combinations(ordered, 2)}
    return {pair: questions for pair, questions in pairs.items() if questions}
