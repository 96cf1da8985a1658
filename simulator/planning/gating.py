"""Gating: a judge that nobody calibrated informs, so what a scenario expects of its word decides no exit code."""

from collections.abc import Iterator, Mapping

import msgspec

from simulator.errors import ScenarioError
from simulator.judging.calibration import why_not_believed
from simulator.judging.rubric import Criterion
from simulator.judging.sentence import criterion_of
from simulator.judging.spec import JudgeSpec
from simulator.planning.scorers import with_judge
from simulator.reading.expect import Expectation
from simulator.reading.outcomes import JudgeOutcome
from simulator.scenario import Scenario
from simulator.scoring.judge_cards import AGREEMENT, JUDGED, SCORE

Asked = Mapping[str, tuple[JudgeSpec, Criterion]]
"""Who is asked what, by metric."""


def informed(scenario: Scenario) -> tuple[Scenario, list[str]]:
    """Let what is expected of a judge that may not gate inform alone; gives the scenario, and a sentence for each.

    ScenarioError: a rubric or a calibration that cannot be read, or nothing is left that trials could decide.
    """
    asked = dict(_asked(scenario))
    remarks: list[str] = []
    expect = [_informing(item, asked, remarks) for item in scenario.expect]
    if not remarks:
        return scenario, []
    try:
        changed = msgspec.structs.replace(scenario, expect=expect)
    except ValueError as error:
        raise ScenarioError(f"{scenario.name}: $.repeat: {error}; {remarks[0]}") from error
    return changed, [f"{scenario.name}: {remark}" for remark in remarks]


def _informing(item: Expectation, asked: Asked, remarks: list[str]) -> Expectation:
    who = asked.get(item.metric)
    why = None if who is None or item.inform else why_not_believed(*who)
    if why is None:
        return item
    remarks.append(f"{item.text!r} informs and gates nothing: {why}; `simulate judge calibrate`, or `gate: true`")
    return item.informing()


def _asked(scenario: Scenario) -> Iterator[tuple[str, tuple[JudgeSpec, Criterion]]]:
    """Give what judges are asked in a scenario, by metric."""
    for spec in scenario.scorers or []:
        scorer = with_judge(spec, scenario.judge)
        judge = getattr(scorer, "judge", None)
        if isinstance(judge, JudgeSpec) and hasattr(scorer, "all_criteria"):
            for name, criterion in scorer.all_criteria().items():
                yield from ((f"{JUDGED}{name}{end}", (judge, criterion)) for end in ("", SCORE, AGREEMENT))
    for item in scenario.expect:
        if isinstance(item.outcome, JudgeOutcome) and scenario.judge is not None:
            votes = item.outcome.votes or scenario.judge.votes
            yield item.metric, (msgspec.structs.replace(scenario.judge, votes=votes), criterion_of(item.outcome))
