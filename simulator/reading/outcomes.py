"""Outcomes: expectations on words, calls and state, as a scenario writes them: mappings named by a key.

    {called: look_up, with: {order: "12345"}, times: 1, before: 30s}    {not_called: refund}
    {called: [look_up, refund], only: true}                             {state: "orders.12345.status", is: refunded}
    {says: agent, match: "table for (two|2)", after: "turn 2", within: 5s}
    {never_says: agent, match: "\\b4929"}                               {ends: agent, before: 90s}
    {turns: {agent: ">= 3"}}                                            {recovers: interruption, answers: "menu"}

Each is met, unmet or undefined in a session; over trials it is the share of sessions that meet it, held against
`at_least` (1, if nothing is said). What each means is told in docs/outcomes.md; metrics/outcomes/ finds it.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from simulator.events import Party
from simulator.reading.bounds import Count, StartMoment
from simulator.reading.matchers import check_matcher, refuse_pattern, shown_matcher
from simulator.spec import Convert, Duration
from simulator.texts import quoted

Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Confidence = Annotated[float, msgspec.Meta(ge=0.5, lt=1)]
Source = Literal["told", "heard", "both"]


class ExpectedOutcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every outcome has. name: what it is called in tables. at_least: the share of sessions that must meet it.

    confidence: with which; inform: it is reported and never decides an exit code.
    """

    first: ClassVar[str] = ""
    name: str = ""
    at_least: Share = 1.0
    confidence: Confidence | None = None
    inform: bool = False

    @property
    def text(self) -> str:
        """What is expected, in words."""
        raise NotImplementedError


class TimedOutcome(ExpectedOutcome, frozen=True, kw_only=True):
    """An outcome in a stretch of the session.

    after: from a turn, a call or a time on. before: until then, in session time. within: so long from `after`.
    """

    after: StartMoment | None = None
    before: Duration | None = None
    within: Duration | None = None

    @property
    def when(self) -> str:
        """The stretch in words."""
        bounds = {"after": self.after, "within": self.within, "before": self.before}
        return "".join(f", {word} {bound}" for word, bound in bounds.items() if bound)


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


class CalledOutcome(TimedOutcome, frozen=True, kw_only=True):
    """A tool was called; with: arguments that it had among others; times: how often; only: and no other was.

    called: the tool. by: who called.
    """

    first = "called"
    called: str | list[str]
    arguments: dict[str, Any] = msgspec.field(default_factory=dict, name="with")
    times: Count | None = None
    only: bool = False
    by: Party = "agent"

    def __post_init__(self) -> None:
        if not self.tools:
            raise ValueError("called names no tool")
        if len(self.tools) > 1 and (self.arguments or self.times):
            raise ValueError("`with` and `times` belong to one tool; write an expectation for each")
        for value in self.arguments.values():
            check_matcher(value)

    @property
    def tools(self) -> list[str]:
        """Which must have been called."""
        return _listed(self.called)

    @property
    def text(self) -> str:
        """What is expected, in words."""
        given = f" with {', '.join(f'{name}={shown_matcher(value)}' for name, value in self.arguments.items())}"
        times = "" if self.times is None else ", once" if str(self.times) == "1" else f", {self.times} times"
        who = "the user called " if self.by == "user" else "called "
        return (f"{who}{'only ' if self.only else ''}{', '.join(self.tools)}{given if self.arguments else ''}"
                f"{times}{self.when}")  # fmt: skip


class NotCalledOutcome(TimedOutcome, frozen=True, kw_only=True):
    """A tool was not even tried to be called. not_called: the tool. by: who."""

    first = "not_called"
    not_called: str | list[str]
    by: Party = "agent"

    @property
    def tools(self) -> list[str]:
        """Which must not have been called."""
        return _listed(self.not_called)

    @property
    def text(self) -> str:
        """What is expected, in words."""
        return f"{'the user ' if self.by == 'user' else ''}not called {', '.join(self.tools)}{self.when}"


class StateOutcome(ExpectedOutcome, frozen=True, kw_only=True):
    """What lies at a path of the world's state at the end. unchanged: the same as at the beginning.

    state: the path. is: the value.
    """

    first = "state"
    state: str
    value: Any | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="is")
    unchanged: bool = False

    def __post_init__(self) -> None:
        if (self.value is msgspec.UNSET) == (not self.unchanged):
            raise ValueError("a state is held against `is: VALUE`, or `unchanged: true`")
        if not all(self.state.split(".")) or "{" in self.state:
            raise ValueError(f"state {self.state!r} is no path; write it like orders.12345.status")
        check_matcher(self.value)

    @property
    def text(self) -> str:
        """What is expected, in words."""
        return f"{self.state} is {'unchanged' if self.unchanged else shown_matcher(self.value)}"


class WordsOutcome(TimedOutcome, frozen=True, kw_only=True):
    """An outcome on what a party says. match: a pattern, any case. source: told, recognised, or either."""

    match: str
    source: Source | None = None

    def __post_init__(self) -> None:
        refuse_pattern(self.match, "match")
        if re.search(self.match, ""):
            raise ValueError(f"match {self.match!r} is found in an empty text; it would be found anywhere")

    @property
    def _sought(self) -> str:
        return f"/{self.match}/{self.when}{f' ({self.source})' if self.source else ''}"


class SaysOutcome(WordsOutcome, frozen=True, kw_only=True):
    """A party said something: by what was told of its speech, by what was recognised in it, or by either. says: who."""

    first = "says"
    says: Party

    @property
    def text(self) -> str:
        """What is expected, in words."""
        return f"the {self.says} says {self._sought}"


class NeverSaysOutcome(WordsOutcome, frozen=True, kw_only=True):
    """A party said nothing of the kind, neither by what was told nor by what was recognised. never_says: who."""

    first = "never_says"
    never_says: Party

    @property
    def text(self) -> str:
        """What is expected, in words."""
        return f"the {self.never_says} never says {self._sought}"


class EndsOutcome(ExpectedOutcome, frozen=True, kw_only=True):
    """A party hung up. ends: who. before: until then."""

    first = "ends"
    ends: Party
    before: Duration | None = None

    @property
    def text(self) -> str:
        """What is expected, in words."""
        return f"the {self.ends} hangs up{f' before {self.before}' if self.before else ''}"


class TurnsOutcome(ExpectedOutcome, frozen=True, kw_only=True):
    """How many turns parties took. turns: a count for each party."""

    first = "turns"
    turns: dict[Party, Count]

    def __post_init__(self) -> None:
        if not self.turns:
            raise ValueError('turns names no party; write it like {agent: ">= 3"}')

    @property
    def text(self) -> str:
        """What is expected, in words."""
        return "turns: " + ", ".join(f"{party} {count}" for party, count in self.turns.items())


class RecoversOutcome(ExpectedOutcome, frozen=True, kw_only=True):
    """After the n-th time that the user barged in, the agent stopped, and what it said next is about the new wish.

    answers: what it says within so long of the user's end; drops: what it must not say then. recovers: from what.
    within: the time for it. number: n. source: told, recognised, or either.
    """

    first = "recovers"
    recovers: Literal["interruption"]
    answers: str
    drops: str = ""
    within: Duration = Duration(6.0)
    number: Annotated[int, msgspec.Meta(ge=1)] = 1
    source: Source | None = None

    def __post_init__(self) -> None:
        refuse_pattern(self.answers, "answers")
        refuse_pattern(self.drops, "drops")

    @property
    def text(self) -> str:
        """What is expected, in words."""
        drops = f" and not /{self.drops}/" if self.drops else ""
        return f"interruption {self.number}: the agent says /{self.answers}/{drops} within {self.within}"


class WorldOutcome(ExpectedOutcome, frozen=True, kw_only=True):
    """The world's own verdict on what was done in it, as a benchmark has one. world: the verdict."""

    first = "world"
    world: Literal["succeeded"]

    @property
    def text(self) -> str:
        """What is expected, in words."""
        return "the world's own verdict is success"


class JudgeOutcome(ExpectedOutcome, frozen=True, kw_only=True):
    """What a language model is asked to find true of a session. votes: how often; its own number unless given.

    at_least: below 1, also the share of the votes in a session that must find it true; else more than half. judge: the
    question.
    """

    first = "judge"
    judge: str
    votes: Annotated[int, msgspec.Meta(ge=1, le=99)] | None = None

    @property
    def text(self) -> str:
        """What is expected, in words."""
        return f"judge: {self.judge}"


OUTCOMES: Mapping[str, type[ExpectedOutcome]] = {
    kind.first: kind
    for kind in (CalledOutcome, NotCalledOutcome, StateOutcome, SaysOutcome, NeverSaysOutcome, EndsOutcome,
                 TurnsOutcome, RecoversOutcome, WorldOutcome, JudgeOutcome)
}  # fmt: skip
_ALIASES = {"args": "with"}


def read_outcome(value: Mapping[str, Any], convert: Convert) -> ExpectedOutcome:
    """Read a mapping by the key that names what it expects. ValueError: none does, or more than one."""
    named = [word for word in OUTCOMES if word in value]
    if len(named) != 1:
        found = f"has {' and '.join(named)}" if named else f"{quoted(dict(value))} has none"
        raise ValueError(f"{found}; an expectation has one of metric, {', '.join(OUTCOMES)}")
    given = {_ALIASES.get(name, name): item for name, item in value.items()}
    if isinstance(given.get("within_ms"), int | float):
        given["within"] = f"{given.pop('within_ms'):g}ms"
    outcome: ExpectedOutcome = convert(given, OUTCOMES[named[0]])
    return outcome
