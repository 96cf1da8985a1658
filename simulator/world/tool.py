"""Tools: functions that a party may call, and what a call of each does to the world and is answered.

tools:
  - name: refund
    description: Give the money for an order back.
    parameters: {type: object, properties: {order: {type: string}}, required: [order]}
    set: {"orders.{order}.status": refunded}
    answer: "{orders[order].status}"
    delay: 1.5s
"""

import inspect
import re
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

import msgspec

from simulator.errors import ScenarioError, located
from simulator.events import Party
from simulator.plugins import function_named
from simulator.spec import Duration
from simulator.texts import quoted
from simulator.world.arguments import schema_fault
from simulator.world.template import PathIn, UnfilledError, places_of, split_path, texts_in, walked

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Tool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A function: its name, what a model is told of it, its arguments' JSON Schema, and what a call does.

    answer: a constant, or a template over state and arguments. set: what a call changes, value by path in the state,
    before it is answered. error: what every call is refused with. call: `module:function(state, **arguments)` answers
    instead, and may change the state; it refuses by a ValueError. folder: where its module lies, if it is not
    installed. delay: how long the answer takes. party: who may call it. name: as it is called. description: what a
    model is told of it. parameters: a JSON Schema of its arguments.
    """

    name: str
    description: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "object", "properties": {}})
    answer: Any = "ok"
    set: dict[str, Any] = {}
    error: str = ""
    call: str = ""
    folder: Path | None = None
    delay: Duration = Duration(0.0)
    party: Party | Literal["both"] = "agent"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name {self.name!r} is none that a model may call; up to 64 letters, digits and _ . -")
        given = [word for word in ("answer", "error", "call") if getattr(self, word) != _DEFAULTS[word]]
        if len(given) > 1:
            raise ValueError(f"{self.name} has {' and '.join(given)}; a call comes to one of them")
        if self.set and given and given != ["answer"]:
            raise ValueError(f"{self.name} has set and {given[0]}; only an answer goes with what a call sets")

    def is_for(self, party: Party) -> bool:
        """Whether a party may call it."""
        return self.party in (party, "both")

    def check(self, where: str, state: Mapping[str, Any]) -> None:
        """Refuse a schema that is none, a template with an unknown key, a function that is not there. ScenarioError."""
        fault = schema_fault(self.parameters)
        if fault is not None:
            raise ScenarioError(f"{where}.parameters: is no JSON Schema: {fault}")
        if self.parameters.get("type", "object") != "object":
            raise ScenarioError(f"{where}.parameters: arguments are an object, found {quoted(self.parameters['type'])}")
        self._check_templates(where, state)
        if self.call:
            function = located(f"{where}.call", lambda: function_named(self.call, self.folder))
            if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
                raise ScenarioError(f"{where}.call: {self.call} is async; a tool's function is a plain one")

    def _check_templates(self, where: str, state: Mapping[str, Any]) -> None:
        known = self.parameters.get("properties", {})
        templates = [("answer", text) for text in texts_in(self.answer)]
        templates += [("set", part) for path in self.set for part in split_path(path)]
        templates += [("set", text) for value in self.set.values() for text in texts_in(value)]
        for field, text in templates:
            try:
                for place in places_of(text):
                    _check_place(place, known, state)
            except ValueError as error:
                raise ScenarioError(f"{where}.{field}: {error}") from error
        for path in self.set:
            located(f"{where}.set", lambda path=path: _check_way(path, state))  # type: ignore[misc]


_DEFAULTS = {"answer": "ok", "error": "", "call": ""}


def _check_place(place: PathIn, known: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Refuse a place that no call can fill. ValueError."""
    missing = [step.name for step in place.steps if step.given and step.name not in known]
    if missing:
        raise ValueError(f"{{{place.text}}}: {missing[0]} is no parameter; there are {', '.join(known) or 'none'}")
    if place.root in known:
        return
    if place.root not in state:
        there = ", ".join([*known, *state]) or "none"
        raise ValueError(f"{{{place.text}}}: {place.root} is neither a parameter nor in the state; there are {there}")
    holders = [state[place.root]]
    for step in place.steps:
        inside = [item for holder in holders for item in _next(holder, None if step.given else step.name)]
        if not inside and any(map(_is_full, holders)):
            raise ValueError(f"{{{place.text}}}: there is no {step.name!r} in what the state has there")
        holders = inside


def _is_full(holder: Any) -> bool:
    """Whether it can be said what is not in it: an empty mapping may be filled by the calls before."""
    return not isinstance(holder, dict | list) or bool(holder)


def _next(holder: Any, name: str | None) -> list[Any]:
    """What one step leads to: by a name, or to anything at all where an argument decides."""
    if name is None:
        return list(holder.values()) if isinstance(holder, dict) else list(holder) if isinstance(holder, list) else []
    try:
        return [walked(holder, [name])]
    except UnfilledError:
        return []


def _check_way(path: str, state: Mapping[str, Any]) -> None:
    """Refuse a path to set whose way there is not in the state, up to where an argument decides. ScenarioError."""
    parts = split_path(path)
    if not parts or "".join(parts).count("{") != path.count("{") or ".".join(parts) != path:
        raise ScenarioError(f"{quoted(path)} is no path; write it like orders.{{order}}.status")
    way = list(takewhile(lambda part: "{" not in part, parts[:-1]))
    try:
        walked(state, way)
    except UnfilledError as error:
        raise ScenarioError(f"{path}: {error}") from error
