"""Replies by rule: the first pattern found in what was understood gives the answer."""

import re
from collections.abc import AsyncGenerator, Sequence

import msgspec

from simulator.speaking.dialogue import HeardTurn, Message, Reply, ResponderContext, ResponderSpec


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`{match: "three|3", say: "Of course."}`: `match` is a regular expression, any case; without it it always fits.

    Several texts in `say` are taken in turn, the last one from then on.
    """

    say: str | list[str]
    match: str = ""

    def __post_init__(self) -> None:
        try:
            re.compile(self.match)
        except re.error as error:
            raise ValueError(f"match {self.match!r} is no regular expression: {error}") from error
        if not self.say:
            raise ValueError("a reply has nothing to say")


class RulesSpec(ResponderSpec, frozen=True, kw_only=True, tag="rules"):
    """Answer by rules: `{kind: rules, rules: [{match: yes, say: Good.}, {say: Sorry?}]}`; needs recognised text."""

    rules: list[Rule]

    def build(self) -> "Rules":
        """Make the responder."""
        return Rules(self.rules)


class Rules:
    """Tries its rules in order."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(re.compile(rule.match, re.IGNORECASE), rule) for rule in rules]
        self._used: dict[int, int] = {}
        self._text = ""

    async def start(self, context: ResponderContext) -> None:
        """Nothing to get ready."""

    async def respond(self, turn: HeardTurn, history: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """Give the answer of the first rule that fits; silence when none does."""
        self._text = turn.text or ""
        for index, (pattern, rule) in enumerate(self._rules):
            if pattern.search(self._text):
                yield Reply(text=self._next(index, rule))
                return

    def understood(self) -> str:
        """The text of the last turn."""
        return self._text

    async def close(self) -> None:
        """Nothing to let go of."""

    def _next(self, index: int, rule: Rule) -> str:
        if isinstance(rule.say, str):
            return rule.say
        used = self._used.get(index, 0)
        self._used[index] = used + 1
        return rule.say[min(used, len(rule.say) - 1)]
