"""The folder in which all workers of one run of pytest note what they played, so that a session is played once."""

import shutil
import tempfile
from pathlib import Path

import pytest

_ROOT = pytest.StashKey[Path]()
ROOT_OF_WORKER = "simulate_root"
"""Under which a worker of pytest-xdist is told the folder."""


def root_of(config: pytest.Config) -> Path:
    """Give the folder; whoever is told none makes one."""
    if _ROOT not in config.stash:
        told: str | None = getattr(config, "workerinput", {}).get(ROOT_OF_WORKER)
        config.stash[_ROOT] = Path(told) if told else Path(tempfile.mkdtemp(prefix="simulate-"))
    return config.stash[_ROOT]


def forget_root(config: pytest.Config) -> None:
    """Clear the folder away; workers leave it to whoever made it."""
    if _ROOT in config.stash and not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[_ROOT], ignore_errors=True)
