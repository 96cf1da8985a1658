"""docs/plugins.md is true: the package it writes passes the suites it names, and its scenario runs."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from simulator.plugins import GROUPS
from simulator.session import read_session
from tests.distributions import register
from tests.source_tree import ROOT

PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files in a folder, registered as its pyproject.toml says."""
    folder = tmp_path_factory.mktemp("site")
    for name, text in re.findall(r"^```\w+\n# ([\w/.]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "phone_kinds" / "__init__.py").write_text("")
    declared = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"]
    return register(
        folder, "phone_kinds", {name: declared[group] for name, group in GROUPS.items() if group in declared}
    )


def in_package(folder: Path, *words: str) -> str:
    """Run a module of Python in the package's folder, with the package on the path."""
    env = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_packages_own_tests_pass(package: Path) -> None:
    """Its channel, scorer, actors and protocol keep their contracts; with four suites these are dozens of tests."""
    passed = re.search(r"^(\d+) passed", in_package(package, "pytest", "-q", "-p", "no:cacheprovider"), re.MULTILINE)
    assert passed is not None and int(passed[1]) > 30


def test_its_scenario_runs(package: Path) -> None:
    """The parrot talks as much as the user, less what the line lost."""
    in_package(package, "simulator", "parrot.yaml", "--out", "out")
    session = read_session(package / "out" / "parrot-0")
    assert (session.meta.status, session.meta.parties["agent"].kind) == ("completed", "parrot")
    assert (package / "out" / "parrot-0" / "scores.json").read_text().count("talk_balance.agent_share") >= 1


def test_editors_know_its_keys(package: Path) -> None:
    """The schema that editors complete from holds its kinds beside ours."""
    told = in_package(package, "simulator", "schema")
    assert '"const": "flicker"' in told and '"const": "ticker"' in told
