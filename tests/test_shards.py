"""Rules of shards: every session in one part, the parts put together are the run that was never parted."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from simulator.batch.shards import Shard
from simulator.cli import EXPECTATION_FAILED, INCOMPLETE, OK, REFUSED
from simulator.errors import ScenarioError
from simulator.planning.plan import Wishes, make_plan
from simulator.results.run_info import read_info
from tests.command_line import SHORT, simulate
from tests.test_sweeps import PAUSE, TALK

QUIET: dict[str, Any] = {"name": "quiet", "user": "silent", "agent": "silent", "duration": "100ms", "scorers": []}
SWEPT = {**QUIET, "repeat": 3, "report": "none", "sweep": {"level": {"path": "frame_ms", "values": [10, 20]}}}
STAIRS = {
    **TALK,
    "sweep": {
        "pause": {"path": PAUSE, "from": "200ms", "to": "1400ms", "steps": 5},
        "patience": {"path": "agent.endpoint", "values": ["500ms", "700ms", "900ms"]},
        "design": {"kind": "staircase", "trials": 4},
    },
    "measure": ["takeover.in_pause_rate"],
}


def written(folder: Path, scenario: dict[str, Any]) -> Path:
    """A scenario file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "s.yaml"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False))
    return path


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a run by its place, pages and run.json aside."""
    files = (
        path for path in folder.rglob("*") if path.is_file() and path.suffix != ".html" and path.name != "run.json"
    )
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def parted(folder: Path, scenario: dict[str, Any], of: int) -> tuple[Path, Path]:
    """A scenario played at once, and in so many parts that are merged."""
    file = written(folder, scenario)
    simulate(file, "--out", folder / "whole")
    for number in range(1, of + 1):
        assert simulate(file, "--shard", f"{number}/{of}", "--out", folder / "parts" / str(number)) == OK
    assert simulate("merge", folder / "parts", "--out", folder / "merged") == OK
    return folder / "whole", folder / "merged"


def asked(folder: Path) -> dict[str, Any]:
    """A scenario over a dataset of three sounds."""
    for number in range(3):
        soundfile.write(folder / f"{number}.wav", np.full(800, number / 10), 8000, subtype="PCM_16")
    lines = [json.dumps({"audio_path": f"{number}.wav", "text": str(number)}) for number in range(3)]
    (folder / "test.jsonl").write_text("\n".join(lines))
    data = {"kind": "audio", "path": str(folder / "test.jsonl")}
    return {"name": "asked", "dataset": data, "agent": "silent", "scorers": [], "repeat": 2, "report": "none"}


@pytest.mark.parametrize("kind", ["sweep", "dataset"])
def test_merged_parts_are_the_run_that_was_never_parted(kind: str, tmp_path: Path) -> None:
    """Byte for byte, rows in the same order, whatever sessions are dealt to whom."""
    whole, merged = parted(tmp_path, SWEPT if kind == "sweep" else asked(tmp_path), 3)
    assert tree(merged) == tree(whole)
    assert len((whole / "results.jsonl").read_bytes().splitlines()) == {"sweep": 6, "dataset": 6}[kind]
    assert read_info(merged).exit_code == OK and (merged / "index.html").is_file()
    assert read_info(merged).sessions.keys() == read_info(whole).sessions.keys()


@pytest.mark.slow
def test_staircases_stay_whole_and_rows_stand_round_by_round(tmp_path: Path) -> None:
    """A staircase is climbed by one part; the rows of several stand in the order of their rounds all the same."""
    whole, merged = parted(tmp_path, STAIRS, 2)
    assert tree(merged) == tree(whole)
    rounds = [json.loads(line)["trial"] // 2 for line in (whole / "results.jsonl").read_bytes().splitlines()]
    assert len(rounds) == 12 and rounds == sorted(rounds)  # two sessions a round: a staircase has two targets


@pytest.mark.parametrize("of", [1, 2, 7])
def test_every_session_is_in_one_part_and_stays_there(of: int, tmp_path: Path) -> None:
    """Parts are a division, counted from 1 or from 0; more trials change nothing for those there were."""
    plan = make_plan([written(tmp_path, {**SWEPT, "repeat": 30})], Wishes())
    names = [job.id for job in plan.jobs]
    parts = [{name for name in names if Shard.read(f"{number}/{of}").holds(name)} for number in range(1, of + 1)]
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert all(len(part) > 60 / of / 3 for part in parts)
    assert Shard.read(f"0/{of}") == Shard.read(f"{of}/{of}")
    # Worked out with sha256sum: the first eight bytes of a name's hash, modulo two.
    assert [Shard(1, 2).holds(name) for name in ("c", "d", "e", "g")] == [True, False, True, False]


@pytest.mark.parametrize("text", ["4/3", "1", "1/0", "-1/2", "a/b", "1/2/3", "", "1/9999999", f"1/{'9' * 5000}"])
def test_parts_that_cannot_be_are_refused(text: str) -> None:
    """The sentence says how it is written."""
    with pytest.raises(ScenarioError, match="--shard"):
        Shard.read(text)


def test_trials_until_decided_stay_together_and_expectations_wait(tmp_path: Path) -> None:
    """A scenario that decides itself is played by one part; what all trials must hold is judged when all are there."""
    until = {**SHORT, "scorers": ["turns"], "expect": ["turns.user_share >= 0.99"], "report": "none"}
    file = written(tmp_path, {**until, "repeat": {"until": "decided", "at_most": 4}})
    counts = []
    for number in (1, 2):
        assert simulate(file, "--shard", f"{number}/2", "--out", tmp_path / "p" / str(number)) == OK
        counts.append(len(list((tmp_path / "p" / str(number)).glob("*/session.json"))))
    assert sorted(counts)[0] == 0 < sorted(counts)[1]
    assert simulate("merge", tmp_path / "p", "--out", tmp_path / "merged") == EXPECTATION_FAILED


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two parts of a run."""
    folder = tmp_path_factory.mktemp("parts")
    file = written(folder / "s", SWEPT)
    for number in (1, 2):
        assert simulate(file, "--shard", f"{number}/2", "--out", folder / "parts" / str(number)) == OK
    return folder / "parts"


def test_what_is_missing_is_listed_and_the_rest_is_merged(parts: Path, tmp_path: Path, capsys: Any) -> None:
    """Exit code 3: parts that are not there, sessions without a result, rows without a folder."""
    assert simulate("merge", parts / "1", "--out", tmp_path / "one") == INCOMPLETE
    assert "part 2/2 is missing" in capsys.readouterr().err
    copy = shutil.copytree(parts, tmp_path / "half")
    gone = next(path.parent for path in sorted((copy / "1").glob("*/session.json")))
    shutil.rmtree(gone)
    rows = (copy / "2" / "results.jsonl").read_bytes().splitlines(keepends=True)
    (copy / "2" / "results.jsonl").write_bytes(b"".join(rows[:-1]) + rows[-1][:20])
    assert simulate("merge", copy, "--out", tmp_path / "rest") == INCOMPLETE
    told = capsys.readouterr().err
    assert f"{copy}/1: 1 sessions have no folder any more: {gone.name}" in told
    assert f"{copy}/2: 1 sessions have no result: {json.loads(rows[-1])['id']}" in told
    assert len((tmp_path / "rest" / "results.jsonl").read_bytes().splitlines()) == 5
    assert read_info(tmp_path / "rest").exit_code == INCOMPLETE


def test_a_part_that_is_there_twice_must_be_alike(parts: Path, tmp_path: Path, capsys: Any) -> None:
    """The same is used once; a session that differs is named with its file, and nothing is written."""
    assert simulate("merge", parts, parts / "1", "--out", tmp_path / "twice") == OK
    assert "hold part 1/2, alike; one of them is used" in capsys.readouterr().err
    other = shutil.copytree(parts / "1", tmp_path / "other")
    changed = next(iter(sorted(other.glob("*/events.jsonl"))))
    changed.write_bytes(changed.read_bytes() + b"\n")
    assert simulate("merge", parts, other, "--out", tmp_path / "no") == REFUSED
    assert f"{changed.parent.name}: events.jsonl in {other} and in {parts / '1'} differs" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_what_is_no_part_of_the_same_run_is_refused(parts: Path, tmp_path: Path, capsys: Any) -> None:
    """Another scenario, another division, a whole run, an empty folder, a folder that is taken; one sentence each."""
    file = written(tmp_path / "s", SWEPT)
    for words in (("alien", "--seed", "9", "--shard", "2/2"), ("third", "--shard", "2/3"), ("whole",)):
        assert simulate(file, "--out", tmp_path / words[0], *words[1:]) == OK
    refused = {
        "alien": "its sessions or their settings differ",
        "third": "is one of 3 parts",
        "whole": "is no part of a run",
    }
    (tmp_path / "s" / "empty").mkdir()
    for name, why in {**refused, "s/empty": "holds no part of a run"}.items():
        capsys.readouterr()
        assert simulate("merge", parts / "1", tmp_path / name, "--out", tmp_path / "no") == REFUSED
        assert why in capsys.readouterr().err and not (tmp_path / "no").exists()
    assert simulate("merge", parts, "--out", tmp_path / "whole") == REFUSED


def test_a_part_goes_on_as_itself_alone(parts: Path, tmp_path: Path, capsys: Any) -> None:
    """--resume completes a part; as another part, or as a whole run, it is refused."""
    copy = shutil.copytree(parts, tmp_path / "parts")
    file = written(tmp_path / "s", SWEPT)
    rows = (copy / "1" / "results.jsonl").read_bytes().splitlines(keepends=True)
    (copy / "1" / "results.jsonl").write_bytes(b"".join(rows[1:]))
    shutil.rmtree(copy / "1" / json.loads(rows[0])["id"])
    for words in (("--shard", "2/2"), ()):
        assert simulate(file, "--out", copy / "1", "--resume", *words) == REFUSED
        assert "holds shard 1/2 and cannot go on as" in capsys.readouterr().err
    assert simulate(file, "--out", copy / "1", "--resume", "--shard", "1/2") == OK
    assert simulate("merge", copy, "--out", tmp_path / "merged") == OK
    assert simulate("merge", parts, "--out", tmp_path / "before") == OK
    assert tree(tmp_path / "merged") == tree(tmp_path / "before")
