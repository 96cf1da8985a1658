"""A machine as the judge of battles: every pair in both orders, as who stands first must not decide."""

from pathlib import Path

from simulator import clock
from simulator.arena.asking import ArenaCriterion, Heard, messages, shown
from simulator.arena.battle import Battle, Order, Winner
from simulator.arena.pairing import Match
from simulator.arena.sources import ArenaField
from simulator.cassettes.store import Cassettes
from simulator.errors import ScenarioError, SessionError
from simulator.judging.pairs import read_side
from simulator.judging.question import Vote
from simulator.judging.sitting import keep_used
from simulator.judging.spec import JudgeSpec
from simulator.judging.voting import first_vote
from simulator.scoring.judge_endpoint import FILE

DEAF = ("BadRequestError", "UnprocessableEntityError", "APIStatusError", "no reply is kept")
"""What a failure names where an endpoint takes no sound, or where nothing is kept of one that was asked for words."""


class Machine:
    """A judge of battles. heard: what it gets; None: sound, and words where it turns out to take no sound."""

    def __init__(
        self, spec: JudgeSpec, field: ArenaField, criterion: ArenaCriterion, *, out: Path, heard: Heard | None = None
    ) -> None:
        """out: the folder that keeps its replies. ScenarioError: its key is not set, or words tell nothing of this."""
        self._spec = spec
        self._field = field
        self._criterion = criterion
        self._out = out
        self._judge = spec.open()
        file = out / FILE
        self._judge.cassettes = Cassettes([file], keep=file, record=spec.record, behind=self._judge.kept)
        self._settled = heard is not None
        self.heard: Heard = heard or "sound"
        self._check()

    @property
    def rater(self) -> str:
        """What its battles call it."""
        return f"judge {self._spec.model}"

    def _check(self) -> None:
        if self.heard == "text" and self._criterion == "paralinguistic":
            raise ScenarioError("a paralinguistic criterion needs a judge that hears; words do not tell how they sound")

    def battles(self, match: Match) -> list[Battle]:
        """Judge a pair, as the sides were drawn, then turned. SessionError: no verdict, or an answer cannot be read."""
        orders: tuple[tuple[Order, Match], ...] = (("drawn", match), ("turned", match.turned()))
        return [self._battle(order, sides) for order, sides in orders]

    def finish(self) -> None:
        """Keep in the folder what the user's cache knew already, too: it can then be judged again anywhere."""
        keep_used(self._out, self._judge.cassettes.used)

    def _battle(self, order: Order, match: Match) -> Battle:
        begin = clock.seconds()
        vote, lengths = self._vote(match)
        if vote.value is None and not self._settled and any(word in vote.reason for word in DEAF):
            self.heard = "text"
            self._check()
            told, (vote, lengths) = vote, self._vote(match)
            if vote.value is None:
                vote, self.heard = told, "sound"
        if vote.value is None:
            raise SessionError(f"{match.question}: {match.first} before {match.second}: {vote.reason}")
        self._settled = True
        return Battle(
            model_a=match.first,
            model_b=match.second,
            winner=_winner(vote.value),
            domain=self._field.questions[match.question].domain,
            order=order,
            rater=self.rater,
            seconds=round(clock.seconds() - begin, 3),
            input=match.question,
            criterion=self._criterion,
            heard=self.heard,
            lengths=lengths,
            reason=vote.reason,
        )

    def _vote(self, match: Match) -> tuple[Vote, tuple[float, float]]:
        """Ask as often as the judge's votes say; what most of them say, a tie where none has more."""
        answers = [self._field.answer(name, match.question) for name in (match.first, match.second)]
        first, second = (shown(answer, self.heard) for answer in answers)
        asked = messages(self._criterion, self._field.questions[match.question], (first, second), self.heard)
        what, tries = f"{match.question}: {match.first} before {match.second}", self._spec.retries + 1
        votes = []
        for number in range(self._spec.votes):
            attempts = range(number * tries, (number + 1) * tries)
            votes.append(first_vote(self._judge, what, asked, attempts, read_side))
        missing = next((vote for vote in votes if vote.value is None), None)
        if missing is not None:
            return missing, (first.length, second.length)
        total = sum(vote.value or 0 for vote in votes)
        side = (total > 0) - (total < 0)
        said = next((vote for vote in votes if vote.value == side), votes[0])
        return Vote(side, said.reason), (first.length, second.length)


def _winner(side: int) -> Winner:
    return "model_a" if side > 0 else "model_b" if side < 0 else "tie"
