"""What is said to be stable is there, and costs nothing before it is asked for."""

import re
import subprocess
import sys
from importlib import import_module

import pytest

import simulator

LISTED = dict(re.findall(r"^    (simulator[\w.]*) +(.+)$", simulator.__doc__ or "", re.MULTILINE))


@pytest.mark.parametrize("module", LISTED)
def test_every_name_that_is_called_stable_is_there(module: str) -> None:
    """Each module of the list, each name of it; where the list refers to `__all__`, each name of that."""
    names = LISTED[module]
    found = import_module(module)
    wanted = found.__all__ if "__all__" in names else names.split(", ")
    assert wanted and [name for name in wanted if not hasattr(found, name)] == []


def test_the_simulator_runs_where_no_pytest_is() -> None:
    """Neither the simulator nor the module with the suites imports it; only making a suite does."""
    words = "import sys, simulator, simulator.testing; print(sorted(sys.modules.keys() & {'pytest', '_pytest'}))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
