"""What is shipped beside the code: scenarios, and folders to start from; in a checkout, or in an installed package."""

from importlib.resources import files
from pathlib import Path

from simulator.errors import ScenarioError


def shipped(name: str) -> Path:
    """Give the folder of this name. ScenarioError: this installation lacks it."""
    package = Path(str(files("simulator")))
    for folder in (package / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise ScenarioError(f"{name}/ is missing from this installation")
