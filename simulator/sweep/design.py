"""Designs: which points of its dimensions a sweep plays."""

import math
from collections.abc import Mapping
from itertools import pairwise, product
from typing import Annotated, Any

import msgspec
import numpy as np

from simulator.sweep.dimension import Dimension, number_of

MOST_POINTS = 10_000
FEWEST_LEVELS = 5
"""A staircase on fewer has no room to come down to one level."""

Target = Annotated[float, msgspec.Meta(ge=0.1, le=0.9)]

Place = dict[str, Any]
"""A value for every dimension, as it would be written in the scenario."""


class DesignSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True,
                 tag_field="kind"):  # fmt: skip
    """What every design is."""

    def places(self, dimensions: Mapping[str, Dimension]) -> list[Place]:
        """Give the points. ValueError where the dimensions do not suit the design, or make too many."""
        raise NotImplementedError


class GridDesign(DesignSpec, frozen=True, kw_only=True, tag="grid"):
    """Every value of each dimension with every one of the others; the last dimension runs fastest."""

    def places(self, dimensions: Mapping[str, Dimension]) -> list[Place]:
        """Give the points. ValueError where there are too many."""
        columns = [values_of(name, dimension) for name, dimension in dimensions.items()]
        count = math.prod(map(len, columns))
        if count > MOST_POINTS:
            raise ValueError(f"has {count} points; allowed are {MOST_POINTS}")
        return [dict(zip(dimensions, row, strict=True)) for row in product(*columns)]


class ZipDesign(DesignSpec, frozen=True, kw_only=True, tag="zip"):
    """The first values of all dimensions, then the second ones."""

    def places(self, dimensions: Mapping[str, Dimension]) -> list[Place]:
        """Give the points. ValueError where one dimension has more values than another."""
        columns = {name: values_of(name, dimension) for name, dimension in dimensions.items()}
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise ValueError(f"a zip needs as many values of one dimension as of another; found {told}")
        return [dict(zip(dimensions, row, strict=True)) for row in zip(*columns.values(), strict=True)]


class ListDesign(DesignSpec, frozen=True, kw_only=True, tag="list"):
    """The points as they are listed: `{kind: list, points: [{pause: 200ms, snr: 5}, ...]}`.

    points: each a value for every dimension.
    """

    points: Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]

    def places(self, dimensions: Mapping[str, Dimension]) -> list[Place]:
        """Give the points. ValueError where one lacks a dimension, has another, or a value without its label."""
        for index, point in enumerate(self.points):
            if point.keys() != dimensions.keys():
                raise ValueError(f"design.points[{index}] has {_names(point)}; needed are {_names(dimensions)}")
            for name, dimension in dimensions.items():
                if dimension.labels is not None and point[name] not in (dimension.values or []):
                    raise ValueError(f"design.points[{index}].{name} is {point[name]!r}, which has no label")
        return [{name: point[name] for name in dimensions} for point in self.points]


class RandomDesign(DesignSpec, frozen=True, kw_only=True, tag="random"):
    """So many points at random, a Latin hypercube: each dimension is cut into as many parts, and each part met once.

    Dimensions with ends are drawn within the parts; of listed values each is drawn equally often, as far as it goes.
    Source: McKay, Beckman & Conover (1979). points: how many. seed: of the draw.
    """

    points: Annotated[int, msgspec.Meta(ge=1, le=MOST_POINTS)]
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0

    def places(self, dimensions: Mapping[str, Dimension]) -> list[Place]:
        """Give the points."""
        columns = {name: self._drawn(number, dimension) for number, (name, dimension) in enumerate(dimensions.items())}
        return [{name: columns[name][place] for name in dimensions} for place in range(self.points)]

    def _drawn(self, number: int, dimension: Dimension) -> list[Any]:
        rng = np.random.default_rng([self.seed, number])
        shares = (rng.permutation(self.points) + rng.random(self.points)) / self.points
        if dimension.low is not None:
            return [dimension.between(share) for share in shares.tolist()]
        values = dimension.values or []
        return [values[int(share * len(values))] for share in shares.tolist()]


class StaircaseDesign(GridDesign, frozen=True, kw_only=True, tag="staircase"):
    """Trials where the curve bends: the next level of one dimension follows from the last answer.

    The rule is that of simulator/curves/staircase.py. over: that dimension, by default the last one with ends; the
    others are a grid, with so many `trials` at each of its places. targets: the shares of yes that staircases hover at,
    taken in turn; rising: whether a yes is likelier at higher levels. metric: what is asked, by default the first of
    `measure`; its value of one half or more is a yes. trials: at each place of the grid.
    """

    over: str | None = None
    trials: Annotated[int, msgspec.Meta(ge=4, le=MOST_POINTS)] = 80
    targets: Annotated[tuple[Target, ...], msgspec.Meta(min_length=1, max_length=8)] = (0.3, 0.7)
    rising: bool = True
    metric: str | None = None

    def places(self, dimensions: Mapping[str, Dimension]) -> list[Place]:
        """Give every point it may come to. ValueError where it cannot climb."""
        over = self.climbed(dimensions)
        levels = [number_of(value) for value in dimensions[over].labels or values_of(over, dimensions[over])]
        rises = all(one is not None and other is not None and one < other for one, other in pairwise(levels))
        if len(levels) < FEWEST_LEVELS or not rises:
            raise ValueError(f"a staircase climbs {FEWEST_LEVELS} or more rising numbers or times; {over} has others")
        return super().places(dimensions)

    def climbed(self, dimensions: Mapping[str, Dimension]) -> str:
        """Give the dimension it climbs. ValueError where there is no such one."""
        named = [name for name, dimension in dimensions.items() if dimension.low is not None]
        over = self.over or (named[-1] if named else "")
        if over not in dimensions:
            raise ValueError(f"design.over is {over!r}; a staircase climbs one of {_names(dimensions)}")
        return over


Design = GridDesign | ZipDesign | ListDesign | RandomDesign | StaircaseDesign


def values_of(name: str, dimension: Dimension) -> list[Any]:
    """Give the listed values of a dimension. ValueError where it has none."""
    values = dimension.listed()
    if values is None:
        raise ValueError(f"{name} has no values; give `values`, or `from`, `to` and `steps`")
    return values


def _names(found: Mapping[str, Any]) -> str:
    return ", ".join(found) or "nothing"
