"""The tutorials are done to the end: their files written, their commands run in a shell, their output found.

A block whose first line is a comment with a file's name is that file, ```bash is run, ```text is found in what came
out (a line up to its ...), and ```console is for the reader alone.
"""

import os
import re
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
import soundfile

from tests.distributions import register
from tests.source_tree import ROOT

FOLDER = ROOT / "docs" / "tutorials"
PARTS = ("| needs | takes | costs |", "## When it fails")


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a language, in order."""
    text = (FOLDER / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def follow(
    page: str, folder: Path, less: Mapping[str, str] | None = None, port: tuple[str, str] = ("", ""), **env: str
) -> str:
    """Do what a page says in a folder, with cheaper words for some of it; give what came out.

    port: the one on the page, and one that is free.
    """
    for file in (
        text.replace(*port) for language in ("yaml", "python", "toml", "sh") for text in blocks(page, language)
    ):
        named = re.match(r"# ([\w./]+)\n", file)
        assert named is not None, f"{page}: a block without a file's name"
        (folder / named[1]).parent.mkdir(parents=True, exist_ok=True)
        (folder / named[1]).write_text(file[named.end() :])
    commands = "".join(blocks(page, "bash")).replace(*port)
    for full, cheap in (less or {}).items():
        assert full in commands, f"{page}: there is no {full!r} any more"
        commands = commands.replace(full, cheap)
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", commands], cwd=folder, env=os.environ | {"PATH": path, "COLUMNS": "200"} | env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    out = done.stdout + done.stderr
    assert done.returncode == 0, out
    for expected in "".join(blocks(page, "text")).splitlines():
        assert " ".join(expected.removesuffix("...").split()) in " ".join(out.split()), (
            f"{page}: {expected!r} is not in\n{out}"
        )
    return out


@pytest.mark.parametrize("page", sorted(path.name for path in FOLDER.glob("*.md")))
def test_a_tutorial_says_what_it_needs_and_what_to_do_when_it_fails(page: str) -> None:
    """What it needs, how long it takes and what it costs stand in a table at the top, troubles at the end."""
    text = (FOLDER / page).read_text(encoding="utf-8")
    needs, fails = (text.find(part) for part in PARTS)
    assert 0 < needs < text.index("```") < fails


@pytest.mark.slow
def test_start(tmp_path: Path) -> None:
    """The first call, and the same with one thing changed."""
    follow("start.md", tmp_path, {"--out runs/stubborn": "--out runs/stubborn --set report=none"})


@pytest.mark.slow
def test_sweep(tmp_path: Path) -> None:
    """With two ends of the dimension, played once: the table has its columns."""
    less = {"simulate sweep.yaml --concurrency 2": "simulate sweep.yaml --set sweep.trials=1 --set sweep.pause.steps=2"}
    follow("sweep.md", tmp_path, less)


@pytest.mark.slow
def test_dialogue(tmp_path: Path) -> None:
    """Twice instead of twenty times, shorter; the script of the page reads what came of it."""
    less = {
        "--repeat 20 --concurrency 2": "--repeat 2 --set duration=8s --set report=none",
        "agent=silent": "agent=silent --set duration=4s --set report=none",
    }
    follow("dialogue.md", tmp_path, less)


@pytest.mark.slow
def test_full_duplex_bench(tmp_path: Path) -> None:
    """Over the page's own samples, which are calls of ours."""
    follow("full_duplex_bench.md", tmp_path, {"--out runs/own": "--out runs/own --set report=none"})


@pytest.mark.slow
def test_llm_caller(tmp_path: Path) -> None:
    """The model is the page's own stand-in, in another process as in another terminal."""
    port = ("11434", free_port())
    (page,) = blocks("llm_caller.md", "python")
    less = {
        "impatient_caller.yaml --out": "impatient_caller.yaml --set duration=5s --set scorers=[] --set expect=[] --out",
    }
    with listening(page.replace(*port)):
        follow("llm_caller.md", tmp_path, less, port=port)
    (script,) = (tmp_path / "again").glob("*.yaml")
    assert "a table for two, please." in script.read_text(encoding="utf-8")


@pytest.mark.slow
def test_recordings(tmp_path: Path) -> None:
    """A recording that was made a minute ago, of which nothing but its sound is used."""
    follow(
        "recordings.md",
        tmp_path,
        {"--out runs/first\n": "--out runs/first --set scorers=[] --set expect=[] --set report=none\n"},
    )
    assert soundfile.info(tmp_path / "calls" / "monday.wav").channels == 2
    assert not (tmp_path / "calls" / "session.json").exists()


@contextmanager
def listening(program: str) -> Iterator[None]:
    """A program of a page in a process of its own, from its first line of output on."""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as running:
        assert running.stdout is not None and running.stdout.readline() == b"listening\n"
        try:
            yield
        finally:
            running.terminate()


def free_port() -> str:
    """A port nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return str(server.getsockname()[1])


@pytest.mark.slow
def test_websocket(tmp_path: Path) -> None:
    """The agent is described, reached, called and interrupted."""
    follow("websocket.md", tmp_path, port=("8766", free_port()))


@pytest.mark.slow
def test_ci(tmp_path: Path) -> None:
    """The check is green, red for a slower agent, and green again; a trial more decides a repeated one."""
    elsewhere = f"cd calls\nsed -i 's/8765/{free_port()}/' agent.py check.sh talk.scenario.yaml\n"
    less = {"--concurrency 4 --set 'repeat": "--concurrency 4 --set duration=8s --set report=none --set 'repeat"}
    follow("ci.md", tmp_path, less | {"cd calls\n": elsewhere})


@pytest.mark.slow
def test_live(tmp_path: Path) -> None:
    """All but the talk: the scenario is right, and the options are there that the page names."""
    told = follow("live.md", tmp_path)
    assert all(option in told for option in ("--set", "--port"))


@pytest.mark.torch
@pytest.mark.skipif(find_spec("torch") is None, reason="needs the torch extra")
def test_model(tmp_path: Path) -> None:
    """The page's files are those that `simulate init model` writes; installed, the model talks in a batch."""
    for language, name in (("python", "my_duplex/model.py"), ("toml", "pyproject.toml")):
        (shown,) = blocks("model.md", language)
        assert shown == f"# {name}\n" + (ROOT / "starts" / "model" / name).read_text(encoding="utf-8")
    installed = tmp_path / "site"
    register(installed, "my_duplex", {"models": {"my_duplex": "my_duplex.model:MyDuplexSpec"}})
    model = tmp_path / "my_model"
    follow("model.md", tmp_path, PYTHONPATH=f"{installed}{os.pathsep}{model}")
