"""Answers: what a caller of patterns has ready, as a cascade's `replies`: words, or a call and what came of it.

pattern fits    say the words; or call the tool
calls           where its answer takes a while: say `wait`, if anything, until it is there
answered        say what came of it, `failed` where it came to nothing
"""

from collections.abc import Mapping, Sequence

from agents.caller.mind import Choice, Thought
from agents.responders.rules import Rule, filled_in, groups_in
from simulator.world.port import ToolPort
from simulator.world.template import filled


class Answers:
    """Tries its rules in order. port: what they call; told: what is said once the tool has answered that was called."""

    def __init__(self, rules: Sequence[Rule], port: ToolPort) -> None:
        self.told: Thought | None = None
        self._rules = rules
        self._port = port
        self._used: dict[int, int] = {}

    async def to(self, heard: str, at: int) -> Thought | None:
        """Give what the first rule that fits says or does; None where none does. at: on the stream it says."""
        for index, rule in enumerate(self._rules):
            groups = groups_in(rule, heard)
            if groups is not None:
                return await self._call(index, groups, at) if rule.call else self._say(index)
        return None

    def _say(self, index: int) -> Thought:
        texts, used = self._rules[index].texts, self._used.get(index, 0)
        self._used[index] = used + 1
        return Thought(choice="say", say=texts[min(used, len(texts) - 1)], reason=f"answers[{index}]")

    async def _call(self, index: int, groups: Mapping[str, str], at: int) -> Thought:
        rule = self._rules[index]
        answer = await self._port.call(rule.call, filled(rule.arguments, {}, groups), at)
        said = rule.failed if answer.result.fault else self._say(index).say
        words = filled_in(said, {**groups, "answer": answer.result.answer})
        self.told = Thought(choice="say", say=words, reason=f"answers[{index}]: {rule.call}")
        if answer.at <= self._port.moment(at):
            return self.told
        choice: Choice = "say" if rule.wait else "wait"
        return Thought(choice=choice, say=filled_in(rule.wait, groups), reason=f"calls {rule.call}", until=answer.at)
