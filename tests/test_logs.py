"""Logs of a run, as a user sees them."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml


@pytest.mark.parametrize("verbose", [False, True])
def test_sessions_beside_each_other_fail_without_their_variables_on_the_screen(tmp_path: Path, verbose: bool) -> None:
    """stdout holds the summary alone; with -v a plain traceback goes to stderr, without values, which may be keys."""
    (tmp_path / "failing.py").write_text(
        "def reply(turn, history):\n    said = 'value-of-a-local'\n    raise ValueError(len(said))\n"
    )
    path = tmp_path / "failing.yaml"
    path.write_text(yaml.safe_dump({
        "name": "failing", "duration": "6s", "scorers": [], "report": "none",
        "user": {"kind": "scripted", "turns": [{"at": "500ms", "say": "Hello there."}]},
        "agent": {"kind": "turn_based", "responder": {"kind": "function", "file": "failing.py", "function": "reply"}},
    }))  # fmt: skip
    words = [sys.executable, "-m", "simulator", path, "--repeat", "2", "--concurrency", "2", "--out", tmp_path / "out"]
    done = subprocess.run([*words, *(["-v"] if verbose else [])], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "Traceback" not in done.stdout
    assert ("Traceback" in done.stderr) == verbose
    assert "value-of-a-local" not in done.stdout + done.stderr.replace("said = 'value-of-a-local'", "")
