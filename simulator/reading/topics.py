"""Topics: what the trials of a scenario talk about, one after the other, from a file (`topics: topics.yaml`).

A text file has a topic a line (`#` begins a comment). A YAML file is a list of topics, or of mappings: `topic`, and
what else the trial has, by its place in the scenario, so that topics and voices of a corpus can be paired:

    - {topic: the weather, user.voice: en-gb-x-rp, agent.voice: en-us+f2}
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from simulator.errors import ScenarioError
from simulator.reading.overrides import put
from simulator.reading.yaml_file import parse_yaml
from simulator.texts import quoted

PLACE = "{topic}"
"""What stands for the topic in any text of the scenario."""
_FORM = "a topic is a text, or a mapping with `topic` and places of the scenario (`user.voice`)"


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial talks about. places: what else of the scenario it decides, by path."""

    text: str
    places: Mapping[str, Any] = {}

    def put_into(self, data: dict[str, Any], *, said: str) -> dict[str, Any]:
        """Give plain scenario data with the topic in its texts and its places set. ScenarioError: no such place."""
        placed: dict[str, Any] = _filled(data, self.text)
        for path, value in self.places.items():
            put(placed, path, value, said=f"{said} {path!r}")
        return placed


def read_topics(path: Path) -> list[Topic]:
    """Read a file of topics. ScenarioError: it cannot be read, has none, or something in it is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no UTF-8"
        raise ScenarioError(f"$.topics: {path}: cannot be read: {reason}") from error
    if path.suffix in (".yaml", ".yml"):
        found = parse_yaml(text, source=path.name)
        if not isinstance(found, list):
            raise ScenarioError(f"$.topics: {path}: holds {quoted(found)}; allowed is a list of topics")
        topics = [_topic(item, f"$.topics: {path.name}[{index}]") for index, item in enumerate(found)]
    else:
        lines = (line.strip() for line in text.splitlines())
        topics = [Topic(text=line) for line in lines if line and not line.startswith("#")]
    if not topics:
        raise ScenarioError(f"$.topics: {path}: holds no topic")
    return topics


def _topic(item: Any, where: str) -> Topic:
    if isinstance(item, str) and item.strip():
        return Topic(text=item.strip())
    if not isinstance(item, dict) or not isinstance(item.get("topic"), str) or not item["topic"].strip():
        raise ScenarioError(f"{where} is {quoted(item)}; {_FORM}")
    return Topic(text=item["topic"].strip(), places={name: value for name, value in item.items() if name != "topic"})


def _filled(value: Any, topic: str) -> Any:
    if isinstance(value, str):
        return value.replace(PLACE, topic)
    if isinstance(value, dict):
        return {name: _filled(item, topic) for name, item in value.items()}
    return [_filled(item, topic) for item in value] if isinstance(value, list) else value
