"""Segment algebra is that of sets of samples."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.timeline import Stretch, Timeline

TOP = 40
PAIRS = st.lists(st.tuples(st.integers(0, TOP), st.integers(0, TOP)), max_size=8)
TIMELINES = PAIRS.map(Timeline)
EDGE = st.integers(-5, TOP + 5)


def samples(timeline: Timeline) -> set[int]:
    return {sample for start, end in timeline for sample in range(start, end)}


@given(PAIRS)
def test_a_timeline_is_the_set_of_the_samples_it_was_given(pairs: list[tuple[int, int]]) -> None:
    """Order, overlap and touching of the stretches given do not matter; empty and reversed ones hold nothing."""
    timeline = Timeline(pairs)
    assert samples(timeline) == {sample for start, end in pairs for sample in range(start, end)}
    assert timeline.total() == len(samples(timeline))


@given(TIMELINES)
def test_stretches_are_sorted_disjoint_and_apart(timeline: Timeline) -> None:
    """No stretch is empty and none touches its neighbour, so equal sets are equal values."""
    assert all(start < end for start, end in timeline)
    assert all(before.end < after.start for before, after in zip(timeline, timeline.stretches[1:], strict=False))
    assert timeline == Timeline(reversed(timeline.stretches))
    assert hash(timeline) == hash(Timeline(timeline.stretches))


@given(TIMELINES, TIMELINES)
def test_union_intersection_and_difference_are_those_of_sets(one: Timeline, two: Timeline) -> None:
    """`|`, `&` and `-` agree with Python's sets."""
    assert samples(one | two) == samples(one) | samples(two)
    assert samples(one & two) == samples(one) & samples(two)
    assert samples(one - two) == samples(one) - samples(two)


@given(TIMELINES, EDGE, EDGE)
def test_a_stretch_of_time_splits_into_what_is_covered_and_what_is_not(one: Timeline, start: int, end: int) -> None:
    """crop and complement share out [start, end) without rest; covered counts the first, within names its stretches."""
    inside, outside = one.crop(start, end), one.complement(start, end)
    assert samples(inside) == {sample for sample in samples(one) if start <= sample < end}
    assert samples(inside) | samples(outside) == set(range(start, end))
    assert not inside & outside
    assert one.covered(start, end) == inside.total()
    assert one.within(start, end) == tuple(s for s in one if s.start < end and start < s.end and start < end)


@given(TIMELINES, st.integers(-10, 10))
def test_shifting_there_and_back_changes_nothing(one: Timeline, by: int) -> None:
    """shift moves every sample by the same amount."""
    assert samples(one.shift(by)) == {sample + by for sample in samples(one)}
    assert one.shift(by).shift(-by) == one


@given(TIMELINES, st.integers(0, 10))
def test_bridging_fills_only_gaps_that_are_shorter(one: Timeline, gap: int) -> None:
    """A silence of exactly `gap` stays, a shorter one is filled; nothing else changes, and twice is once."""
    bridged = one.bridge(gap)
    filled = samples(bridged) - samples(one)
    gaps = [(a.end, b.start) for a, b in zip(one, one.stretches[1:], strict=False)]
    assert filled == {sample for start, end in gaps if end - start < gap for sample in range(start, end)}
    assert bridged.bridge(gap) == bridged


@given(TIMELINES, st.integers(0, 10))
def test_dropping_short_stretches_keeps_the_others_whole(one: Timeline, length: int) -> None:
    """drop_short keeps exactly the stretches of at least that many samples."""
    assert one.drop_short(length).stretches == tuple(s for s in one if s.length >= length)


@given(TIMELINES, EDGE)
def test_a_sample_is_found_in_the_stretch_that_holds_it(one: Timeline, sample: int) -> None:
    """at and first_after look up by sample."""
    assert one.at(sample) == next((s for s in one if s.start <= sample < s.end), None)
    assert one.first_after(sample) == next((s for s in one if s.start > sample), None)


def test_overlap_of_stretches_needs_a_common_sample() -> None:
    """Stretches that only touch do not overlap."""
    assert Stretch(0, 5).overlaps(Stretch(4, 6))
    assert not Stretch(0, 5).overlaps(Stretch(5, 6))
