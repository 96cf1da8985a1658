"""Rules of recipes: a comparison in one file, in stages that go on where they were."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile
import yaml

from simulator.cli import INCOMPLETE, OK, REFUSED
from simulator.errors import ScenarioError
from simulator.recipe import RecipeJudge, is_recipe, read_recipe
from simulator.results import load_run
from simulator.results.recipe_scores import KeptScores
from tests.command_line import simulate
from tests.judge_endpoint import endpoint
from tests.prediction_files import write_rows

EXAMPLES = sorted((Path(__file__).resolve().parent.parent / "scenarios" / "recipes").glob("*.yaml"))
QUESTIONS = [{"id": "1", "prompt": "A fruit?", "reference": "B"}, {"id": "2", "prompt": "A metal?", "reference": "A"}]


def written(folder: Path, **fields: Any) -> Path:
    """A recipe of two agents on two sets of VoiceBench; one answers B to everything."""
    write_rows(folder / "mcq.jsonl", QUESTIONS)
    write_rows(folder / "open.jsonl", QUESTIONS[:1])
    known = {"kind": "voicebench", "no_audio": True}
    recipe = {
        "recipe": "two agents",
        "datasets": {
            "openbookqa": {**known, "path": "mcq.jsonl", "subset": "openbookqa"},
            "commoneval": {**known, "path": "open.jsonl", "subset": "commoneval"},
        },
        "agents": {
            "one": {"kind": "cascade", "replies": [{"say": "The answer is B."}]},
            "two": {"kind": "cascade", "replies": [{"say": "Who knows."}]},
        },
        "report": {"as": "nemo_s2s", "out": "compared.md"},
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe | fields, sort_keys=False))
    return path


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_forks_configurations_are_recipes(path: Path, capsys: Any) -> None:
    """Both begin with a comment, are checked without their data, and have the judge's key by name alone."""
    assert path.read_text().startswith("# ") and is_recipe(path)
    assert simulate("check", path) == OK
    assert "fine, 2 agents on" in capsys.readouterr().out
    recipe = read_recipe(path).written
    assert recipe.judge is not None and recipe.report.kind == "nemo_s2s"
    assert len(recipe.datasets) == {"nemo_s2s_demo": 1, "nemo_voicebench": 13}[path.stem]


@pytest.mark.slow
def test_a_recipe_goes_stage_by_stage(tmp_path: Path, capsys: Any) -> None:
    """Sessions without scores, scores without a judge, then those it is needed for; nothing is done twice."""
    file, home = written(tmp_path), tmp_path / "out"
    with endpoint(["4"]) as (url, asked):
        text = file.read_text() + f"judge: {{model: m, base_url: '{url}'}}\n"
        file.write_text(text)
        assert simulate(file, "--only", "generate", "--out", home) == OK
        run = load_run(home / "runs" / "one")
        assert [row.scenario for row in run.rows] == ["openbookqa", "openbookqa", "commoneval"] and not run.metrics
        assert not (home / "scores").exists()
        assert simulate(file, "--only", "score", "--out", home) == OK
        assert "waits for the judge" in capsys.readouterr().err and not asked
        assert "| acc ↑ | **50.00** | 25.00 |" in (home / "compared.md").read_text()
        assert "commoneval" not in (home / "compared.md").read_text()
        assert simulate(file, "--only", "judge", "--out", home) == OK
        report = (home / "compared.md").read_text()
        assert "#### commoneval" in report and "| gpt ↑ | **4.00** | 4.00 |" in report
        assert "| voicebench:mcq.acc (openbookqa), % ↑ | **50** | 25 |" in (home / "models.md").read_text()
        before, times = len(asked), [path.stat().st_mtime_ns for path in sorted((home / "scores").rglob("*.json"))]
        capsys.readouterr()
        assert simulate(file, "--out", home) == OK
        told = capsys.readouterr()
        assert told.out.count(": kept") == 6 and len(asked) == before
        assert times == [path.stat().st_mtime_ns for path in sorted((home / "scores").rglob("*.json"))]
    assert (home / "compared.md").read_text() == report


def test_a_recipe_goes_on_where_it_was(tmp_path: Path, capsys: Any) -> None:
    """A session that is lost is played again and its set scored anew; what has not changed is kept."""
    for name in "ab":
        soundfile.write(tmp_path / f"{name}.wav", np.full(800, 0.1), 8000)
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"audio_path": f"{name}.wav"}))
    sets = {name: {"kind": "audio", "path": f"{name}.jsonl"} for name in "ab"}
    silent = {"one": {"kind": "silent"}}
    file = written(tmp_path, datasets=sets, agents=silent, scorers=["validity"], report={"out": "r.md"})
    assert simulate(file, "--out", tmp_path / "out") == OK
    assert capsys.readouterr().out.count(": scored (1 of 1 sessions)") == 2
    rows = tmp_path / "out" / "runs" / "one" / "results.jsonl"
    lines = rows.read_bytes().splitlines(keepends=True)
    rows.write_bytes(lines[0])
    file.write_text(file.read_text().replace("- validity", "- validity\n- turns"))
    assert simulate(file, "--only", "score", "--out", tmp_path / "out") == INCOMPLETE
    told = capsys.readouterr()
    assert "one, a, validity: kept" in told.out and "one, b, validity: no session was completed" in told.err
    assert "(a)" in (table := (tmp_path / "out" / "models.md").read_text()) and "(b)" not in table
    assert simulate(file, "--out", tmp_path / "out") == OK
    told = capsys.readouterr()
    assert told.out.count(": kept") == 3 and "one, b, turns: scored" in told.out
    assert rows.read_bytes() == b"".join(lines) and not (tmp_path / "out" / "r.md").exists()


def test_scores_stand_for_what_was_scored_alike() -> None:
    """Other sessions, options or another judge are scored anew; judged scores stand for those without a judge."""
    plain = KeptScores(agent="a", dataset="d", scorer="s", sessions=["x 1"], spec={"seed": 0})
    judged, other = (msgspec.structs.replace(plain, judge=RecipeJudge(model=name)) for name in "mn")
    assert judged.stands_for(plain) and plain.stands_for(plain)
    assert not plain.stands_for(judged) and not judged.stands_for(other)
    for changed in (
        msgspec.structs.replace(plain, sessions=["x 2"]),
        msgspec.structs.replace(plain, spec={"seed": 1}),
    ):
        assert not plain.stands_for(changed)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"agents": {}}, "agents is empty"),
        ({"datasets": {"a b": {"kind": "audio", "path": "x"}, "a-b": {"kind": "audio", "path": "y"}}}, "that differ"),
        ({"scorers": {"nowhere": ["turns"]}}, "there is no data set 'nowhere'"),
        ({"common": {"agent": "silent"}}, "agent is none of its keys"),
        ({"common": {"durations": "3s"}}, "durations"),
        ({"report": {"out": "../x.md"}}, "allowed is the name of a file"),
        ({"report": {"out": "models.md"}}, "other than models.md, our own table"),
        ({"judge": {"models": "x"}}, "models"),
        ({"agent": "silent"}, "agent"),
        ({"report": {"as": "turns"}}, "turns has no comparison"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(tmp_path: Path, fields: dict[str, Any], why: str, capsys: Any) -> None:
    """One sentence that says where; before anything is played."""
    assert simulate("check", written(tmp_path, **fields)) == REFUSED
    assert why in capsys.readouterr().err


def test_stages_are_for_recipes_and_a_recipe_is_alone(tmp_path: Path, capsys: Any) -> None:
    """--only needs a recipe, and a recipe has its own trials; scoring needs sessions, judging a judge."""
    file = written(tmp_path)
    scenario = tmp_path / "s.yaml"
    scenario.write_text("name: s\nuser: silent\nagent: silent\nduration: 1s\n")
    for words, why in (
        ((scenario, "--only", "score"), "is for recipes"),
        ((file, scenario), "is a recipe, which is carried out by itself"),
        ((file, "--repeat", "2"), "--repeat: is for a scenario"),
        ((file, "--only", "score", "--out", tmp_path / "no"), "not a run folder"),
        ((file, "--only", "judge", "--out", tmp_path / "no"), "$.judge: is missing"),
    ):
        assert simulate(*words) == REFUSED
        assert why in capsys.readouterr().err
    assert simulate(file, "--dry-run", "--out", tmp_path / "dry") == OK
    assert "2 session(s)" in capsys.readouterr().out and not (tmp_path / "dry").exists()


@pytest.mark.slow
def test_an_agent_that_failed_is_told_and_the_other_is_scored(tmp_path: Path, capsys: Any) -> None:
    """Exit code 3, and the table has what there is."""
    agents = {
        "one": {"kind": "silent"},
        "down": {"kind": "cascade", "chat": {"base_url": "http://127.0.0.1:9/v1", "model": "m"}},
    }
    known = {"kind": "voicebench", "no_audio": True, "path": "mcq.jsonl", "subset": "openbookqa", "limit": 1}
    file = written(
        tmp_path, agents=agents, datasets={"openbookqa": known}, common={"duration": "6s"}, scorers=["turns"]
    )
    assert simulate(file, "--out", tmp_path / "out") == INCOMPLETE
    assert "down, openbookqa, turns: no session was completed" in capsys.readouterr().err
    kept = json.loads((tmp_path / "out" / "scores" / "one" / "openbookqa.turns.json").read_text())
    assert kept["metrics"]["turns.user_share"]["value"] > 0
    with pytest.raises(ScenarioError):
        read_recipe(tmp_path / "nowhere.yaml")
