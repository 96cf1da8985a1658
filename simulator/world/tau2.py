"""A tau2-bench checkout of the user's as a world: its tools, data base, policy and caller, and its own verdict.

    world: {kind: tau2, path: ~/tau2-bench, python: ~/tau2-bench/.venv/bin/python, domain: retail, task: 3}

It runs in a child process with the interpreter that the checkout is installed in (tau2_child.py); nothing of it is part
of the simulator. The child sees no keys: what needs a language model is not asked there.
"""

import json
import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from simulator.errors import ActorError, ScenarioError
from simulator.events import Party
from simulator.world.record import WorldVerdict
from simulator.world.spec import WorldSpec
from simulator.world.tool import Tool
from simulator.world.world import CallResult, World, failed

OPENS_S, ANSWERS_S = 120.0, 60.0
"""How long its packages may take to be imported, and a call to be answered."""
LEAVES_S = 5.0
_REQUESTOR: Mapping[Party, str] = {"agent": "assistant", "user": "user"}
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


class Tau2WorldSpec(WorldSpec, frozen=True, kw_only=True, tag="tau2"):
    """A task of tau2-bench: `{kind: tau2, path: CHECKOUT, python: .../bin/python, domain: retail, task: 3}`.

    python: the interpreter that its packages are installed for (3.12). task: its id, or its place. tasks: the set of
    tasks that it is of, where the domain has several (`telecom_full`), or its file (`tasks_small.json`). path: the
    checkout. domain: whose task.
    """

    judges = True

    path: Path
    python: str = "python3"
    domain: str
    task: str | int
    tasks: str = ""

    def tools(self, party: Party) -> tuple[Tool, ...]:
        """Those of the domain; a telecom user has tools, too."""
        told = self._told()
        return tuple(_tool(one, party) for one in told["tools" if party == "agent" else "user_tools"])

    def check(self, where: str) -> None:
        """Start it once: there must be such a checkout, interpreter, domain and task."""
        WorldSpec.check(self, where)
        if not (self.path / "src" / "tau2").is_dir():
            raise ScenarioError(f"{where}.path: {self.path} is no tau2-bench checkout: it has no src/tau2")
        try:
            self._told()
        except ActorError as error:
            raise ScenarioError(f"{where}: {error}") from error

    def instructions(self, party: Party) -> str:
        """The domain's policy for the agent, the task's scenario for the user."""
        return str(self._told()["policy" if party == "agent" else "scenario"])

    def open(self) -> "Tau2World":
        """Start a process with the task's data base as it is at the beginning."""
        return Tau2World(self)

    def roots(self) -> list[str]:
        """Its two data bases."""
        return ["agent", "user"]

    def _told(self) -> dict[str, Any]:
        return _described(str(self.path), self.python, *self.opening)

    @property
    def opening(self) -> tuple[str, str, str]:
        """Domain, set and task, as the child is asked for them."""
        return self.domain, self.tasks or self.domain, str(self.task)


@lru_cache(maxsize=32)
def _described(path: str, python: str, *opening: str) -> dict[str, Any]:
    """What a task holds: asked for once."""
    child = Child(path, python)
    try:
        return child.open(*opening)
    finally:
        child.close()


def _tool(told: Mapping[str, Any], party: Party) -> Tool:
    parameters = dict(told.get("parameters") or {"type": "object", "properties": {}})
    return Tool(name=told["name"], description=str(told.get("description") or ""), parameters=parameters, party=party)


class Child:
    """The process. ActorError: it does not answer, or something in it failed."""

    def __init__(self, path: str, python: str) -> None:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {"TAU2_DATA_DIR": str(Path(path) / "data"), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        script = Path(__file__).with_name("tau2_child.py")
        try:
            self._process = subprocess.Popen(
                [str(Path(python).expanduser()) if os.sep in python else python, str(script), path],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
                start_new_session=True,
            )  # fmt: skip  # a Ctrl-C of the terminal is for the run, which closes the child
        except OSError as error:
            raise ActorError(f"tau2 cannot be started with {python!r}: {error.strerror}") from error
        self._rest = b""

    def ask(self, command: Mapping[str, Any], patience_s: float = ANSWERS_S) -> dict[str, Any]:
        """Send a command and give what it is answered."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._line(patience_s))
        except (OSError, ValueError) as error:
            raise ActorError(f"tau2 went away while it was asked to {command['do']}: {error}") from error
        if "failed" in answer:
            raise ActorError(f"tau2 could not {command['do']}: {answer['failed']}")
        return answer

    def open(self, domain: str, tasks: str, task: str) -> dict[str, Any]:
        """Begin a task anew, and give what it holds."""
        return self.ask({"do": "open", "domain": domain, "tasks": tasks, "task": task}, OPENS_S)

    def _line(self, patience_s: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._rest:
            if not select.select([descriptor], [], [], patience_s)[0]:
                raise ActorError(f"tau2 sent nothing for {patience_s:g} s")
            piece = os.read(descriptor, 1 << 20)
            if not piece:
                raise ActorError("tau2 ended; are its packages installed for `python`?")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def close(self) -> None:
        """End it."""
        process = self._process
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not sent to one that is gone
                    pipe.close()
        try:
            process.wait(LEAVES_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Tau2World(World):
    """One task under way. It checks arguments itself."""

    def __init__(self, spec: Tau2WorldSpec) -> None:
        super().__init__()
        self._spec = spec
        self._child = Child(str(spec.path), spec.python)
        try:
            self._child.open(*spec.opening)
        except ActorError:
            self._child.close()
            raise

    def tools(self, party: Party) -> Sequence[Tool]:
        """Those of the domain."""
        return self._spec.tools(party)

    def instructions(self, party: Party) -> str:
        """Policy, scenario."""
        return self._spec.instructions(party)

    def misfit(self, tool: Tool, arguments: dict[str, Any]) -> str | None:
        """Nothing: the domain says what is wrong with arguments."""
        return None

    def state(self) -> Any:
        """Both data bases."""
        return self._child.ask({"do": "state"})["state"]

    def perform(self, tool: Tool, arguments: dict[str, Any], party: Party) -> CallResult:
        """Let the domain answer."""
        told = self._child.ask({"do": "call", "by": _REQUESTOR[party], "name": tool.name, "arguments": arguments})
        content = told["content"]
        if told["error"]:
            return failed(str(content).removeprefix("Error: "), "refused")
        try:
            return CallResult(answer=json.loads(content))
        except (TypeError, ValueError):
            return CallResult(answer=content)

    def verdict(self) -> WorldVerdict:
        """What the benchmark's evaluator makes of the calls."""
        return msgspec.convert(self._child.ask({"do": "verdict"}), WorldVerdict)

    def close(self) -> None:
        """End the process."""
        self._child.close()
