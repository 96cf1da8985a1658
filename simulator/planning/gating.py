"""Gating: a judge that nobody calibrated informs, so what a scenario expects of its word decides no exit code."""

from collections.abc import Iterator

import msgspec

from simulator.errors import ScenarioError
from simulator.judging.calibration import why_not_believed
from simulator.judging.rubric import Criterion
from simulator.judging.spec import JudgeSpec
from simulator.planning.scorers import with_judge
from simulator.reading.expect import Expectation
from simulator.scenario import Scenario
from simulator.scoring.judge_cards import AGREEMENT, JUDGED, SCORE


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


def _informing(item: Expectation, asked: dict[str, tuple[JudgeSpec, Criterion]], remarks: list[str]) -> Expectation:
    name = item.metric.removeprefix(JUDGED).removesuffix(SCORE).removesuffix(AGREEMENT)
    if item.inform or not item.metric.startswith(JUDGED) or name not in asked:
        return item
    why = why_not_believed(*asked[name])
    if why is None:
        return item
    remarks.append(f"{item.text!r} informs and gates nothing: {why}; `simulate judge calibrate`, or `gate: true`")
    return item.informing()


def _asked(scenario: Scenario) -> Iterator[tuple[str, tuple[JudgeSpec, Criterion]]]:
    """Give what judges are asked in a scenario, by the criterion's name."""
    for spec in scenario.scorers or []:
        scorer = with_judge(spec, scenario.judge)
        judge = getattr(scorer, "judge", None)
        if isinstance(judge, JudgeSpec) and hasattr(scorer, "all_criteria"):
            yield from ((name, (judge, criterion)) for name, criterion in scorer.all_criteria().items())
