"""One job per trial: `repeat` of them, trial t with the scenario's seed + t."""

import msgspec

from simulator.planning.job import Expanded, Job
from simulator.scenario import resolved


def each_trial(job: Job) -> Expanded:
    """Give a job per trial. A scenario that is a trial already (scenario.yaml of a session) keeps its number."""
    scenario = job.scenario
    return Expanded(
        jobs=[
            msgspec.structs.replace(job, id=f"{job.id}-{scenario.trial + trial}", scenario=resolved(scenario, trial))
            for trial in range(scenario.repeat)
        ]
    )
