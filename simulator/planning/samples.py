"""One job per sample: a dataset's recordings played as the user, each session as long as its recording.

The recording starts at session time 0 and nothing is scaled, so the agent's track is aligned with it sample for
sample: same start, same length.
"""

from typing import Any

import msgspec

from simulator.datasets.sample import DatasetSample, DatasetSpec
from simulator.planning.job import Expanded, Job
from simulator.plugins import load
from simulator.scenario import Length, Scenario, slug
from simulator.sound.recordings import open_recording
from simulator.spec import Duration


def each_sample(job: Job) -> Expanded:
    """Give a job per sample of the scenario's dataset, and what of it could not be read; without one the job itself."""
    dataset = job.scenario.dataset
    if dataset is None:
        return Expanded(jobs=[job])
    found = dataset.read()
    jobs = [
        msgspec.structs.replace(
            job,
            id=f"{job.id}-{slug(sample.id)}",
            scenario=with_sample(job.scenario, dataset, sample),
            sample=described(sample),
        )
        for sample in found.samples
    ]
    return Expanded(jobs=jobs, notes=[f"dataset: {note}" for note in found.notes])


def described(sample: DatasetSample) -> dict[str, Any]:
    """What session.json says of the sample: its id and what the dataset knows of it."""
    known = {name: value for name in ("text", "prompt", "reference") if (value := getattr(sample, name))}
    return {"id": sample.id, **sample.meta, **known}


def with_sample(scenario: Scenario, dataset: DatasetSpec, sample: DatasetSample) -> Scenario:
    """Give the scenario of one sample: its audio as the user, its length, the scorers of its task."""
    recording = open_recording(sample.user_audio, channels=(sample.channel or 0,))
    player = load("actors", "player")(file=sample.user_audio, channel=sample.channel, text=sample.text, level="keep")
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
