"""`sweep:` of a scenario: its dimensions by name, its design, how often each point is played, what curve is fitted."""

import re
from collections.abc import Hashable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from simulator.curves.function import Form, Scale
from simulator.reading.overrides import put
from simulator.spec import Convert, encode
from simulator.sweep.design import Design, GridDesign, Place, RandomDesign, StaircaseDesign
from simulator.sweep.dimension import Dimension, Label, labels_of, same_value

OWN = ("name", "seed", "trial", "repeat", "sweep", "measure", "max_cost", "max_minutes")
"""What no dimension may change: it belongs to the sweep as a whole."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Where a session lies in a sweep. sweep: the scenario it is a point of; at: its place on every dimension."""

    sweep: str
    at: dict[str, Label]


class DimensionInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reader of a run needs of a dimension."""

    path: str
    scale: Scale = "linear"


class SweepInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reader of a run needs of a sweep. marginal: its points are spread at random, no two share a place."""

    dimensions: dict[str, DimensionInfo]
    measure: list[str] = []
    curve: Form = Form()
    marginal: bool = False


class SweepKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys of a sweep that are no dimensions. trials: per point, as `repeat` of the scenario.

    design: which points are played. curve: what is fitted to them.
    """

    design: Literal["grid", "zip", "staircase"] | Design = GridDesign()
    trials: Annotated[int, msgspec.Meta(ge=1)] | None = None
    curve: Form = Form()


class Sweep:
    """Dimensions by name, and the keys beside them. folder: what relative paths in values are relative to."""

    __slots__ = ("dimensions", "folder", "keys")

    def __init__(self, dimensions: Mapping[str, Dimension], keys: SweepKeys, folder: Path) -> None:
        self.dimensions = dict(dimensions)
        self.keys = keys
        self.folder = folder

    @classmethod
    def __decode__(cls, value: object, convert: Convert) -> "Sweep":
        if not isinstance(value, dict):
            raise ValueError(f"expected a mapping of dimensions, found {value!r}")
        plain = {name: item for name, item in value.items() if name in SweepKeys.__struct_fields__}
        if isinstance(plain.get("design"), str):
            plain["design"] = {"kind": plain["design"]}
        keys: SweepKeys = convert(plain, SweepKeys)
        dimensions: dict[str, Dimension] = {}
        for name, item in value.items():
            if name not in plain:
                dimensions[_name(name)] = _dimension(name, item, convert)
        if not dimensions:
            raise ValueError("has no dimension; write one like pause: {path: agent.endpoint, values: [500ms, 1s]}")
        sweep = cls(dimensions, keys, convert(".", Path))
        if keys.trials is not None and sweep.climbing is not None:
            raise ValueError("has `trials` per point, and a staircase; say how many it makes as design.trials")
        sweep.places()  # what cannot be is refused where it is written
        return sweep

    def __encode__(self) -> Any:
        return {**{name: encode(item) for name, item in self.dimensions.items()}, **encode(self.keys)}

    @property
    def climbing(self) -> StaircaseDesign | None:
        """The staircase, where its points follow from what was answered."""
        return self.keys.design if isinstance(self.keys.design, StaircaseDesign) else None

    def places(self) -> list[Place]:
        """Give the points: a value for every dimension. ValueError where the dimensions do not suit the design."""
        return self.keys.design.places(self.dimensions)  # type: ignore[union-attr]

    def labelled(self, places: list[Place]) -> list[dict[str, Label]]:
        """Give the labels of points, by dimension; equal values have one label, and no others have it."""
        columns = {name: _labels(item, [place[name] for place in places]) for name, item in self.dimensions.items()}
        return [{name: columns[name][index] for name in self.dimensions} for index in range(len(places))]

    def put(self, data: dict[str, Any], place: Place) -> None:
        """Write a point's values into plain scenario data. ScenarioError where a path leads nowhere."""
        for name, dimension in self.dimensions.items():
            put(data, dimension.path, deepcopy(place[name]), said=f"$.sweep.{name}.path {dimension.path!r}")

    def info(self, measure: list[str]) -> SweepInfo:
        """Give what a reader of the run needs."""
        dimensions = {name: DimensionInfo(path=item.path, scale=item.scale) for name, item in self.dimensions.items()}
        return SweepInfo(
            dimensions=dimensions,
            measure=measure,
            curve=self.keys.curve,
            marginal=isinstance(self.keys.design, RandomDesign),
        )


_LANGUAGES = ("language", "user.language", "agent.language")


def _labels(dimension: Dimension, values: Sequence[Any]) -> list[Label]:
    """Give a label for each value: the dimension's own where it has some."""
    known: dict[Hashable, Label] = {}
    if dimension.labels is None:
        firsts: dict[Hashable, Any] = {}
        for value in values:
            firsts.setdefault(same_value(value), value)
        known = dict(zip(firsts, labels_of(list(firsts.values())), strict=True))
    else:
        for value, label in zip(dimension.values or [], dimension.labels, strict=True):
            known.setdefault(same_value(value), label)
    return [known[same_value(value)] for value in values]


def _name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a dimension; allowed are small letters, digits and _")
    return name


def _dimension(name: str, item: object, convert: Convert) -> Dimension:
    try:
        dimension: Dimension = convert(item, Dimension)
    except msgspec.ValidationError as error:
        text, _, rest = str(error).partition(" - at `$")
        raise ValueError(f"{text} - at `$.{name}{rest or '`'}") from error
    first = re.split(r"[.\[]", dimension.path.strip())[0]
    if first in OWN:
        raise ValueError(f"{first} belongs to the sweep as a whole, and is no dimension - at `$.{name}.path`")
    if dimension.path.strip() in _LANGUAGES:
        raise ValueError(
            "what follows a language is filled in before a sweep; write a scenario for each, or sweep over voices - at "
            f"`$.{name}.path`"
        )
    return dimension
