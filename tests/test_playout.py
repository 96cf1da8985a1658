"""Rules of the playout: every sample said is counted for its item, padding never is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.remote.playout import Moment, Playout
from simulator.errors import RemoteError

RATE = 1000
FRAME = 20


def ones(count: int) -> np.ndarray:
    """Sound that can be counted."""
    return np.ones(count, np.float32)


def said(playout: Playout, frames: int, at: int = 0) -> tuple[int, list[tuple[int, str, str]]]:
    """Take frames; give how many samples were sound, and the moments."""
    sound, moments = 0, []
    for index in range(frames):
        samples, found = playout.take(FRAME, at + index * FRAME)
        sound += int(samples.sum())
        moments += [(moment.at, moment.what, moment.item.name) for moment in found]
    return sound, moments


def test_an_item_waits_for_the_jitter_buffer_and_is_told_from_start_to_end() -> None:
    """Nothing is said before the buffer is full; the end lies at the sample after the last one."""
    playout = Playout(RATE, 0.1)
    playout.push("a", ones(60))
    assert said(playout, 1) == (0, [])
    playout.push("a", ones(50))
    playout.finish("a")
    assert said(playout, 7, 100) == (110, [(100, "start", "a"), (210, "end", "a")])


def test_a_finished_item_is_not_held_back() -> None:
    """A short item starts at once when no more of it will come; an unfinished one after the depth of the
    buffer."""
    playout = Playout(RATE, 0.1)
    playout.push("short", ones(10))
    playout.finish("short")
    assert said(playout, 1) == (10, [(0, "start", "short"), (10, "end", "short")])
    playout.push("open", ones(10))
    assert said(playout, 5)[0] == 0
    assert said(playout, 1)[0] == 10


def test_a_cut_gives_what_was_said_of_every_item_that_was_not_whole() -> None:
    """The item being said is cut where it is, those behind it at zero, one said whole is not among them."""
    playout = Playout(RATE, 0.0)
    for name, count in (("whole", 20), ("half", 50), ("unheard", 30)):
        playout.push(name, ones(count))
    playout.finish("unheard")
    assert said(playout, 2)[0] == 40
    assert [(item.name, item.said, item.received) for item in playout.cut()] == [
        ("half", 20, 50),
        ("unheard", 0, 30),
    ]
    assert said(playout, 1) == (0, [])


def test_running_dry_is_told_once_and_not_counted() -> None:
    """Silence that fills a frame because sound is late belongs to nobody; the item goes on when more
    comes."""
    playout = Playout(RATE, 0.0)
    playout.push("a", ones(30))
    assert said(playout, 4) == (30, [(0, "start", "a"), (30, "starved", "a")])
    playout.push("a", ones(10))
    playout.finish("a")
    assert said(playout, 2, 80) == (10, [(90, "end", "a")])


def test_ten_minutes_ahead_is_too_much() -> None:
    """A far end that sends without end is at fault."""
    playout = Playout(RATE, 0.0)
    for _ in range(10):
        playout.push("a", ones(60 * RATE))
    with pytest.raises(RemoteError, match="ahead of time"):
        playout.push("a", ones(1))


def test_a_thousand_items_ahead_are_too_many() -> None:
    """A far end that makes an item of every sample is at fault: each that comes is looked up among those that wait."""
    playout = Playout(RATE, 0.0)
    for number in range(1_000):
        playout.push(str(number), ones(1))
    with pytest.raises(RemoteError, match="sent 1001 items of sound ahead of time"):
        playout.push("one more", ones(1))


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 60), st.booleans()), max_size=12),
    st.integers(0, 60),
)
def test_all_sound_is_said_once_and_in_order(pushes: list[tuple[str, int, bool]], jitter_ms: int) -> None:
    """Whatever comes when, every sample is said exactly once, each item has one start and one end, in
    order."""
    playout = Playout(RATE, jitter_ms / 1000)
    moments: list[Moment] = []
    sound = at = received = 0
    for index, (name, count, between) in enumerate(pushes):
        playout.push(f"{name}{index}", ones(count))
        received += count
        playout.finish(f"{name}{index}")
        for _ in range(2 * between):
            samples, found = playout.take(FRAME, at)
            sound, at, moments = sound + int(samples.sum()), at + FRAME, moments + found
    while playout.waiting:
        samples, found = playout.take(FRAME, at)
        sound, at, moments = sound + int(samples.sum()), at + FRAME, moments + found
    assert sound == received
    assert [moment.what for moment in moments] == ["start", "end"] * len(pushes)
    assert [moment.at for moment in moments] == sorted(moment.at for moment in moments)
