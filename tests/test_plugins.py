"""A separate package adds a kind through an entry point, and nothing here changes."""

import os
import subprocess
import sys
from pathlib import Path

from simulator.session import read_session
from tests.distributions import register

MODULE = '''
from simulator.actor import Actor, ActorSpec
from simulator.frame import AudioFrame


class ParrotSpec(ActorSpec, frozen=True, kw_only=True, tag="parrot"):
    """Say again what is heard, one frame later."""

    def build(self):
        return Parrot()


class Parrot(Actor):
    def step(self, heard):
        return AudioFrame(heard.start + len(heard.samples), heard.samples)
'''

SCENARIO = """
name: parrot
duration: 3s
user: {kind: scripted, turns: ["Hello parrot."]}
agent: {kind: parrot}
scorers: []
"""


def package(folder: Path) -> Path:
    """Write a tiny installed distribution with one module and one entry point."""
    register(folder, "parrot", {"actors": {"parrot": "parrot:ParrotSpec"}})
    (folder / "parrot.py").write_text(MODULE)
    return folder


def test_an_actor_in_a_separate_package_is_picked_up_by_its_entry_point(tmp_path: Path) -> None:
    """`kind: parrot` works in a scenario, in `simulate list` and in the schema as soon as the package is installed."""
    env = os.environ | {"PYTHONPATH": str(package(tmp_path / "site"))}
    (tmp_path / "s.yaml").write_text(SCENARIO)

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "simulator", *words], env=env, capture_output=True, text=True, check=True
        )
        return done.stdout

    run(str(tmp_path / "s.yaml"), "--out", str(tmp_path / "out"))
    session = read_session(tmp_path / "out" / "parrot-0")
    assert session.meta.parties["agent"].kind == "parrot"
    assert (session.said("agent")[480:] == session.said("user")[:-480]).all()
    assert session.said("agent").any()
    assert "parrot" in run("list", "actors")
    assert '"const": "parrot"' in run("schema")


def test_a_foreign_package_that_shadows_ours_is_named(tmp_path: Path) -> None:
    """A foreign `agents` package in front of ours fails with one clear sentence."""
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", "import simulator"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "the package 'agents' of duplex-simulator is hidden by" in done.stderr
