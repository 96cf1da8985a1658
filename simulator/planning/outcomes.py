"""Checks of outcomes before a run: tools, arguments and places in the state that a scenario expects something of."""

from difflib import get_close_matches
from typing import Any

from simulator.errors import ScenarioError
from simulator.events import PARTIES, Party
from simulator.reading.outcomes import (
    CalledOutcome,
    ExpectedOutcome,
    JudgeOutcome,
    NotCalledOutcome,
    StateOutcome,
    TimedOutcome,
    WorldOutcome,
)
from simulator.scenario import Scenario
from simulator.texts import quoted
from simulator.world.template import split_path
from simulator.world.tool import Tool


def check_outcomes(scenario: Scenario) -> None:
    """Refuse an outcome that no session can show. ScenarioError names its place."""
    taken: dict[str, int] = {}
    for index, expectation in enumerate(scenario.expect):
        outcome = expectation.outcome
        if outcome is None:
            continue
        complaint = _complaint(scenario, outcome)
        if expectation.metric in taken:
            complaint = f"is expect[{taken[expectation.metric]}] once more; give one of them a `name`"
        if scenario.scorers == []:
            complaint = "is found by scoring, and `scorers: []` wants none"
        if complaint is not None:
            raise ScenarioError(f"{scenario.name}: $.expect[{index}]: {complaint}")
        taken[expectation.metric] = index


def tools_of(scenario: Scenario, party: Party) -> dict[str, Tool]:
    """Give the tools that a party may call, by name: the world's and its own."""
    world = scenario.world.tools(party) if scenario.world is not None else ()
    return {tool.name: tool for tool in (*world, *scenario.actor(party).own_tools())}


def _complaint(scenario: Scenario, outcome: ExpectedOutcome) -> str | None:
    if isinstance(outcome, TimedOutcome) and outcome.after is not None and outcome.after.kind == "call":
        known = [name for party in PARTIES for name in tools_of(scenario, party)]
        if outcome.after.name not in known:
            return f"`after: {outcome.after}`: nobody has such a tool{_meant(outcome.after.name, known)}"
    match outcome:
        case CalledOutcome() | NotCalledOutcome():
            return _on_tools(scenario, outcome)
        case StateOutcome():
            return _on_state(scenario, outcome)
        case WorldOutcome():
            judged = scenario.world is not None and scenario.world.judges
            return None if judged else "is the verdict of a world that has one (`kind: tau2`), and this one has none"
        case JudgeOutcome() if scenario.judge is None:
            return "needs `judge:`, the model that is asked, in the scenario: {model: ..., base_url: ...}"
    return None


def _on_tools(scenario: Scenario, outcome: CalledOutcome | NotCalledOutcome) -> str | None:
    known = tools_of(scenario, outcome.by)
    for name in outcome.tools:
        if name not in known:
            return f"nobody has a tool {name!r}{_meant(name, list(known))}"
    for name in outcome.arguments if isinstance(outcome, CalledOutcome) else ():
        properties: dict[str, Any] = known[outcome.tools[0]].parameters.get("properties", {})
        if name not in properties:
            return f"{outcome.tools[0]} has no parameter {name!r}{_meant(name, list(properties))}"
    return None


def _on_state(scenario: Scenario, outcome: StateOutcome) -> str | None:
    if scenario.world is None:
        return f"state {quoted(outcome.state)} is that of a `world`, and there is none"
    root, known = split_path(outcome.state)[0], scenario.world.roots()
    if known is not None and root not in known:
        return f"the world's state has no {root!r}{_meant(root, known)}"
    return None


def _meant(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    if close:
        return f"; did you mean {close[0]}"
    return f"; there are {', '.join(known)}" if known else "; there are none"
