"""One job per sample: a dataset's recordings played as the user, each session as long as its recording, or its callers.

The recording starts at session time 0 and nothing is scaled, so the agent's track is aligned with it sample for
sample: same start, same length.
"""

import math
from pathlib import Path
from typing import Any

import msgspec

from simulator.actor import AnyActor
from simulator.datasets.sample import DatasetSample, DatasetSpec, own_scorers
from simulator.errors import ScenarioError
from simulator.planning.job import Expanded, Job
from simulator.plugins import load
from simulator.reading.length import Answered, Length
from simulator.scenario import Scenario, slug
from simulator.sound.recordings import open_recording
from simulator.spec import Duration, decode
from simulator.texts import quoted

ANSWER_QUIET = Duration(2.0)
"""An answer is over after so much silence."""
LONGEST_ID = 230
"""Bytes of a session's folder name; file systems take 255, and a trial's number comes behind."""
ANSWER_AT_MOST_S = 60.0
"""Longer than this an answer is not waited for."""


def each_sample(job: Job) -> Expanded:
    """Give a job per sample of the scenario's dataset, and what of it could not be read; without one the job itself."""
    dataset = job.scenario.dataset
    if dataset is None:
        return Expanded(jobs=[job])
    found = dataset.read()
    notes = [f"dataset: {note}" for note in found.notes]
    jobs: dict[str, Job] = {}
    for sample in found.samples:
        name = f"{job.id}-{slug(sample.id)}"
        if name in jobs or len(name.encode()) > LONGEST_ID:
            why = "another is called so" if name in jobs else f"its name is longer than {LONGEST_ID} bytes"
            notes.append(f"dataset: sample {quoted(sample.id)} is left out: {why}")
            continue
        scenario = with_sample(job.scenario, dataset, sample)
        jobs[name] = msgspec.structs.replace(job, id=name, scenario=scenario, sample=described(sample))
    if not jobs:
        raise ScenarioError(f"dataset: no sample can be used: {notes[0] if notes else 'there is none'}")
    remarks = [f"dataset: {remark}" for remark in found.remarks]
    origins = {job.group: found.origin} if found.origin else {}
    return Expanded(jobs=list(jobs.values()), notes=notes, remarks=remarks, origins=origins)


def described(sample: DatasetSample) -> dict[str, Any]:
    """What session.json says of the sample: its id and what the dataset knows of it."""
    known = {name: value for name in ("text", "prompt", "reference") if (value := getattr(sample, name))}
    return {"id": sample.id, **sample.meta, **known}


def with_sample(scenario: Scenario, dataset: DatasetSpec, sample: DatasetSample) -> Scenario:
    """Give the scenario of one sample: its user, its length, the scorers of its task."""
    scorers = scenario.scorers
    if scorers is None and dataset.scorers():
        scorers = own_scorers(dataset)
    return msgspec.structs.replace(
        scenario,
        user=_user(sample, dataset.tempo),
        duration=scenario.duration or dataset.length() or _length(sample, dataset),
        scorers=scorers,
        dataset=None,
    )


def _user(sample: DatasetSample, tempo: float) -> Any:
    """Give what plays the sample; of several recorded turns each waits for the agent's."""
    if sample.user:
        return decode(sample.user, AnyActor, source=sample.id, folder=Path.cwd())
    kind = load("actors", "player")
    if not sample.turns:
        return kind(file=sample.user_audio, channel=sample.channel, text=sample.text, level="keep", tempo=tempo)
    clips = [{"file": str(turn.audio), "channel": turn.channel, "text": turn.text} for turn in sample.turns]
    plain = {"kind": "player", "clips": clips, "level": "keep", "tempo": tempo}
    return decode(plain, kind, source=sample.id, folder=Path.cwd())


def _length(sample: DatasetSample, dataset: DatasetSpec) -> Length:
    """Give how long a session lasts: as its recording, or until a question is answered, 60 s after it at most."""
    turns = [(turn.audio, turn.channel) for turn in sample.turns]
    turns = turns or ([(sample.user_audio, sample.channel)] if sample.user_audio is not None else [])
    recordings = [open_recording(audio, channels=(channel or 0,)) for audio, channel in turns]
    seconds = sum(recording.length / recording.sample_rate for recording in recordings) / dataset.tempo
    if not dataset.asks:
        return Length(Duration(seconds))
    longest = Duration(math.ceil(seconds) + len(turns) * ANSWER_AT_MOST_S)
    return Length(longest, answered=Answered(answered=ANSWER_QUIET, at_most=longest))
