"""Runs at URLs: sent as sessions end, resumed, read by other commands, and not lost with their bucket."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.cli import main
from simulator.results import load_run

fsspec = pytest.importorskip("fsspec")

from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402 - where fsspec is there

SCENARIO = """
name: s
duration: 1s
user: {kind: scripted, turns: [{at: 100ms, say: Hi.}]}
agent: silent
scorers: [turns]
repeat: 3
report: none
"""


class VanishingFileSystem(MemoryFileSystem):  # type: ignore[misc] # fsspec has no types
    """A bucket in memory that takes no more than `left` files."""

    protocol = "vanishing"
    left = 0

    def put_file(self, lpath: str, rpath: str, **kwargs: Any) -> None:
        """Take a file, or be gone."""
        kind = type(self)
        kind.left -= 1
        if kind.left < 0:
            raise PermissionError("hidden-away finds no bucket any more")
        super().put_file(lpath, rpath, **kwargs)


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder and a cache of this test alone; buckets that are empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "s.yaml").write_text(SCENARIO)
    fsspec.register_implementation("vanishing", VanishingFileSystem, clobber=True)
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    yield
    MemoryFileSystem.store.clear()


def lying(url: str) -> dict[str, bytes]:
    """What lies at a URL."""
    files, root = fsspec.core.url_to_fs(url)
    return {place.removeprefix(root).lstrip("/"): files.cat_file(place) for place in files.find(root)}


def in_folder(folder: Path) -> dict[str, bytes]:
    """What lies in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sessions_of(files: dict[str, bytes]) -> dict[str, bytes]:
    """All but run.json, which tells of the clock."""
    return {name: body for name, body in files.items() if name != "run.json"}


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_run_at_a_url_is_the_run_of_a_folder(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File for file; nothing of it stays here, and what is printed names the URL."""
    url = f"memory://bucket/{tmp_path.name}" if kind == "memory" else f"file://{tmp_path}/far/away"
    assert main(["run", "s.yaml", "--out", "here"]) == 0
    capsys.readouterr()
    assert main(["run", "s.yaml", "--out", url]) == 0
    assert f"run:     {url} (3 sessions)" in capsys.readouterr().out
    assert sessions_of(lying(url)) == sessions_of(in_folder(Path("here")))
    assert json.loads(lying(url)["run.json"])["exit_code"] == 0
    assert list(Path("runs").iterdir()) == []
    assert main(["run", "s.yaml", "--out", url]) == 2
    assert f"{url}: holds a run already; continue it with --resume" in capsys.readouterr().err


def test_a_run_at_a_url_goes_on_where_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """On another machine, too: what was completed stays, to the byte, and more trials follow."""
    url = "memory://bucket/run"
    assert main(["run", "s.yaml", "--out", url]) == 0
    before = lying(url)
    assert main(["run", "s.yaml", "--out", url, "--resume", "--repeat", "4"]) == 0
    after = lying(url)
    grown = {"run.json", "results.jsonl"}
    assert all(after[name] == before[name] for name in before.keys() - grown)
    assert after["results.jsonl"].startswith(before["results.jsonl"]) and len(after["results.jsonl"].splitlines()) == 4
    Path("other.yaml").write_text(SCENARIO.replace("Hi.", "Hello."))
    assert main(["run", "other.yaml", "--out", url, "--resume"]) == 2
    assert "resume with the same settings" in capsys.readouterr().err
    assert lying(url) == after and not any(Path("runs").iterdir())
    MemoryFileSystem().pipe_file("/bucket/else/x.txt", b"x")
    assert main(["run", "s.yaml", "--out", "memory://bucket/else"]) == 2
    assert "memory://bucket/else: holds something else than a run" in capsys.readouterr().err


def test_a_bucket_that_vanishes_costs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said once while the run goes on, and at the end where the run lies; --resume sends what is missing."""
    url = "vanishing://me:hidden-away@bucket/run"
    VanishingFileSystem.left = 3
    assert main(["run", "s.yaml", "--out", url]) == 3
    told = capsys.readouterr()
    (scratch,) = Path("runs").iterdir()
    lines = [line for line in told.err.splitlines() if line.startswith("simulate:")]
    gone = "simulate: vanishing://***@bucket/run: cannot be written: PermissionError: *** finds no bucket any more"
    assert lines == [
        f"{gone}; the run goes on in {scratch}",
        f"{gone}; the run lies in {scratch}, and --resume with the same --out sends it",
    ]
    assert [row.status for row in load_run(scratch).rows] == ["completed"] * 3
    VanishingFileSystem.left = 0
    assert main(["run", "s.yaml", "--out", url]) == 2
    assert f"what was not sent of a run lies in {scratch}; send it with --resume" in capsys.readouterr().err
    VanishingFileSystem.left = 1000
    assert main(["run", "s.yaml", "--out", url, "--resume"]) == 0
    assert not scratch.exists()
    assert main(["run", "s.yaml", "--out", "here"]) == 0
    assert sessions_of(lying(url)) == sessions_of(in_folder(Path("here")))
    assert not any(b"hidden-away" in body for body in lying(url).values()) and "hidden-away" not in told.out + told.err


def test_a_place_that_takes_nothing_is_refused_before_anything_is_played(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, exit code 2, and no folder left; so is what nobody opens, and what is not installed."""
    VanishingFileSystem.left = 0
    assert main(["run", "s.yaml", "--out", "vanishing://bucket/none"]) == 2
    assert main(["run", "s.yaml", "--out", "s3://bucket/run"]) == 2
    assert main(["run", "s.yaml", "--out", "nowhere://bucket/run"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and "finds no bucket any more" in lines[0]
    assert "nowhere://bucket/run: ValueError: Protocol not known: nowhere; write it like s3://bucket/run" in lines[2]
    assert not any(Path("runs").iterdir())


def test_sessions_are_sent_while_the_run_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first session lies there before the last one has ended."""
    there = threading.Event()
    put = MemoryFileSystem.put_file

    def told(self: Any, lpath: str, rpath: str, **kwargs: Any) -> None:
        put(self, lpath, rpath, **kwargs)
        if "s-0/" in rpath:
            there.set()

    monkeypatch.setattr(MemoryFileSystem, "put_file", told)
    monkeypatch.setattr("simulator.cli.run_place.FarRun.finish", lambda self: there.wait(30) or pytest.fail("not sent"))
    assert main(["run", "s.yaml", "--out", "memory://bucket/run"]) == 0
    assert "s-0/session.json" in lying("memory://bucket/run")


def test_what_lies_at_a_url_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exported, scored, compared and merged as from a folder; fetched once, and again where it has changed."""
    for part in ("1/2", "2/2"):
        url = f"memory://bucket/parts/{part[0]}"
        assert main(["run", "s.yaml", "--shard", part, "--out", url]) == 0
    assert main(["run", "s.yaml", "--out", "here"]) == 0
    assert main(["merge", "memory://bucket/parts", "--out", "merged"]) == 0
    assert sessions_of(in_folder(Path("merged"))) | {"index.html": b""} == sessions_of(in_folder(Path("here"))) | {
        "index.html": b""
    }
    assert main(["run", "s.yaml", "--out", "memory://bucket/whole"]) == 0
    for source in ("memory://bucket/whole", "here"):
        assert main(["export", source, "--to", "csv", "--table", "turns", "--out", f"tables/{source[-4:]}"]) == 0
        assert main(["score", source, "--as", "turns", "--json", f"{source[-4:]}.json"]) == 0
    tables = [(tmp_path / "tables" / name / "turns.csv").read_text() for name in ("hole", "here")]
    assert tables[0].replace("whole", "here") == tables[1]
    assert json.loads(Path("hole.json").read_text())["metrics"] == json.loads(Path("here.json").read_text())["metrics"]
    assert main(["compare", "memory://bucket/whole", "here", "--format", "json"]) == 0
    assert main(["run", "s.yaml", "--out", "memory://bucket/whole", "--resume", "--repeat", "4"]) == 0
    assert main(["export", "memory://bucket/whole", "--to", "jsonl", "--table", "long", "--out", "again"]) == 0
    sessions = {json.loads(line)["session"] for line in Path("again/long.jsonl").read_text().splitlines()}
    assert len(sessions) == 4
    capsys.readouterr()
    assert main(["export", "memory://bucket/nothing", "--to", "csv"]) == 2
    assert main(["report", "memory://bucket/whole"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "simulate: memory://bucket/nothing: nothing lies there",
        "simulate: memory://bucket/whole: a folder of this machine is needed here; URLs are what `run --out` writes, "
        "and score, compare, export and merge read",
    ]
