"""Watching: what a caller waits for at once, each a cue of its own, and which of them comes first.

    opening      at a time: who is called speaks first
    answer       the other has been silent for a gap; or nobody has said anything for longer than it bears
    prepare      the other has been speaking for so long: time to think of what to cut in with
    barge_in     the other has been speaking for so long: cut in
    backchannel  the other has been speaking for so long: say "mm-hm"
    answered     the answer to its calls of tools is there, and the other does not speak: nothing else is waited for

All begin to wait when the caller has said or decided something. So what one of them led to is a turn of a script with
that cue alone: frozen, it comes at the same sample.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from msgspec import structs

from agents.caller.mind import Occurred
from agents.caller.timing import PREPARES_S, HumanTiming, whole_ms
from simulator.events import Party, other_party
from simulator.speaking.cue_watch import CueWatch
from simulator.speaking.cues import NEVER, Cue
from simulator.speaking.ears import Activity
from simulator.speaking.script import TO_THE_END
from simulator.spec import Duration

Occasion = Literal["opening", "answer", "prepare", "barge_in", "backchannel", "answered"]
"""What a caller may wait for."""

Plan = Mapping[Occasion, Cue]


class Planner:
    """Draws what a caller waits for next. rate: samples a second of its own streams."""

    def __init__(self, party: Party, timing: HumanTiming, rate: int) -> None:
        self._party = party
        self._other = other_party(party)
        self._timing = timing
        self._rate = rate
        self._cut_in: Duration | None = None

    def first(self) -> Plan:
        """For the beginning: who calls waits to be greeted, who is called speaks."""
        if self._party == "agent":
            return {"opening": Cue(at=self._timing.opens())}
        return {"answer": self._answer(self._timing.greeting())}

    def next(self, heard: Activity, *, goes_on: bool = False) -> Plan:
        """For the time from now on. goes_on: the other's turn is still the one for which it was decided to cut in."""
        timing = self._timing
        spoken_s = (heard.last_end - heard.since) / self._rate if heard.speaking else 0.0
        bears = timing.bears()
        plan: dict[Occasion, Cue] = {"answer": self._answer(bears)}
        if not goes_on:
            drawn = timing.cut_in()
            self._cut_in = None if drawn is None else _later(drawn, spoken_s)
        if self._cut_in is not None:
            plan["prepare"] = self._speaking(_later(self._cut_in, -PREPARES_S))
            plan["barge_in"] = self._speaking(self._cut_in)
        drawn = timing.backchannel()
        if drawn is not None:
            plan["backchannel"] = self._speaking(_later(drawn, spoken_s))
        return plan

    def answered(self, at_s: float) -> Plan:
        """For the time until an answer is there, `at_s` into the session; it tells of it in a gap of the other's."""
        self._cut_in = None
        return {"answered": Cue(at=Duration(at_s), other_silent=self._timing.gap())}

    def let_finish(self) -> None:
        """Do not cut into this turn after all."""
        self._cut_in = None

    def _answer(self, bears: Duration) -> Cue:
        after: Literal["agent_turn", "user_turn"] = "agent_turn" if self._other == "agent" else "user_turn"
        return Cue(after=after, delay=self._timing.gap(), at_latest=bears)

    def _speaking(self, length: Duration) -> Cue:
        return Cue(agent_speaking=length) if self._other == "agent" else Cue(user_speaking=length)


class Watching:
    """Watches a plan from sample `now` on. rate: of all times; rng: nobody draws from it, a watch wants one."""

    def __init__(
        self, plan: Plan, now: int, heard: Activity, *, own: Party, rate: int, rng: np.random.Generator
    ) -> None:
        self.plan = plan
        self.armed_at = now
        self._watches = {
            occasion: CueWatch(structs.replace(cue, within=TO_THE_END), rate, rng, own)
            for occasion, cue in plan.items()
        }
        for watch in self._watches.values():
            watch.arm(now)
            watch.pass_over(heard)

    def look(self, now: int, heard: Activity, *, busy: bool, free_since: int) -> Occasion | None:
        """Say what has come, in the order of the plan; what comes at the same moment after it is forgotten."""
        for occasion, watch in list(self._watches.items()):
            if watch.check(now, heard, busy, free_since, heard) is not None:
                del self._watches[occasion]
                return occasion
        return None

    def occurred(self, occasion: Occasion, heard: Activity) -> Occurred:
        """Give what a moment is to the mind."""
        if occasion in ("opening", "answered"):
            return occasion
        if occasion == "prepare":
            return "cut_in"
        return "silence" if heard.last_end <= self.armed_at else "turn"

    def drop(self, occasion: Occasion) -> None:
        """No longer wait for something."""
        self._watches.pop(occasion, None)

    def earliest(self, now: int, heard: Activity, free_since: int) -> int:
        """Give a sample before which nothing comes, whatever is heard from `now` on."""
        return min((watch.earliest(now, heard, free_since) for watch in self._watches.values()), default=NEVER)

    def script_cue(self, occasion: Occasion) -> Cue:
        """Give the cue of a script's turn that comes at the same sample: a silence is borne as long, too."""
        cue = self.plan[occasion]
        bears = self.plan["answer"].at_latest if "answer" in self.plan else None
        return cue if cue.at is not None else structs.replace(cue, at_latest=bears)


def _later(length: Duration, by_s: float) -> Duration:
    return whole_ms(max(0.0, length + by_s))
