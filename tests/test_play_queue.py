"""Rules of the play-out of a stream: a position, marks in order, a clear at the sample that was heard."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.remote.peer_core import Actions, Note
from agents.remote.play_queue import PlayQueue
from simulator.errors import RemoteError

RATE = 1000
FRAME = 10
"""Samples: 10 ms."""


def counted(first: int, count: int) -> np.ndarray:
    """Samples that say which they are, from `first` on; none of them is silence."""
    return np.arange(first, first + count, dtype=np.float32)


def told(actions: Actions) -> list[tuple[int, str, dict[str, Any]]]:
    """What was noted since the last time: moment, type, fields."""
    return [(note.at, note.type, dict(note.fields)) for note in actions.take() if isinstance(note, Note)]


def test_a_mark_comes_back_once_its_sound_was_heard_and_never_before() -> None:
    """25 samples before it: frames of 10 hold its end in the third one, so it is given before the fourth."""
    queue = PlayQueue(RATE, 0.0, Actions())
    queue.push(counted(1, 25))
    queue.mark("a")
    queue.push(counted(26, 30))
    found = []
    for index in range(4):
        found.append(queue.passed())
        queue.take(FRAME, index * FRAME)
    assert found == [[], [], [], ["a"]]
    assert queue.position == 40 and queue.buffered == 15


def test_a_mark_in_an_empty_queue_comes_back_with_the_next_frame() -> None:
    """There is nothing to wait for."""
    queue = PlayQueue(RATE, 0.0, Actions())
    queue.mark("at once")
    assert queue.passed() == ["at once"]
    assert queue.passed() == []


def test_a_clear_is_silence_from_the_next_frame_on_and_gives_all_marks_back() -> None:
    """The position is what was heard: 20 of 100 samples; the clear says so, and what comes after it starts anew."""
    actions = Actions()
    queue = PlayQueue(RATE, 0.0, actions)
    queue.push(counted(1, 60))
    queue.mark("first")
    queue.push(counted(61, 40))
    queue.mark("second")
    heard = np.concatenate([queue.take(FRAME, at) for at in (0, 10)])
    cleared = queue.clear(20)
    assert list(heard) == list(range(1, 21))
    assert cleared == (20, 80, ["first", "second"])
    assert not queue.take(FRAME, 20).any() and queue.passed() == []
    queue.push(counted(1, 5))
    queue.mark("third")
    assert list(queue.take(FRAME, 30)[:5]) == [1, 2, 3, 4, 5]
    assert queue.passed() == ["third"] and queue.position == 25
    ends = [fields for _, type_, fields in told(actions) if type_ == "audio_end"]
    assert ends[:1] == [{"id": "burst-1", "said_samples": 20, "cut": True, "dropped_samples": 80}]


def test_a_burst_ends_where_its_sound_ran_out_unless_it_was_called_whole() -> None:
    """Both end at their last sample; of the one that nobody called whole it stays open whether it was cut."""
    actions = Actions()
    queue = PlayQueue(RATE, 0.0, actions)
    queue.push(counted(1, 15))
    for at in range(0, 1000, FRAME):
        queue.take(FRAME, at)
    queue.push(counted(16, 5))
    queue.done()
    for at in range(1000, 1030, FRAME):
        queue.take(FRAME, at)
    assert told(actions) == [
        (0, "audio_start", {"id": "burst-1"}),
        (15, "audio_end", {"id": "burst-1", "said_samples": 15}),
        (1000, "audio_start", {"id": "burst-2"}),
        (1005, "audio_end", {"id": "burst-2", "said_samples": 5, "cut": False}),
    ]


def test_sound_that_comes_a_little_late_is_told_as_a_silence_that_nobody_meant() -> None:
    """Within a quarter of a second of a burst's end, not after it."""
    actions = Actions()
    queue = PlayQueue(RATE, 0.0, actions)
    at = 0
    for pause in (100, 400):
        queue.push(counted(1, 10))
        for _ in range(pause // FRAME):
            queue.take(FRAME, at)
            at += FRAME
    queue.push(counted(1, 10))
    queue.take(FRAME, at)
    assert [(moment, fields["since"]) for moment, type_, fields in told(actions) if type_ == "starved"] == [(100, 10)]
    assert queue.starved == 1


@given(
    st.lists(st.tuples(st.integers(0, 70), st.sampled_from(["push", "mark", "clear", "done"])), max_size=30),
    st.integers(0, 50),
)
def test_no_sample_is_lost_or_doubled_but_by_a_clear(steps: list[tuple[int, str]], jitter_ms: int) -> None:
    """What is heard is what was sent, in order, without what clears dropped; each mark comes back exactly once."""
    queue = PlayQueue(RATE, jitter_ms / 1000, Actions())
    sent, heard, dropped, marks, at = 0, [], 0, [], 0
    for index, (count, what) in enumerate(steps):
        if what == "push":
            queue.push(counted(sent + 1, count))
            sent += count
        elif what == "mark":
            queue.mark(str(index))
        elif what == "done":
            queue.done()
        else:
            cleared = queue.clear(at)
            dropped, marks = dropped + cleared.dropped, marks + cleared.marks
        marks += queue.passed()
        heard += [sample for sample in queue.take(FRAME, at).tolist() if sample]
        at += FRAME
    while queue.buffered:
        heard += [sample for sample in queue.take(FRAME, at).tolist() if sample]
        at += FRAME
    marks += queue.passed()
    assert heard == sorted(set(heard)) and set(heard) <= set(range(1, sent + 1))
    assert len(heard) == queue.position == sent - dropped
    assert marks == [str(index) for index, (_, what) in enumerate(steps) if what == "mark"]


def test_more_marks_than_frames_in_all_sound_that_may_wait_are_too_many() -> None:
    """A far end that sends marks without end is at fault; those that were given back do not count."""
    queue = PlayQueue(RATE, 0.0, Actions())
    for _ in range(2):
        for number in range(30_000):
            queue.mark(str(number))
        assert len(queue.passed()) == 30_000
    queue.push(counted(1, 1))
    for number in range(30_000):
        queue.mark(str(number))
    with pytest.raises(RemoteError, match="sent 30000 marks ahead of time"):
        queue.mark("one more")
