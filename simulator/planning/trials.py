"""One job per trial: `repeat` of them at most, trial t with the scenario's seed + t."""

import msgspec

from simulator.planning.job import Expanded, Job
from simulator.reading.playing import UntilDecided
from simulator.scenario import Scenario, resolved

CONFIDENCE = 0.99
"""With which an expectation is decided that names none: a gate that errs more than once in a hundred is not trusted."""


def each_trial(job: Job) -> Expanded:
    """Give a job per trial. A scenario that is a trial already (scenario.yaml of a session) keeps its number."""
    scenario = job.scenario
    return Expanded(
        jobs=[
            msgspec.structs.replace(job, id=f"{job.id}-{scenario.trial + trial}", scenario=resolved(scenario, trial))
            for trial in range(scenario.most_trials)
        ]
    )


def deciding(scenario: Scenario) -> Scenario:
    """Give the scenario with a confidence for every expectation, where its trials go on until they are decided."""
    if not isinstance(scenario.repeat, UntilDecided):
        return scenario
    expect = [item if item.op in ("==", "!=") else item.with_confidence(CONFIDENCE) for item in scenario.expect]
    return msgspec.structs.replace(scenario, expect=expect)
