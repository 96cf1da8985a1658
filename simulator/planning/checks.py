"""Checks before a run: what could only fail later, for time or money, is refused at once."""

import os
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from simulator.errors import ScenarioError, located
from simulator.events import PARTIES
from simulator.intervals.pooled import SHARES
from simulator.judging.spec import JudgeSpec
from simulator.planning.outcomes import check_outcomes
from simulator.planning.scorers import metrics_of, with_judge
from simulator.reading.expect import undecidable
from simulator.reading.playing import UntilDecided
from simulator.scenario import Scenario
from simulator.score import Definition
from simulator.scoring.scorer import all_definitions
from simulator.sweep.design import StaircaseDesign


def check_environment(scenario: Scenario) -> None:
    """Refuse a party whose `${NAME}` or key the environment does not hold: it could only fail later, for money."""
    for party in PARTIES:
        for name in scenario.actor(party).environment():
            if not os.environ.get(name):
                raise ScenarioError(f"{scenario.name}: $.{party}: the environment variable {name} is not set")


def check_judges(scenario: Scenario) -> None:
    """Refuse a scorer whose judge is missing or has no key: it could only fail later, for money. ScenarioError."""
    judges = {"$.judge": scenario.judge}
    for index, spec in enumerate(scenario.scorers or []):
        located(f"{scenario.name}: $.scorers[{index}]", with_judge(spec, scenario.judge).build)
        judges[f"$.scorers[{index}].judge"] = getattr(spec, "judge", None)
    for where, judge in judges.items():
        if isinstance(judge, JudgeSpec) and judge.record != "never":
            located(f"{scenario.name}: {where}", judge.open)


def check_expectations(scenario: Scenario) -> None:
    """Refuse an expectation on a metric that nobody measures or a tool that nobody has, and a measure that is none.
    ScenarioError.
    """
    check_outcomes(scenario)
    known = metrics_of(scenario)
    for metric in scenario.keep.metrics if scenario.keep else ():
        _refuse_unknown(metric, {**all_definitions(), **known}, f"{scenario.name}: $.keep")
    for index, metric in enumerate(scenario.measure):
        _refuse_unknown(metric, known, f"{scenario.name}: $.measure[{index}]")
    if scenario.sweep is not None and scenario.sweep.climbing is not None:
        _check_asked(scenario, scenario.sweep.climbing, known)
    for index, expectation in enumerate(scenario.expect):
        _refuse_unknown(expectation.metric, known, f"{scenario.name}: $.expect[{index}]")
        if isinstance(scenario.repeat, UntilDecided) and not expectation.inform:
            why = undecidable(expectation, known[expectation.metric])
            if why is not None:
                raise ScenarioError(f"{scenario.name}: $.expect[{index}]: cannot be decided by trials: {why}")


def _check_asked(scenario: Scenario, climbing: StaircaseDesign, known: Mapping[str, Definition]) -> None:
    metric = climbing.metric or scenario.measure[0]
    _refuse_unknown(metric, known, f"{scenario.name}: $.sweep.design.metric")
    if known[metric].unit not in SHARES:
        raise ScenarioError(
            f"{scenario.name}: $.sweep.design.metric: a staircase asks for yes or no, and {metric} is in "
            f"{known[metric].unit}; choose a share"
        )


def _refuse_unknown(metric: str, known: Collection[str], where: str) -> None:
    if metric not in known:
        close = get_close_matches(metric, known, 3) or list(known)[:3]
        hint = f"did you mean {', '.join(close)}" if close else "it has none"
        raise ScenarioError(f"{where}: {metric!r} is not measured by the scorers of this scenario; {hint}")


def check_startable(scenarios: Iterable[Scenario], *, offline: bool = False) -> None:
    """Refuse a party that is human, a key that is not set, an expectation on what nobody measures. ScenarioError.

    offline: nothing goes out, so that nobody needs a key.
    """
    for scenario in scenarios:
        for party in PARTIES:
            if scenario.actor(party).traits().live:
                raise ScenarioError(f"{scenario.name}: $.{party}: is human; take part with `simulate talk`")
        if not offline:
            check_judges(scenario)
            check_environment(scenario)
        check_expectations(scenario)
