"""docs/ci.md is true: its agent talks, its recipe gives a check, its tests pass, its workflows name what there is."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from websockets.sync.client import connect

from simulator.cli import COMMANDS
from simulator.plugins import installed
from tests.source_tree import ROOT

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
PORT = "8765"
REPLIES = [
    {"match": "window", "say": "A table by the window."},
    {"match": "table", "say": "A table for two."},
    {"say": "Thank you."},
]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The page's files in a folder, at a port that is free."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = str(server.getsockname()[1])
    for name, text in re.findall(r"^```\w+\n# ([\w/.-]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text.replace(PORT, port), encoding="utf-8")
    return tmp_path


def in_page(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the folder, with the tools of this environment first on the path."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "GITHUB"))}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


@contextmanager
def agent_of(folder: Path) -> Iterator[str]:
    """The page's agent, in a process of its own; gives its address."""
    port = re.search(r'"127.0.0.1", (\d+)', (folder / "agent.py").read_text(encoding="utf-8"))
    assert port is not None
    with subprocess.Popen([sys.executable, "agent.py"], cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "listening\n"
            yield f"ws://127.0.0.1:{port[1]}"
        finally:
            process.terminate()


def test_the_agent_says_back_what_it_heard(page: Path) -> None:
    """Half a second of sound and the pause after it, sample for sample; and it is no longer than the page says."""
    assert len((page / "agent.py").read_text(encoding="utf-8").split("\n\n\n", 1)[1].splitlines()) <= 30
    sound = (3000 * np.sin(np.arange(8000) / 10 + 1)).astype("<i2")
    pause = np.zeros(320, "<i2")
    with agent_of(page) as url, connect(url) as far:
        for start in range(0, len(sound), 320):
            far.send(sound[start : start + 320].tobytes())
        for _ in range(31):  # 0.62 s: one frame more than the pause
            far.send(pause.tobytes())
        heard = np.frombuffer(far.recv(timeout=20), "<i2")
    assert (
        (heard[: len(sound)] == sound).all() and len(heard) == len(sound) + 31 * 320 and not heard[len(sound) :].any()
    )


def checked(folder: Path) -> None:
    """What the recipe leaves: a report in which all holds, a history, a page."""
    root = ElementTree.fromstring((folder / "junit.xml").read_bytes())
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "0", "0")
    assert (folder / ".simulate-history" / "history.jsonl").is_file()
    assert (folder / "simulate-run" / "a-table-for-two-0" / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.skipif("websocket" not in installed("actors"), reason="there is no actor `websocket`")
def test_the_recipe_gives_a_check(page: Path) -> None:
    """Its script, line by line: green; the page's tests pass against the same agent, an item per expectation."""
    done = in_page(page, "bash", "-e", "check.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    checked(page)
    with agent_of(page):
        tested = in_page(page, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=")
    assert "4 passed" in tested.stdout, tested.stdout + tested.stderr


@pytest.mark.slow
def test_the_recipe_gives_a_check_of_any_agent(page: Path) -> None:
    """One key is another: with an agent of ours the same script and the same tests are as green."""
    path = page / "talk.scenario.yaml"
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    agent = {"kind": "cascade", "replies": REPLIES}
    path.write_text(yaml.safe_dump({**data, "agent": agent}), encoding="utf-8")
    done = in_page(page, "bash", "-e", "check.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    checked(page)
    tested = in_page(page, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=")
    assert "4 passed" in tested.stdout, tested.stdout + tested.stderr


def test_the_workflows_name_what_there_is(page: Path) -> None:
    """GitHub's gives the action inputs that it has; GitLab's keeps and reports the files that the script writes."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    job = yaml.safe_load((page / ".github" / "workflows" / "calls.yml").read_text(encoding="utf-8"))["jobs"]["calls"]
    (used,) = [step for step in job["steps"] if "duplex-simulator" in step.get("uses", "")]
    required = {name for name, item in action["inputs"].items() if item.get("required")}
    assert required <= set(used["with"]) <= set(action["inputs"])
    told = set(re.findall(r"`([\w-]+)`", PAGE.split("The action's other inputs")[1].split("are told in")[0]))
    assert told | set(used["with"]) == set(action["inputs"]) | set(action["outputs"])
    gitlab = yaml.safe_load((page / ".gitlab-ci.yml").read_text(encoding="utf-8"))["calls"]
    script = (page / "check.sh").read_text(encoding="utf-8")
    kept = [*gitlab["cache"]["paths"], *gitlab["artifacts"]["paths"], gitlab["artifacts"]["reports"]["junit"]]
    assert all(f" {name}" in script for name in kept)
    assert set(re.findall(r"simulate (\w+) ", PAGE)) <= set(COMMANDS)
