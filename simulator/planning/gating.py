"""Gating: a judge that nobody calibrated informs, so what a scenario expects of its word decides no exit code."""

from collections.abc import Iterator

import msgspec

from simulator.errors import ScenarioError
from simulator.judging.calibration import why_not_believed
from simulator.judging.sentence import criterion_of
from simulator.judging.spec import JudgeSpec
from simulator.planning.scorers import with_judge
from simulator.reading.expect import Expectation
from simulator.reading.outcomes import JudgeOutcome
from simulator.scenario import Scenario
from simulator.scoring.judge_cards import AGREEMENT, CONSISTENT, JUDGED, PREFERRED, SCORE


def informed(scenario: Scenario) -> tuple[Scenario, list[str]]:
    """Let what is expected of a judge that may not gate inform alone; gives the scenario, and a sentence for each.

    ScenarioError: a rubric or a calibration that cannot be read, or nothing is left that trials could decide.
    """
    doubts = dict(_doubts(scenario))
    remarks: list[str] = []
    expect = [_informing(item, doubts.get(item.metric), remarks) for item in scenario.expect]
    if not remarks:
        return scenario, []
    try:
        changed = msgspec.structs.replace(scenario, expect=expect)
    except ValueError as error:
        raise ScenarioError(f"{scenario.name}: $.repeat: {error}; {remarks[0]}") from error
    return changed, [f"{scenario.name}: {remark}" for remark in remarks]


def _informing(item: Expectation, why: str | None, remarks: list[str]) -> Expectation:
    if why is None or item.inform:
        return item
    remarks.append(f"{item.text!r} informs and gates nothing: {why}; `simulate judge calibrate`, or `gate: true`")
    return item.informing()


def _doubts(scenario: Scenario) -> Iterator[tuple[str, str | None]]:
    """Give why a judge is not believed, or None where it is, by every metric of what judges are asked."""
    for spec in scenario.scorers or []:
        scorer = with_judge(spec, scenario.judge)
        judge = getattr(scorer, "judge", None)
        if isinstance(judge, JudgeSpec) and hasattr(scorer, "all_criteria"):
            for name, criterion in scorer.all_criteria().items():
                why = why_not_believed(judge, criterion)
                yield from ((f"{JUDGED}{name}{end}", why) for end in ("", SCORE, AGREEMENT))
                pairs = None if judge.gate else "what a judge prefers was not calibrated"
                yield from ((f"{JUDGED}{name}{end}", pairs) for end in (PREFERRED, CONSISTENT))
    for item in scenario.expect:
        if isinstance(item.outcome, JudgeOutcome) and scenario.judge is not None:
            votes = item.outcome.votes or scenario.judge.votes
            judge = msgspec.structs.replace(scenario.judge, votes=votes)
            yield item.metric, why_not_believed(judge, criterion_of(item.outcome))
