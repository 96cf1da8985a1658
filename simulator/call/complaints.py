"""Complaints: what is told of a far end during a call, for the cases in which nobody would look for it.

An agent that never says anything leaves a table of undefined values, and one whose sound is read as another codec a
table of values that mean nothing. Where its far end complained, its messages were not understood or its sound is like
no speech, `remote_error` says so in the session's log; the run says it under its table.
"""

from simulator.events import Event, EventLog, Party
from simulator.texts import LONGEST, shown

DOUBTS = ("wrong_codec", "wrong_rate", "not_described")
"""Codes of a `remote_error` that doubts what the scenario says of the far end."""


class Complaints:
    """The first complaint of each party's far end: the cause comes before what follows from it."""

    def __init__(self, log: EventLog) -> None:
        self._first: dict[str, Event] = {}
        self._doubts: dict[str, Event] = {}
        log.watch("remote_error", self._note)

    def never_spoke(self, party: Party, kind: str) -> str | None:
        """Say why a party of a kind said nothing in the whole call; None where nobody told."""
        event = self._first.get(party)
        return None if event is None else f"the {party} ({kind}) never spoke: {_message(event)}"

    def misdescribed(self, party: Party, kind: str) -> str | None:
        """Say what a scenario seems to say wrongly of a party of a kind that did speak; None where nothing seems so."""
        event = self._doubts.get(party)
        return None if event is None else f"the {party} ({kind}): {_message(event)}"

    def _note(self, event: Event) -> None:
        self._first.setdefault(event.party, event)
        if event.data.get("code") in DOUBTS:
            self._doubts.setdefault(event.party, event)


def _message(event: Event) -> str:
    return shown(str(event.data.get("message", ""))[:LONGEST])
