"""Overrides: `--set path=value` changes plain scenario data before it is decoded; the value is YAML."""

import re
from typing import Any

from simulator.errors import ScenarioError
from simulator.reading.yaml_file import parse_yaml
from simulator.texts import quoted

_PLACE = re.compile(r"\[(\d+)\]")


def override_value(data: dict[str, Any], override: str) -> None:
    """Set one value in place; missing mappings are made, places in lists are numbers. ScenarioError names it."""
    path, equals, text = override.partition("=")
    said = f"--set {override!r}"
    if not equals:
        raise ScenarioError(f"{said}: expected path=value, such as agent.kind=silent")
    put(data, path, parse_yaml(text, source=said), said=said)


def put(data: dict[str, Any], path: str, value: Any, *, said: str) -> None:
    """Put a value at a path (`user.turns[0].say`, or `user.turns.0.say`) in place. ScenarioError begins with `said`."""
    keys = _PLACE.sub(r".\1", path.strip()).split(".")
    if not all(keys):
        raise ScenarioError(f"{said}: expected a path such as agent.kind, found {quoted(path)}")
    place: Any = data
    for key in keys[:-1]:
        place = _step(place, key, said)
    if isinstance(place, list):
        place[_index(place, keys[-1], said)] = value
    else:
        place[keys[-1]] = value


def _step(place: Any, key: str, said: str) -> Any:
    at: Any = _index(place, key, said) if isinstance(place, list) else key
    inner = place[at] if isinstance(place, list) else place.setdefault(at, {})
    if isinstance(inner, str):  # `agent: silent` is short for a mapping with a kind
        inner = place[at] = {"kind": inner}
    if not isinstance(inner, dict | list):
        raise ScenarioError(f"{said}: {key!r} holds {quoted(inner)}, which has no parts")
    return inner


def _index(place: list[Any], key: str, said: str) -> int:
    if not key.isdigit() or int(key) >= len(place):
        raise ScenarioError(f"{said}: {key!r} is no place in a list of {len(place)}")
    return int(key)
