"""Sittings: a judge at work on one session. Scorers, expectations, calibration and self-tests all ask through one."""

from collections.abc import Iterable
from copy import copy
from pathlib import Path

from simulator.cassettes.cassette import Cassette
from simulator.cassettes.recording import record_or
from simulator.cassettes.store import Cassettes, append, read_cassettes
from simulator.errors import ScenarioError, SessionError
from simulator.judging.exhibit import Exhibit, exhibit_of
from simulator.judging.pairs import Preference, preferences
from simulator.judging.rubric import Criterion
from simulator.judging.spec import JudgeSpec
from simulator.judging.voting import Ballot, no_votes, take_votes
from simulator.scoring.judge_endpoint import FILE, EndpointJudge
from simulator.session import Session


class Sitting:
    """A judge with a session before it; what cannot be shown, or a key that is missing, is why no vote is given.

    Replies that lie beside the session are looked up first; new ones are kept in the user's cache, and beside the
    session by `keep_used` alone.
    """

    def __init__(self, spec: JudgeSpec, session: Session, *, judge: EndpointJudge | None = None) -> None:
        """session: annotated. judge: one that has sat before, or a new one."""
        self.spec = spec
        self.problem: str | None = None
        self.exhibit: Exhibit | None = None
        try:
            self.exhibit = exhibit_of(session, spec.hears)
            self._judge = judge or spec.open()
            self._cassettes = Cassettes([session.folder / FILE], record=record_or(spec.record), behind=self._judge.kept)
        except (SessionError, ScenarioError) as error:
            self.problem = str(error)

    def ballot(self, criterion: Criterion, votes: int | None = None, *, swapped: bool = False) -> Ballot:
        """Ask about a criterion. votes: the judge's own number unless given. swapped: verdicts in the other order."""
        count = votes or self.spec.votes
        if self.problem is not None or self.exhibit is None:
            return no_votes(criterion, count, self.problem or "there is nothing to show")
        self._judge.settings, self._judge.cassettes = self.spec.settings(count), self._cassettes
        retries = self.spec.retries
        return take_votes(self._judge, criterion, self.exhibit, votes=count, retries=retries, swapped=swapped)

    def preferences(self, criterion: Criterion, other: Session) -> list[Preference]:
        """Ask which is better by a criterion, this session or another; shares speak for this one."""
        problem, shown = self.problem, None
        try:
            shown = exhibit_of(other, self.spec.hears)
        except SessionError as error:
            problem = problem or f"the other session: {error}"
        if problem is not None or self.exhibit is None or shown is None:
            return [Preference(None, consistent=False, reason=problem or "there is nothing to show")]
        votes, retries = self.spec.votes, self.spec.retries
        self._judge.settings, self._judge.cassettes = self.spec.settings(votes), self._cassettes
        return preferences(self._judge, criterion, (self.exhibit, shown), votes=votes, retries=retries)

    def showing(self, exhibit: Exhibit) -> "Sitting":
        """Give the same sitting with something else shown."""
        other = copy(self)
        other.exhibit = exhibit
        return other

    @property
    def used(self) -> list[Cassette]:
        """What was asked so far, and answered."""
        return [] if self.problem is not None else self._cassettes.used

    @property
    def notes(self) -> list[str]:
        """A sentence for every line of cassettes that is damaged."""
        return [] if self.problem is not None else [*self._cassettes.notes, *self._judge.kept.notes]


def keep_used(folder: Path, used: Iterable[Cassette]) -> None:
    """Add to a session's own cassettes what was asked about it: it can then be judged again elsewhere, offline."""
    file = folder / FILE
    known = {cassette.key for cassette in read_cassettes(file, [])}
    new = {cassette.key: cassette for cassette in reversed(list(used)) if cassette.key not in known}
    append(file, list(reversed(new.values())))
