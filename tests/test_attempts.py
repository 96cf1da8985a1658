"""Attempts: an invalid session is played again, every attempt is kept, and valid ones count."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.batch.attempts import RETRY, STRIDE, Attempts
from simulator.cli import main
from simulator.planning.job import Job
from simulator.reading.playing import MOST_TRIALS
from simulator.results.row import Row
from simulator.scenario import resolved
from simulator.testing import scenario_of

SILENT = {"user": "silent", "agent": "silent"}


def row(name: str, invalid: str = "", status: str = "completed") -> Row:
    """A row of a session."""
    return Row(id=name, scenario="a", invalid=invalid, status=status)


def attempts_of(retries: int, folder: Path) -> Attempts:
    """The attempts of a plan of two sessions."""
    scenario = scenario_of({**SILENT, "retries": retries, "repeat": 2}, folder)
    attempts = Attempts()
    attempts.follow([Job(id=f"a-{trial}", group="a", scenario=resolved(scenario, trial)) for trial in range(2)])
    return attempts


def test_what_is_invalid_is_due_again_until_it_is_valid_or_tried_enough(tmp_path: Path) -> None:
    """One attempt at a time, those of other sessions beside it; a valid one ends it."""
    attempts = attempts_of(2, tmp_path)
    rows = {"a-0": row("a-0", "out of its part"), "a-1": row("a-1")}
    assert [job.id for job in attempts.next(rows)] == ["a-0.retry-1"]
    assert [job.id for job in attempts.next(rows)] == ["a-0.retry-1"]
    rows["a-0.retry-1"] = row("a-0.retry-1", "again")
    assert [job.id for job in attempts.next(rows)] == ["a-0.retry-2"]
    rows["a-0.retry-2"] = row("a-0.retry-2", "again")
    assert attempts.next(rows) == []
    assert [job.id for job in attempts.all()] == ["a-0", "a-0.retry-1", "a-0.retry-2", "a-1"]


def test_a_session_that_failed_or_was_not_to_be_tried_again_is_not(tmp_path: Path) -> None:
    """An endpoint that is down would fail every attempt; no retries are the default."""
    rows = {"a-0": row("a-0", "simulator error: down", "failed"), "a-1": row("a-1")}
    assert attempts_of(2, tmp_path).next(rows) == []
    assert attempts_of(0, tmp_path).next({"a-0": row("a-0", "bad"), "a-1": row("a-1", "bad")}) == []


def test_an_attempt_has_a_seed_that_no_trial_has(tmp_path: Path) -> None:
    """Else two sessions of a run could be the same one."""
    attempts = attempts_of(1, tmp_path)
    found = attempts.next({"a-0": row("a-0", "bad"), "a-1": row("a-1", "bad")})
    assert [job.scenario.seed for job in found] == [STRIDE, STRIDE + 1]
    assert STRIDE > MOST_TRIALS


def test_a_run_plays_what_is_invalid_again_and_a_resumed_one_knows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All attempts are rows and folders, the share is told; going on with the run plays nothing twice."""
    agent = {"kind": "scripted", "turns": ["Hello.", {"after": "user_turn", "say": "It has been raining."}]}
    user: dict[str, Any] = {
        "kind": "caller",
        "goal": "A table for two.",
        "manner": {"disfluent": 0, "pauses": 0},
        "llm": {"kind": "rules", "answers": [{"match": ".", "say": "How can I help you?"}]},
    }
    file = tmp_path / "out.yaml"
    scenario = {"name": "out", "user": user, "agent": agent, "duration": "9s", "retries": 1, "scorers": ["validity"]}
    file.write_text(yaml.safe_dump({**scenario, "report": "none"}))
    out = tmp_path / "run"
    assert main([str(file), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    names = ["out-0", f"out-0{RETRY}1"]
    assert [one["id"] for one in told["sessions"]] == names
    assert all("spoke as an assistant" in one["invalid"] for one in told["sessions"])
    assert (told["scenarios"][0]["invalid"], told["scenarios"][0]["sessions"]) == (2, 2)
    assert any("2 of 2 sessions (100%) invalid" in line for line in told["scenarios"][0]["told"])
    before = [(out / name / "conversation.wav").stat().st_mtime_ns for name in names]
    assert main([str(file), "--out", str(out), "--json", "--resume"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)["sessions"]] == names
    assert [(out / name / "conversation.wav").stat().st_mtime_ns for name in names] == before
