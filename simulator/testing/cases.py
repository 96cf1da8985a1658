"""Cases: what the suites are run over, written as in a scenario."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

Case = Mapping[str, Any]
"""A spec as a scenario has it: `{"kind": "gain", "db": -6}`. Its kind is installed, the author's own among them."""
Prepare = Callable[[Path], object]
"""Writes what the cases name (recordings) into the folder that their paths are relative to."""

Suite = TypeVar("Suite")


def nothing(folder: Path) -> None:
    """Prepare nothing."""


def over(suite: type[Suite], cases: Sequence[Any], names: Sequence[str], **settings: Any) -> type[Suite]:
    """Give the suite's tests once per case, as a class of its own that a test file names `Test...`."""
    import pytest  # whoever runs a suite has it; the simulator itself does not need it

    made = type(suite.__name__, (suite,), {"__doc__": suite.__doc__, **settings})
    return pytest.mark.parametrize("case", list(cases), ids=list(names))(made)


def names_of(cases: Sequence[Case]) -> list[str]:
    """Give each case a name for the test's id: its kind, numbered where there are several."""
    kinds = [str(case["kind"]) for case in cases]
    return [f"{kind}-{index}" if kinds.count(kind) > 1 else kind for index, kind in enumerate(kinds)]
