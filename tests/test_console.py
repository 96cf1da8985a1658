"""Rules of what is printed: nothing steers the terminal, and an output that is gone costs no exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from simulator.cli.screen import print_summary
from simulator.results.row import Row
from simulator.results.summary import Summary
from tests.command_line import SHORT, simulate

NASTY = "a\x1b[2J\x1b]0;x\x07\x9b31m\u202eb\nc"
SAFE = "a\\u001b[2J\\u001b]0;x\\u0007\\u009b31m\\u202eb\\nc"


def test_a_name_reaches_the_terminal_with_its_control_characters_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check`, a dry run, tables and errors show names as escapes, in one line."""
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(SHORT | {"name": NASTY}))
    assert simulate("check", path) == 0
    assert capsys.readouterr().out == f"{SAFE}: fine\n"
    assert simulate(path, "--dry-run") == 0
    assert SAFE in capsys.readouterr().out
    path.write_text(yaml.safe_dump(SHORT | {"user": {"kind": NASTY}}))
    assert simulate("check", path) == 2
    assert "\x1b" not in (told := capsys.readouterr().err) and "x1b" in told
    row = Row(id="x-0", scenario="x", trial=0, seed=0, status="failed", problem=NASTY)
    print_summary(Summary(scenarios=[], pooled=[], rows=[row], definitions={}), Path("run"))
    assert SAFE in capsys.readouterr().out.replace("\n", "")


def test_a_file_name_that_is_no_text_is_shown_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that are no UTF-8 in an argument are escapes in the sentence."""
    assert simulate("check", f"{tmp_path}/\udcff.yaml") == 2
    assert "udcff.yaml: there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize("redirect", [">&-", ">/dev/full", "2>&-", ">&- 2>&- <&-", "| true", "2>&1 | true"])
def test_an_output_that_is_closed_full_or_gone_costs_no_exit_code(redirect: str, tmp_path: Path) -> None:
    """The code of `check` on a file that is missing is 2 and on one that is fine 0, whoever reads it."""
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(SHORT))
    for name, code in (("none.yaml", 2), ("s.yaml", 0)):
        line = f"set -o pipefail; {sys.executable} -m simulator check {tmp_path / name} {path} {redirect}"
        assert subprocess.run(["bash", "-c", line], check=False, env=os.environ).returncode == code
