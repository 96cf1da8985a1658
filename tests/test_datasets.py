"""Datasets: what is found in folders and manifests, and what is said of the rest."""

import json
from pathlib import Path

import anyio
import numpy as np
import pytest
import soundfile

from simulator.batch.job import play
from simulator.call.surroundings import Surroundings
from simulator.datasets.audio import AudioDatasetSpec
from simulator.datasets.fdb import FdbDatasetSpec
from simulator.errors import ScenarioError
from simulator.planning.job import Job
from simulator.planning.plan import Wishes, make_plan
from simulator.planning.samples import each_sample
from simulator.scenario import Scenario
from simulator.session import read_session
from simulator.spec import decode


def sound(path: Path, channels: int = 1, seconds: float = 0.5) -> Path:
    """A silent file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros((round(seconds * 8000), channels), np.float32), 8000)
    return path


def test_an_fdb_root_gives_its_samples_by_number(tmp_path: Path) -> None:
    """One sample per folder, in numerical order, with its label; what lacks its label or sound is told."""
    for name in ("10", "2", "3"):
        sound(tmp_path / name / "input.wav")
        (tmp_path / name / "turn_taking.json").write_text('[{"text": "[TURN-TAKING]", "timestamp": [1.0, 2.0]}]')
    (tmp_path / "3" / "turn_taking.json").unlink()
    (tmp_path / "4").mkdir()
    (tmp_path / "4" / "turn_taking.json").write_text("[]")
    found = FdbDatasetSpec(path=tmp_path, task="smooth_turn_taking").read()
    assert [sample.id for sample in found.samples] == ["2", "10"]
    assert found.samples[0].user_audio == tmp_path / "2" / "input.wav"
    assert found.samples[0].meta["label"][0]["timestamp"] == [1.0, 2.0]
    assert found.notes == [
        "3: turn_taking.json is missing",
        f"4: {tmp_path / '4' / 'input.wav'} does not exist",
    ]


def test_the_clean_side_of_a_pair(tmp_path: Path) -> None:
    """`prefix: clean_` plays the recording without the overlap."""
    sound(tmp_path / "1" / "input.wav")
    sound(tmp_path / "1" / "clean_input.wav")
    (tmp_path / "1" / "metadata.json").write_text("{}")
    for prefix in ("", "clean_"):
        (sample,) = FdbDatasetSpec(path=tmp_path, task="overlap", prefix=prefix).samples()  # type: ignore[arg-type]
        assert sample.user_audio == tmp_path / "1" / f"{prefix}input.wav"


def test_samples_that_are_labelled_for_another_task_are_told_of(tmp_path: Path) -> None:
    """No scorer reads pause.json, so a sample may lack it; one that has another task's labels is hardly of this one."""
    for name, label in (("1", "turn_taking.json"), ("2", "pause.json"), ("3", "transcription.json")):
        sound(tmp_path / name / "input.wav")
        (tmp_path / name / label).write_text("[]")
    found = FdbDatasetSpec(path=tmp_path, task="pause_handling").read()
    assert len(found.samples) == 3
    assert found.remarks == ["1 sample(s) look like smooth_turn_taking: they have its turn_taking.json"]


def test_a_task_names_its_scorers(tmp_path: Path) -> None:
    """Version 1.0 tasks have a scorer of their name; the overlap tasks of version 1.5 share theirs."""
    assert FdbDatasetSpec(path=tmp_path, task="pause_handling").scorers() == ["fdb:pause_handling"]
    assert FdbDatasetSpec(path=tmp_path, task="talking_to_other").scorers() == ["fdb:timing"]


def test_a_dataset_without_a_usable_sample_is_refused(tmp_path: Path) -> None:
    """The sentence carries the first reason."""
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "pause.json").write_text("[]")
    with pytest.raises(ScenarioError, match=r"no sample can be used: 1: .*input\.wav does not exist"):
        FdbDatasetSpec(path=tmp_path, task="pause_handling").read()
    with pytest.raises(ScenarioError, match="not a folder"):
        FdbDatasetSpec(path=tmp_path / "none", task="pause_handling").read()


def test_a_folder_of_recordings_gives_one_sample_each(tmp_path: Path) -> None:
    """Stereo needs its channel named; what is no sound is told; names that repeat get their folder."""
    sound(tmp_path / "b.wav")
    sound(tmp_path / "deep" / "b.flac")
    sound(tmp_path / "stereo.wav", channels=2)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    found = AudioDatasetSpec(path=tmp_path).read()
    assert [sample.id for sample in found.samples] == ["b", "deep/b"]
    assert any("2 channels" in note for note in found.notes)
    assert any("broken" in note for note in found.notes)
    stereo = AudioDatasetSpec(path=tmp_path / "stereo.wav", channel=1).samples()
    assert [(sample.id, sample.channel) for sample in stereo] == [("stereo", 1)]


def test_a_manifest_keeps_its_order_and_fields(tmp_path: Path) -> None:
    """Paths are relative to the manifest; system message and fields go along; bad lines are told."""
    sound(tmp_path / "data" / "z.flac")
    sound(tmp_path / "data" / "a.v2.wav")
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": ""}]
    rows = [
        json.dumps({"audio_path": "data/z.flac", "problem": "say hi", "messages": messages}),
        "{",
        json.dumps({"problem": "nothing"}),
        json.dumps({"audio_filepath": "data/a.v2.wav"}),
        json.dumps({"audio_path": "data/gone.flac"}),
    ]
    (tmp_path / "test.jsonl").write_text("\n".join(rows))
    found = AudioDatasetSpec(path=tmp_path / "test.jsonl").read()
    assert [sample.id for sample in found.samples] == ["z", "a.v2"]
    assert found.samples[0].meta == {"problem": "say hi", "system": "Be kind."}
    assert [note.split(": ")[0] for note in found.notes] == ["test.jsonl:2", "test.jsonl:3", "test.jsonl:5"]


def test_a_sample_brings_what_a_checker_needs(tmp_path: Path) -> None:
    """What is said, what the agent was told and what is right lie in the session; only an answer ends it."""
    sound(tmp_path / "q.wav")
    row = {"audio_path": "q.wav", "text": "How much is two and two?", "expected_answer": "four",
           "messages": [{"role": "system", "content": "Be brief."}]}  # fmt: skip
    (tmp_path / "test.jsonl").write_text(json.dumps(row))
    (tmp_path / "s.yaml").write_text(
        "name: s\ndataset: {kind: audio, path: test.jsonl}\nagent: silent\nscorers: []\n"
        "duration: {answered: 1s, no_answer: 2s}\n"
    )
    (job,) = make_plan([tmp_path / "s.yaml"], Wishes()).jobs
    anyio.run(play, job, tmp_path / "runs", Surroundings())
    session = read_session(tmp_path / "runs" / job.id)
    known = {"text": "How much is two and two?", "prompt": "Be brief.", "reference": "four"}
    assert known.items() <= session.meta.sample.items()
    assert session.duration == round(2.5 * session.sample_rate)


def test_a_sample_that_cannot_have_a_folder_of_its_own_is_left_out(tmp_path: Path) -> None:
    """A name like another's and one too long are told; the others are played. ScenarioError where none is left."""
    for name in ("caller.wav", "Caller!.wav", "other.wav"):
        soundfile.write(tmp_path / name, np.ones(8000) * 0.1, 8000)
    scenario = decode(
        {"name": "t", "user": "silent", "agent": "silent", "dataset": {"kind": "audio", "path": str(tmp_path)}},
        Scenario, source="t", folder=tmp_path,
    )  # fmt: skip
    found = each_sample(Job(id="t", group="t", scenario=scenario))
    assert len(found.jobs) == 2 and "another is called so" in found.notes[0]
    with pytest.raises(ScenarioError, match="longer than 230 bytes"):
        each_sample(Job(id="t" * 230, group="t", scenario=scenario))
