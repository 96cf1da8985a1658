"""Responses: what far ends were asked for in a call and what they failed to give, counted by the events that tell it.

    response_start {id}                       a far end was asked, or began to answer
    response_failed {reason, id, by, status}  it said that there is no answer, or gave none, or half of one

Every kind with a far end notes the second in this form (agents/remote/failure.py makes it); the first is what it is
counted against. A failure without an id, or with one that never started, is a response of its own. A call in which a
party's far end failed every response is a failed call: its scores would be those of an agent that is silent. One in
which it failed some is completed, with a remark.
"""

from collections import Counter

from simulator.errors import RemoteError
from simulator.events import PARTIES, Event, EventLog, Source

STARTED = "response_start"
FAILED = "response_failed"


class AskedResponses:
    """The responses of a call's parties. On the wall clock parties tell of them from threads of their own."""

    def __init__(self, log: EventLog) -> None:
        self._started: dict[Source, set[str]] = {party: set() for party in PARTIES}
        self._failed: dict[Source, dict[str, Event]] = {party: {} for party in PARTIES}
        log.watch(STARTED, lambda event: self._started[event.party].add(str(event.data.get("id"))))
        log.watch(FAILED, self._note_failure)

    @property
    def failure(self) -> RemoteError | None:
        """The failure of a far end that gave none of the responses it was asked for."""
        told = [self._told(party) for party in PARTIES if self._failed[party] and not self._given(party)]
        return RemoteError("; ".join(told)) if told else None

    @property
    def remark(self) -> str | None:
        """What a completed call's status adds: how many responses failed, and why."""
        return "; ".join(self._told(party) for party in PARTIES if self._failed[party]) or None

    def _note_failure(self, event: Event) -> None:
        failed = self._failed[event.party]
        failed.setdefault(str(event.data.get("id") or f"unnamed {len(failed)}"), event)

    def _given(self, party: Source) -> int:
        return len(self._started[party] - self._failed[party].keys())

    def _told(self, party: Source) -> str:
        """`openai_realtime failed 3 of 3 responses: You exceeded your current quota`: the commonest reason."""
        failed = self._failed[party].values()
        reasons = Counter(str(event.data.get("reason") or "no reason given") for event in failed)
        (reason, _), *others = reasons.most_common()
        asked = len(failed) + self._given(party)
        who = next((str(event.data["by"]) for event in failed if "by" in event.data), f"the {party}")
        more = f" ({len(others)} other reason{'s' if len(others) > 1 else ''} beside it)" if others else ""
        return f"{who} failed {len(failed)} of {asked} responses: {reason}{more}"
