"""A mind of patterns: no model, no endpoint, the same words every time.

Slots to give are the facts: told when their words turn up in a question. Slots to get are patterns: asked for until
they are heard. Tried in this order, on what the other said since the caller's last words:

    nobody speaks        ask whether anybody is there, then give up
    hold on              wait
    say it again         say the last words again
    an answer of `answers` whose pattern fits
    a fact is asked for  tell it
    the next stage       when the one before is reached
    all is got           thank, say goodbye, hang up
    a farewell           say goodbye, hang up
    a refusal            press (adversarial: three times), then give up
    a question           yes; or that it is not known
    something missing    ask for it
    else                 say the wish again, twice at most
"""

import re

from agents.caller.answers import Answers
from agents.caller.asked import bare, facts_asked
from agents.caller.brief import Brief
from agents.caller.mind import MindContext, MindSpec, Situation, Thought
from agents.caller.phrases import (
    AGAIN,
    ANYTHING_ELSE,
    DONE,
    FAREWELL,
    HOLD,
    OPEN_QUESTION,
    PRESSES,
    REFUSAL,
    STILL_THERE,
    UNFINISHED,
    YES_NO,
    wish,
)
from agents.responders.rules import Rule
from simulator.errors import ScenarioError
from simulator.reading.matchers import refuse_pattern
from simulator.traits import PartyTraits

MOST_WISHES = 3
"""So often it says what it wants before it gives up."""

MOST_QUESTIONS = 2
"""So often it asks for the same thing."""

MOST_AGAINS = 4
"""So often it says something again."""

HELLO = "Hello? Are you still there?"
UNKNOWN = "I am sorry, I do not know that."


class RulesMindSpec(MindSpec, frozen=True, kw_only=True, tag="rules"):
    """Think by patterns: `llm: {kind: rules, gets: {price: "\\\\d+ (euros|dollars)"}}`.

    gets: what is to be found out, each with a pattern (any case) by which it is recognised; without any, a confirmation
    ends the call. asked: a pattern for a fact that is asked for in other words than its name's. answers: tried before
    everything else, as a cascade's `replies`; one that calls a tool says what came of it when the answer is there.
    """

    gets: dict[str, str] = {}
    asked: dict[str, str] = {}
    answers: list[Rule] = []

    def __post_init__(self) -> None:
        for name, pattern in [*self.gets.items(), *self.asked.items()]:
            refuse_pattern(pattern, f"the pattern of {name!r}")
            if not pattern:
                raise ValueError(f"the pattern of {name!r} is empty: it would be found in everything")

    def traits(self) -> PartyTraits:
        """It calls tools where an answer does."""
        return PartyTraits(calls_tools=bool(self.called()))

    def called(self) -> list[str]:
        """The tools that its answers call."""
        return [rule.call for rule in self.answers if rule.call]

    def check(self, brief: Brief, where: str) -> None:
        """Refuse a pattern for a fact that there is not."""
        for name in self.asked:
            if name not in brief.facts:
                known = ", ".join(brief.facts) or "none"
                raise ScenarioError(f"{where}.asked: there is no fact {name!r}; there are: {known}")

    def build(self) -> "RulesMind":
        """Make the mind."""
        return RulesMind(self)


class RulesMind:
    """Goes through its rules at every moment; keeps what was told, got and said."""

    def __init__(self, spec: RulesMindSpec) -> None:
        self._spec = spec
        self._got: dict[str, str] = {}
        self._confirmed = False
        self._stage = 0
        self._awaited = ""
        """What the other is still to say before the stage is reached that was said last."""
        self._wishes = self._presses = self._agains = self._hellos = 0
        self._asked_for: dict[str, int] = {}
        self._last = ""

    async def start(self, context: MindContext) -> None:
        """Take note of the brief."""
        self._brief = context.brief
        self._manner = context.manner
        self._answers = Answers(self._spec.answers, context.port)

    async def close(self) -> None:
        """Nothing to let go of."""

    async def think(self, situation: Situation) -> Thought:
        """Give what the first fitting rule says."""
        thought = self._cut_in(situation.heard) if situation.occurred == "cut_in" else await self._answer(situation)
        if thought.choice != "wait" and situation.occurred != "silence" and thought.say != UNKNOWN:
            self._last = thought.say
        return thought

    async def _answer(self, situation: Situation) -> Thought:
        heard = situation.heard
        if situation.occurred == "answered" and self._answers.told is not None:
            self._take_in(heard)
            return self._answers.told
        if not self._wishes:
            return self._wish("the call begins")
        if situation.occurred == "silence":
            return self._alone(situation)
        self._hellos = 0
        if HOLD.search(_last_sentence(heard)):
            return Thought(choice="wait", reason="asked to wait")
        if AGAIN.search(heard):
            return self._again()
        self._take_in(heard)
        ready = await self._answers.to(heard, situation.at)
        return ready or self._fact(heard) or self._next_stage() or self._finish(heard) or self._react(heard)

    def _take_in(self, heard: str) -> None:
        """Note what was got, and whether the stage is reached that was said."""
        if self._awaited and re.search(self._awaited, heard, re.IGNORECASE):
            self._awaited = ""
        for name, pattern in self._spec.gets.items():
            found = re.search(pattern, heard, re.IGNORECASE)
            if found and name not in self._got:
                self._got[name] = found[0]
        self._confirmed = self._confirmed or bool(DONE.search(heard))

    def _fact(self, heard: str) -> Thought | None:
        asked = facts_asked(self._brief.facts, self._spec.asked, heard)
        if not asked:
            return None
        return _say(" ".join(f"My {bare(name)} is {self._brief.facts[name]}." for name in asked),
                    f"asked for {', '.join(asked)}")  # fmt: skip

    def _next_stage(self) -> Thought | None:
        """The next part of the goal; the first words of the call are no stage of their own."""
        stages = self._brief.stages
        if self._stage >= len(stages) or self._awaited:
            return None
        stage = stages[self._stage]
        self._stage += 1
        self._awaited = stage.reached
        return _say(stage.say or wish(stage.goal), f"stage {self._stage} of {len(stages)}")

    def _finish(self, heard: str) -> Thought | None:
        missing = self._missing()
        told_all = self._confirmed or bool(self._brief.stages)
        over = not missing and not self._awaited and (told_all or bool(self._spec.gets))
        if FAREWELL.search(heard) and not (over and self._manner.hang_up):
            return self._leave("All right. Goodbye.", "the other says goodbye")
        if over and not (self._asks(heard) and not ANYTHING_ELSE.search(heard)):
            if not self._manner.hang_up:
                return _say("All right.", "has what it wanted; the other may end the call")
            return self._leave("Thank you very much, that is all. Goodbye.", "has what it wanted")
        return None

    def _react(self, heard: str) -> Thought:
        missing = self._missing()
        if REFUSAL.search(heard):
            return self._press()
        if STILL_THERE.search(heard):
            return _say(
                " ".join(["Yes, I am here.", *(self._ask(name).say for name in missing[:1])]), "asked if it is there"
            )
        if ANYTHING_ELSE.search(heard) and missing:
            return self._ask(missing[0])
        if YES_NO.search(heard):
            return _say("Yes, please.", "asked yes or no")
        if OPEN_QUESTION.search(heard):
            return _say(UNKNOWN, "asked for what it does not know")
        if UNFINISHED.search(heard):
            return Thought(choice="wait", reason="the other's sentence is not finished")
        if missing and self._asked_for.get(missing[0], 0) < MOST_QUESTIONS:
            return self._ask(missing[0])
        if self._wishes >= MOST_WISHES or missing:
            return self._leave("I see. Thank you anyway. Goodbye.", "it leads nowhere")
        return self._wish("was not understood")

    def _cut_in(self, heard: str) -> Thought:
        """What is worth cutting in for: the answer to what was asked already, what is still missing, or haste."""
        told = self._fact(heard)
        if told is not None or not self._wishes or HOLD.search(_last_sentence(heard)) or FAREWELL.search(heard):
            return told or Thought(choice="wait", reason="nothing to cut in with")
        missing = self._missing()
        if missing and not self._asked_for.get(missing[0]) and not re.search(
            self._spec.gets[missing[0]], heard, re.IGNORECASE
        ):  # fmt: skip
            asked = self._ask(missing[0])
            return Thought(choice="say", say=f"Sorry, just one thing. {asked.say}", reason=asked.reason)
        if self._manner.patience == "low" and not self._asked_for.get("haste"):
            self._asked_for["haste"] = 1
            return _say("Sorry, can we make this quick?", "is in a hurry")
        return Thought(choice="wait", reason="nothing to cut in with")

    def _missing(self) -> list[str]:
        return [name for name in self._spec.gets if name not in self._got]

    def _asks(self, heard: str) -> bool:
        return heard.rstrip().endswith("?")

    def _ask(self, name: str) -> Thought:
        self._asked_for[name] = self._asked_for.get(name, 0) + 1
        return _say(f"What is the {bare(name)}, please?", f"wants to know {name}")

    def _wish(self, reason: str) -> Thought:
        self._wishes += 1
        if self._wishes == 1 and self._brief.opening:
            return _say(self._brief.opening, reason)
        said = wish(self._brief.goal)
        return _say(f"Hello. {said}" if self._wishes == 1 else f"As I said: {said}", reason)

    def _press(self) -> Thought:
        presses = PRESSES["adversarial" if self._manner.preset == "adversarial" else "others"]
        if self._presses >= len(presses):
            return self._leave("I see. Thank you anyway. Goodbye.", "was refused for good")
        self._presses += 1
        return _say(presses[self._presses - 1], "was refused")

    def _alone(self, situation: Situation) -> Thought:
        cut = situation.history and situation.history[-1].text not in (self._last, HELLO)
        if cut and not self._hellos:
            self._hellos += 1
            return _say(self._last, "was cut short")
        self._hellos += 1
        if self._hellos > 1:
            return self._leave("Nobody is there. I will call again. Goodbye.", "nobody answers")
        return _say(HELLO, "nobody says anything")

    def _again(self) -> Thought:
        self._agains += 1
        if self._agains > MOST_AGAINS:
            return self._leave("I am sorry, this does not work. Goodbye.", "is not understood")
        return _say(self._last, "asked to say it again")

    def _leave(self, words: str, reason: str) -> Thought:
        return Thought(choice="hang_up" if self._manner.hang_up else "say", say=words, reason=reason)


def _say(words: str, reason: str) -> Thought:
    return Thought(choice="say", say=words, reason=reason)


def _last_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s+", text.strip())[-1]
