"""Rubrics: what a judge is asked about a session, criterion by criterion, as YAML.

    criteria:
      repeats_order: The agent repeats the order number before it acts on it.     # met or not
      helpful:
        criterion: How well do the agent's answers help this user?
        scale: [1, 5]
        anchors: {1: nothing the user can use, 3: "usable, with gaps", 5: all the user needed}

A criterion is written so that meeting it is good. Its name is the end of the metric's id: `judge.repeats_order`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from simulator.errors import ScenarioError
from simulator.reading.yaml_file import read_yaml
from simulator.spec import Convert, Written, decode
from simulator.texts import quoted

Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
RESERVED = ("score", "agreement", "preferred", "consistent")
"""What the ids of a criterion's further metrics end with."""
WIDEST = 100
"""Points of a scale: nobody tells more apart."""


class Criterion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question: met or not, or where on a scale of whole numbers.

    anchors: what some points of the scale mean. at_least: the share of votes that must find it met; more than half
    unless said. paraphrases: the same in other words, for `simulate judge check`. criterion: the question. scale: its
    first and its last number (default: met or not).
    """

    criterion: str
    scale: tuple[int, int] | None = None
    anchors: dict[int | str, str] = {}
    at_least: Share | None = None
    paraphrases: list[str] = []

    def __post_init__(self) -> None:
        if not self.criterion.strip():
            raise ValueError("criterion is empty")
        if self.scale is None and self.anchors:
            raise ValueError("anchors belong to a scale; write one like scale: [1, 5]")
        if self.scale is not None:
            low, high = self.scale
            if not low < high <= low + WIDEST:
                raise ValueError(f"scale is {list(self.scale)}; write the lowest point first, at most {WIDEST} apart")
            if self.at_least is not None:
                raise ValueError("at_least belongs to a criterion that is met or not; this one has a scale")
            for point in self.anchors:
                if not re.fullmatch(r"-?\d+", str(point)) or not low <= int(point) <= high:
                    raise ValueError(f"anchor {point!r} is no point of the scale {low} to {high}")


if TYPE_CHECKING:
    AnyCriterion = Criterion
else:

    class AnyCriterion(Written):
        """A criterion as it is written: a mapping, or its sentence alone."""

        struct = Criterion

        @classmethod
        def __decode__(cls, value: object, convert: Convert) -> Criterion:
            if isinstance(value, str):
                value = {"criterion": value}
            if not isinstance(value, dict):
                raise ValueError(f"expected a sentence or a mapping with a criterion, found {quoted(value)}")
            return convert(value, Criterion)


Criteria = Mapping[str, Criterion]


class _Rubric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    criteria: dict[str, AnyCriterion]


def check_names(criteria: Criteria, where: str) -> None:
    """Refuse names that no metric can end with. ScenarioError."""
    if not criteria:
        raise ScenarioError(f"{where}: names no criterion")
    for name in criteria:
        if not _NAME.fullmatch(name) or name in RESERVED:
            raise ScenarioError(
                f"{where}: {quoted(name)} is no name of a criterion; allowed are letters, digits, _ and -, "
                f"but not {', '.join(RESERVED)}"
            )


def read_rubric(path: Path) -> Criteria:
    """Read a rubric file. ScenarioError names the file, the place, what was found, what is allowed."""
    rubric = decode(read_yaml(path), _Rubric, source=path.name, folder=path.parent)
    check_names(rubric.criteria, f"{path.name}: $.criteria")
    return rubric.criteria
