"""Worlds as kinds: what a scenario's `world` becomes. Without a kind it is the scenario's own: a state and tools."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from simulator.errors import ScenarioError
from simulator.events import Party
from simulator.plugins import Kind
from simulator.reading.yaml_file import parse_yaml
from simulator.spec import Convert, Spec
from simulator.world.serve import Serve
from simulator.world.template import split_path
from simulator.world.tool import Tool
from simulator.world.world import ToolWorld, World


class WorldSpec(Spec, frozen=True, kw_only=True):
    """What every world's spec does: say which tools there are, and make a session's world.

    serve: offer the agent's tools over HTTP and MCP as well, to an agent whose own back end calls them.
    """

    judges: ClassVar[bool] = False
    """Whether its worlds have a verdict of their own."""

    serve: Serve | None = None

    def tools(self, party: Party) -> tuple[Tool, ...]:
        """The tools that a party may call. ScenarioError where nobody can say."""
        raise NotImplementedError

    def check(self, where: str) -> None:
        """Refuse what cannot work before anything starts. ScenarioError."""
        if self.serve is not None:
            self.serve.check(f"{where}.serve")

    def instructions(self, party: Party) -> str:
        """Give what a party is to know of the world beside its tools: a policy, a scenario."""
        return ""

    def roots(self) -> list[str] | None:
        """Give the names that its state may begin a path with; None where nobody can say before a session."""
        return None

    def open(self) -> World:
        """Make the world that a session begins with."""
        raise NotImplementedError


class ToolWorldSpec(WorldSpec, frozen=True, kw_only=True, tag="tools"):
    """A state and what tools do to it: `{state: {open: true}, tools: [{name: close, set: {open: false}}]}`.

    state: a mapping. file: the same as a JSON or YAML file; `state: orders.json` is short for it. tools: what the
    parties may call.
    """

    state: dict[str, Any] = {}
    file: Path | None = None
    offered: list[Tool] = msgspec.field(default_factory=list, name="tools")

    def __post_init__(self) -> None:
        if self.state and self.file is not None:
            raise ValueError("a world begins with a state or with a file, not with both")

    def tools(self, party: Party) -> tuple[Tool, ...]:
        """Those of the scenario."""
        return tuple(tool for tool in self.offered if tool.is_for(party))

    def check(self, where: str) -> None:
        """Refuse two tools of one name, and tools that cannot work on this state."""
        WorldSpec.check(self, where)
        state = self.initial(where)
        names = [tool.name for tool in self.offered]
        for index, tool in enumerate(self.offered):
            if tool.name in names[:index]:
                raise ScenarioError(f"{where}.tools[{index}]: there are two tools {tool.name!r}; every name once")
            tool.check(f"{where}.tools[{index}]", state)

    def roots(self) -> list[str] | None:
        """Those of the state, and what its tools set beside it."""
        return list(dict.fromkeys([*self.initial("$.world"), *(split_path(way)[0] for way in self._set())]))

    def _set(self) -> list[str]:
        return [way for tool in self.offered for way in tool.set]

    def open(self) -> World:
        """Make the world."""
        return ToolWorld(self.initial("$.world"), self.offered)

    def initial(self, where: str) -> dict[str, Any]:
        """The state that a session begins with, as JSON has it: every key a text. ScenarioError: no such file."""
        state: dict[str, Any] = plain(read_state(self.file, where) if self.file is not None else self.state)
        return state


@lru_cache(maxsize=16)
def _parsed(path: Path, _changed: float) -> Any:
    return parse_yaml(path.read_text(encoding="utf-8"), source=str(path))


def read_state(path: Path, where: str) -> dict[str, Any]:
    """Read a state from a JSON or YAML file. ScenarioError where it is none."""
    try:
        data = _parsed(path, path.stat().st_mtime)
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{where}.file: {path}: cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ScenarioError(f"{where}.file: {path}: holds a {type(data).__name__}; a state is a mapping")
    return data


def plain(value: Any) -> Any:
    """Give plain data as JSON has it: keys are texts."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


if TYPE_CHECKING:
    AnyWorld = WorldSpec
else:

    class AnyWorld(Kind):
        """The spec of any world that is installed; one without a kind is of the kind `tools`."""

        group = "worlds"
        spec = WorldSpec

        @classmethod
        def __decode__(cls, value: object, convert: Convert) -> Any:
            if isinstance(value, dict):
                value = {"kind": "tools", **value}
                if value["kind"] == "tools" and isinstance(value.get("state"), str):
                    value["file"] = value.pop("state")
            return super().__decode__(value, convert)
