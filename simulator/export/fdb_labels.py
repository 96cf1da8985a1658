"""What a session holds of Full-Duplex-Bench's tasks: turns, pauses, interruptions, as its label files say it.

A label is a dict as it stands in the file; times are seconds of the session. A session that was made from one of
the benchmark's samples says so in session.json, with the sample's own label.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from simulator.session import Session
from simulator.speech import Segment

TURN_ROLES = ("turn", "recording", "")
OVERLAP_ROLES = ("interruption", "backchannel", "aside")

LABEL_FILES = {
    "pause_handling": "pause.json",
    "smooth_turn_taking": "turn_taking.json",
    "user_interruption": "interrupt.json",
    "overlap": "metadata.json",
    "user_backchannel": "metadata.json",
    "talking_to_other": "metadata.json",
    "background_speech": "metadata.json",
    "backchannel": "",
}
"""Each task's label file; empty where it has none."""

SHORTEST_PAUSE_S = 0.2
TURN_GAP_S = 0.6

Label = dict[str, Any]


def given_labels(session: Session) -> dict[str, Any] | None:
    """Give the label file of the benchmark's sample that the session was made from, by name (none for some).

    None when the session was made from no such sample.
    """
    sample = session.meta.sample
    name = LABEL_FILES.get(str(sample.get("task")))
    if name is None:
        return None
    return {name: sample["label"]} if name and sample.get("label") is not None else {}


def utterances(session: Session, roles: Sequence[str]) -> list[Segment]:
    """Give what the user is known to have said in these roles, in order."""
    return sorted((item for item in session.speech.user.utterances if item.role in roles), key=lambda item: item.start)


def turns(session: Session) -> list[tuple[int, int]]:
    """Give the user's turns in samples: known utterances, else speech joined over gaps of up to 0.6 s."""
    known = [(item.start, item.end) for item in utterances(session, TURN_ROLES)]
    gap = round(TURN_GAP_S * session.sample_rate)
    return known or [(start, end) for start, end in session.speech.user.timeline().bridge(gap + 1)]


def pause_labels(session: Session, turn: Segment) -> list[Label]:
    """Give the pauses of at least 0.2 s inside a turn, as pause.json has them."""
    inside = session.speech.user.timeline().crop(turn.start, turn.end)
    shortest = round(SHORTEST_PAUSE_S * session.sample_rate)
    return [
        {"text": "[PAUSE]", "timestamp": span(session, before.end, after.start)}
        for before, after in pairwise(inside)
        if after.start - before.end >= shortest
    ]


def turn_label(session: Session, end: int, until: int) -> Label:
    """Give the end of a turn and of the room after it, as turn_taking.json has it."""
    return {"text": "[TURN-TAKING]", "timestamp": span(session, end, until)}


def interrupt_label(session: Session, item: Segment) -> Label:
    """Give an interruption with the user's turn before it, as interrupt.json has it."""
    before = [other.text for other in utterances(session, TURN_ROLES) if other.start < item.start]
    return {"context": "".join(before[-1:]), "interrupt": item.text, "timestamp": span(session, item.start, item.end)}


def span(session: Session, start: int, end: int) -> list[float]:
    """Give a stretch in seconds."""
    return [session.seconds(start), session.seconds(end)]
