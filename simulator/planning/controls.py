"""Controls: every trial once more with the same words, in which the user does not speak while the agent does.

What is injected, and what a script says over the agent, waits until the agent has fallen silent; texts, voices, seeds
and lines stay. A caller neither cuts in nor says "mm-hm": its wish stays, and its words go where the talk goes. The
difference between the two is what full duplex cost (simulator/results/controls.py).
"""

import msgspec

from simulator.errors import ScenarioError
from simulator.planning.job import Expanded, Job
from simulator.reading.playing import UntilDecided
from simulator.scenario import Scenario

HALF_DUPLEX = "-half-duplex"
"""Behind the group's name in that of its controls."""


def check_control(scenario: Scenario) -> None:
    """Refuse a control that cannot be, or would be the same. ScenarioError."""
    if scenario.control is None:
        return
    where = f"{scenario.name}: $.control"
    if isinstance(scenario.repeat, UntilDecided):
        raise ScenarioError(f"{where}: pairs need a number of trials; write `repeat: 20`, and not until they decide")
    if scenario.sweep is not None and scenario.sweep.climbing is not None:
        raise ScenarioError(f"{where}: a staircase chooses its trials on the way, and none of them has a pair")
    if scenario.dataset is None and scenario.sweep is None:
        half_duplex(scenario)


def each_control(job: Job) -> Expanded:
    """Give a job, and behind it its control where the scenario asks for one; each without asking for it again."""
    scenario = msgspec.structs.replace(job.scenario, control=None)
    if job.scenario.control is None:
        return Expanded(jobs=[job])
    group = f"{job.group}{HALF_DUPLEX}"
    control = msgspec.structs.replace(
        job,
        id=f"{group}{job.id.removeprefix(job.group)}",
        group=group,
        scenario=half_duplex(job.scenario),
        control_of=job.group,
    )
    return Expanded(jobs=[msgspec.structs.replace(job, scenario=scenario), control])


def half_duplex(scenario: Scenario) -> Scenario:
    """Give a scenario in turns; its expectations inform alone. ScenarioError: nothing of it would be different."""
    where = f"{scenario.name}: $.control"
    try:
        user = scenario.user.in_turns()
    except ValueError as error:
        raise ScenarioError(f"{where}: of the user, {error}; a script, a recording or a caller can") from error
    injectors = [item.in_turns() if item.party == "user" else item for item in scenario.injectors]
    if user == scenario.user and injectors == scenario.injectors:
        raise ScenarioError(f"{where}: nothing of the user can fall into the agent's turn: both would be the same")
    expect = [item.informing() for item in scenario.expect]
    return msgspec.structs.replace(scenario, user=user, injectors=injectors, expect=expect, control=None)
