"""Every example scenario is valid, reads well enough to be decoded strictly, and runs."""

import gzip
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.cli import main
from simulator.planning.plan import Wishes, make_plan
from simulator.reading.yaml_file import read_yaml
from simulator.scenario import Scenario
from simulator.spec import decode

FOLDER = Path(__file__).resolve().parent.parent / "scenarios"
LOCAL = sorted(FOLDER.glob("*.yaml"))
ELSEWHERE = sorted(path for folder in ("arena", "remote", "live") for path in (FOLDER / folder).glob("*.yaml"))
LANGUAGES = sorted((FOLDER / "languages").glob("*.yaml"))
SWEEPS = sorted((FOLDER / "sweeps").glob("*.yaml"))
SMART_TURN = FOLDER / "sweeps" / "smart_turn.yaml"
DIALOGUES = {path.stem: path for path in sorted((FOLDER / "dialogues").glob("*.yaml"))}
TORCH = [
    *sorted((FOLDER / "torch").glob("*.yaml")),
    *(DIALOGUES[name] for name in ("two_duplex", "cascade_against_duplex")),
]


def test_there_are_the_ten_that_teach_the_format() -> None:
    """The README and the docs name them."""
    assert {path.stem for path in LOCAL} >= {
        "first_call", "recorded_caller", "pause_handling", "smooth_turn_taking", "user_interruption",
        "user_backchannel", "talking_to_other", "background_speech", "noisy_phone_line", "two_agents",
    }  # fmt: skip


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_scenarios_that_need_something_else_are_valid_without_it(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`simulate check` accepts them with no keys, no servers, no models."""
    assert main(["check", str(path)]) == 0
    assert "fine" in capsys.readouterr().out


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_first_calls_in_other_languages_are_valid_without_a_model(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is missing is told, not refused: who would recognise the language, and what fetches it."""
    assert main(["check", str(path)]) == 0
    told = capsys.readouterr()
    assert "fine" in told.out and ("$.recognizer: moonshine does not hear" in told.err or not told.err)


@pytest.mark.parametrize("path", TORCH, ids=lambda path: path.stem)
def test_scenarios_for_torch_decode_without_it(path: Path) -> None:
    """Their check needs torch, a GPU or weights; their words do not."""
    assert isinstance(decode(read_yaml(path), Scenario, source=path.name, folder=path.parent), Scenario)


@pytest.mark.parametrize("path", [*LOCAL, *LANGUAGES, *SWEEPS, DIALOGUES["two_cascades"]], ids=lambda path: path.stem)
def test_every_scenario_begins_by_saying_what_it_shows(path: Path) -> None:
    """A comment first: the files teach the format."""
    assert path.read_text().startswith("# ")
    # Read and not loaded: one of them needs a model that need not be installed.
    assert read_yaml(path)["name"].replace(" ", "_").replace("-", "_") == path.stem


@pytest.mark.slow
@pytest.mark.parametrize("path", [*LOCAL, *LANGUAGES], ids=lambda path: path.stem)
def test_every_scenario_runs_and_holds_its_expectations(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an example expects is what the built-in agent does."""
    code = main([str(path), "--out", str(tmp_path / "out"), "--json", "--set", "report=none"])
    result = json.loads(capsys.readouterr().out)
    assert code == 0, [verdict for scenario in result["scenarios"] for verdict in scenario["verdicts"]]
    assert all(row["status"] == "completed" for row in result["sessions"])
    assert any(score["value"] is not None for score in result["pooled"])


@pytest.mark.parametrize("name", ["two_cascades", "caller_against_moshi"])
def test_recipes_of_corpora_are_a_thousand_dialogues(name: str) -> None:
    """Twelve topics in turn; what is filled in is a scenario of its own, and what is kept is said."""
    plan = make_plan([DIALOGUES[name]], Wishes())
    assert len(plan.jobs) == 1000 and len({job.sample["topic"] for job in plan.jobs}) == 12
    assert plan.jobs[0].scenario.keep is not None and plan.jobs[12].sample == plan.jobs[0].sample


@pytest.mark.slow
def test_a_corpus_of_two_cascades_is_played_and_exported(tmp_path: Path) -> None:
    """Three dialogues, of which two share their voices: two parts, every dialogue kept, no voice in both."""
    run, out = tmp_path / "run", tmp_path / "corpus"
    words = ["--repeat", "3", "--out", str(run), "--set", "report=none", "--set", "duration=15s"]
    assert main([str(DIALOGUES["two_cascades"]), *words]) == 0
    assert main(["export", str(run), "--to", "nemo", "--out", str(out)]) == 0
    parts = [simulated_voices(part) for part in sorted(out.iterdir()) if part.is_dir()]
    assert len(parts) == 2 and not parts[0] & parts[1]
    assert "Beside people's talk" in (out / "README.md").read_text()


def simulated_voices(part: Path) -> set[str]:
    """The voices of a part's shards."""
    lines = gzip.decompress((part / "cuts.000000.jsonl.gz").read_bytes()).splitlines()
    return {voice for line in lines for voice in json.loads(line)["custom"]["voices"].values()}


def thinned(path: Path) -> dict[str, Any]:
    """A sweep with one trial at both ends of a dimension, the last with steps, and one place on the others."""
    data = yaml.safe_load(path.read_text())
    sweep = data["sweep"] | {"trials": 1}
    dimensions = [name for name, item in sweep.items() if isinstance(item, dict) and "path" in item]
    kept = [name for name in dimensions if "steps" in sweep[name]][-1:] or dimensions[:1]
    for name in dimensions:
        if "steps" in sweep[name]:
            sweep[name]["steps"] = 2
        place = slice(None, None, len(sweep[name].get("values", [0, 0])) - 1) if name in kept else slice(1)
        for key in {"values", "labels"} & sweep[name].keys():
            sweep[name][key] = sweep[name][key][place]
        if name not in kept and "steps" in sweep[name]:
            sweep[name] = {"path": sweep[name]["path"], "values": [sweep[name]["to"]]}
    return data | {"sweep": sweep, "report": "none"}


def test_a_sweep_whose_model_is_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, before anything starts."""
    monkeypatch.setattr("simulator.engines.weights.find_spec", lambda name: None)
    assert main(["check", str(SMART_TURN)]) == 2
    told = capsys.readouterr().err.splitlines()[0]  # then the line of the file
    assert "$.agent.endpointing: the end-of-turn model smart_turn is not installed; pip install --no-deps" in told


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_every_sweep_runs_and_measures_what_it_says(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two points of each: the outermost ones, of which the last has a value for every measure."""
    if path == SMART_TURN and find_spec("pipecat") is None:
        pytest.skip("needs pipecat-ai's model")
    few = tmp_path / path.name
    few.write_text(yaml.safe_dump(thinned(path), sort_keys=False))
    assert main([str(few), "--out", str(tmp_path / "out"), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["sweeps"]
    assert [score["id"] for score in found["points"][0]["scores"]] == found["measure"]
    assert len(found["points"]) == 2 and all(score["value"] is not None for score in found["points"][-1]["scores"])


@pytest.mark.torch
@pytest.mark.skipif(find_spec("torch") is None, reason="needs the torch extra")
def test_the_torch_scenario_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four sessions share one model in one batch."""
    path = FOLDER / "torch" / "tiny_duplex.yaml"
    assert main([str(path), "--out", str(tmp_path / "out"), "--json", "--set", "report=none"]) == 0
    assert len(json.loads(capsys.readouterr().out)["sessions"]) == 4
    (host,) = json.loads((tmp_path / "out" / "run.json").read_text())["model_hosts"]
    assert host["frames"] > 4 * 180
