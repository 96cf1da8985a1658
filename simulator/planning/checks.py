"""Checks before a run: what could only fail later, for time or money, is refused at once."""

import os
from difflib import get_close_matches

from simulator.errors import ScenarioError, located
from simulator.events import PARTIES
from simulator.judging.spec import JudgeSpec
from simulator.planning.outcomes import check_outcomes
from simulator.planning.scorers import metrics_of, with_judge
from simulator.reading.expect import undecidable
from simulator.scenario import Scenario, UntilDecided


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
    """Refuse an expectation on a metric that nobody measures, on a tool that nobody has. ScenarioError."""
    check_outcomes(scenario)
    known = metrics_of(scenario)
    for index, expectation in enumerate(scenario.expect):
        if expectation.metric not in known:
            close = get_close_matches(expectation.metric, known, 3) or list(known)[:3]
            hint = f"did you mean {', '.join(close)}" if close else "it has none"
            raise ScenarioError(
                f"{scenario.name}: $.expect[{index}]: {expectation.metric!r} is not measured by the scorers of this "
                f"scenario; {hint}"
            )
        if isinstance(scenario.repeat, UntilDecided) and not expectation.inform:
            why = undecidable(expectation, known[expectation.metric])
            if why is not None:
                raise ScenarioError(f"{scenario.name}: $.expect[{index}]: cannot be decided by trials: {why}")
