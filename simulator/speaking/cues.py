"""Cues: when something is to happen, judged tick by tick on who speaks.

A cue has one condition and modifiers:
    at: 3s                          at a session time
    after: agent_turn | user_turn   when that party has been silent for `delay` (500 ms) since its last speech
    agent_speaking: d               when the agent has been speaking for d (user_speaking likewise)
    agent_pausing: d                when the agent has been silent for d after speech (user_pausing likewise)
    random: {per_minute: r}         at random moments (seeded, exponential distances)
    button: key                     when a key is pressed in a live session
    delay, every, times, within, at_latest, other_silent, over_self

States of a watch:  waiting -> due -> fired (waiting again, while `times` lasts)
                                 \\-> missed (own party kept speaking for longer than `within`)
A speaking, pausing or after cue fires once per stretch of the other's speech; `every` re-arms it so long after the
last firing inside the same stretch. With `other_silent: d` a cue that is due waits until the other party has been
silent for d, however long it talks. `at_latest` fires it when nothing was heard for that long since it was armed.
"""

from typing import Literal

import msgspec

from simulator.events import Party
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
    over_self: although its own party speaks. other_silent: not before the other party is silent.
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
    other_silent: Duration | None = None
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


OTHER_SILENT = ms(300)
"""After so much silence a party that waits for the other begins: before a script's next turn, which waits longer."""


def in_turn(cue: Cue, own: Party) -> Cue:
    """Give a cue that waits for the other party to fall silent; as it is where it does so already."""
    waits = cue.after is not None and cue.watched != own
    return cue if waits else msgspec.structs.replace(cue, other_silent=cue.other_silent or OTHER_SILENT)
