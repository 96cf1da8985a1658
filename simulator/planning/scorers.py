"""The scorers of a scenario: those it names, the default ones where it names none; and what they will measure."""

from collections.abc import Mapping

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
    validity = load("scorers", "validity")
    if not scenario.scorers or any(isinstance(spec, validity) for spec in scenario.scorers):
        return scenario.scorers
    return [*scenario.scorers, validity()]


def metrics_of(scenario: Scenario) -> Mapping[str, Definition]:
    """Give the cards of every metric that a scenario's scorers measure, by id; known before anything runs."""
    return definitions_by(spec.build() for spec in chosen_scorers(scenario))
