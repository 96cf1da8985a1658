"""pytest's plugin, in a pytest of its own: what it collects, plays, says, and leaves alone."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simulator.results import is_session, load_run

CALL = """name: {name}
duration: 3s
scorers: [latency]
user: {{kind: scripted, turns: ["Hello there."]}}
agent: {{kind: scripted, turns: [{{after: user_turn, say: "Good evening."}}]}}
expect:
  - latency.response_p50_s < 3
  - latency.response_p50_s < 0.01
  - {{metric: latency.response_p50_s < 0.02, inform: true}}
"""
TESTS = """
import pytest

def test_that_holds(scenario):
    session = scenario("call.yaml", set={"agent.turns[0].say": "Come in."})
    assert session.agent.turns[0].text == "Come in."

def test_that_fails(scenario):
    session = scenario("call.yaml")
    assert len(session.agent.turns) == 2

def test_of_a_missing_file(scenario):
    scenario("nothing.yaml")

def test_without(): pass
"""


def run_pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a folder as a user would; the cache of voices is that of this suite."""
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", *words],
        cwd=folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_expectations_are_items_and_fixtures_give_sessions(tmp_path: Path) -> None:
    """An item per expectation of a `*.scenario.yaml` alone; failures show the conversation with times."""
    (tmp_path / "first.scenario.yaml").write_text(CALL.format(name="first"), encoding="utf-8")
    (tmp_path / "call.yaml").write_text(CALL.format(name="call"), encoding="utf-8")
    (tmp_path / "test_call.py").write_text(TESTS, encoding="utf-8")
    done = run_pytest(tmp_path, "-rsf", "--simulate-out", "kept", "--junit-xml", "j.xml", "--simulate-reruns", "1")
    assert "3 failed, 3 passed, 1 skipped" in done.stdout, done.stdout + done.stderr
    failed = re.findall(r"^FAILED (\S+(?: < \S+)?)", done.stdout, re.MULTILINE)
    assert [name.split("::")[1] for name in failed] == [
        "latency.response_p50_s < 0.01", "test_that_fails", "test_of_a_missing_file"
    ]  # fmt: skip
    assert "latency.response_p50_s < 0.01: failed, found 0." in done.stdout and "informs only" in done.stdout
    failures = done.stdout.partition("short test summary info")[0]  # under CI the summary repeats a message whole
    assert len(re.findall(r"^ +\d\.\d\d - +\d\.\d\d s  agent  Good evening\.$", failures, re.MULTILINE)) == 2
    assert "nothing.yaml: there is no such file" in done.stdout
    # Of three runs none was played twice: a rerun of a session that is the same to the byte would show nothing new.
    runs = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert runs == ["call", "call-2", "first"] and (tmp_path / "kept" / "first" / "index.html").is_file()
    cases = list(ElementTree.fromstring((tmp_path / "j.xml").read_bytes()).iter("testcase"))
    assert any(item.get("name") == "seed:first-0" for case in cases for item in case.iter("property"))


def test_a_file_that_is_no_scenario_is_named(tmp_path: Path) -> None:
    """In a sentence, and the other files are collected."""
    (tmp_path / "bad.scenario.yaml").write_text("name: bad\nuser: silent\nagent: sillent\n", encoding="utf-8")
    done = run_pytest(tmp_path, "--collect-only", "-q")
    assert done.returncode == 2 and "did you mean silent" in done.stdout and "Traceback" not in done.stdout


def test_a_far_end_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    """In items and in tests, as a run tells it before it starts: no traceback through us, no log."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens, and nobody else is given it
        port = taken.getsockname()[1]
        call = CALL.format(name="far").replace(
            "agent: {", f'agent: {{kind: websocket, url: "ws://127.0.0.1:{port}"}}\n#'
        )
        (tmp_path / "far.scenario.yaml").write_text(call, encoding="utf-8")
        (tmp_path / "test_far.py").write_text(
            'def test_far(scenario):\n    scenario("far.scenario.yaml")\n', encoding="utf-8"
        )
        done = run_pytest(tmp_path)
    assert "4 failed" in done.stdout, done.stdout + done.stderr
    sentence = f"far: the agent (websocket): nothing answers at 127.0.0.1:{port} (connection refused); start it first"
    assert done.stdout.count(f"\n{sentence}\n") == 3 and f"ScenarioError: {sentence}" in done.stdout
    assert "simulator/" not in done.stdout and "Captured" not in done.stdout
    assert len(done.stdout.splitlines()) < 40


@pytest.mark.slow
def test_workers_of_xdist_play_a_session_once(tmp_path: Path) -> None:
    """Two workers, an item or two each, one run folder; and with options for all of them."""
    (tmp_path / "one.scenario.yaml").write_text(CALL.format(name="one"), encoding="utf-8")
    done = run_pytest(
        tmp_path, "-n", "2", "--simulate-out", "kept", "--simulate-repeat", "2", "--simulate-seed", "7",
        "--simulate-set", "agent.turns[0].say=Come in."
    )  # fmt: skip
    assert "1 failed, 1 passed, 1 skipped" in done.stdout, done.stdout + done.stderr
    (folder,) = (tmp_path / "kept").iterdir()
    run = load_run(folder)
    assert sorted(row.seed for row in run.rows) == [7, 8] and sum(map(is_session, folder.iterdir())) == 2
    assert "agent  Come in." in done.stdout


@pytest.mark.slow
def test_what_is_not_the_same_twice_is_played_again(tmp_path: Path) -> None:
    """An agent that is too slow the first time: with a rerun the item passes, and says that it took two attempts."""
    (tmp_path / "moody.py").write_text(
        "from pathlib import Path\n\ndef answer(turn, history):\n    mark = Path(__file__).with_name('been')\n"
        "    first = not mark.exists()\n    mark.touch()\n    return None if first else 'Good evening.'\n",
        encoding="utf-8",
    )
    held, _, _ = CALL.partition("  - latency.response_p50_s < 0.01")
    agent = "{kind: turn_based, latency: measured, responder: {kind: function, call: 'moody:answer', folder: .}}"
    text = "".join(
        f"agent: {agent}\n" if line.startswith("agent:") else line
        for line in held.format(name="moody").splitlines(keepends=True)
    )
    (tmp_path / "moody.scenario.yaml").write_text(text, encoding="utf-8")
    assert "1 failed" in run_pytest(tmp_path).stdout
    (tmp_path / "been").unlink()
    done = run_pytest(tmp_path, "--simulate-reruns", "1", "--junit-xml", "j.xml")
    assert "1 passed" in done.stdout, done.stdout
    assert '<property name="attempts" value="2" />' in (tmp_path / "j.xml").read_text(encoding="utf-8")


def test_a_pytest_that_does_not_use_it_loads_nothing_of_it() -> None:
    """Registering it imports neither numpy nor what plays sessions."""
    heavy = "{'numpy', 'msgspec', 'yaml', 'anyio'}"
    words = f"import sys, simulator.ci.plugin; print(sorted(sys.modules.keys() & {heavy}))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
