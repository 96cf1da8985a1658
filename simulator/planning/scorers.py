"""The scorers of a scenario: those it names, the default ones where it names none; and what they will measure."""

from collections.abc import Callable, Mapping

from simulator.judging.spec import JudgeSpec
from simulator.plugins import load
from simulator.scenario import Scenario
from simulator.score import Definition
from simulator.scoring.scorer import DEFAULT_SCORERS, ScorerSpec, definitions_by


def chosen_scorers(scenario: Scenario) -> list[ScorerSpec]:
    """Give the specs of a scenario's scorers, in the order in which they score. An empty list: it wants no scores.

    Whatever it names, its sessions are looked at for faults of the tester: a number of an invalid one misleads.
    """
    if scenario.scorers is None:
        return [load("scorers", name)() for name in DEFAULT_SCORERS]
    named = [with_judge(spec, scenario.judge) for spec in scenario.scorers]
    validity = load("scorers", "validity")
    if not named or any(isinstance(spec, validity) for spec in named):
        return named
    return [*named, validity()]


def with_judge(spec: ScorerSpec, judge: JudgeSpec | None) -> ScorerSpec:
    """Give a scorer that asks a judge the scenario's, where it has none of its own; any other as it is."""
    given: Callable[[JudgeSpec | None], ScorerSpec] | None = getattr(spec, "with_judge", None)
    return spec if given is None else given(judge)


def metrics_of(scenario: Scenario) -> Mapping[str, Definition]:
    """Give the cards of every metric that a scenario's scorers measure, by id; known before anything runs."""
    return definitions_by(spec.build() for spec in chosen_scorers(scenario))
