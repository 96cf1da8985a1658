"""Rules of plans: a scenario becomes sessions by a chain of expanders, and every session has an id of its own."""

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import soundfile

from simulator.errors import ScenarioError
from simulator.planning.job import Expanded, Job
from simulator.planning.plan import EXPANDERS, Plan, expanded, plan_of
from simulator.scenario import to_yaml
from simulator.spec import encode
from simulator.testing import scenario_of

QUIET = {"name": "talk", "user": "silent", "agent": "silent", "duration": "4s"}


def started(folder: Path, **fields: Any) -> Job:
    """The one job that a plan starts with."""
    return Job(id="talk", group="talk", scenario=scenario_of(QUIET | fields, folder))


def recordings(folder: Path, *seconds: float) -> Path:
    """A folder of silent recordings, that long, and one file that is none."""
    folder.mkdir()
    for number, length_s in enumerate(seconds):
        soundfile.write(folder / f"take {number}.wav", [0.0] * round(8000 * length_s), 8000)
    (folder / "broken.wav").write_bytes(b"RIFF")
    return folder


def test_every_trial_is_a_job_with_its_own_seed(tmp_path: Path) -> None:
    """Trial t has seed + t; a scenario that is a trial already keeps its number, so that its id is the same again."""
    jobs = expanded(started(tmp_path, repeat=3, seed=10)).jobs
    assert [(job.id, job.scenario.trial, job.scenario.seed) for job in jobs] == [
        ("talk-0", 0, 10), ("talk-1", 1, 11), ("talk-2", 2, 12),
    ]  # fmt: skip
    assert all(job.scenario.repeat == 1 and job.group == "talk" for job in jobs)
    again = expanded(Job(id="talk", group="talk", scenario=jobs[2].scenario)).jobs
    assert [(job.id, job.scenario.seed) for job in again] == [("talk-2", 12)]


def test_every_sample_is_played_in_every_trial(tmp_path: Path) -> None:
    """Samples before trials; each session is as long as its recording, and what is no sound is told."""
    dataset = {"kind": "audio", "path": str(recordings(tmp_path / "takes", 1.5, 2.0))}
    scenario = msgspec.structs.replace(scenario_of(QUIET | {"dataset": dataset}, tmp_path), duration=None, repeat=2)
    found = expanded(Job(id="talk", group="talk", scenario=scenario))
    assert [job.id for job in found.jobs] == ["talk-take-0-0", "talk-take-0-1", "talk-take-1-0", "talk-take-1-1"]
    assert [job.length_s() for job in found.jobs] == [1.5, 1.5, 2.0, 2.0]
    assert [job.sample["id"] for job in found.jobs[::2]] == ["take 0", "take 1"]
    assert len(found.notes) == 1 and found.notes[0].startswith("dataset: ") and "broken" in found.notes[0]


def each_loudness(job: Job) -> Expanded:
    """An expander of somebody else's: a job per signal-to-noise ratio on the way to the agent."""

    def noisy(snr_db: int) -> Job:
        lines: Mapping[str, Any] = {"user_to_agent": [{"kind": "noise", "color": "white", "snr_db": snr_db}]}
        plain = encode(job.scenario) | {"lines": lines}
        return msgspec.structs.replace(job, id=f"{job.id}-{snr_db}db", scenario=scenario_of(plain, Path("/")))

    return Expanded(jobs=[noisy(0), noisy(20)], notes=["30 dB is left out"])


def test_another_way_of_making_many_is_one_more_expander(tmp_path: Path) -> None:
    """It stands in the chain like any other: its jobs are expanded by those after it, its notes are kept."""
    found = expanded(started(tmp_path, repeat=2), (each_loudness, *EXPANDERS))
    assert [job.id for job in found.jobs] == ["talk-0db-0", "talk-0db-1", "talk-20db-0", "talk-20db-1"]
    assert [job.scenario.lines.user_to_agent[0].snr_db for job in found.jobs] == [0, 0, 20, 20]  # type: ignore[attr-defined]
    assert found.notes == ["30 dB is left out"]


def plans(folder: Path, *scenarios: Mapping[str, Any]) -> Plan:
    """The plan of scenarios that lie in files of these numbers."""
    return plan_of({f"{number}.yaml": scenario_of(QUIET | one, folder) for number, one in enumerate(scenarios)})


def test_a_plan_refuses_what_would_share_a_folder(tmp_path: Path) -> None:
    """Two scenarios of one name, and two names that make one id with their trials."""
    with pytest.raises(ScenarioError, match=r"1\.yaml: the name 'Talk' is that of 0\.yaml already"):
        plans(tmp_path, {}, {"name": "Talk"})
    dataset = {"kind": "audio", "path": str(recordings(tmp_path / "takes", 0.5))}
    with pytest.raises(ScenarioError, match="two sessions would be called 'talk-take-0-0'"):
        plans(tmp_path, {"dataset": dataset}, {"name": "talk take 0"})


def test_a_plan_is_named_after_its_scenarios(tmp_path: Path) -> None:
    """The name of one, or of all; a name as long as a folder may be is cut."""
    assert plans(tmp_path, {}).name == "talk"
    assert plans(tmp_path, {"name": "a"}, {"name": "b"}).name == "a-b"
    assert plans(tmp_path, {"name": "a" * 40}, {"name": "b" * 40}).name == f"{'a' * 40}-{'b' * 19}"


def texts() -> Iterator[dict[str, Any]]:
    """Scenarios with values that are the defaults, written out or not, and with ones that are not."""
    yield {}
    yield {"user": {"kind": "scripted", "turns": ["Hello."]}, "frame_ms": 20}
    yield {
        "agent": {"kind": "scripted", "turns": [{"after": "user_turn", "say": ["a", {"pause": "700ms"}]}]},
        "seed": 4,
    }


@pytest.mark.parametrize("fields", list(texts()))
def test_a_job_is_the_same_in_another_process(tmp_path: Path, fields: dict[str, Any]) -> None:
    """Also in what scenario.yaml leaves out because it is the default."""
    (job,) = expanded(started(tmp_path, **fields)).jobs
    there = pickle.loads(pickle.dumps(job))
    assert there == job and to_yaml(there.scenario) == to_yaml(job.scenario)
