"""`simulate init`: what it writes runs as it says, and is written over nothing."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.command_line import command, simulate
from tests.distributions import register
from tests.source_tree import ROOT

STARTS = sorted(path.name for path in (ROOT / "starts").iterdir())


def told(text: str) -> list[list[str]]:
    """The commands of ours that a start says it is run by."""
    return [shlex.split(line)[1:] for line in re.findall(r"^  (simulate .*?)(?:  .*)?$", text, re.MULTILINE)]


@pytest.mark.parametrize("name", [name for name in STARTS if name != "model"])
def test_a_start_passes_its_own_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Written, checked, and planned by the very words that it tells."""
    monkeypatch.chdir(tmp_path)
    assert simulate("init", name) == 0
    commands = told(capsys.readouterr().out)
    assert commands
    monkeypatch.chdir(tmp_path / name)
    for words in commands:
        assert simulate(*words, "--dry-run") == 0, words


@pytest.mark.parametrize("name", ["agent", "ci"])
def test_what_an_agent_starts_from_is_what_the_page_tells(name: str, tmp_path: Path) -> None:
    """The files of docs/ci.md, which the tests of that page run, and no others; a scenario may say how it is run."""
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    told_there = dict(re.findall(r"^```\w+\n# ([\w/.-]+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    assert simulate("init", name, tmp_path) == 0
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == {"agent": 2, "ci": 5}[name]
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert text.endswith(told_there[path.relative_to(tmp_path).as_posix()]), path


@pytest.mark.slow
@pytest.mark.parametrize(("name", "changes"), [("dialogue", []), ("sweep", ["--set", "sweep.trials=2"])])
def test_a_start_runs(name: str, changes: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To the end, with numbers."""
    assert simulate("init", name, tmp_path / name) == 0
    assert simulate(tmp_path / name / f"{name}.yaml", "--out", tmp_path / "out", "--concurrency", 2, *changes) == 0
    assert {"dialogue": "latency.response_p50_s", "sweep": "takeover.in_pause_rate"}[name] in capsys.readouterr().out


@pytest.mark.torch
@pytest.mark.skipif(find_spec("torch") is None, reason="needs the torch extra")
def test_the_model_to_start_from_talks(tmp_path: Path) -> None:
    """As a package of its own: what the user says comes back, in all four sessions of the batch."""
    from simulator.session import read_session

    assert simulate("init", "model", tmp_path) == 0
    register(tmp_path, "my_duplex", {"models": {"my_duplex": "my_duplex.model:MyDuplexSpec"}})
    done = command(tmp_path / "call.yaml", "--out", tmp_path / "out", PYTHONPATH=str(tmp_path))
    out, err = done.communicate(timeout=60)
    assert done.returncode == 0, out + err
    for trial in range(4):
        agent = read_session(tmp_path / "out" / f"call-with-my-model-{trial}").said("agent")
        assert (abs(agent) > 0.01).mean() > 0.05


def test_a_scenario_is_written_with_its_recordings(tmp_path: Path) -> None:
    """What it names lies beside it, so that it can be checked where it is."""
    assert simulate("init", "recorded_caller", tmp_path / "here") == 0
    assert simulate("check", tmp_path / "here" / "recorded_caller.yaml") == 0
    assert simulate("init", "sweeps/snr", tmp_path / "there") == 0
    assert (tmp_path / "there" / "snr.yaml").is_file()


def test_nothing_is_written_over_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is there stays as it is, and no other is written beside it; an unknown name asks what was meant."""
    (tmp_path / "call.yaml").write_text("mine")
    assert simulate("init", "model", tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["call.yaml"]
    assert f"{tmp_path / 'call.yaml'} is there already" in capsys.readouterr().err
    assert simulate("init", "dialog", tmp_path) == 2
    assert "did you mean dialogue" in capsys.readouterr().err
