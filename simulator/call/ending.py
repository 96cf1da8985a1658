"""Endings: when a call is over, in ticks.

duration: 30s                     at that time
duration: {after: user}           so long (`tail`) after that party has said all it has to say
duration: {answered: 2s}          when the agent has answered the user, who has said all, and fallen silent so long
hung_up, told by either party     a second later: a goodbye is still heard
told to stop                      now
"""

import math
from collections.abc import Mapping

from simulator.call.seat import Seat
from simulator.events import Event, EventLog, Party
from simulator.frame import Samples
from simulator.scenario import Scenario
from simulator.speaking.cues import NEVER
from simulator.speaking.reply import ReplyRules, ReplyWatch
from simulator.spec import Duration

AFTER_HANGING_UP = Duration(1.0)


class Ending:
    """Knows a call's last tick. last: how many ticks it has, as far as is known now; it only ever falls.

    waits: whether `said` must be told of the ticks that pass.
    """

    def __init__(self, scenario: Scenario, seats: Mapping[Party, Seat], log: EventLog) -> None:
        self.last = scenario.ticks()
        self._frame = scenario.frame_samples
        self._rate = scenario.sample_rate
        self._length = scenario.duration
        awaited = self._length.awaited if self._length else None
        self._seat = seats.get(awaited) if awaited else None
        self._reply: ReplyWatch | None = None
        self._begins_at = 0
        self._open: set[str] = set()
        """Utterances of the agent that were told and are not over."""
        self.waits = self._seat is not None
        log.watch("hung_up", self._hung_up)
        if self._length is not None and self._length.answered is not None:
            log.watch("speech_start", self._told)
            log.watch("speech_end", self._told)

    def awaits(self, party: Party) -> bool:
        """Whether the end hangs on what this party still has to say."""
        answers = self._length is not None and self._length.answered is not None
        return (self._seat is not None and self._seat.party == party) or (answers and party == "agent")

    def said(self, now: int, agent: Samples) -> None:
        """Take note of what the agent said until sample `now`: float32 (n,), one tick or several."""
        if self._seat is not None:
            if self._seat.actor.done:
                self._all_said(now, self._seat)
        elif self._reply is not None and now > self._begins_at:
            for start in range(0, len(agent), self._frame):
                self._reply.hear(agent[start : start + self._frame], telling=bool(self._open))
            if self._reply.over:
                self._end_at(now)

    def settled(self, now: int) -> int:
        """Give a sample before which the end does not change, whatever is said from `now` on."""
        if self._seat is not None:
            return now + 1 if self._seat.actor.done else NEVER  # who has said all is noticed after the next tick
        return now + self._reply.settled_samples() if self._reply is not None else NEVER

    def stop(self) -> None:
        """End the call now."""
        self.last = 0

    def _all_said(self, now: int, seat: Seat) -> None:
        """Go on from here: the awaited party has said all, but for what is under way."""
        self._seat = None
        length = self._length
        if length is not None and length.after is not None:
            self.waits = False
            self._end_at(now + seat.under_way_samples + length.after.tail.samples(self._rate))
        elif length is not None and length.answered is not None:
            self._begins_at = now + seat.under_way_samples
            until = length.answered
            rules = ReplyRules(quiet=until.answered, patience=until.no_answer, longest=until.at_most)
            self._reply = ReplyWatch(rules, self._rate)

    def _told(self, event: Event) -> None:
        if event.party == "agent":
            name = str(event.data.get("id", ""))
            (self._open.add if event.type == "speech_start" else self._open.discard)(name)

    def _hung_up(self, event: Event) -> None:
        self._end_at(event.at + AFTER_HANGING_UP.samples(self._rate))

    def _end_at(self, sample: int) -> None:
        self.last = min(self.last, math.ceil(sample / self._frame))
