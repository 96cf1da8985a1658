"""Votes: a judge is asked several times, and the verdict is what no missing vote could change."""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from simulator.errors import RemoteError, SessionError
from simulator.judging.exhibit import Exhibit
from simulator.judging.question import Vote, messages, read_vote
from simulator.judging.rubric import Criterion
from simulator.score import Evidence
from simulator.scoring.judge import Messages
from simulator.scoring.judge_endpoint import EndpointJudge, UnreadableAnswerError

_HALF = 0.5


class Ballot(msgspec.Struct, frozen=True, kw_only=True):
    """All votes on one criterion of one session, and what they were asked about."""

    criterion: Criterion
    exhibit: Exhibit | None
    votes: tuple[Vote, ...]

    @property
    def counted(self) -> list[int]:
        """The verdicts there are."""
        return [vote.value for vote in self.votes if vote.value is not None]

    @property
    def problem(self) -> str | None:
        """Why a vote is missing; None where none is."""
        return next((vote.reason for vote in self.votes if vote.value is None), None)

    @property
    def agreement(self) -> tuple[int, int]:
        """How many votes agree with the most frequent one, of how many."""
        counts = Counter(self.counted)
        return max(counts.values(), default=0), len(self.counted)

    def met(self, at_least: float | None = None) -> bool | None:
        """Whether enough votes find it met; None where votes that are missing could change it.

        at_least: the share of votes; the criterion's, or more than half, unless given.
        """
        asked, found = len(self.votes), sum(self.counted)
        at_most = found + asked - len(self.counted)
        bound = at_least if at_least is not None else self.criterion.at_least
        if _enough(found, asked, bound):
            return True
        return None if _enough(at_most, asked, bound) else False

    def points(self) -> float | None:
        """Give the mean of the votes on a scale; None where one is missing."""
        return sum(self.counted) / len(self.votes) if self.votes and len(self.counted) == len(self.votes) else None

    def evidence(self, length: int, met: bool | None = None) -> list[Evidence]:
        """Give the reasons, each at the line it rests on, or over the whole session of `length` samples.

        met: the verdict, if there is one; votes for it come first.
        """
        votes = sorted(self.votes, key=lambda vote: met is not None and vote.value != int(met))
        return [self._reason(vote, length) for vote in votes if vote.value is not None]

    def _reason(self, vote: Vote, length: int) -> Evidence:
        scaled = self.criterion.scale is not None
        label = vote.reason if scaled else f"{'met' if vote.value else 'not met'}: {vote.reason}"
        value = float(vote.value or 0) if scaled else None
        if vote.line is None or self.exhibit is None:
            return Evidence(start=0, end=length, label=label, value=value)
        line = self.exhibit.lines[vote.line]
        start, end = (min(max(0, place), length) for place in (line.start, line.end))
        return Evidence(start=start, end=end, party=line.party, label=label, value=value)


def _enough(found: int, asked: int, at_least: float | None) -> bool:
    """Two of three are 0.67 as people write it, so the share is rounded to two places."""
    if not asked:
        return False
    return found / asked > _HALF if at_least is None else round(found / asked, 2) >= at_least


def take_votes(
    judge: EndpointJudge, criterion: Criterion, exhibit: Exhibit, *, votes: int, retries: int, swapped: bool = False
) -> Ballot:
    """Ask so often; a vote whose reply fails or is no verdict is asked for again, at most `retries` times each."""
    asked, tries = messages(criterion, exhibit, swapped=swapped), retries + 1
    what = f"{exhibit.id}: {criterion.criterion}"

    def read(text: str) -> Vote:
        return read_vote(text, criterion, exhibit.lines)

    rounds = (range(number * tries, (number + 1) * tries) for number in range(votes))
    found = tuple(first_vote(judge, what, asked, attempts, read) for attempts in rounds)
    return Ballot(criterion=criterion, exhibit=exhibit, votes=found)


def no_votes(criterion: Criterion, votes: int, reason: str) -> Ballot:
    """Give the ballot of a session that could not be shown."""
    return Ballot(criterion=criterion, exhibit=None, votes=(Vote(None, reason),) * votes)


def first_vote(
    judge: EndpointJudge, what: str, asked: Messages, attempts: Iterable[int], read: Callable[[str], Vote]
) -> Vote:
    """Give the first verdict that the attempts come to; else why the last one was none. what: the question in words."""
    vote = Vote(None, "it was not asked")
    for attempt in attempts:
        try:
            (reply,) = judge.answers(what, asked, attempt)
        except UnreadableAnswerError as error:
            vote = Vote(None, str(error))
            continue
        except (SessionError, RemoteError) as error:
            return Vote(None, str(error))  # nothing is kept; or the client has tried again already, and waited
        vote = read(reply.text) if reply.problem is None else Vote(None, reply.problem)
        if vote.value is not None:
            return vote
        vote = vote._replace(reason=f"the judge {judge.settings.model} gave no verdict: {vote.reason}")
    return vote
