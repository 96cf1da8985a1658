"""Task: whether what a scenario expects of a session was achieved, outcome by outcome and all of them together."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from metrics.card import card, rate
from metrics.outcomes.finding import WORDY, found
from metrics.outcomes.seen import OutcomeFinding, Seen, expected_of
from simulator.cassettes.cassette import Cassette
from simulator.judging.bench import Bench
from simulator.judging.spec import AnyJudge, JudgeSpec
from simulator.reading.expect import Expectation
from simulator.reading.outcome_id import outcome_definition
from simulator.reading.outcomes import JudgeOutcome, WorldOutcome
from simulator.score import Definition, Evidence, Score, share
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session

_OUTCOMES = """Outcomes are what a scenario's `expect` says of words, calls, state and ends (docs/outcomes.md), but for
    those that only inform. They are read from the session's own scenario.yaml, so that old sessions can be scored."""

SUCCESS = rate(
    "task.success_rate",
    "Task success",
    "higher",
    card(
        """The share of sessions in which every outcome that the scenario expects is met.""",
        _OUTCOMES,
        """Undefined when nothing is expected, or when an outcome is undefined (no transcript, no world) and none is
            unmet. Pooled: sessions over sessions; with repeats, the chance that all of k trials succeed (pass^k) and
            that one of them does (pass@k) stand beside the expectations of a run.""",
        """Others: tau-bench multiplies the parts of its reward; EVA compares the data base at the end alone;
            Full-Duplex-Bench v3's Pass@1 asks for the right calls with the right arguments.""",
    ),
    "this project; pass^k: tau-bench (arXiv 2406.12045)",
)
MET = rate(
    "task.met_rate",
    "Outcomes met",
    "higher",
    card(
        """The share of the expected outcomes that are met, undefined ones aside.""",
        _OUTCOMES,
        """Undefined when nothing is expected, or all of it is undefined. Pooled: outcomes over outcomes.""",
    ),
    "this project",
)


class TaskSpec(ScorerSpec, frozen=True, kw_only=True, tag="task"):
    """Hold a session against the outcomes that its scenario expects.

    expect: other ones, in the form of a scenario's `expect`. judge: who is asked where a judge is; the scenario's, or
    that of the session's own scenario, unless given.
    """

    cards: ClassVar[tuple[Definition, ...]] = (SUCCESS, MET)

    expect: tuple[Expectation, ...] = ()
    judge: AnyJudge | None = None

    def with_judge(self, judge: JudgeSpec | None) -> "TaskSpec":
        """Give the same with the scenario's judge, where it has none of its own and one may be asked."""
        asks = not self.expect or any(isinstance(item.outcome, JudgeOutcome) for item in self.expect)
        return msgspec.structs.replace(self, judge=judge) if asks and self.judge is None else self

    def asks_for_words(self) -> bool:
        """Whether an outcome is found in words; where the session will say, it may be."""
        return not self.expect or any(isinstance(item.outcome, WORDY) for item in self.expect)

    def build(self) -> "Task":
        """Make the scorer."""
        return Task(self.expect, self.judge)


class Task:
    """Finds outcomes. used: what a judge was asked and answered so far."""

    def __init__(self, expect: Sequence[Expectation], judge: JudgeSpec | None = None) -> None:
        self.used: list[Cassette] = []
        self._expect = expect
        self._bench = Bench(judge)
        own = [outcome_definition(item.metric, item.text) for item in expect]
        self.definitions = by_id((SUCCESS, MET, *own))

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        expect = self._expect or expected_of(session)
        asks = any(isinstance(item.outcome, JudgeOutcome | WorldOutcome) for item in expect)
        sitting = self._bench.sitting(session) if asks else None
        seen = Seen(session, sitting)
        findings = [(item, found(item.outcome, seen)) for item in expect if item.outcome is not None]
        gating = [(item, finding) for item, finding in findings if not item.inform]
        own = [_score(item, finding) for item, finding in findings] if self._expect else []
        self.used += sitting.used if sitting else []
        return [_success(gating), _met(gating), *own]


def _score(item: Expectation, finding: OutcomeFinding) -> Score:
    card = outcome_definition(item.metric, item.text)
    return share(card, int(bool(finding.met)), int(finding.met is not None), finding.evidence, reason=finding.reason)


Findings = Sequence[tuple[Expectation, OutcomeFinding]]


def _success(findings: Findings) -> Score:
    unmet, unknown = _unmet(findings), [finding.reason for _, finding in findings if finding.met is None]
    if unmet or not findings or not unknown:
        return share(SUCCESS, int(not unmet), int(bool(findings)), unmet, reason="the scenario expects no outcome")
    return share(SUCCESS, 0, 0, reason=unknown[0])


def _met(findings: Findings) -> Score:
    known = [finding for _, finding in findings if finding.met is not None]
    reason = next((finding.reason for _, finding in findings), "the scenario expects no outcome")
    return share(MET, sum(bool(finding.met) for finding in known), len(known), _unmet(findings), reason=reason)


def _unmet(findings: Findings) -> list[Evidence]:
    """The moments that decide what was not met."""
    return [evidence for _, finding in findings if finding.met is False for evidence in finding.evidence]
