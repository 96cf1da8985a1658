"""`simulate score`: from paths to a table, JSON and exit codes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from simulator.cli import main
from tests.fdb_folders import spoken, voiced, words, write_sample
from tests.report_sessions import make_run, make_session

TURN = [{"text": "", "timestamp": [2.0, 2.5]}]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small dataset: one answer, one silence, one broken sample."""
    write_sample(tmp_path / "root" / "1", {"output.json": spoken(3.5, 5), "turn_taking.json": TURN})
    write_sample(tmp_path / "root" / "2", {"output.json": words(), "turn_taking.json": TURN})
    write_sample(tmp_path / "root" / "3", {"output.json": "no json", "turn_taking.json": TURN})
    return tmp_path / "root"


def score(*arguments: object) -> int:
    """Run the command."""
    return main(["score", *map(str, arguments)])


def as_json(tmp_path: Path, *arguments: object) -> dict[str, Any]:
    """Run the command and read its JSON; 3 says that one of the samples could not be used."""
    assert score(*arguments, "--json", tmp_path / "out.json") in (0, 3)
    found: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    return found


def test_the_json_has_the_promised_form(root: Path, tmp_path: Path) -> None:
    """scorer, mode, n, metrics with all that a reader needs of a value; samples with id, metrics, notes; versions."""
    result = as_json(tmp_path, root, "--as", "fdb:smooth_turn_taking", "--set", "mode=compat")
    assert set(result) == {"scorer", "mode", "n", "metrics", "samples", "versions"}
    assert (result["scorer"], result["mode"], result["n"]) == ("fdb:smooth_turn_taking", "compat", 2)
    assert result["metrics"]["tor"].keys() == {"value", "unit", "n", "ci95", "ci95_reason", "reason"}
    assert result["metrics"]["latency_s"]["value"] == 1.5 and result["metrics"]["latency_s"]["n"] == 1
    assert [sample["id"] for sample in result["samples"]] == ["1", "2", "3"]
    assert result["samples"][2]["metrics"] == {"tor": None, "latency_s": None, "latency_raw_s": None}
    assert "is not JSON" in result["samples"][2]["notes"][0] and "duplex-simulator" in result["versions"]


def test_a_foreign_scorers_name_promises_that_projects_numbers(root: Path, tmp_path: Path) -> None:
    """Without mode= they are those of the original; the repaired definition is asked for."""
    assert as_json(tmp_path, root, "--as", "fdb:smooth_turn_taking")["mode"] == "compat"
    strict = as_json(tmp_path, root, "--as", "fdb:smooth_turn_taking", "--set", "mode=strict")
    assert strict["mode"] == "strict"


def test_the_table_says_what_is_undefined_and_what_was_left_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Values on standard output, notes with the sample's id on standard error; --show tells each measurement."""
    assert score(root, "--as", "fdb:smooth_turn_taking", "--show") == 3
    out, err = capsys.readouterr()
    assert "fdb:smooth_turn_taking (compat): 2 of 3 samples" in out and "latency_s" in out
    assert "1: from 2.000 s: takeover, first word at 3.500 s, latency 1.500 s" in out
    assert "3: output.json: is not JSON" in err


def test_a_folder_of_which_nothing_can_be_used_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one sentence with the first reason; what is wrong with each sample stands in the JSON."""
    for name in ("1", "2"):
        write_sample(tmp_path / "root" / name, {"output.json": "no json", "turn_taking.json": TURN})
    out = tmp_path / "out.json"
    assert score(tmp_path / "root", "--as", "fdb:smooth_turn_taking", "--json", out) == 2
    told, err = capsys.readouterr()
    assert not told and err.count("\n") == 1
    assert "none of 2 samples can be used; 1: output.json: is not JSON" in err
    assert all("is not JSON" in sample["notes"][0] for sample in json.loads(out.read_text())["samples"])


def test_json_may_go_to_standard_output(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json -` prints nothing but JSON there; --show goes to standard error."""
    assert score(root, "--as", "fdb:pause_handling", "--json", "-", "--show") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["scorer"] == "fdb:pause_handling" and "takeover" in err


def test_several_scorers_give_a_list(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each definition is a result of its own; an option goes to those that have it; what cannot be is said."""
    out = tmp_path / "out.json"
    names = ["fdb:pause_handling", "fdb:smooth_turn_taking", "fdb:user_interruption"]
    arguments = [word for name in names for word in ("--as", name)]
    assert score(root, *arguments, "--set", "judge_tries=2", "--json", out) == 2, "nobody is interrupted here"
    assert "none of 3 samples can be used; 1: interrupt.json: missing" in capsys.readouterr().err
    assert [item["scorer"] for item in json.loads(out.read_text())] == names


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{root}/none", "--as", "fdb:timing"], "does not exist"),
        (["{root}", "--as", "fdb:tming"], "'fdb:tming' is not installed; choose one of"),
        (["{root}", "--as", "fdb:timing", "--set", "gt=x"], "--set gt: fdb:timing has no such option; choose one of"),
        (["{root}", "--as", "fdb:timing", "--set", "mode=loose"], "--set mode: invalid enum value 'loose'"),
        (["{root}", "--as", "fdb:timing", "--set", "mode"], "--set mode: write it like --set mode=compat"),
        (["{root}", "--as", "fdb:user_interruption", "--set", "judge_tries=many"], "--set judge_tries: expected `int`"),
        (["{root}", "--as", "fdb:timing", "--set", "segments={root}/1/output.json"], "segments="),
        (["{root}"], "nothing there that simulate score without --as scores; it takes sessions"),
        (["{root}", "--as", "tau"], "a tau experiment"),
        (["{root}/../mono.wav", "--as", "fdb:timing"], "has 1 channel; a recording of both parties is stereo"),
        (["{root}/1/output.json", "--as", "fdb:pause_handling"], "Full-Duplex-Bench sample folders"),
        (["{root}", "--as", "fdb:pause_handling", "--json", "{root}/none/x.json"], "cannot be written"),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence(
    root: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, one line on standard error that names what was wrong and what is allowed."""
    soundfile.write(root.parent / "mono.wav", np.zeros(8000), 8000)
    assert score(*(argument.replace("{root}", str(root)) for argument in arguments)) == 2
    err = capsys.readouterr().err.strip().splitlines()
    assert sentence in err[-1] and err[-1].startswith("simulate: ") and not err[-1].endswith(".")


def test_inputs_are_never_written_to(root: Path, tmp_path: Path) -> None:
    """No file under the scored paths appears or changes, and write=DIR goes elsewhere."""
    make_session(tmp_path / "run" / "call-0")
    (tmp_path / "run" / "call-0" / "speech.json").unlink()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    score(root, "--as", "fdb:smooth_turn_taking", "--set", f"write={tmp_path / 'out'}")
    score(tmp_path / "run", "--as", "turns")
    assert {path: path.read_bytes() for path in before} == before
    assert {path for path in tmp_path.rglob("*") if path.is_file()} - set(before) <= set((tmp_path / "out").rglob("*"))


def test_a_run_is_scored_by_our_own_scorers(tmp_path: Path) -> None:
    """Scenarios differ, so each has a table of its own; --pool all makes one of them."""
    make_run(tmp_path / "run")
    result = as_json(tmp_path, tmp_path / "run", "--as", "turns", "--as", "latency")
    assert result["scorer"] == "turns,latency" and result["n"] == len(result["samples"]) >= 2
    assert result["metrics"] == {} and list(result["groups"]) == [
        "book a table · cascade",
        "noisy phone line · cascade",
    ]
    metric = result["groups"]["book a table · cascade"]["metrics"]["turns.gap_per_min"]
    assert metric["value"] > 0 and metric["unit"] == "per min"
    together = as_json(tmp_path, tmp_path / "run", "--as", "turns", "--pool", "all")
    assert together["metrics"]["turns.gap_per_min"]["value"] > 0 and "groups" not in together
    assert result["samples"][0]["metrics"]["turns.gap_per_min"] is not None


def test_stereo_files_are_sessions_without_events(tmp_path: Path) -> None:
    """A folder of stereo files is scored like sessions; user_channel says which side is the user; mono is noted."""
    rate, user = voiced([(0.5, 2.0)], 6)
    _, agent = voiced([(3.0, 4.0)], 6)
    soundfile.write(tmp_path / "a.wav", np.stack([user, agent], axis=1), rate)
    soundfile.write(tmp_path / "b.wav", user, rate)
    result = as_json(tmp_path, tmp_path, "--as", "turns", "--set", "user_channel=1")
    assert [sample["id"] for sample in result["samples"]] == ["a", "b"] and result["n"] == 1
    assert "has 1 channel" in result["samples"][1]["notes"][0]


def test_a_foreign_definition_takes_sessions(tmp_path: Path) -> None:
    """The same name scores our sessions, one sample per session."""
    make_session(tmp_path / "run" / "call-0")
    result = as_json(tmp_path, tmp_path / "run", "--as", "fdb:timing")
    assert [sample["id"] for sample in result["samples"]] == ["call-0"]
    assert result["samples"][0]["metrics"]["user_segments"] is not None


def test_a_recording_that_cannot_be_trusted_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Identical channels refuse scoring under every definition; force=true scores them; odd sound is a note."""
    rate, sound = voiced([(0.5, 2.0)], 4)
    soundfile.write(tmp_path / "same.wav", np.stack([sound, sound], axis=1), rate)
    for name in ("turns", "fdb:timing", "dgslm"):
        assert score(tmp_path / "same.wav", "--as", name) == 2
        assert "force=true" in capsys.readouterr().err
        assert score(tmp_path / "same.wav", "--as", name, "--set", "force=true") == 0
    soundfile.write(tmp_path / "quiet.wav", np.stack([sound, 0 * sound], axis=1), rate)
    result = as_json(tmp_path, tmp_path / "quiet.wav", "--as", "fdb:timing")
    assert any("silent" in note for note in result["samples"][0]["notes"])
