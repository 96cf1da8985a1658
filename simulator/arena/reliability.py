"""How far verdicts can be believed: whether who stood first, or who spoke longer, won; whether raters agree."""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from simulator.arena.battle import Battle
from simulator.judging.agreement import Estimate, proportion


class Reliability(NamedTuple):
    """Shares with 95 % intervals (Wilson's), each over independent cases; undefined where there are none.

    first: of battles that were decided, those the answer that came first won. consistent: of pairs that a rater judged
    in both orders, those with the same verdict. longer: of decided pairs, those the longer answer won. own: of pairs
    that a rater judged again, those with the same verdict; raters: of two raters' verdicts on a pair, those alike.
    """

    first: Estimate
    consistent: Estimate
    longer: Estimate
    own: Estimate
    raters: Estimate

    def as_json(self) -> dict[str, Any]:
        """Give every share with its interval and its count."""
        return {name: found._asdict() for name, found in self._asdict().items()}


def reliability(battles: Sequence[Battle]) -> Reliability:
    """Look at verdicts from every side; battles that repeat one tell of their rater alone."""
    once = [battle for battle in battles if not battle.repeat]
    decided = [battle for battle in once if battle.share != 0.5]
    orders = _pairs(once, _in_both_orders)
    return Reliability(
        first=proportion(sum(battle.share == 1 for battle in decided), len(decided)),
        consistent=_alike(orders),
        longer=_longer(once),
        own=_alike(_again(battles)),
        raters=_alike(_pairs(once, lambda one, other: one.rater != other.rater)),
    )


def _in_both_orders(one: Battle, other: Battle) -> bool:
    return one.rater == other.rater and {one.order, other.order} == {"drawn", "turned"}


def preferred(battle: Battle) -> str:
    """Give who won, whatever the side; "" for a tie of either kind."""
    return {"model_a": battle.model_a, "model_b": battle.model_b}.get(battle.winner, "")


def _alike(pairs: Iterable[tuple[Battle, Battle]]) -> Estimate:
    found = [preferred(one) == preferred(other) for one, other in pairs]
    return proportion(sum(found), len(found))


def _groups(battles: Iterable[Battle]) -> list[list[Battle]]:
    """Give battles over the same pair and question by the same criterion; those that name no question are not known."""
    groups: dict[tuple[Any, ...], list[Battle]] = {}
    for battle in battles:
        if battle.input:
            groups.setdefault((battle.pair, battle.criterion), []).append(battle)
    return list(groups.values())


def _pairs(battles: Sequence[Battle], wanted: Callable[[Battle, Battle], bool]) -> list[tuple[Battle, Battle]]:
    return [pair for group in _groups(battles) for pair in combinations(group, 2) if wanted(*pair)]


def _again(battles: Sequence[Battle]) -> list[tuple[Battle, Battle]]:
    """Give every battle that repeats one with the one it repeats."""
    found = []
    for group in _groups(battles):
        firsts = {battle.rater: battle for battle in reversed(group) if not battle.repeat}
        found += [(firsts[battle.rater], battle) for battle in group if battle.repeat and battle.rater in firsts]
    return found


def _longer(battles: Sequence[Battle]) -> Estimate:
    """Count pairs that a rater decided; of one judged in both orders only where both say the same."""
    won = of = 0
    for group in _groups(battles):
        for rater in dict.fromkeys(battle.rater for battle in group):
            own = [battle for battle in group if battle.rater == rater]
            names = {preferred(battle) for battle in own}
            lengths = own[0].lengths
            if len(names) != 1 or "" in names or lengths is None or lengths[0] == lengths[1]:
                continue
            of += 1
            won += preferred(own[0]) == (own[0].model_a if lengths[0] > lengths[1] else own[0].model_b)
    return proportion(won, of)
