"""Full-Duplex-Bench v3: were the right tools called with the right arguments, and did the agent wait for its turn?"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from metrics.compat.as_scorer import AsScorer
from metrics.compat.fdb.live import LiveJudging
from metrics.compat.fdb.v3_judge import V3Judge, open_v3_judge
from metrics.compat.measured import Measured
from metrics.texts import text_of
from simulator.judging.spec import AnyJudge, JudgeSpec
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
Arguments: a judge is asked about those of each call (judge=MODEL@URL or the scenario's, judge_replies=FILE),
temperature 0, 200 tokens; the original asks gpt-4o. Without a verdict, and without a judge, every expected
key is there and equal, texts in lower case, without blanks at the ends, `_` as a blank; what begins with $
stands for anything; further keys do not matter. Keys left out have their defaults.
response_quality: the judge holds the agent's words against the last answer of the scenario's dialogue; the
share of yes. The questions are put in the words of checkout=FOLDER (its v3/evaluate_tool_calls), else in
ours; the sample's notes say in which.
pass_at_1: over all sessions, the names are the same multiset and every argument is right.
interruption: the agent's first word begins before the user's turn ends, of sessions where both are known;
the turn ends with the word before the first gap over 2 s, else with the last (a long hesitation ends it
early). latency_s: from there to the agent's first word, over the others.
compat: F1 and shares are rounded to three decimals for every session, and so are the means; a response
without a verdict is no yes. strict: not rounded; without a verdict a value is undefined.
Calls of tools that there are not, and with arguments outside the schema, never reached the tools, so they
are no calls. Left out is what the code obtained does not define: task-completion latency and filler rate.
Undefined: no expected calls are known; response_quality: there is no judge.
Source: Full-Duplex-Bench v3, arXiv 2604.04847, by its evaluation scripts."""

_CALLS = ("tool_f1", "argument_accuracy")


class V3Spec(AsScorer, frozen=True, kw_only=True, tag="fdb:v3"):
    """Tool calls under disfluent speech, turn-taking and interruption.

    judge: who is asked about arguments and responses (default: the scenario's). judge_replies: a file with its replies,
    those about the arguments of a session in order, then the one about its response. checkout: a copy of
    Full-Duplex-Bench, in whose words it is asked.
    """

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="turn_take", unit="share", title="the agent answers", statistic="ratio", better="higher",
                   decimals=3),
        Definition(id="tool_f1", unit="share", title="F1 of the tools called", better="higher", decimals=3),
        Definition(id="argument_accuracy", unit="share", title="expected calls with right arguments", better="higher",
                   decimals=3),
        Definition(id="pass_at_1", unit="share", title="all calls right and no other", statistic="ratio",
                   better="higher", decimals=3),
        Definition(id="response_quality", unit="share", title="the judge finds done what was asked for",
                   statistic="ratio", better="higher", decimals=3),
        Definition(id="interruption", unit="share", title="the agent begins before the user's turn ends",
                   statistic="ratio", better="lower", decimals=3),
        Definition(id="latency_s", unit="s", title="time from the user's turn to the first word", better="lower",
                   decimals=3),
    )  # fmt: skip
    accepts: ClassVar[tuple[InputKind, ...]] = ("session",)
    extras: ClassVar[tuple[str, ...]] = ("expected", "made")

    judge: AnyJudge | None = None
    judge_replies: Path | None = None
    checkout: Path | None = None

    def with_judge(self, judge: JudgeSpec | None) -> "V3Spec":
        """Give the same with the scenario's judge, where it has none of its own."""
        return self if self.judge is not None else msgspec.structs.replace(self, judge=judge)

    def build(self) -> LiveJudging:  # type: ignore[override]
        """Make what scores sessions."""
        return LiveJudging(self)

    def prepare(self) -> V3Judge | None:
        """Open the judge; None where nobody named one. ScenarioError: it cannot be asked."""
        return open_v3_judge(self.judge_replies, self.judge, self.checkout, strict=self.mode == "strict")

    def measure_session(self, session: Session, given: V3Judge | None) -> Measured:
        """Hold a session's calls against the expected ones, and its words against each other."""
        measured = Measured(sample_rate=session.sample_rate)
        if given is not None:
            given.begin(session)
            measured.notes.append(f"judged in {given.wording.whose}")
        taken = bool(session.speech.agent.words)
        measured.parts["turn_take"] = {"count": int(taken), "of": 1}
        expected = session.meta.sample.get("expected_tool_calls")
        if isinstance(expected, list):
            calls = [call for call in expected if isinstance(call, dict)]
            self._calls(measured, session, calls, given, taken=taken)
            if given is not None and given.problems:
                # The script compares exactly on any error, in silence.
                what = f"the arguments of {len(given.problems)} calls were"
                self._unjudged(measured, ("argument_accuracy", "pass_at_1"), what, given.problems[0])
        else:
            measured.undefined([*_CALLS, "pass_at_1"], "the session plays no sample of Full-Duplex-Bench v3")
        self._response(measured, session, given)
        measured.replies = [] if given is None else given.replies
        self._timing(measured, session)
        return measured

    def _calls(
        self, measured: Measured, session: Session, expected: Sequence[Any], judge: V3Judge | None, *, taken: bool
    ) -> None:
        calls = [call for call in calls_of(session) if call.by == "agent" and call.proper]
        made = [(call.name, _arguments(call.name, call.arguments)) for call in calls]
        wanted = [(str(call.get("function")), call.get("args") or {}) for call in expected]
        right = right_arguments(wanted, made, same_arguments if judge is None else _judged_by(judge))
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

    def _unjudged(self, measured: Measured, metrics: Sequence[str], what: str, problem: str) -> None:
        """Say what has no verdict; strict then has no value."""
        measured.notes.append(f"{what} not judged: {problem}")
        for metric in metrics if self.mode == "strict" else ():
            measured.parts.pop(metric, None)
            measured.undefined([metric], problem)

    def _response(self, measured: Measured, session: Session, judge: V3Judge | None) -> None:
        expected, said = session.meta.sample.get("expected_response"), text_of(session.speech.agent.words)
        if judge is None or not said or not isinstance(expected, str):
            why = "no judge is named (judge=MODEL@URL or judge_replies=FILE)" if judge is None else (
                "the session's sample has no expected_response" if said else "the agent said nothing")  # fmt: skip
            measured.undefined(["response_quality"], why)
            return
        verdict = judge.response(expected, said)
        measured.parts["response_quality"] = {"count": int(verdict or False), "of": 1}
        if verdict is None:
            self._unjudged(measured, ("response_quality",), "the response was", judge.problems[-1])

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
Same = Callable[[str, Mapping[str, Any], Mapping[str, Any]], bool]
"""same(function, expected, made): whether arguments are what was meant."""


def right_arguments(expected: Sequence[Call], made: Sequence[Call], same: Same) -> list[bool]:
    """Say of every expected call whether the first unused call of its name has its arguments."""
    left = list(made)
    right: list[bool] = []
    for name, wanted in expected:
        place = next((index for index, (called, _) in enumerate(left) if called == name), None)
        right.append(place is not None and same(name, wanted, left.pop(place)[1]))
    return right


def _judged_by(judge: V3Judge) -> Same:
    def same(function: str, expected: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
        verdict = judge.arguments(function, expected, made)
        return same_arguments(function, expected, made) if verdict is None else verdict

    return same


def same_arguments(_function: str, expected: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
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
