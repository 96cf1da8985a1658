"""Cues: when something is to happen, judged tick by tick on who speaks.

A cue has one condition and modifiers:
    at: 3s                          at a session time
    after: agent_turn | user_turn   when that party has been silent for `delay` (500 ms) since its last speech
    agent_speaking: d               when the agent has been speaking for d (user_speaking likewise)
    agent_pausing: d                when the agent has been silent for d after speech (user_pausing likewise)
    random: {per_minute: r}         at random moments (seeded, exponential distances)
    button: key                     when a key is pressed in a live session
    delay, every, times, within, at_latest, over_self

States of a watch:  waiting -> due -> fired (waiting again, while `times` lasts)
                                 \\-> missed (own party kept speaking for longer than `within`)
A speaking, pausing or after cue fires once per stretch of the other's speech; `every` re-arms it so long after the
last firing inside the same stretch. `at_latest` fires it when nothing was heard for that long since it was armed.
"""

from collections.abc import Callable
from typing import Literal

import msgspec
import numpy as np

from simulator.events import Party
from simulator.speaking.ears import Activity
from simulator.spec import Duration, ms

WITHIN = Duration(2.0)
"""How long an injector's cue that fell due waits for its own party to stop speaking; a script's waits to the end."""

TURN_DELAY = ms(500)
"""How long the other must have been silent for `after` to call its turn over."""


NEVER = 1 << 62
"""A sample that no session reaches."""


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a random cue fires on average.

    per_minute: so often.
    """

    per_minute: float

    def __post_init__(self) -> None:
        if not self.per_minute > 0:
            raise ValueError(f"per_minute is {self.per_minute}; it must be above 0")


CONDITIONS = (
    "at",
    "after",
    "agent_speaking",
    "user_speaking",
    "agent_pausing",
    "user_pausing",
    "random",
    "button",
)


class CueKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys of a cue as a scenario writes them; a script's turn has them beside what it says.

    at: a session time. after: the other's turn is over, `delay` ago. agent_speaking, user_speaking: that party has been
    speaking for so long. agent_pausing, user_pausing: it has been silent for so long after speech. random: at moments
    drawn by the seed. button: a key is pressed in a live session. delay: so much later (500 ms for `after`). every:
    again so long after the last time in the same stretch of speech. times: at most so often. within: how long it waits
    for its own party to stop (2 s). at_latest: after so much silence of the other in any case (8 s in scripts).
    over_self: although its own party speaks.
    """

    at: Duration | None = None
    after: Literal["agent_turn", "user_turn"] | None = None
    agent_speaking: Duration | None = None
    user_speaking: Duration | None = None
    agent_pausing: Duration | None = None
    user_pausing: Duration | None = None
    random: Rate | None = None
    button: str | None = None
    delay: Duration | None = None
    every: Duration | None = None
    times: int | None = None
    within: Duration | None = None
    at_latest: Duration | None = None
    over_self: bool = False

    def conditions(self) -> list[str]:
        """The names of the conditions that are given."""
        return [name for name in CONDITIONS if getattr(self, name) is not None]

    def check_modifiers(self) -> None:
        """Refuse modifiers that cannot be meant. ValueError."""
        if self.times is not None and self.times < 1:
            raise ValueError(f"times is {self.times}; it must be at least 1")
        if self.every is not None and self.every <= 0:
            raise ValueError("every must be above 0")
        if self.at_latest is not None and self.at is not None:
            raise ValueError("at_latest does not go with at, which says the moment already")
        if self.at is not None and self.every is None and (self.times or 1) > 1:
            raise ValueError(f"times is {self.times}, but a time comes once; say `every` how long to wait between them")


class Cue(CueKeys, frozen=True, kw_only=True, omit_defaults=True):
    """One condition and its modifiers; ValueError when there is no condition or more than one."""

    def __post_init__(self) -> None:
        given = self.conditions()
        if len(given) != 1:
            raise ValueError(f"a cue has exactly one of {', '.join(CONDITIONS)}; found {', '.join(given) or 'none'}")
        self.check_modifiers()

    @property
    def condition(self) -> str:
        """The name of its condition."""
        return self.conditions()[0]

    @property
    def watched(self) -> Party | None:
        """The party whose speech the condition is about; None for at, random and button."""
        if self.after is not None:
            return "agent" if self.after == "agent_turn" else "user"
        if self.agent_speaking is not None or self.agent_pausing is not None:
            return "agent"
        return "user" if self.user_speaking is not None or self.user_pausing is not None else None

    @property
    def interrupts(self) -> bool:
        """Whether it asks for a party that is speaking: what another says then is meant to be said over it."""
        return self.agent_speaking is not None or self.user_speaking is not None


class CueWatch:
    """Watches one cue. `check` is called once per tick and says `fire`, `miss` or None.

    sample_rate: of all times. rng: for random cues. own: the party that would speak. pressed(key): whether a button
    was pressed since the last tick.
    """

    def __init__(
        self,
        cue: Cue,
        sample_rate: int,
        rng: np.random.Generator,
        own: Party,
        pressed: Callable[[str], bool] = lambda key: False,
    ) -> None:
        self.cue = cue
        self._rate = sample_rate
        self._rng = rng
        self._pressed = pressed
        delay = cue.delay if cue.delay is not None else TURN_DELAY if cue.after else Duration()
        self._delay = delay.samples(sample_rate)
        self._every = cue.every.samples(sample_rate) if cue.every is not None else None
        self._within = (cue.within if cue.within is not None else WITHIN).samples(sample_rate)
        self._at_latest = cue.at_latest.samples(sample_rate) if cue.at_latest is not None else None
        # A condition about one's own speech can only ever come true while one speaks.
        self._over_self = cue.over_self or cue.watched == own
        self._left = cue.times if cue.times is not None else 1 if cue.at is not None and cue.every is None else None
        self._condition, self._length = self._choose()
        self._due_at: int | None = None
        self._last_fired: int | None = None
        self._stretch_fired = 0
        self.arm(0)

    def arm(self, now: int) -> None:
        """Start to wait at sample `now`: only speech that ends after it counts for `after` and `at_latest`."""
        self._armed_at = now
        self._due_at = None
        if self.cue.random is not None:
            self._next = now + round(self._rng.exponential(60.0 / self.cue.random.per_minute) * self._rate)

    def pass_over(self, heard: Activity) -> None:
        """Let a stretch that is over be the past: its pause was there before anybody waited for one."""
        if not heard.speaking:
            self._stretch_fired = heard.stretches

    @property
    def spent(self) -> bool:
        """Whether it has come as often as its `times` allows."""
        return self.cue.times is not None and self._left == 0

    def check(self, now: int, heard: Activity, busy: bool, free_since: int) -> Literal["fire", "miss"] | None:
        """Judge the cue at sample `now`.

        heard: activity of the watched party. busy: whether the own party speaks. free_since: when it last stopped.
        """
        if self._left == 0:
            return None
        if self._due_at is None:
            if not self._condition(now, heard, free_since) and not self._is_late(now, heard):
                return None
            self._due_at = now
        if busy and not self._over_self:
            if now - self._due_at <= self._within:
                return None
            self._spend(now, heard)
            return "miss"
        self._spend(now, heard)
        return "fire"

    def earliest(self, now: int, heard: Activity, free_since: int) -> int:
        """Give a sample before which `check` says nothing more, whatever is heard from `now` on; at least now + 1.

        To be asked when `check` has just been asked at `now` and said nothing. A bound, no forecast: what may come true
        at once (a key, an own party that stops speaking) is not looked ahead of.
        """
        if self._left == 0:
            return NEVER
        if self._due_at is not None:
            return now + 1
        found = self._bound(heard, free_since)
        if self._at_latest is not None:
            found = min(found, max(self._armed_at, heard.last_end) + self._at_latest)
        return max(found, now + 1)

    def _spend(self, now: int, heard: Activity) -> None:
        self._left = None if self._left is None else self._left - 1
        self._last_fired = now
        self._stretch_fired = heard.stretches
        self.arm(now)

    def _is_late(self, now: int, heard: Activity) -> bool:
        return (
            self._at_latest is not None
            and not heard.speaking
            and now - max(self._armed_at, heard.last_end) >= self._at_latest
        )

    def _choose(self) -> tuple[Callable[[int, Activity, int], bool], int]:
        cue, rate = self.cue, self._rate
        if cue.at is not None:
            return self._at, cue.at.samples(rate) + self._delay
        if cue.after is not None:
            return self._after, self._delay
        for length in (cue.agent_speaking, cue.user_speaking):
            if length is not None:
                return self._speaking, length.samples(rate) + self._delay
        for length in (cue.agent_pausing, cue.user_pausing):
            if length is not None:
                return self._pausing, length.samples(rate) + self._delay
        return (self._random, 0) if cue.random is not None else (self._button, 0)

    def _bound(self, heard: Activity, free_since: int) -> int:
        """A sample before which the condition cannot come true, by what has been heard so far."""
        again = NEVER if self._every is None or self._last_fired is None else self._last_fired + self._every
        if self.cue.at is not None:
            return again if self._every is not None and self._last_fired is not None else self._length
        if self.cue.random is not None:
            return self._next
        if self.cue.watched is None:
            return 0
        fresh = 0 if heard.stretches != self._stretch_fired else again
        # A stretch that has not begun begins where nothing was judged yet, and lasts as long as the condition wants.
        anew = heard.until + self._length
        if self._condition == self._speaking:
            return min(anew, max(fresh, heard.since + self._length)) if heard.speaking else anew
        if heard.stretches == 0 or (self._condition == self._after and heard.last_end <= self._armed_at):
            return anew
        quiet_since = max(heard.last_end, free_since) if self._condition == self._after else heard.last_end
        return min(anew, max(fresh, quiet_since + self._length))

    def _fresh(self, now: int, heard: Activity) -> bool:
        if heard.stretches != self._stretch_fired:
            return True
        return self._every is not None and self._last_fired is not None and now - self._last_fired >= self._every

    def _at(self, now: int, heard: Activity, free_since: int) -> bool:
        if self._last_fired is not None and self._every is not None:
            return now - self._last_fired >= self._every
        return now >= self._length

    def _after(self, now: int, heard: Activity, free_since: int) -> bool:
        return (
            heard.last_end > self._armed_at
            and not heard.speaking
            and now - max(heard.last_end, free_since) >= self._length
            and self._fresh(now, heard)
        )

    def _speaking(self, now: int, heard: Activity, free_since: int) -> bool:
        # Counted to the last sound, not to now: a silence that is bridged must not make up for speech that is missing.
        return heard.speaking and heard.last_end - heard.since >= self._length and self._fresh(now, heard)

    def _pausing(self, now: int, heard: Activity, free_since: int) -> bool:
        return (
            heard.stretches > 0
            and not heard.speaking
            and now - heard.last_end >= self._length
            and self._fresh(now, heard)
        )

    def _random(self, now: int, heard: Activity, free_since: int) -> bool:
        return now >= self._next

    def _button(self, now: int, heard: Activity, free_since: int) -> bool:
        return self._pressed(self.cue.button or "")
