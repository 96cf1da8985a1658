"""A recorded user before another agent: the scenario of a replay."""

from pathlib import Path
from typing import Any

from simulator.actor import ActorSpec
from simulator.reading.yaml_file import read_yaml
from simulator.scenario import Scenario, check
from simulator.session import read_session
from simulator.spec import decode, encode


def replay_of(folder: Path, agent: ActorSpec) -> Scenario:
    """Give the scenario in which the user of a session folder says the same at the same moments. ScenarioError."""
    session = read_session(folder)
    data = read_yaml(folder / "scenario.yaml")
    data |= {
        "name": f"replay of {session.id}",
        "user": {"kind": "replay", "session": str(folder.resolve()), "party": "user"},
        "agent": encode(agent),
        "duration": f"{session.duration / session.sample_rate:.6f}s",
        # Injected speech is part of the recorded track already.
        "injectors": _of_the_agent(data.get("injectors")),
    }
    data.pop("clock", None)
    name = f"replay of {folder}"
    scenario: Scenario = decode(data, Scenario, source=name, folder=folder)
    check(scenario, name)
    return scenario


def _of_the_agent(injectors: Any) -> Any:
    """Leave out what speaks with the user's mouth; what is no list of mappings is refused by whoever decodes it."""
    if not isinstance(injectors, list):
        return injectors or []
    return [item for item in injectors if not isinstance(item, dict) or item.get("party", "user") != "user"]
