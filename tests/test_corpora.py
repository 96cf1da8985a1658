"""Runs as corpora: what of a session is written where, which sessions are kept, how they are split, without leakage."""

import gzip
import json
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from metrics.dialogue import DialogueSpec
from simulator.cli import INCOMPLETE, OK, REFUSED
from simulator.corpora.splits import Bound, split
from simulator.files import write_json
from simulator.results.row import Row, without_evidence
from simulator.results.row_file import append_row
from simulator.testing import Take
from tests.command_line import simulate

RATE = 16_000


def session(
    run: Path, name: str, *, topic: str, voices: tuple[str, str], silent: bool = False, status: str = "completed"
) -> None:
    """A session of four seconds: a question, a mm-hm over it that was injected, an answer that is cut."""
    take = Take(run / name, duration=16.0 if silent else 4.0)
    take.say("user", 0.5, 2.0, text="Is it raining?", words=[("Is", 0.5), ("it", 1.0), ("raining?", 1.25)])
    take.say("agent", 1.0, 1.5, role="backchannel", text="mm-hm", words=[("mm-hm", 1.0)])
    take.say("agent", 2.5, 3.5, text="Not yet but", words=[("Not", 2.5), ("yet", 3.0)], cut=True, planned=5.0)
    made = take.annotated()
    write_json(made.folder / "speech.json", made.speech)
    meta = json.loads((made.folder / "session.json").read_text())
    meta["sample"] = {"id": topic, "topic": topic}
    meta["parties"] = {
        party: {"kind": "cascade", "spec": {"voice": voice}}
        for party, voice in zip(("user", "agent"), voices, strict=True)
    }
    (made.folder / "session.json").write_text(json.dumps(meta))
    scores = without_evidence(DialogueSpec().build().score(made))
    row = Row(id=name, scenario="take", status=status, problem="lost" if status == "failed" else None, scores=scores)
    append_row(run, row)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six: three topics in voices of their own, two of them twice, one silent, one failed."""
    run = tmp_path_factory.mktemp("corpora") / "talks"
    session(run, "t-0", topic="rain", voices=("ann", "ben"))
    session(run, "t-1", topic="snow", voices=("cat", "dan"))
    session(run, "t-2", topic="rain", voices=("ann", "ben"))
    session(run, "t-3", topic="wind", voices=("eve", "fay"))
    session(run, "t-4", topic="rain", voices=("ann", "ben"), silent=True)
    session(run, "t-5", topic="snow", voices=("cat", "dan"), status="failed")
    (run / "run.json").write_text("{}")
    return run


def cuts(folder: Path) -> list[dict[str, Any]]:
    """The cuts of a folder of shards."""
    files = sorted(folder.glob("cuts.*.jsonl.gz"))
    return [json.loads(line) for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]


def members(path: Path) -> dict[str, bytes]:
    """What a tar holds, in its order."""
    with tarfile.open(path) as tar:
        return {item.name: tar.extractfile(item).read() for item in tar}  # type: ignore[union-attr]


def exported(run: Path, out: Path, *more: str) -> int:
    """Export a run into a folder."""
    return simulate("export", run, "--out", out, *more)


def test_stereo_cuts_hold_who_said_what_when(stored: Path, tmp_path: Path) -> None:
    """Channel 0 the user, 1 the agent; words with times; what overlaps, was injected, was cut; both voices."""
    assert exported(stored, tmp_path / "out", "--to", "lhotse") == OK
    parts = {path.name: cuts(path) for path in (tmp_path / "out").iterdir() if path.is_dir()}
    cut = next(cut for part in parts.values() for cut in part if cut["id"] == "t-0")
    assert (cut["type"], cut["channel"], cut["duration"]) == ("MultiCut", [0, 1], 4.0)
    assert cut["recording"]["sources"] == [{"type": "shar", "channels": [0, 1], "source": ""}]
    told = [(item["channel"], item["speaker"], item["start"], item["text"]) for item in cut["supervisions"]]
    assert told == [(0, "ann", 0.5, "Is it raining?"), (1, "ben", 1.0, "mm-hm"), (1, "ben", 2.5, "Not yet")]
    question, hm, answer = cut["supervisions"]
    assert question["alignment"]["word"][1][:2] == ["it", 1.0]
    assert question["custom"]["overlaps"] == hm["custom"]["overlaps"] == [[1.0, 1.5]]
    assert (hm["custom"]["role"], hm["custom"]["injected"]) == ("backchannel", True)
    assert (answer["custom"]["cut"], answer["custom"]["overlapped"]) == (True, False)
    assert cut["custom"]["topic"] == "rain" and cut["custom"]["voices"] == {"user": "ann", "agent": "ben"}


def test_the_sound_is_that_of_the_session(stored: Path, tmp_path: Path) -> None:
    """Each cut has `<id>.flac` and `<id>.json` after it; split channels are the tracks to the sample."""
    assert exported(stored, tmp_path / "two", "--to", "lhotse") == OK
    assert exported(stored, tmp_path / "one", "--to", "lhotse", "--channels", "split") == OK
    part = next(
        path.parent for path in (tmp_path / "two").rglob("cuts*") if any(c["id"] == "t-3" for c in cuts(path.parent))
    )
    both = members(part / "recording.000000.tar")
    assert list(both)[:2] == [f"{cuts(part)[0]['id']}.flac", f"{cuts(part)[0]['id']}.json"]
    said, rate = soundfile.read(BytesIO(both["t-3.flac"]), dtype="int16")
    original, _ = soundfile.read(stored / "t-3" / "conversation.wav", dtype="int16")
    assert rate == RATE and np.array_equal(said, original)
    apart = members(tmp_path / "one" / part.name / "recording.000000.tar")
    for channel, party in enumerate(("user", "agent")):
        assert np.array_equal(
            soundfile.read(BytesIO(apart[f"t-3-{party}.flac"]), dtype="int16")[0], original[:, channel]
        )
    assert json.loads(apart["t-3-user.json"])["num_samples"] == 4 * RATE


def test_the_same_run_gives_the_same_bytes(stored: Path, tmp_path: Path) -> None:
    """No clock, no order of threads."""
    for name in ("a", "b"):
        assert exported(stored, tmp_path / name / "corpus", "--to", "lhotse") == OK
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*z*")}
        | {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.tar")}
        for name in "ab"
    )
    assert first == second and len(first) >= 4


def test_what_does_not_meet_keep_is_left_out_with_its_reason(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The silent one collapsed, the failed one is none; the run lacks overlap_share, which is measured now."""
    keep = "dialogue.collapsed == false and turns.overlap_share < 0.3"
    assert exported(stored, tmp_path / "out", "--to", "lhotse", "--keep", keep) == OK
    rejected = [json.loads(line) for line in (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()]
    assert rejected == [
        {"run": "talks", "session": "t-4", "reason": "dialogue.collapsed is 1, wanted is == 0"},
        {"run": "talks", "session": "t-5", "reason": "failed: lost"},
    ]
    assert "2 sessions left out" in capsys.readouterr().out
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"Kept is what meets `{keep}`" in card and "2 sessions, each with its reason" in card


def test_the_scenarios_own_keep_holds_unless_another_is_given(stored: Path, tmp_path: Path) -> None:
    """`keep` of scenario.yaml; an overlap of 0.5 s in 4 s is 0.125."""
    for path in stored.glob("t-*/scenario.yaml"):
        path.write_text("name: take\nkeep: turns.overlap_share < 0.1\n")
    try:
        assert exported(stored, tmp_path / "none", "--to", "lhotse") == OK
        ids = [cut["id"] for part in (tmp_path / "none").iterdir() if part.is_dir() for cut in cuts(part)]
        assert ids == ["t-4"]  # 0.5 s of 16
        assert exported(stored, tmp_path / "all", "--to", "lhotse", "--keep", "turns.overlap_share < 0.2") == OK
    finally:
        for path in stored.glob("t-*/scenario.yaml"):
            path.write_text("name: take\n")


def test_no_topic_and_no_voice_is_in_two_parts() -> None:
    """A hundred dialogues in twenty pairs of voices, a topic that binds two pairs; shares are met within a cluster."""
    bound = [Bound(str(n), (f"topic {n % 40}", f"voice u{n % 20}", f"voice a{n % 20}")) for n in range(100)]
    bound.append(Bound("bridge", ("topic 0", "voice u1", "voice a1")))
    parts = split(bound, {"train": 0.8, "dev": 0.1, "test": 0.1}, seed=3)
    places: dict[str, set[str]] = {}
    for item in bound:
        for key in item.keys:
            places.setdefault(key, set()).add(parts[item.id])
    assert all(len(found) == 1 for found in places.values())
    sizes = {name: list(parts.values()).count(name) for name in ("train", "dev", "test")}
    assert abs(sizes["train"] - 80) <= 10 and min(sizes.values()) >= 5
    assert split(bound, {"train": 0.8, "dev": 0.1, "test": 0.1}, seed=4) != parts


def test_one_voice_in_all_is_one_part_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is split that shares a voice."""
    for number, topic in enumerate(("rain", "snow")):
        session(tmp_path / "run", f"t-{number}", topic=topic, voices=("ann", ("ben", "dan")[number]))
    assert exported(tmp_path / "run", tmp_path / "out", "--to", "lhotse") == OK
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == {"train"}
    assert "All dialogues share a topic or a voice" in capsys.readouterr().err


def test_nemo_gets_what_is_heard_and_what_is_said(stored: Path, tmp_path: Path) -> None:
    """`recording` the user, `target_audio` the agent, speakers by role; a part becomes a NeMo-Skills test set."""
    assert exported(stored, tmp_path / "out", "--to", "nemo", "--split", "train=1") == OK
    part = tmp_path / "out" / "train"
    original, _ = soundfile.read(stored / "t-0" / "conversation.wav", dtype="int16")
    for channel, field in enumerate(("recording", "target_audio")):
        sound = members(part / f"{field}.000000.tar")["t-0.flac"]
        assert np.array_equal(soundfile.read(BytesIO(sound), dtype="int16")[0], original[:, channel])
    first = cuts(part)[0]
    assert first["type"] == "MonoCut" and [item["speaker"] for item in first["supervisions"]] == [
        "user",
        "agent",
        "agent",
    ]
    (entry,) = yaml.safe_load((tmp_path / "out" / "input_cfg.train.yaml").read_text())
    assert entry["shar_path"]["target_audio"] == "train/target_audio._OP_000000..000000_CL_.tar"
    assert simulate("export", part, "--to", "nemo", "--out", tmp_path / "set") == OK
    assert len((tmp_path / "set" / "test.jsonl").read_text().splitlines()) == 5


def test_a_damaged_session_costs_the_others_nothing(stored: Path, tmp_path: Path) -> None:
    """Its reason stands among the rejected; exit code 3."""
    run = tmp_path / "run"
    for name in ("t-0", "t-1"):
        session(run, name, topic=name, voices=(f"{name}u", f"{name}a"))
    (run / "t-1" / "conversation.wav").unlink()
    assert exported(run, tmp_path / "out", "--to", "lhotse", "--split", "train=1") == INCOMPLETE
    assert [cut["id"] for cut in cuts(tmp_path / "out" / "train")] == ["t-0"]
    assert "conversation.wav is missing" in (tmp_path / "out" / "rejected.jsonl").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--to", "lhotse", "--keep", "dialogue.colapsed == false"], "did you mean dialogue.collapsed"),
        (["--to", "lhotse", "--keep", "collapsed"], "compares nothing; write it like"),
        (["--to", "lhotse", "--keep", "dialogue.fto_w1_s < 0"], "no session is left for a corpus; the first: t-0"),
        (["--to", "lhotse", "--split", "train=0.5"], "allowed are names with shares above 0 that are 1 together"),
        (["--to", "lhotse", "--split", "half"], "write it like train=0.8,dev=0.1,test=0.1"),
        (["--to", "nemo", "--channels", "stereo"], "NeMo's layout has a recording of each party"),
        (["--to", "rttm", "--keep", "a.b < 1"], "--keep: only of runs, with --to lhotse, huggingface, nemo"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    """And nothing is written."""
    assert exported(stored, tmp_path / "out", *words) == REFUSED
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert exported(stored / "t-0", tmp_path / "out", "--to", "lhotse") == REFUSED
