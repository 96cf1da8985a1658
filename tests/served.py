"""A service of an actor, for tests."""

from pathlib import Path
from typing import Any

from simulator.actor import ActorSpec
from simulator.plugins import load
from simulator.serving.service import Limits, Service


def service(folder: Path, actor: ActorSpec | None = None, **limits: Any) -> Service:
    """A service with a silent actor."""
    return Service(actor or load("actors", "silent")(), protocol="test", out=folder / "runs", limits=Limits(**limits))
