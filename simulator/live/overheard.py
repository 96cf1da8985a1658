"""What is known of a live session so far: who spoke when, by the ears, and which utterances their speakers told of."""

from bisect import bisect_left, insort

import msgspec

from simulator.annotation.truth import told, within_speech
from simulator.events import PARTIES, Event, Party
from simulator.floor.growing import KnownSoFar
from simulator.speech import PartySpeech, Segment, Speech
from simulator.timeline import Stretch, Timeline


class Overheard:
    """Grows as the session goes. now: the sample up to which it was heard; over: there is nothing to come."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._spoken: dict[Party, list[Stretch]] = {party: [] for party in PARTIES}
        self._begun: list[tuple[int, int, Event]] = []
        self._ended: dict[tuple[str, str], Event] = {}
        self.now = 0
        self.over = False

    def speaks(self, party: Party, start: int, end: int) -> None:
        """Note that a party spoke in [start, end) samples; the same start again: its speech went on."""
        spoken = self._spoken[party]
        if spoken and spoken[-1].start == start:
            spoken.pop()
        spoken.append(Stretch(start, end))

    def tells(self, event: Event) -> int:
        """Take the beginning or the end of an utterance; gives the sample from which it changes what is known."""
        if event.type == "speech_end":
            self._ended[_name_of(event)] = event
            return event.at
        start = _begin_of(event)
        insort(self._begun, (start, len(self._begun), event))
        return start

    def known(self, since: int) -> KnownSoFar:
        """Give what is known from a sample on."""
        begun = [item for _, _, item in self._begun[bisect_left(self._begun, (since,)) :] if item.at <= self.now]
        begun = [item for item in begun if item.data.get("role") != "recording"]  # nobody knows what silence it holds
        ended = [self._end_of(item) for item in begun]
        bare = KnownSoFar(
            sample_rate=self._rate,
            duration=self.now,
            speech=Speech(),
            by_type={"speech_start": begun, "speech_end": [end for end in ended if end is not None]},
            spans=[
                Stretch(_begin_of(item), end.at if end else self.now) for item, end in zip(begun, ended, strict=True)
            ],
        )
        user, agent = (self._speech(bare, party, since) for party in PARTIES)
        return msgspec.structs.replace(bare, speech=Speech(user=user, agent=agent))

    def _end_of(self, begun: Event) -> Event | None:
        """How an utterance ended; one that goes on is cut now, as the event log cuts it when this is the end."""
        known = self._ended.get(_name_of(begun))
        if known is not None and known.at <= self.now:
            return known
        if known is None and self.over:
            return None
        data = {**(known.data if known else {"id": begun.data.get("id")}), "cut": True}
        return Event(self.now, "speech_end", begun.party, data)

    def _speech(self, known: KnownSoFar, party: Party, since: int) -> PartySpeech:
        spoken = self._spoken[party]
        heard = Timeline(spoken[bisect_left(spoken, (since,)) :])
        said = [
            Segment(start=item.start, end=item.end, source="truth", id=item.id, role=item.role)
            for item in told(known, party)
        ]
        segments = tuple(Segment(start=start, end=end, source="vad") for start, end in heard)
        return PartySpeech(segments=segments, utterances=tuple(within_speech(said, (), heard)))


def _name_of(event: Event) -> tuple[str, str]:
    return event.party, str(event.data.get("id"))


def _begin_of(event: Event) -> int:
    return min(event.at, int(event.data.get("since", event.at)))
