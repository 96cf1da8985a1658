"""Judged criteria: what a language model finds of a session, by a rubric, with its votes and their agreement."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import msgspec

from simulator.cassettes.cassette import Cassette
from simulator.judging.bench import Bench
from simulator.judging.rubric import AnyCriterion, Criteria, Criterion, check_names, read_rubric
from simulator.judging.spec import AnyJudge, JudgeSpec, need_judge
from simulator.judging.voting import Ballot
from simulator.score import Definition, Score, share, spread
from simulator.scoring.judge_cards import AGREEMENT, JUDGED, SCORE, judge_definition
from simulator.scoring.scorer import ScorerSpec
from simulator.session import Session

CARD = """\
A language model is asked about every session, criterion by criterion, as a rubric of the scenario's says.
judge.X: whether criterion X is met, by more than half of the votes or by at_least of them; pooled the
share of sessions. judge.X.score: its points, where X has a scale. judge.X.agreement: how far votes agree.
`simulate explain judge.X` tells more; docs/judges.md how a judge is calibrated against people."""


class JudgeScorerSpec(ScorerSpec, frozen=True, kw_only=True, tag="judge"):
    """Ask a judge: `{kind: judge, rubric: FILE}`, or `{kind: judge, criteria: {polite: "The agent is polite."}}`.

    judge: who is asked; the scenario's `judge` unless given.
    """

    rubric: Path | None = None
    criteria: dict[str, AnyCriterion] = {}
    judge: AnyJudge | None = None

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
        return JudgeScorer(self.all_criteria(), need_judge(self.judge, "the scorer `judge`"))


class JudgeScorer:
    """Asks about every criterion. used: what was asked and answered so far."""

    def __init__(self, criteria: Criteria, judge: JudgeSpec) -> None:
        self.used: list[Cassette] = []
        self._criteria = criteria
        self._bench = Bench(judge)

    @cached_property
    def definitions(self) -> Mapping[str, Definition]:
        """The cards by metric id: of each criterion its verdict or points, and how far its votes agree."""
        names = [f"{JUDGED}{name}" for name in self._criteria]
        scaled = [criterion.scale is not None for criterion in self._criteria.values()]
        ids = [(f"{name}{SCORE}" if points else name, f"{name}{AGREEMENT}")
               for name, points in zip(names, scaled, strict=True)]  # fmt: skip
        return {metric: judge_definition(metric) for pair in ids for metric in pair}

    def score(self, session: Session) -> list[Score]:
        """Judge one session: two scores per criterion."""
        sitting = self._bench.sitting(session)
        assert sitting is not None, "a bench with a judge always sits"
        scores = [
            score
            for name, criterion in self._criteria.items()
            for score in self._scores(name, criterion, sitting.ballot(criterion), session.duration)
        ]
        self.used += sitting.used
        return scores

    def _scores(self, name: str, criterion: Criterion, ballot: Ballot, length: int) -> tuple[Score, Score]:
        evidence, reason = ballot.evidence(length), ballot.problem or "no judge answered"
        if criterion.scale is not None:
            points = ballot.points()
            found = [] if points is None else [points]
            first = spread(self.definitions[f"{JUDGED}{name}{SCORE}"], found, evidence, reason=reason)
        else:
            met = ballot.met()
            counted = (0, 0) if met is None else (int(met), 1)
            first = share(self.definitions[f"{JUDGED}{name}"], *counted, evidence, reason=reason)
        alike, of = ballot.agreement if len(ballot.counted) > 1 else (0, 0)
        card = self.definitions[f"{JUDGED}{name}{AGREEMENT}"]
        return first, share(card, alike, of, reason="there are no two votes to agree")
