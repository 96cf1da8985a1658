"""Overrides: `--set path=value` changes plain scenario data before it is decoded; the value is YAML."""

from typing import Any

from simulator.errors import ScenarioError
from simulator.reading.yaml_file import parse_yaml
from simulator.texts import quoted


def override_value(data: dict[str, Any], override: str) -> None:
    """Set one value in place; missing mappings are made, places in lists are numbers. ScenarioError names it."""
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise ScenarioError(f"--set {override!r}: expected path=value, such as agent.kind=silent")
    place: Any = data
    for key in keys[:-1]:
        place = _step(place, key, override)
    value = parse_yaml(text, source=f"--set {override!r}")
    if isinstance(place, list):
        place[_index(place, keys[-1], override)] = value
    else:
        place[keys[-1]] = value


def _step(place: Any, key: str, override: str) -> Any:
    at: Any = _index(place, key, override) if isinstance(place, list) else key
    inner = place[at] if isinstance(place, list) else place.setdefault(at, {})
    if isinstance(inner, str):  # `agent: silent` is short for a mapping with a kind
        inner = place[at] = {"kind": inner}
    if not isinstance(inner, dict | list):
        raise ScenarioError(f"--set {override!r}: {key!r} holds {quoted(inner)}, which has no parts")
    return inner


def _index(place: list[Any], key: str, override: str) -> int:
    if not key.isdigit() or int(key) >= len(place):
        raise ScenarioError(f"--set {override!r}: {key!r} is no place in a list of {len(place)}")
    return int(key)
