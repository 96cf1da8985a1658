"""An actor named by a word of the command line: a kind, or a YAML file whose `agent` is meant."""

from pathlib import Path
from typing import Any

from simulator.actor import AnyActor
from simulator.errors import ScenarioError, located
from simulator.languages.spread import spread
from simulator.plugins import installed
from simulator.reading.yaml_file import read_yaml
from simulator.spec import decode


def actor_named(text: str) -> Any:
    """Give the spec of the actor; paths in a YAML file are relative to that file. ScenarioError."""
    if text.endswith((".yaml", ".yml")):
        path = Path(text)
        data = read_yaml(path)
        if "agent" not in data:
            raise ScenarioError(f"{text}: holds no agent")
        located(path.name, lambda: spread(data))
        return decode(data["agent"], AnyActor, source=path.name, folder=path.parent, where="$.agent")
    if text not in installed("actors"):
        raise ScenarioError(f"{text!r} is no YAML file and no kind; choose one of {', '.join(installed('actors'))}")
    return decode({"kind": text}, AnyActor, source=text, folder=Path())
