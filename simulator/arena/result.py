"""What an arena came to: its boards and how far they can be believed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from simulator.arena.battle import Battle
from simulator.arena.reliability import Reliability, reliability
from simulator.arena.standings import Standings, standings


class ArenaResult(NamedTuple):
    """Battles rated. told: what a reader has to know beside the numbers, a sentence each."""

    standings: Standings
    reliability: Reliability
    told: list[str]

    def as_json(self) -> dict[str, Any]:
        """Give the ratings with their intervals, and how far verdicts can be believed."""
        boards = {"": self.standings.overall, **self.standings.domains}
        plain = self.standings.as_json()
        plain["intervals"] = self.standings.overall.intervals
        for name, board in self.standings.domains.items():
            plain["domains"][name] = {**plain["domains"][name], "intervals": board.intervals}
        battles = {name or "overall": board.battles for name, board in boards.items()}
        return {**plain, "battles": battles, "reliability": self.reliability.as_json(), "told": self.told}


def result_of(battles: Sequence[Battle], *, seed: int = 0) -> ArenaResult:
    """Rate battles, and say what about them a reader has to know."""
    found = standings(battles, seed=seed)
    return ArenaResult(found, reliability(battles), [*_about(battles), *found.notes])


def _about(battles: Sequence[Battle]) -> list[str]:
    told = []
    words = sum(battle.heard == "text" for battle in battles)
    if words:
        which = "all battles" if words == len(battles) else f"{words} of {len(battles)} battles"
        told.append(f"in {which} transcripts were judged and no sound was heard")
    if criteria := sorted({battle.criterion for battle in battles if battle.criterion}):
        told.append(f"criterion: {', '.join(criteria)}")
    if raters := list(dict.fromkeys(battle.rater for battle in battles if battle.rater)):
        told.append(f"judged by {', '.join(raters[:5])}{f' and {len(raters) - 5} more' if len(raters) > 5 else ''}")
    if again := sum(battle.repeat for battle in battles):
        told.append(f"{again} battles were judged a second time by the same rater and count in no rating")
    return told
