"""Full-Duplex-Bench v3: were the right tools called with the right arguments, and did the agent wait for its turn?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from metrics.compat.as_scorer import AsScorer
from metrics.compat.measured import Measured
from simulator.score import Definition
from simulator.scoring.inputs import InputKind
from simulator.session import Session
from simulator.speech import SpokenWord
from simulator.world.arguments import with_defaults
from simulator.world.calls import calls_of
from simulator.world.fdb_v3 import TOOLS

FIRST_GAP_S = 2.0
"""The user's turn ends before the first silence between words that is longer."""
_OPEN = {tool.name: tool.parameters for tool in TOOLS}

CARD = """\
Sessions of `dataset: {kind: fdb_v3}`, whose sample says which calls are expected.
turn_take: sessions in which a word of the agent is known, of all. Of those: tool_f1, the mean F1 of the
names of its calls against the expected ones, as multisets (recall is 1 where none is expected, precision 1
where none was made); argument_accuracy, the mean share of expected calls whose arguments are right, each
held against the first call of its name that no other was held against, 0 where there is none.
Arguments: every expected key is there and equal, texts in lower case, without blanks at the ends, `_` as a
blank; what begins with $ stands for anything; further keys do not matter. Keys left out have their defaults.
pass_at_1: over all sessions, the names are the same multiset and every argument is right.
interruption: the agent's first word begins before the user's turn ends, of sessions where both are known;
the turn ends with the word before the first gap over 2 s, else with the last (a long hesitation ends it
early). latency_s: from there to the agent's first word, over the others.
compat: F1 and shares are rounded to three decimals for every session, and so are the means. strict: not.
Calls of tools that there are not, and with arguments outside the schema, never reached the tools, so they
are no calls. Left out: the LLM judges of arguments and of responses (their texts are not shipped), and what
the code obtained does not define: task-completion latency and filler rate.
Undefined: no expected calls are known.
Source: Full-Duplex-Bench v3, arXiv 2604.04847, by its evaluation scripts."""

_CALLS = ("tool_f1", "argument_accuracy")


class V3Spec(AsScorer, frozen=True, kw_only=True, tag="fdb:v3"):
    """Tool calls under disfluent speech, turn-taking and interruption."""

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="turn_take", unit="share", title="the agent answers", statistic="ratio", better="higher",
                   decimals=3),
        Definition(id="tool_f1", unit="share", title="F1 of the tools called", better="higher", decimals=3),
        Definition(id="argument_accuracy", unit="share", title="expected calls with right arguments", better="higher",
                   decimals=3),
        Definition(id="pass_at_1", unit="share", title="all calls right and no other", statistic="ratio",
                   better="higher", decimals=3),
        Definition(id="interruption", unit="share", title="the agent begins before the user's turn ends",
                   statistic="ratio", better="lower", decimals=3),
        Definition(id="latency_s", unit="s", title="time from the user's turn to the first word", better="lower",
                   decimals=3),
    )  # fmt: skip
    accepts: ClassVar[tuple[InputKind, ...]] = ("session",)
    extras: ClassVar[tuple[str, ...]] = ("expected", "made")

    def measure_session(self, session: Session, given: object) -> Measured:
        """Hold a session's calls against the expected ones, and its words against each other."""
        measured = Measured(sample_rate=session.sample_rate)
        taken = bool(session.speech.agent.words)
        measured.parts["turn_take"] = {"count": int(taken), "of": 1}
        expected = session.meta.sample.get("expected_tool_calls")
        if isinstance(expected, list):
            self._calls(measured, session, [call for call in expected if isinstance(call, dict)], taken=taken)
        else:
            measured.undefined([*_CALLS, "pass_at_1"], "the session plays no sample of Full-Duplex-Bench v3")
        self._timing(measured, session)
        return measured

    def _calls(self, measured: Measured, session: Session, expected: Sequence[Any], *, taken: bool) -> None:
        calls = [call for call in calls_of(session) if call.by == "agent" and call.proper]
        made = [(call.name, _arguments(call.name, call.arguments)) for call in calls]
        wanted = [(str(call.get("function")), call.get("args") or {}) for call in expected]
        right = right_arguments(wanted, made)
        exact = Counter(name for name, _ in wanted) == Counter(name for name, _ in made)
        measured.parts["pass_at_1"] = {"count": int(exact and all(right)), "of": 1}
        measured.shown = {"expected": expected, "made": [{"function": name, "args": args} for name, args in made]}
        for call in calls:
            end = session.seconds(call.answered or call.at)
            measured.place("pass_at_1", session.seconds(call.at), end, call.told(session.sample_rate))
        if not taken:
            measured.undefined(_CALLS, "the agent said nothing")
            return
        accuracy = sum(right) / len(right) if right else 1.0
        digits = 3 if self.mode == "compat" else 15
        measured.add("tool_f1", round(f1([name for name, _ in wanted], [name for name, _ in made]), digits))
        measured.add("argument_accuracy", round(accuracy, digits))

    def _timing(self, measured: Measured, session: Session) -> None:
        words, agent = session.speech.user.words, session.speech.agent.words
        if not words or not agent:
            who = "user" if agent else "agent"
            measured.undefined(["interruption", "latency_s"], f"no word of the {who} is known")
            return
        end_s, start_s = turn_end_s(words, session.sample_rate), session.seconds(agent[0].start)
        early = start_s < end_s
        measured.parts["interruption"] = {"count": int(early), "of": 1}
        measured.place("interruption", min(start_s, end_s), max(start_s, end_s), "begins early" if early else "waits")
        if early:
            measured.undefined(["latency_s"], "the agent begins before the user's turn ends")
        else:
            measured.add("latency_s", start_s - end_s)
            measured.place("latency_s", end_s, start_s, "waits", value=start_s - end_s)


def f1(expected: Sequence[str], made: Sequence[str]) -> float:
    """Give the F1 of names as multisets."""
    matched = (Counter(expected) & Counter(made)).total()
    recall = matched / len(expected) if expected else 1.0
    precision = matched / len(made) if made else 1.0
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


Call = tuple[str, Mapping[str, Any]]


def right_arguments(expected: Sequence[Call], made: Sequence[Call]) -> list[bool]:
    """Say of every expected call whether the first unused call of its name has its arguments."""
    left = list(made)
    right: list[bool] = []
    for name, wanted in expected:
        place = next((index for index, (called, _) in enumerate(left) if called == name), None)
        right.append(place is not None and same_arguments(wanted, left.pop(place)[1]))
    return right


def same_arguments(expected: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
    """Say whether every expected argument is there; what begins with $ stands for anything."""
    return all(
        name in made and (_is_open(value) or _plain(value) == _plain(made[name])) for name, value in expected.items()
    )


def _is_open(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$")


def _plain(value: Any) -> Any:
    return value.lower().strip().replace("_", " ") if isinstance(value, str) else value


def _arguments(name: str, arguments: Any) -> dict[str, Any]:
    return with_defaults(arguments if isinstance(arguments, dict) else {}, _OPEN.get(name, {}))


def turn_end_s(words: Sequence[SpokenWord], rate: int) -> float:
    """Give where the user's first turn ends, in seconds."""
    for word, following in pairwise(words):
        if (following.start - word.end) / rate > FIRST_GAP_S:
            return word.end / rate
    return words[-1].end / rate
