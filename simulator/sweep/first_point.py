"""The first point of a sweep: what a scenario with a sweep is checked as, before its points are made."""

from pathlib import Path
from typing import Any

from simulator.errors import ScenarioError, located
from simulator.spec import decode
from simulator.sweep.sweep import Sweep


def begin_sweep(data: dict[str, Any], path: Path) -> None:
    """Write a sweep's first point into plain data: what it sweeps over need not stand in the file twice."""
    sweep = decode(data["sweep"], Sweep, source=path.name, folder=path.parent, where="$.sweep")
    located(path.name, lambda: sweep.put(data, sweep.places()[0]))
    if sweep.keys.trials is not None:
        if "repeat" in data:
            raise ScenarioError(f"{path.name}: $.sweep.trials: the scenario has `repeat`; give one of them")
        data["repeat"] = sweep.keys.trials
