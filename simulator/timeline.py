"""Segment algebra: sets of stretches of time, in integer samples, as a value type.

A Timeline is a sorted tuple of disjoint, non-touching, non-empty half-open stretches [start, end). Two
timelines that cover the same samples are equal. The algebra is that of sets of samples.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

_start = itemgetter(0)


class Stretch(NamedTuple):
    """The samples start, start+1, ..., end-1."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """The number of samples."""
        return self.end - self.start

    def overlaps(self, other: "Stretch") -> bool:
        """Say whether the two share a sample."""
        return self.start < other.end and other.start < self.end


class Timeline:
    """A set of samples, kept as sorted disjoint stretches; immutable, hashable, comparable by content."""

    __slots__ = ("stretches",)
    stretches: tuple[Stretch, ...]

    def __init__(self, stretches: Iterable[tuple[int, int]] = ()) -> None:
        """Take stretches in any order, overlapping or touching; empty ones are dropped, touching ones are joined."""
        joined: list[Stretch] = []
        for start, end in sorted(pair for pair in stretches if pair[0] < pair[1]):
            if joined and start <= joined[-1].end:
                joined[-1] = Stretch(joined[-1].start, max(end, joined[-1].end))
            else:
                joined.append(Stretch(start, end))
        self.stretches = tuple(joined)

    def __iter__(self) -> Iterator[Stretch]:
        return iter(self.stretches)

    def __len__(self) -> int:
        return len(self.stretches)

    def __bool__(self) -> bool:
        return bool(self.stretches)

    def __getitem__(self, index: int) -> Stretch:
        return self.stretches[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timeline) and self.stretches == other.stretches

    def __hash__(self) -> int:
        return hash(self.stretches)

    def __repr__(self) -> str:
        return f"Timeline({[tuple(stretch) for stretch in self.stretches]})"

    def __or__(self, other: "Timeline") -> "Timeline":
        """Samples in either."""
        return Timeline((*self.stretches, *other.stretches))

    def __and__(self, other: "Timeline") -> "Timeline":
        """Samples in both."""
        shared: list[tuple[int, int]] = []
        mine, theirs = self.stretches, other.stretches
        i = j = 0
        while i < len(mine) and j < len(theirs):
            start, end = max(mine[i].start, theirs[j].start), min(mine[i].end, theirs[j].end)
            if start < end:
                shared.append((start, end))
            if mine[i].end <= theirs[j].end:
                i += 1
            else:
                j += 1
        return Timeline(shared)

    def __sub__(self, other: "Timeline") -> "Timeline":
        """Samples in this one and not in the other."""
        if not self:
            return self
        return self & other.complement(self.stretches[0].start, self.stretches[-1].end)

    def complement(self, start: int, end: int) -> "Timeline":
        """Samples of [start, end) that are not in this timeline."""
        edges = [start]
        for stretch in self.within(start, end):
            edges += stretch
        edges.append(end)
        return Timeline(zip(edges[::2], edges[1::2], strict=True))

    def crop(self, start: int, end: int) -> "Timeline":
        """Samples of this timeline inside [start, end)."""
        return Timeline((max(s, start), min(e, end)) for s, e in self.within(start, end))

    def covered(self, start: int, end: int) -> int:
        """How many samples of [start, end) are in this timeline."""
        return sum(min(e, end) - max(s, start) for s, e in self.within(start, end))

    def within(self, start: int, end: int) -> tuple[Stretch, ...]:
        """The stretches, whole, that share a sample with [start, end)."""
        if start >= end:
            return ()
        first = self.index_after(start) - 1
        if first < 0 or self.stretches[first].end <= start:
            first += 1
        return self.stretches[first : self.index_after(end - 1)]

    def shift(self, by: int) -> "Timeline":
        """The same stretches, `by` samples later (earlier when negative)."""
        return Timeline((s + by, e + by) for s, e in self.stretches)

    def bridge(self, gap: int) -> "Timeline":
        """Join neighbours whose distance is less than `gap` samples; a gap of exactly `gap` stays."""
        joined: list[tuple[int, int]] = []
        for start, end in self.stretches:
            if joined and start - joined[-1][1] < gap:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        return Timeline(joined)

    def drop_short(self, length: int) -> "Timeline":
        """Leave out stretches of fewer than `length` samples."""
        return Timeline(stretch for stretch in self.stretches if stretch.length >= length)

    def total(self) -> int:
        """The number of samples covered."""
        return sum(end - start for start, end in self.stretches)

    def at(self, sample: int) -> Stretch | None:
        """The stretch that holds the sample, or None."""
        index = self.index_after(sample) - 1
        return self.stretches[index] if index >= 0 and sample < self.stretches[index].end else None

    def index_after(self, sample: int) -> int:
        """The index of the first stretch that starts after the sample (len(self) when there is none)."""
        return bisect_right(self.stretches, sample, key=_start)

    def first_after(self, sample: int) -> Stretch | None:
        """The first stretch that starts after the sample, or None."""
        index = self.index_after(sample)
        return self.stretches[index] if index < len(self.stretches) else None
