"""Rules of action.yml: its steps do in GitHub's shell what they say, and what a red job leaves is kept."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import yaml

from tests.source_tree import ROOT

CALL = """name: call
duration: 3s
scorers: [latency]
user: {kind: scripted, turns: ["Hello there."]}
agent: {kind: scripted, turns: [{after: user_turn, say: "Good evening."}]}
expect:
  - latency.response_p50_s < 0.01
  - latency.response_p50_s < 3
"""


def wheel_of_this_environment(folder: Path) -> Path:
    """What stands in for the distribution: a wheel whose `simulate` is this environment's; nothing is fetched."""
    path = folder / "stand_in-1-py3-none-any.whl"
    python = repr(sys.executable)
    runs = f"import os, sys\n\ndef main():\n    os.execv({python}, [{python}, '-m', 'simulator', *sys.argv[1:]])\n"
    info = "stand_in-1.dist-info"
    files = {
        "stand_in.py": runs,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: stand-in\nVersion: 1\nProvides-Extra: voices\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nsimulate = stand_in:main\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(name, text)
    return path


class Runner:
    """Runs the `run:` steps of a composite action as GitHub's runner does: a file, this shell, these variables."""

    def __init__(self, action: Any, folder: Path, **given: str) -> None:
        self.steps = {step.get("name", step.get("uses")): step for step in action["runs"]["steps"]}
        self.inputs = {name: item.get("default", "") for name, item in action["inputs"].items()} | given
        self._folder = folder
        self.outputs, self.summary = folder / "outputs", folder / "summary.md"

    def value(self, text: str) -> str:
        """A text of the action with its expressions worked out."""
        known = {f"inputs.{name}": value for name, value in self.inputs.items()} | {"github.action_path": str(ROOT)}
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: known[found[1]], text)

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a step in the workspace."""
        step = self.steps[name]
        assert step["shell"] == "bash", "a composite action's step has to name its shell"
        script = self._folder / "step.sh"
        script.write_text(self.value(step["run"]), encoding="utf-8")
        env = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": os.environ["HOME"],
            "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(self._folder), "GITHUB_SHA": "0" * 40,
            "GITHUB_OUTPUT": str(self.outputs), "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self._folder / "temp"),
        }  # fmt: skip
        env |= {key: self.value(text) for key, text in step["env"].items()}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self._folder, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip


def test_the_action_runs_as_it_is_written(tmp_path: Path) -> None:
    """Its steps, in the runner's shell: installed, run, exit code told, files where what follows looks for them."""
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    action = yaml.safe_load(text)
    assert action["runs"]["using"] == "composite"
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(action["inputs"])
    (tmp_path / "call.yaml").write_text(CALL, encoding="utf-8")
    wheel = wheel_of_this_environment(tmp_path)
    (tmp_path / "temp").mkdir()
    runner = Runner(action, tmp_path, scenarios="c*.yaml", install=str(wheel), extras="voices")
    for name in [name for name, step in runner.steps.items() if "run" in step]:
        done = runner.run(name)
        assert done.returncode == (1 if name == "Simulate" else 0), done.stdout + done.stderr
    assert "::error file=call.yaml,line=7" in done.stdout
    assert runner.outputs.read_text(encoding="utf-8") == "exit-code=1\n"
    assert runner.summary.read_text(encoding="utf-8").startswith("## simulate: 1 of 3 checks failed")
    kept = runner.value(runner.steps["Upload the pages"]["with"]["path"]).split()
    assert kept == ["simulate-run", "simulate-junit.xml"] and all((tmp_path / path).exists() for path in kept)
    assert (tmp_path / runner.value(runner.steps["Keep the history"]["with"]["path"]) / "history.jsonl").is_file()


def test_the_action_installs_itself_unless_something_else_is_named(tmp_path: Path) -> None:
    """What pip is asked for, by a pip that writes it down."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    asked = []
    for given in ({}, {"extras": "voices,live"}, {"install": "duplex-simulator==0.2", "extras": "live"}):
        runner = Runner(action, tmp_path, **given)
        lines = runner.steps["Install"]["run"].splitlines()
        assert lines[0] == 'python -m venv "$RUNNER_TEMP/simulate"'
        pip = tmp_path / "temp" / "simulate" / "bin" / "pip"
        pip.parent.mkdir(parents=True, exist_ok=True)
        pip.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n', encoding="utf-8")
        pip.chmod(0o755)
        runner.steps["Install"] = {**runner.steps["Install"], "run": "\n".join(lines[1:])}
        asked.append(runner.run("Install").stdout.splitlines())
    assert asked == [
        ["install", "--quiet", wanted] for wanted in (str(ROOT), f"{ROOT}[voices,live]", "duplex-simulator==0.2[live]")
    ]


def test_the_action_keeps_what_a_failed_job_leaves() -> None:
    """History and voices are saved whatever became of the run, under the keys that the next one looks for."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    steps = action["runs"]["steps"]
    found = {step["with"]["path"]: step for step in steps if str(step.get("uses")).startswith("actions/cache/restore@")}
    saved = {step["with"]["path"]: step for step in steps if str(step.get("uses")).startswith("actions/cache/save@")}
    assert found.keys() == saved.keys() and len(saved) == 2
    for path, step in saved.items():
        assert "always()" in step["if"] and step["with"]["key"] == found[path]["with"]["key"]
        assert step["with"]["key"].startswith(found[path]["with"]["restore-keys"])
