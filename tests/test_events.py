"""The order of events and the forms they are kept in."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulator.events import Event, EventLog, decode_event, encode_event

parties = st.sampled_from(["user", "agent", "line"])


@given(st.lists(st.tuples(st.integers(0, 1000), parties)))
def test_events_come_in_time_order_and_ties_by_party_then_serial(items: list[tuple[int, Any]]) -> None:
    """Ties: at, then user < agent < line, then the order in which they were noted."""
    log = EventLog()
    for serial, (at, party) in enumerate(items):
        log.add(at, "x", party, serial=serial)
    rank = {"user": 0, "agent": 1, "line": 2}
    keys = [(event.at, rank[event.party], event.serial) for event in log.take(2000)]
    assert keys == sorted(keys)
    assert len(keys) == len(items)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000))))
def test_at_never_decreases_in_the_file(steps: list[tuple[int, int]]) -> None:
    """An event that comes too late is moved to the moment already written, with `since` telling when it was."""
    log = EventLog()
    written: list[Event] = []
    for at, until in steps:
        log.add(at, "x", "user")
        written += log.take(until)
    written += log.take(5000)
    assert [event.at for event in written] == sorted(event.at for event in written)
    assert len(written) == len(steps)


def test_an_utterance_that_reaches_beyond_the_end_is_cut_there() -> None:
    """At the end of a session what would begin later is left out, what would end later ends there."""
    log = EventLog()
    log.add(100, "speech_start", "agent", id="a")
    log.add(400, "speech_end", "agent", id="a", said_samples=300, cut=False)
    log.add(500, "speech_start", "agent", id="b")
    log.add(600, "speech_end", "agent", id="b", said_samples=100, cut=False)
    told = [(event.at, event.type, event.data.get("said_samples"), event.data.get("cut")) for event in log.finish(250)]
    assert told == [(100, "speech_start", None, None), (250, "speech_end", 150, True)]


@given(
    st.integers(0, 1 << 40),
    parties,
    st.dictionaries(
        st.text(min_size=1).filter(lambda key: key not in ("at", "type", "party")),
        st.integers() | st.text() | st.booleans(),
        max_size=4,
    ),
)
def test_an_event_line_reads_back(at: int, party: Any, data: dict[str, Any]) -> None:
    """One JSON object per line, nothing lost."""
    event = Event(at, "x", party, data)
    line = encode_event(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_event(line) == event
