"""One session per sample: a dataset's recordings played as the user, each session as long as its recording.

The recording starts at session time 0 and nothing is scaled, so the agent's track is aligned with it sample for
sample: same start, same length.
"""

from typing import Any

import msgspec

from simulator.batch.plan import Job
from simulator.datasets.sample import DatasetSample, DatasetSpec
from simulator.plugins import load
from simulator.scenario import Length, Scenario, resolved, slug
from simulator.sound.recordings import open_recording
from simulator.spec import Duration


def expand(name: str, scenario: Scenario) -> tuple[list[Job], list[str]]:
    """Make the jobs of a scenario over its dataset: every sample, every trial; and what could not be read."""
    dataset: DatasetSpec = scenario.dataset  # type: ignore[assignment]
    found = dataset.read()
    jobs = [
        Job(
            id=f"{name}-{slug(sample.id)}-{trial}",
            group=name,
            scenario=resolved(of_sample, trial),
            sample=described(sample),
        )
        for sample in found.samples
        for of_sample in [with_sample(scenario, dataset, sample)]
        for trial in range(scenario.repeat)
    ]
    return jobs, [f"dataset: {note}" for note in found.notes]


def described(sample: DatasetSample) -> dict[str, Any]:
    """What session.json says of the sample: its id and what the dataset knows of it."""
    return {"id": sample.id, **sample.meta}


def with_sample(scenario: Scenario, dataset: DatasetSpec, sample: DatasetSample) -> Scenario:
    """Give the scenario of one sample: its audio as the user, its length, the scorers of its task."""
    recording = open_recording(sample.user_audio, channels=(sample.channel or 0,))
    player = load("actors", "player")(file=sample.user_audio, channel=sample.channel, level="keep")
    scorers = scenario.scorers
    if scorers is None and dataset.scorers():
        scorers = [load("scorers", kind)() for kind in dataset.scorers()]
    return msgspec.structs.replace(
        scenario,
        user=player,
        duration=scenario.duration or Length(Duration(recording.length / recording.sample_rate)),
        scorers=scorers,
        dataset=None,
    )
