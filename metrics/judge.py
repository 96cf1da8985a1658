"""Judged criteria: what a language model finds of a session, by a rubric, with its votes and their agreement."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import msgspec

from simulator.annotation.annotate import annotated
from simulator.cassettes.cassette import Cassette
from simulator.errors import ScenarioError, SessionError
from simulator.judging.bench import Bench
from simulator.judging.pairs import Preference
from simulator.judging.rubric import AnyCriterion, Criteria, Criterion, check_names, read_rubric
from simulator.judging.sitting import Sitting
from simulator.judging.spec import AnyJudge, JudgeSpec, need_judge
from simulator.judging.voting import Ballot
from simulator.score import Definition, Evidence, Score, share, spread
from simulator.scoring.judge_cards import AGREEMENT, CONSISTENT, JUDGED, PREFERRED, SCORE, judge_definition
from simulator.scoring.scorer import ScorerSpec
from simulator.session import Session, read_session

CARD = """\
A language model is asked about every session, criterion by criterion, as a rubric of the scenario's says.
judge.X: whether criterion X is met, by more than half of the votes or by at_least of them; pooled the
share of sessions. judge.X.score: its points, where X has a scale. judge.X.agreement: how far votes agree.
`simulate explain judge.X` tells more; docs/judges.md how a judge is calibrated against people."""


class JudgeScorerSpec(ScorerSpec, frozen=True, kw_only=True, tag="judge"):
    """Ask a judge: `{kind: judge, rubric: FILE}`, or `{kind: judge, criteria: {polite: "The agent is polite."}}`.

    judge: who is asked; the scenario's `judge` unless given. against: another run, whose session of the same id each
    session is compared with instead. rubric: a file with the criteria. criteria: what is asked, by name.
    """

    rubric: Path | None = None
    criteria: dict[str, AnyCriterion] = {}
    judge: AnyJudge | None = None
    against: Path | None = None

    needs_words: ClassVar[bool] = True
    card: ClassVar[str] = CARD

    def __post_init__(self) -> None:
        if (self.rubric is None) == (not self.criteria):
            raise ValueError("a judge needs `rubric: FILE` or `criteria: {NAME: ...}`, one of them")
        if self.criteria:
            check_names(self.criteria, "criteria")

    def asks_for_words(self) -> bool:
        """Whether words are read: not by a judge that hears the sound."""
        return self.judge is None or self.judge.hears == "text"

    def with_judge(self, judge: JudgeSpec | None) -> "JudgeScorerSpec":
        """Give the same with the scenario's judge, where it has none of its own."""
        return self if self.judge is not None else msgspec.structs.replace(self, judge=judge)

    def all_criteria(self) -> Criteria:
        """Give what is asked. ScenarioError where the rubric cannot be read."""
        return self.criteria if self.rubric is None else read_rubric(self.rubric)

    def build(self) -> "JudgeScorer":
        """Make the scorer. ScenarioError: no judge, or a rubric that is none."""
        judge = need_judge(self.judge, "the scorer `judge`")
        if self.against is not None and not self.against.is_dir():
            raise ScenarioError(f"against: {self.against} is no run folder")
        return JudgeScorer(self.all_criteria(), judge, self.against)


class JudgeScorer:
    """Asks about every criterion. used: what was asked and answered so far."""

    def __init__(self, criteria: Criteria, judge: JudgeSpec, against: Path | None = None) -> None:
        self.used: list[Cassette] = []
        self._criteria = criteria
        self._against = against
        self._bench = Bench(judge)
        self._reads = judge.hears == "text"

    @cached_property
    def definitions(self) -> Mapping[str, Definition]:
        """The cards by metric id: of each criterion its verdict or points with the votes' agreement, or of pairs."""
        ids = [f"{JUDGED}{name}{end}" for name, criterion in self._criteria.items() for end in self._ends(criterion)]
        return {metric: judge_definition(metric) for metric in ids}

    def _ends(self, criterion: Criterion) -> tuple[str, str]:
        if self._against is not None:
            return PREFERRED, CONSISTENT
        return "" if criterion.scale is None else SCORE, AGREEMENT

    def score(self, session: Session) -> list[Score]:
        """Judge one session: two scores per criterion."""
        sitting = self._bench.sitting(session)
        assert sitting is not None, "a bench with a judge always sits"
        if self._against is None:
            found = [self._scores(name, criterion, sitting.ballot(criterion), session.duration)
                     for name, criterion in self._criteria.items()]  # fmt: skip
        else:
            found = self._compared(sitting, session, self._against)
        self.used += sitting.used
        return [score for pair in found for score in pair]

    def _compared(self, sitting: Sitting, session: Session, against: Path) -> list[tuple[Score, Score]]:
        """Ask whether this session is better than the other run's; undefined where that has none of its id."""
        try:
            other = read_session(against / session.id)
            # Who hears reads no words, and recognising them costs more than anything else here.
            other = annotated(other, words=self._reads)
        except SessionError as error:
            missing = [Preference(None, consistent=False, reason=str(error))]
            return [self._preferred(name, missing, session.duration) for name in self._criteria]
        return [self._preferred(name, sitting.preferences(criterion, other), session.duration)
                for name, criterion in self._criteria.items()]  # fmt: skip

    def _preferred(self, name: str, found: Sequence[Preference], length: int) -> tuple[Score, Score]:
        shares = [item.share for item in found if item.share is not None]
        reason = next((item.reason for item in found if item.share is None), "")
        whole = len(shares) == len(found)
        evidence = [Evidence(start=0, end=length, label=item.reason, value=item.share) for item in found if whole]
        share_of = sum(shares) / len(shares) if whole else 0
        steady = sum(item.consistent for item in found)
        cards = (self.definitions[f"{JUDGED}{name}{end}"] for end in (PREFERRED, CONSISTENT))
        return (
            share(next(cards), share_of, int(whole), evidence, reason=reason),
            share(next(cards), steady if whole else 0, len(found) if whole else 0, reason=reason),
        )

    def _scores(self, name: str, criterion: Criterion, ballot: Ballot, length: int) -> tuple[Score, Score]:
        met, reason = ballot.met(), ballot.problem or "no judge answered"
        evidence = ballot.evidence(length, None if criterion.scale else met)
        if criterion.scale is not None:
            points = ballot.points()
            found = [] if points is None else [points]
            first = spread(self.definitions[f"{JUDGED}{name}{SCORE}"], found, evidence, reason=reason)
        else:
            counted = (0, 0) if met is None else (int(met), 1)
            first = share(self.definitions[f"{JUDGED}{name}"], *counted, evidence, reason=reason)
        alike, of = ballot.agreement if len(ballot.counted) > 1 else (0, 0)
        card = self.definitions[f"{JUDGED}{name}{AGREEMENT}"]
        return first, share(card, alike, of, reason="there are no two votes to agree")
