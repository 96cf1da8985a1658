"""Full-Duplex-Bench's takeover rule on words alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.fdb.samples import Chunk
from metrics.compat.fdb.takeover import onset, since, speaking_at, takes_turn
from simulator.errors import SessionError
from tests.fdb_folders import rule_r

TIMES = st.floats(0, 30, allow_nan=False)


def chunks(*times: tuple[float | None, float | None]) -> list[Chunk]:
    """Words with these times."""
    return [Chunk(text="w", timestamp=pair) for pair in times]


@given(st.lists(st.tuples(TIMES, TIMES), max_size=8))
def test_any_words_follow_the_rule(times: list[tuple[float, float]]) -> None:
    """Whatever the order of the words, the verdict is that of the first start, the last end and the count."""
    raw = [{"timestamp": pair} for pair in times]
    assert takes_turn(chunks(*times)) == bool(rule_r(raw))


@pytest.mark.parametrize(
    ("times", "verdict"),
    [
        ([], False),
        ([(0.0, 0.9)], False),
        ([(2.3, 3.3)], True),
        ([(0.1, 1.1)], True),
        ([(3.1, 4.1)], False),  # 4.1 - 3.1 is 0.9999999999999996
        ([(0, 0.1), (0.1, 0.2), (0.2, 0.3)], False),
        ([(0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4)], True),
        ([(0, 0.1), (5, 5.1)], True),
        ([(5, 5.1), (0, 0.1)], False),
    ],
)
def test_verdicts_at_the_edges(times: list[tuple[float, float]], verdict: bool) -> None:
    """Spans are compared as raw floats, gaps count, and file order is kept."""
    assert takes_turn(chunks(*times)) is verdict


def test_a_missing_last_end_is_refused_unless_open() -> None:
    """A last word without end has no span; for pauses it counts from its start."""
    open_ended = chunks((1.0, 1.2), (2.5, None))
    with pytest.raises(SessionError, match="the last word has no end"):
        takes_turn(open_ended)
    assert takes_turn(open_ended, open_end=True)
    assert not takes_turn(chunks((2.5, None)), open_end=True)


def test_a_missing_first_start_is_refused() -> None:
    """A first word without start has no span; one in the middle does not matter."""
    with pytest.raises(SessionError, match="the first word has no start"):
        takes_turn(chunks((None, 1.0)), open_end=True)
    assert takes_turn(chunks((0.0, 0.1), (None, None), (2.0, 2.1)))


def test_words_from_a_moment_on_are_put_in_order() -> None:
    """`since` leaves out earlier words and those without start, and sorts the rest by start."""
    later = since(chunks((3.0, 3.1), (1.0, 1.1), (None, 5.0), (2.0, 2.1)), 2.0)
    assert [chunk.start for chunk in later] == [2.0, 3.0]
    assert onset(later) == 2.0


def test_speaking_is_strictly_inside_a_word() -> None:
    """At its very start or end a word is not being said."""
    word = chunks((1.0, 2.0))
    assert [speaking_at(word, moment) for moment in (1.0, 1.5, 2.0)] == [False, True, False]
