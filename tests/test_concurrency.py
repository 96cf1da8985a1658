"""`--concurrency auto`: cores, free memory, sessions and slots decide, whichever is least; and `--on` without Ray."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from simulator.batch.concurrency import WORKER_BYTES, automatic, free_memory
from simulator.cli import OK, REFUSED
from simulator.planning.plan import Wishes, make_plan
from tests.command_line import SHORT, simulate


@pytest.mark.parametrize(
    ("cores", "workers", "jobs", "least"),
    [(8, 100, 50, 8), (8, 3, 50, 3), (8, 100, 2, 2), (8, 0, 50, 1), (4, None, 9, 4)],
)
def test_the_least_of_what_carries(tmp_path: Path, cores: int, workers: int | None, jobs: int, least: int) -> None:
    """Never none; where the system does not tell of memory, cores alone."""
    path = tmp_path / "short.yaml"
    path.write_text(yaml.safe_dump(SHORT))
    planned = make_plan([path], Wishes(repeat=jobs)).jobs
    free = None if workers is None else workers * WORKER_BYTES + 1
    assert automatic(planned, [False] * jobs, cores=cores, free_bytes=free) == least
    # What shares a model is played by its loop, to which 1 means: as many as find a slot.
    assert automatic(planned, [True] + [False] * (jobs - 1), cores=cores, free_bytes=free) == 1


def test_free_memory_is_what_the_system_calls_available(tmp_path: Path) -> None:
    """In bytes; None where there is no such file, or no such line."""
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    2048 kB\n")
    (tmp_path / "old").write_text("MemTotal: 9 kB\n")
    found = [free_memory(tmp_path / name) for name in ("meminfo", "old", "gone")]
    assert found == [2048 * 1024, None, None]


def test_a_run_takes_auto_and_no_other_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One session is one at a time, and the run is the same."""
    path = tmp_path / "short.yaml"
    path.write_text(yaml.safe_dump(SHORT | {"report": "none"}))
    assert simulate(path, "--concurrency", "auto", "--json", "--out", tmp_path / "run") == OK
    assert len(json.loads(capsys.readouterr().out)["sessions"]) == 1
    with pytest.raises(SystemExit, match=str(REFUSED)):
        simulate(path, "--concurrency", "all")
    assert "no number from 1 on, nor auto" in capsys.readouterr().err


def test_a_run_on_ray_without_ray_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And leaves no folder."""
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"):
        monkeypatch.setenv(name, "0")  # set by the command, and put back by the test
    path = tmp_path / "short.yaml"
    path.write_text(yaml.safe_dump(SHORT))
    assert simulate(path, "--on", "ray", "--out", tmp_path / "run") == REFUSED
    assert 'pip install "duplex-simulator[ray]"' in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
