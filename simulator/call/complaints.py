"""Complaints: what is told of a far end during a call, for the one case in which nobody would look for it.

An agent that never says anything leaves a table of undefined values. Where its far end complained, or its messages were
not understood, `remote_error` says so in the session's log; the run says it under its table.
"""

from simulator.events import Event, EventLog, Party
from simulator.texts import LONGEST, shown


class Complaints:
    """The first complaint of each party's far end: the cause comes before what follows from it."""

    def __init__(self, log: EventLog) -> None:
        self._first: dict[str, Event] = {}
        log.watch("remote_error", self._note)

    def never_spoke(self, party: Party, kind: str) -> str | None:
        """Say why a party of a kind said nothing in the whole call; None where nobody told."""
        event = self._first.get(party)
        if event is None:
            return None
        return f"the {party} ({kind}) never spoke: {shown(str(event.data.get('message', ''))[:LONGEST])}"

    def _note(self, event: Event) -> None:
        self._first.setdefault(event.party, event)
