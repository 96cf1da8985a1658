"""The scorers of a scenario: those it names, the default ones where it names none; and what they will measure."""

from collections.abc import Callable, Mapping

from simulator.events import PARTIES
from simulator.judging.spec import JudgeSpec
from simulator.plugins import load
from simulator.scenario import Scenario
from simulator.score import Definition
from simulator.scoring.scorer import DEFAULT_SCORERS, ScorerSpec, definitions_by


def chosen_scorers(scenario: Scenario) -> list[ScorerSpec]:
    """Give the specs of a scenario's scorers, in the order in which they score. An empty list: it wants no scores.

    Whatever it names, its sessions are looked at for faults of the tester: a number of an invalid one misleads. What it
    expects of words, calls and state is found by `task`, and its calls are measured by `tools`.
    """
    if scenario.scorers == []:
        return []
    named = scenario.scorers
    if named is None:
        named = [load("scorers", name)() for name in (*DEFAULT_SCORERS, *_of_outcomes(scenario))]
    task, validity = load("scorers", "task"), load("scorers", "validity")
    outcomes = tuple(item for item in scenario.expect if item.outcome is not None)
    if outcomes:
        named = [*(spec for spec in named if not isinstance(spec, task)), task(expect=outcomes)]
    named = [with_judge(spec, scenario.judge) for spec in named]
    return named if any(isinstance(spec, validity) for spec in named) else [*named, validity()]


def with_judge(spec: ScorerSpec, judge: JudgeSpec | None) -> ScorerSpec:
    """Give a scorer that asks a judge the scenario's, where it has none of its own; any other as it is."""
    given: Callable[[JudgeSpec | None], ScorerSpec] | None = getattr(spec, "with_judge", None)
    return spec if given is None else given(judge)


def _of_outcomes(scenario: Scenario) -> list[str]:
    """The scorers that a scenario without any gets for its calls."""
    calls = scenario.world is not None or any(scenario.actor(party).own_tools() for party in PARTIES)
    return ["tools"] if calls else []


def metrics_of(scenario: Scenario) -> Mapping[str, Definition]:
    """Give the cards of every metric that a scenario's scorers measure, by id; known before anything runs."""
    return definitions_by(spec.build() for spec in chosen_scorers(scenario))
