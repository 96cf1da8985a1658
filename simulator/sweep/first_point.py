"""The first point of a sweep: what a scenario with a sweep is checked as, before its points are made."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulator.errors import ScenarioError, located
from simulator.reading.places import path_of
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


@contextmanager
def naming_dimensions(sweep: object) -> Iterator[None]:
    """Have a ScenarioError at a place that a sweep's first point wrote name the dimension: the file has no such key."""
    try:
        yield
    except ScenarioError as error:
        place = ".".join(part for part in path_of(str(error)) or () if part)
        for name, item in sweep.items() if isinstance(sweep, Mapping) else ():
            if isinstance(item, Mapping) and f"$.{item.get('path')}" == place:
                raise ScenarioError(f"{error} ($.sweep.{name} writes it)") from error
        raise
