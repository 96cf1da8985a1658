"""Tools: which calls the agent made and should have made, how soon, and what it said meanwhile."""

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from metrics.card import card, rate, seconds
from metrics.outcomes.seen import Seen, expected_of
from simulator.floor.contributions import Contribution
from simulator.reading.matchers import matches
from simulator.reading.outcomes import CalledOutcome
from simulator.score import Definition, Evidence, Score, share, spread
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.world.calls import SeenCall

_SOURCE = "this project; Full-Duplex-Bench v3 and tau-bench compare calls with expected ones"

_EXPECTED = """Expected calls are those of the scenario's `called` outcomes (`times` of them, else one a tool), with the
    arguments under `with`. Each takes the first call of its tool that is as it should be and not taken yet, or else
    the first one of its tool."""
_UNDEFINED = "Undefined when no call is expected. Pooled: calls over calls."
_OTHERS = """Others: FDB v3 asks a judge whether arguments mean the same, and counts names as a multiset (F1); tau-bench
    compares the data base, so that a call more that changes nothing costs nothing."""

RIGHT = rate("tools.right_rate", "Calls right", "higher", card(
    """The share of expected calls that were made, with arguments that fit the tool and are as expected.""",
    _EXPECTED, _UNDEFINED, _OTHERS), _SOURCE)  # fmt: skip
WRONG = rate("tools.wrong_rate", "Calls with wrong arguments", "lower", card(
    """The share of expected calls whose tool was called, and not with these arguments, or with ones that do not fit its
        schema.""", _EXPECTED, _UNDEFINED, _OTHERS), _SOURCE)  # fmt: skip
MISSING = rate("tools.missing_rate", "Calls missing", "lower", card(
    """The share of expected calls whose tool was not called, or not often enough.""", _EXPECTED, _UNDEFINED, _OTHERS),
    _SOURCE)  # fmt: skip
EXTRA = rate("tools.extra_rate", "Calls that nobody expected", "lower", card(
    """The share of the agent's calls that no expected call took: other tools, second calls, calls of tools that there
        are not.""", _EXPECTED, "Undefined when no call is expected, or none was made. Pooled: calls over calls.",
    _OTHERS), _SOURCE)  # fmt: skip
ARGUMENTS = rate("tools.argument_accuracy", "Arguments right", "higher", card(
    """The share of the arguments under `with` that the call had so; those of a call that was not made are wrong.""",
    _EXPECTED, "Undefined when no argument is expected. Pooled: arguments over arguments.", _OTHERS),
    _SOURCE)  # fmt: skip
FAULTS = rate("tools.fault_rate", "Calls answered by an error", "lower", card(
    """The share of the agent's calls that were answered by an error: no such tool, arguments that its schema does not
        allow, or refused by the tool itself.""", "Undefined when the agent called nothing. Pooled: calls over calls."),
    _SOURCE)  # fmt: skip

_TURN = """Turns of the user are those of `latency`. Of several calls after one turn the first counts. Undefined when
    the agent called nothing after a turn of the user. Pooled over the single times of all sessions."""

TO_CALL = seconds("tools.to_call_p50_s", "Time to the call, median", "lower", card(
    """From the last audible sample of the user's turn to the first call after it; negative where the agent called
        before the turn was over.""", _TURN), "this project")  # fmt: skip
TO_WORD = seconds("tools.to_word_p50_s", "Time to the first word of a turn with a call, median", "lower", card(
    """From the last audible sample of the user's turn to the first audible sample that the agent begins after it, in
        turns with a call: a filler word counts.""", _TURN,
    "Others: FDB v3 takes the time until the answer itself, which a language model finds in the words."),
    "this project")  # fmt: skip
FILLED = rate("tools.filled_wait_rate", "Waits that were filled", "higher", card(
    """The share of waits in which the agent said something: from the end of the user's turn until the last call after
        it was answered, where that took 1 s or more after the call.""",
    "Undefined when no call took so long. Pooled: waits over waits.",
    "Others: FDB v3 looks for sentences that are known as fillers, wherever they stand."), "this project")  # fmt: skip

CARDS = (RIGHT, WRONG, MISSING, EXTRA, ARGUMENTS, FAULTS, TO_CALL, TO_WORD, FILLED)


WAIT_S = 1.0
"""An answer that takes so long is a wait that a person would fill."""


class ToolsSpec(ScorerSpec, frozen=True, kw_only=True, tag="tools"):
    """Measure calls of tools."""

    cards: ClassVar[tuple[Definition, ...]] = CARDS

    def build(self) -> "ToolsScorer":
        """Make the scorer."""
        return ToolsScorer()


class ExpectedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that should have been made, with these arguments among others."""

    name: str
    arguments: dict[str, Any]


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """An expected call with the call that was made for it, if any was."""

    expected: ExpectedCall
    made: SeenCall | None

    @property
    def right(self) -> bool:
        """Whether it was made as it should be."""
        return self.made is not None and self.made.proper and matches(self.made.arguments, self.expected.arguments)

    @property
    def right_arguments(self) -> int:
        """How many of its arguments are as they should be."""
        given = self.made.arguments if self.made is not None and isinstance(self.made.arguments, dict) else {}
        return sum(name in given and matches(given[name], value) for name, value in self.expected.arguments.items())


class ToolsScorer:
    """Compares calls with expected ones, and measures their times."""

    def __init__(self) -> None:
        self.definitions = by_id(CARDS)

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        seen = Seen(session)
        made = [call for call in seen.calls if call.by == "agent"]
        return [*_compared(seen, made, expected_calls(session)), *_timed(seen, made)]


def expected_calls(session: Session) -> list[ExpectedCall]:
    """Give the calls that the session's scenario expects of the agent, each once however many outcomes name it.

    An outcome that names a tool alone expects nothing more where another one says with which arguments.
    """
    outcomes = [item.outcome for item in expected_of(session) if isinstance(item.outcome, CalledOutcome)]
    wanted: dict[str, dict[str, tuple[ExpectedCall, int]]] = {}
    for outcome in outcomes:
        for name in outcome.tools if outcome.by == "agent" else ():
            times = outcome.times.bound if outcome.times and outcome.times.op == "==" else 1
            call = ExpectedCall(name=name, arguments=outcome.arguments)
            calls = wanted.setdefault(name, {})
            key = msgspec.json.encode(outcome.arguments, order="sorted").decode()
            calls[key] = (call, max(times, calls[key][1] if key in calls else 0))
    found = [item for calls in wanted.values() for item in calls.values() if item[0].arguments or len(calls) == 1]
    return [call for call, times in found for _ in range(times)]


def paired(expected: Sequence[ExpectedCall], made: Sequence[SeenCall]) -> tuple[list[Paired], list[SeenCall]]:
    """Give each expected call the one that was made for it, and the calls that nobody expected."""
    left = list(made)
    taken: dict[int, SeenCall] = {}
    for exact in (True, False):  # what is right first, so that a wrong call does not take its place
        for place, item in enumerate(expected):
            call = next((call for call in left if call.name == item.name
                         and (not exact or Paired(expected=item, made=call).right)), None)  # fmt: skip
            if place not in taken and call is not None:
                taken[place] = call
                left.remove(call)
    return [Paired(expected=item, made=taken.get(place)) for place, item in enumerate(expected)], left


def _compared(seen: Seen, made: Sequence[SeenCall], expected: Sequence[ExpectedCall]) -> list[Score]:
    pairs, extra = paired(expected, made) if expected else ([], [])
    right = [pair for pair in pairs if pair.right]
    wrong = [pair for pair in pairs if pair.made is not None and not pair.right]
    missing = [seen.whole(f"{pair.expected.name} was not called") for pair in pairs if pair.made is None]
    arguments = sum(len(item.arguments) for item in expected)
    faults = [call for call in made if call.fault]
    none = "the scenario expects no call"
    return [
        share(RIGHT, len(right), len(pairs), _shown(seen, [pair.made for pair in right]), reason=none),
        share(WRONG, len(wrong), len(pairs), _shown(seen, [pair.made for pair in wrong]), reason=none),
        share(MISSING, len(missing), len(pairs), missing, reason=none),
        share(EXTRA, len(extra), len(made) if expected else 0, _shown(seen, extra),
              reason="the agent called nothing" if expected else none),
        share(ARGUMENTS, sum(pair.right_arguments for pair in pairs), arguments, reason="no argument is expected"),
        share(FAULTS, len(faults), len(made), _shown(seen, faults), reason="the agent called nothing"),
    ]  # fmt: skip


def _shown(seen: Seen, calls: Sequence[SeenCall | None]) -> list[Evidence]:
    return [seen.at(call, call.told(seen.rate)) for call in calls if call is not None]


def _timed(seen: Seen, made: Sequence[SeenCall]) -> list[Score]:
    asked = [(turn, until, calls) for turn, until, calls in _by_turn(seen, made) if calls]
    to_call = [_between(seen, turn.end, calls[0].at, "call") for turn, _, calls in asked]
    words = [(turn, seen.floor.agent.claims_from(turn.end, until)) for turn, until, _ in asked]
    to_word = [_between(seen, turn.end, claims[0].start, "first word") for turn, claims in words if claims]
    waits = [(turn, calls) for turn, _, calls in asked if _slow(seen, calls)]
    filled = [found for turn, calls in waits if (found := _filler(seen, turn, calls)) is not None]
    none = "the agent called nothing after a turn of the user"
    return [
        spread(TO_CALL, _values(to_call), to_call, reason=none),
        spread(TO_WORD, _values(to_word), to_word, reason=none if not asked else "the agent said nothing after a call"),
        share(FILLED, len(filled), len(waits), filled, reason=f"no call took {WAIT_S:g} s"),
    ]


def _values(found: Sequence[Evidence]) -> list[float]:
    return [item.value for item in found if item.value is not None]


def _by_turn(seen: Seen, made: Sequence[SeenCall]) -> list[tuple[Contribution, int, list[SeenCall]]]:
    """Each turn of the user, where what follows it ends, and the calls that follow it, or were made during it."""
    turns = seen.floor.user.turns
    untils = [*(turn.start for turn in turns[1:]), seen.session.duration]
    return [(turn, until, [call for call in made if turn.start <= call.at < until])
            for turn, until in zip(turns, untils, strict=False)]  # fmt: skip


def _slow(seen: Seen, calls: Sequence[SeenCall]) -> bool:
    return any(call.answered is not None and call.answered - call.at >= WAIT_S * seen.rate for call in calls)


def _filler(seen: Seen, turn: Contribution, calls: Sequence[SeenCall]) -> Evidence | None:
    """What the agent said while it waited, if it did."""
    until = max(call.answered or call.at for call in calls)
    said = seen.floor.agent.claims_from(turn.end, until)
    if not said:
        return None
    label = f"said {said[0].text!r} while waiting" if said[0].text else "spoke while waiting"
    return Evidence(start=said[0].start, end=min(said[0].end, seen.session.duration), party="agent", label=label)


def _between(seen: Seen, start: int, end: int, label: str) -> Evidence:
    first, last = sorted((start, end))
    limit = seen.session.duration
    return Evidence(start=min(first, limit), end=min(last, limit), party="agent", label=label,
                    value=seen.seconds(end - start))  # fmt: skip
