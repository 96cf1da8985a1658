"""What a session holds of Full-Duplex-Bench's tasks: turns, pauses, interruptions, as its label files say it.

What was said in which role, and where it pauses, is judged as the scorers judge it (`simulator/floor/`). A label is
a dict as it stands in the file; times are seconds of the session. A session that was made from one of the benchmark's
samples says so in session.json, with the sample's own label.
"""

from collections.abc import Sequence
from typing import Any

from simulator.floor.contributions import TURN_ROLES, Contribution
from simulator.floor.floor import Floor
from simulator.session import Session

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

TURN_GAP_S = 0.6
"""Up to this the benchmark itself joins what a user says (version 1.5, get_timing): its rule, not the floor's."""

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


def utterances(session: Session, roles: Sequence[str]) -> list[Contribution]:
    """Give what the user is known to have said in these roles, in order."""
    return [item for item in Floor(session).user.utterances if item.role in roles]


def turns(session: Session) -> list[tuple[int, int]]:
    """Give the user's turns in samples: known utterances, else speech joined over gaps of up to 0.6 s."""
    known = [(item.start, item.end) for item in utterances(session, TURN_ROLES)]
    gap = round(TURN_GAP_S * session.sample_rate)
    return known or [(start, end) for start, end in session.speech.user.timeline().bridge(gap + 1)]


def pause_labels(session: Session, turn: Contribution) -> list[Label]:
    """Give the pauses of at least 0.2 s inside a turn, as pause.json has them."""
    pauses = Floor(session).user.pauses(turn)
    return [{"text": "[PAUSE]", "timestamp": span(session, pause.start, pause.end)} for pause in pauses]


def turn_label(session: Session, end: int, until: int) -> Label:
    """Give the end of a turn and of the room after it, as turn_taking.json has it."""
    return {"text": "[TURN-TAKING]", "timestamp": span(session, end, until)}


def interrupt_label(session: Session, item: Contribution) -> Label:
    """Give an interruption with the user's turn before it, as interrupt.json has it."""
    before = [other.text for other in utterances(session, TURN_ROLES) if other.start < item.start]
    return {"context": "".join(before[-1:]), "interrupt": item.text, "timestamp": span(session, item.start, item.end)}


def span(session: Session, start: int, end: int) -> list[float]:
    """Give a stretch in seconds."""
    return [session.seconds(start), session.seconds(end)]
