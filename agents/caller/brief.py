"""Briefs: what a caller is told: who it is, what it wants, what it knows, and in which order it comes out with it.

persona: A tired parent; talks in half sentences.        (`who` is the same)
goal: Change the booking of tonight from two to three people and get the new price.
facts: {booking number: "A 73 19", name: Ann Miller}      told only when asked
stages: [...]                                             each revealed when the one before is reached
"""

from collections.abc import Mapping, Sequence

import msgspec

from simulator.reading.matchers import refuse_pattern
from simulator.speaking.hearing import words_of

Facts = dict[str, str | int | float]

STOP_WORDS = frozenset(
    (
        "a",
        "an",
        "and",
        "at",
        "be",
        "for",
        "from",
        "in",
        "is",
        "it",
        "my",
        "of",
        "on",
        "or",
        "our",
        "that",
        "the",
        "this",
        "to",
        "you",
        "your",
    )
)
"""Words that no question can be told by."""


class GoalStage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the goal: what is wanted next. say: in which words. reached: a pattern in what the other says.

    Without `reached` a stage is reached when the other has answered to it; a model decides for itself. goal: what is
    wanted in this part.
    """

    goal: str
    say: str = ""
    reached: str = ""

    def __post_init__(self) -> None:
        refuse_pattern(self.reached, "reached")
        if not words_of(self.say or self.goal):
            raise ValueError("a stage has nothing to say")


Stages = list[GoalStage | str] | dict[str, str]
"""Parts in their order; a mapping has them by name (T1: ..., T2: ...)."""


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller knows, checked. ValueError: something in it can never be said, or never be asked for."""

    persona: str
    goal: str
    facts: Mapping[str, str]
    stages: Sequence[GoalStage]
    opening: str = ""


def make_brief(*, persona: str, who: str, goal: str, facts: Facts, stages: Stages, opening: str = "") -> Brief:
    """Make a brief of what a scenario says. ValueError."""
    if persona and who:
        raise ValueError("`who` is another word for `persona`; write one of them")
    if not words_of(goal):
        raise ValueError(f"goal {goal!r} says nothing")
    parts = list(stages.values()) if isinstance(stages, dict) else stages
    told = {name: str(value).strip() for name, value in facts.items()}
    _refuse_untold(told)
    return Brief(
        persona=persona or who,
        goal=goal.strip(),
        facts=told,
        stages=[GoalStage(goal=part) if isinstance(part, str) else part for part in parts],
        opening=opening,
    )


def key_words(name: str) -> frozenset[str]:
    """Give the words by which a fact is asked for: those of its name that tell it from others."""
    return frozenset(words_of(name)) - STOP_WORDS


def _refuse_untold(facts: Mapping[str, str]) -> None:
    known: dict[frozenset[str], str] = {}
    for name, value in facts.items():
        words = key_words(name)
        if not words:
            raise ValueError(f"the fact {name!r} can never be asked for: its name has no word to ask by")
        if not words_of(value):
            raise ValueError(f"the fact {name!r} can never be told: its value is {value!r}")
        if words in known:
            raise ValueError(f"the facts {known[words]!r} and {name!r} cannot be told apart by a question")
        known[words] = name
