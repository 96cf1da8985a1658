"""Replies by rule: the first pattern found in what was understood gives the answer."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import msgspec

from simulator.errors import ActorError
from simulator.reading.matchers import refuse_pattern
from simulator.speaking.dialogue import HeardTurn, Message, Reply, ResponderContext, ResponderSpec, tell_no_reply
from simulator.speaking.numbers import text_in_digits
from simulator.texts import written
from simulator.traits import PartyTraits
from simulator.world.template import UnfilledError, filled, places_of, texts_in

_DIGIT = re.compile(r"\\d|[0-9]")
"""In a pattern that asks for digits: it is tried first on what was understood with its numbers in digits."""

FAILED = "I am sorry, that did not work."


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`{match: "three|3", say: "Of course."}`: `match` is a regular expression, any case; without it it always fits.

    Several texts in `say` are taken in turn, the last one from then on. call: the tool that is called first, `with`
    these arguments; a named group of the pattern stands in them as `{order}`, and so it does in `say`, beside what the
    tool answered: `{answer.status}`. wait: what is said until the answer is there. failed: what is said when the tool
    answers with an error. say: the answer, or several. match: a regular expression, any case. with: arguments of the
    call.
    """

    say: str | list[str]
    match: str = ""
    call: str = ""
    arguments: dict[str, Any] = msgspec.field(default_factory=dict, name="with")
    wait: str = ""
    failed: str = FAILED

    def __post_init__(self) -> None:
        refuse_pattern(self.match, "match")
        if not self.say:
            raise ValueError("a reply has nothing to say")
        if not self.call and (self.arguments or self.wait or self.failed != FAILED):
            raise ValueError("`with`, `wait` and `failed` belong to a `call`")
        if self.call:
            self._check_places(set(re.compile(self.match).groupindex))

    def _check_places(self, groups: set[str]) -> None:
        """Refuse a place that neither the pattern nor the answer fills."""
        said = [(text, {*groups, "answer"}) for text in (*self.texts, self.failed)]
        for text, known in [*((text, groups) for text in (*texts_in(self.arguments), self.wait)), *said]:
            unknown = [place.text for place in places_of(text) if place.root not in known]
            if unknown:
                raise ValueError(f"{text!r}: {{{unknown[0]}}} is no group of match {self.match!r}")

    @property
    def texts(self) -> list[str]:
        """What is said, in turn."""
        return [self.say] if isinstance(self.say, str) else self.say


class RulesSpec(ResponderSpec, frozen=True, kw_only=True, tag="rules"):
    """Answer by rules: `{kind: rules, rules: [{match: yes, say: Good.}, {say: Sorry?}]}`; needs recognised text.

    rules: tried in order, the first that fits answers.
    """

    rules: list[Rule]

    def traits(self) -> PartyTraits:
        """It calls tools where a rule does."""
        return PartyTraits(calls_tools=any(rule.call for rule in self.rules))

    def called(self) -> list[str]:
        """The tools that its rules call."""
        return [rule.call for rule in self.rules if rule.call]

    def build(self) -> "Rules":
        """Make the responder."""
        return Rules(self.rules)


class Rules:
    """Tries its rules in order."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._used: dict[int, int] = {}
        self._text = ""

    async def start(self, context: ResponderContext) -> None:
        """Keep the way to the tools and to the session's events."""
        self._port = context.port
        self._emit = context.emit

    async def respond(self, turn: HeardTurn, history: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """Give the answer of the first rule that fits; silence when none does, and that is told."""
        self._text = turn.text or ""
        for index, rule in enumerate(self._rules):
            groups = groups_in(rule, self._text)
            if groups is None:
                continue
            if not rule.call:
                yield Reply(text=self._next(index, rule))
                return
            if rule.wait:
                yield Reply(text=filled_in(rule.wait, groups))
            answer = await self._port.call(rule.call, filled(rule.arguments, {}, groups), turn.at)
            said = rule.failed if answer.result.fault else self._next(index, rule)
            yield Reply(text=filled_in(said, {**groups, "answer": answer.result.answer}), not_before=answer.at)
            return
        tell_no_reply(self._emit, turn, "no rule fits")

    def understood(self) -> str:
        """The text of the last turn."""
        return self._text

    async def close(self) -> None:
        """Nothing to let go of."""

    def _next(self, index: int, rule: Rule) -> str:
        used = self._used.get(index, 0)
        self._used[index] = used + 1
        return rule.texts[min(used, len(rule.texts) - 1)]


def groups_in(rule: Rule, text: str) -> dict[str, str] | None:
    """Give the named groups of a rule's pattern in what was understood; None where it does not fit."""
    pattern = re.compile(rule.match, re.IGNORECASE)
    found = (pattern.search(text_in_digits(text)) if _DIGIT.search(rule.match) else None) or pattern.search(text)
    if found is None:
        return None
    return {name: _whole_number(given) for name, given in found.groupdict().items() if given is not None}


def _whole_number(text: str) -> str:
    """A number as it is written by those who spell it: `1, 2, 3 4-5` is 12345."""
    digits = re.sub(r"[\s,.-]", "", text)
    return digits if digits.isdigit() else text


def filled_in(text: str, places: Mapping[str, Any]) -> str:
    """Give what is said. ActorError: the pattern left a group out, or the answer has no such thing."""
    try:
        return written(filled(text, {}, places))
    except UnfilledError as error:
        raise ActorError(f"the rule says {text!r}, but {error}") from error
