"""Turns as they begin: in which one a call is, for whoever has to say where something went wrong."""

from simulator.events import PARTIES, Event, EventLog, Party, Source, other_party
from simulator.floor.contributions import CLAIMS_FLOOR
from simulator.texts import quoted


class TurnsBegun:
    """Counts what both parties tell they say, by the moments at which it begins."""

    def __init__(self, log: EventLog) -> None:
        self._begun: dict[Party, list[tuple[int, str]]] = {party: [] for party in PARTIES}
        log.watch("speech_start", self._note)

    def _note(self, event: Event) -> None:
        if event.party != "line" and event.data.get("role") in CLAIMS_FLOOR:
            self._begun[event.party].append((event.at, str(event.data.get("text", ""))))

    def told(self, party: Source, at: int) -> str:
        """Say in which turn a party hears the other at a sample, as the end of a sentence; "" before the first."""
        if party == "line":
            return ""
        other = other_party(party)
        begun = sorted(turn for turn in self._begun[other] if turn[0] < at)
        return f", in turn {len(begun)} of the {other} ({quoted(begun[-1][1])})" if begun else ""
