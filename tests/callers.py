"""Callers for tests: minds that are asked without a call, and calls whose outcome is known by construction."""

from typing import Any

import anyio

from agents.caller.brief import make_brief
from agents.caller.manner import MannerKeys, Preset, manner_of
from agents.caller.mind import Mind, MindContext, MindSpec, Occurred, Situation, Thought

GOAL = "Change the booking of tonight from two to three people and get the new price."

AGENT: dict[str, Any] = {
    "kind": "cascade",
    "opening": "Good evening, how can I help you?",
    "replies": [
        {"match": "change|changing", "say": "Certainly. What is your name, please?"},
        {"match": "miller|ann", "say": "Thank you. The booking is changed."},
        {"match": "price|prize", "say": "The new price is ninety dollars."},
        {"match": "bye|thank", "say": "Goodbye."},
        {"say": "I am sorry, could you say that again?"},
    ],
}
CALLER: dict[str, Any] = {
    "kind": "caller",
    "goal": GOAL,
    "facts": {"name": "Ann Miller"},
    "llm": {"kind": "rules", "gets": {"new price": r"[$€] ?\d+|\w+ (dollars|euros)"}},
    "manner": {"preset": "cooperative", "backchannels": 0, "pauses": 0, "disfluent": 0},
}
CALL: dict[str, Any] = {"name": "changed", "user": CALLER, "agent": AGENT, "duration": "45s", "scorers": []}


class Asked:
    """A mind and the talk it has had: `asked("What is your name?")` gives what comes to mind."""

    def __init__(self, spec: MindSpec, *, manner: Preset | MannerKeys = "cooperative", **brief: Any) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self._mind: Mind = spec.build()
        keys: dict[str, Any] = {"persona": "", "who": "", "goal": GOAL, "facts": {}, "stages": [], **brief}
        context = MindContext(
            party="user",
            brief=make_brief(**keys),
            manner=manner_of(manner),
            seed=0,
            rate=24_000,
            emit=lambda at, type_, **fields: self.told.append((type_, fields)),
        )
        anyio.run(self._mind.start, context)

    def __call__(self, heard: str, occurred: Occurred = "turn", silences: int = 0) -> Thought:
        return anyio.run(self._mind.think, Situation(occurred=occurred, heard=heard, silences=silences))
