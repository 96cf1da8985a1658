"""The desk where people judge: what each rater is shown next, what they said, and which pairs they are shown again."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from simulator import clock
from simulator.arena.answer import ArenaClip, ArenaQuestion
from simulator.arena.asking import ArenaCriterion, seconds_of
from simulator.arena.battle import Battle, Order, Winner, append_battle, read_battles
from simulator.arena.pairing import Match, next_match
from simulator.arena.sources import ArenaField

NOT_AT_ONCE = 3
"""So many battles lie between a pair and its repetition, where there are as many: what was just heard is remembered."""


class ListeningRules(msgspec.Struct, frozen=True, kw_only=True):
    """ties: whether raters may say so, or that both are bad. twice: the share that is judged a second time.

    most: how many each rater judges, None for all there is.
    """

    ties: bool = False
    twice: float = 0.1
    criterion: ArenaCriterion = "both"
    seed: int = 0
    most: int | None = None

    @property
    def choices(self) -> tuple[Winner, ...]:
        """What a rater may say."""
        return ("model_a", "model_b", "tie", "both_bad") if self.ties else ("model_a", "model_b")


class Showing(msgspec.Struct, frozen=True, kw_only=True):
    """A pair as it is before a rater. id: names it and nobody in it. began_s: when it was shown."""

    id: str
    match: Match
    question: ArenaQuestion
    order: Order
    repeat: bool
    began_s: float


class Desk:
    """Gives showings and takes verdicts; each verdict is in the file before the next is shown.

    file: of battles, those of earlier sittings among them. now: tells the time in seconds.
    """

    def __init__(
        self, field: ArenaField, rules: ListeningRules, file: Path, now: Callable[[], float] = clock.seconds
    ) -> None:
        self.field = field
        self.rules = rules
        self.file = file
        self.battles: list[Battle] = list(read_battles(file).battles) if file.is_file() else []
        self._now = now
        self._shown: dict[str, Showing] = {}
        self._count = 0

    def judged(self, rater: str) -> int:
        """How many verdicts a rater has given."""
        return sum(battle.rater == rater for battle in self.battles)

    def show(self, rater: str) -> Showing | None:
        """Give what lies before a rater, the same until it is judged; None when there is nothing left."""
        if rater not in self._shown:
            if self.rules.most is not None and self.judged(rater) >= self.rules.most:
                return None
            drawn = self._again(rater) or self._new(rater)
            if drawn is None:
                return None
            self._shown[rater] = drawn
        return self._shown[rater]

    def judge(self, rater: str, showing_id: str, choice: str) -> Battle:
        """Take a verdict; `model_a` is the answer on the left. ValueError: of another showing, or none allowed."""
        showing = self._shown.get(rater)
        if showing is None or showing.id != showing_id:
            raise ValueError("this pair is not before you; load the page again")
        winner = next((known for known in self.rules.choices if known == choice), None)
        if winner is None:
            raise ValueError(f"{choice!r} is no verdict; allowed are {', '.join(self.rules.choices)}")
        first, second = (self.field.answer(name, showing.question.id) for name in showing.match[1:])
        battle = Battle(
            model_a=showing.match.first,
            model_b=showing.match.second,
            winner=winner,
            domain=showing.question.domain,
            order=showing.order,
            rater=rater,
            seconds=round(self._now() - showing.began_s, 1),
            input=showing.question.id,
            criterion=self.rules.criterion,
            heard="sound",
            lengths=(seconds_of(first.sound), seconds_of(second.sound)),
            repeat=showing.repeat,
        )
        append_battle(self.file, battle)
        self.battles.append(battle)
        del self._shown[rater]
        return battle

    def clip(self, rater: str, showing_id: str, which: str) -> ArenaClip | None:
        """Give a sound of what lies before a rater: `first`, `second` or `request`; None for anything else."""
        showing = self._shown.get(rater)
        if showing is None or showing.id != showing_id:
            return None
        if which == "request":
            return showing.question.sound
        name = {"first": showing.match.first, "second": showing.match.second}.get(which)
        return None if name is None else self.field.answer(name, showing.question.id).sound

    def _new(self, rater: str) -> Showing | None:
        match = next_match(self.field, self.battles, rater, self.rules.seed)
        return None if match is None else self._showing(match, "drawn", repeat=False)

    def _again(self, rater: str) -> Showing | None:
        """Give a pair to be judged a second time, where one is due: another rater's and the rater's own in turn."""
        own = [battle for battle in self.battles if battle.rater == rater]
        fresh = [battle for battle in own if not battle.repeat]
        shared = self._shared(rater)
        again = len(own) - len(fresh)
        if again + shared >= int(self.rules.twice * len(fresh)):
            return None
        seen = {battle.pair for battle in own}
        others = [battle for battle in self.battles if self._is_here(battle) and battle.pair not in seen]
        if others and shared <= again:
            return self._showing(_match(others[0]), others[0].order or "drawn", repeat=False)
        known = {battle.pair for battle in own if battle.repeat}
        left = [battle for battle in fresh if battle.pair not in known and self._is_here(battle)]
        if len(left) <= NOT_AT_ONCE:
            return None
        return self._showing(_match(left[0]).turned(), "turned", repeat=True)

    def _shared(self, rater: str) -> int:
        """How many pairs of other raters this one was shown after them."""
        seen: set[tuple[str, str, str]] = set()
        count = 0
        for battle in self.battles:
            if battle.rater != rater:
                seen.add(battle.pair)
            elif not battle.repeat:
                count += battle.pair in seen
        return count

    def _is_here(self, battle: Battle) -> bool:
        """Whether both answers of a battle, perhaps of an earlier sitting, are among those that take part."""
        answered = {one.system for one in self.field.entrants if battle.input in one.answers}
        return {battle.model_a, battle.model_b} <= answered

    def _showing(self, match: Match, order: Order, *, repeat: bool) -> Showing:
        self._count += 1
        return Showing(
            id=str(self._count),
            match=match,
            question=self.field.questions[match.question],
            order=order,
            repeat=repeat,
            began_s=self._now(),
        )


def _match(battle: Battle) -> Match:
    return Match(battle.input, battle.model_a, battle.model_b)
