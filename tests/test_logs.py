"""Logs of a run, as a user sees them."""

import subprocess
import sys
from pathlib import Path

import anyio
import pytest
import structlog
import yaml

from simulator.logs import scrubbed_logs, set_up_logs
from simulator.reading.secrets import Secrets

REPLY = """
def reply(turn, history):
    said = ["value", "of", "a", "local"]
    raise ValueError(len("-".join(said)))
"""


@pytest.mark.parametrize("verbose", [False, True])
def test_sessions_beside_each_other_fail_without_their_variables_on_the_screen(tmp_path: Path, verbose: bool) -> None:
    """stdout holds the summary alone; -v sends a plain traceback to stderr: a variable's value may be a key."""
    (tmp_path / "failing.py").write_text(REPLY)
    path = tmp_path / "failing.yaml"
    path.write_text(yaml.safe_dump({
        "name": "failing", "duration": "6s", "scorers": [], "report": "none",
        "user": {"kind": "scripted", "turns": [{"at": "500ms", "say": "Hello there."}]},
        "agent": {"kind": "turn_based", "responder": {"kind": "function", "call": "failing:reply", "folder": "."}},
    }))  # fmt: skip
    words = [sys.executable, "-m", "simulator", str(path), "--repeat", "2", "--concurrency", "2"]
    words += ["--out", str(tmp_path / "out")]
    told = ["-v"] if verbose else []
    done = subprocess.run([*words, *told], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "Traceback" not in done.stdout
    assert ("Traceback" in done.stderr) == verbose
    assert "said = ['value" not in done.stdout + done.stderr


@pytest.mark.usefixtures("own_logs")
def test_what_is_told_inside_is_scrubbed_with_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    """In the thread too that was started there; outside nothing is known of that secret."""
    set_up_logs(verbose=True)
    log = structlog.get_logger()
    secrets = Secrets({"KEY": "hunter2-hunter2"})
    secrets.variable("KEY")

    def fail() -> None:
        try:
            raise ValueError("they said hunter2-hunter2")
        except ValueError as error:
            log.info("failed", key="hunter2-hunter2", exc_info=error)

    with scrubbed_logs(secrets.scrub):
        anyio.run(anyio.to_thread.run_sync, fail)
    told = capfd.readouterr().err
    assert "ValueError: they said ${KEY}" in told and "hunter2-hunter2" not in told
    log.info("hunter2-hunter2")
    assert "hunter2-hunter2" in capfd.readouterr().err
