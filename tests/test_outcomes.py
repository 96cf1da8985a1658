"""Outcomes: what is met, unmet or undefined in sessions that are known to the sample, and what is refused."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from metrics.task import Task, TaskSpec
from simulator.errors import ScenarioError
from simulator.files import write_json
from simulator.planning.checks import check_expectations
from simulator.reading.expect import Expectation, judge, read_expectation
from simulator.results.baseline import read_baseline, write_baseline
from simulator.results.judged import Judged, read_judged, write_judged
from simulator.results.pooling import verdicts
from simulator.results.row import Row, RowScore
from simulator.results.run import Run
from simulator.score import Score
from simulator.session import Session
from simulator.speech import Segment
from simulator.testing.sessions import scenario_of
from simulator.testing.take import Take
from simulator.world.record import WORLD, recorded

Json = dict[str, Any]
BEFORE = {"orders": {"12345": {"status": "shipped", "n": 1}}}
AFTER = {"orders": {"12345": {"status": "refunded", "n": 1}}}


def spoken(take: Take, party: Any, start: float, text: str, **more: Any) -> None:
    """Say a text, half a second a word."""
    words = text.split()
    onsets = [(word, start + place / 2) for place, word in enumerate(words)]
    take.say(party, start, start + len(words) / 2, text=text, words=onsets, **more)


def call(take: Take, at: float, name: str, *, fault: str = "", by: str = "agent", **arguments: Any) -> None:
    """Call a tool, which answers half a second later."""
    take.count += 1
    made = f"call-{take.count}"
    take.note(at, "tool_call", by, id=made, name=name, arguments=arguments)
    given = {"fault": fault} if fault else {}
    take.note(at + 0.5, "tool_result", by, id=made, name=name, answer="ok", **given)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """The user asks and asks again, the agent looks an order up and refunds it, and the user hangs up.

    user     1.0 "where is my order"                8.0 "then refund it please"
    agent                   4.0 "it was shipped"                12.0 "you have four nine two nine points"
    calls            3.0 look_up(12345)                  10.5 refund(12345), 11.2 refund(1), refused
    """
    take = Take(tmp_path / "take", 20.0)
    spoken(take, "user", 1.0, "where is my order")
    call(take, 3.0, "look_up", order="12345")
    spoken(take, "agent", 4.0, "it was shipped")
    spoken(take, "user", 8.0, "then refund it please")
    call(take, 10.5, "refund", order="12345", why={"text": "late", "days": 3})
    call(take, 11.2, "refund", order="1", fault="refused")
    call(take, 11.3, "refund", fault="arguments")
    spoken(take, "agent", 12.0, "you have four nine two nine points")
    take.note(18.0, "hung_up", "user")
    found = take.annotated()
    write_json(found.folder / WORLD, recorded(BEFORE, AFTER))
    return found


def score_of(outcome: Json, session: Session) -> Score:
    """The score of one outcome."""
    *_, own = Task([read_expectation(outcome, "test")]).score(session)
    return own


def found_in(outcome: Json, session: Session) -> bool | None:
    """Whether an outcome is met; None where it is undefined, and then there is a reason."""
    score = score_of(outcome, session)
    assert (score.value is None) == bool(score.reason)
    return None if score.value is None else bool(score.value)


MET: list[Json] = [
    {"called": "look_up"},
    {"called": "look_up", "with": {"order": "12345"}, "times": 1, "before": "30s"},
    {"called": "look_up", "args": {"order": "12345"}, "after": "turn 1", "within_ms": 500},
    {"called": "refund", "times": 2},
    {"called": "refund", "times": ">= 1"},
    {"called": "refund", "with": {"order": {"any_of": ["7", {"match": "^123"}]}}, "times": 1},
    {"called": "refund", "with": {"why": {"days": 3}}},
    {"called": "refund", "after": "call look_up", "before": "11s", "times": 1},
    {"called": ["look_up", "refund"], "only": True},
    {"called": "look_up", "only": True, "before": "10s"},
    {"not_called": "look_up", "after": "turn 2"},
    {"not_called": ["refund"], "before": "10s"},
    {"not_called": "look_up", "by": "user"},
    {"state": "orders.12345.status", "is": "refunded"},
    {"state": "orders.12345.status", "is": {"match": "^REFUND"}},
    {"state": "orders.12345", "is": {"n": 1}},
    {"state": "orders.12345.n", "unchanged": True},
    {"says": "agent", "match": "SHIPPED", "after": "turn 1", "within": "5s"},
    {"says": "agent", "match": r"have \d+ points", "after": "turn 2"},
    {"says": "agent", "match": "four nine"},
    {"says": "user", "match": "refund it", "source": "told"},
    {"says": "agent", "match": "was", "after": "4.2s", "within": "400ms"},
    {"never_says": "agent", "match": r"\b4928"},
    {"never_says": "agent", "match": "shipped", "after": "turn 2"},
    {"never_says": "agent", "match": "shipped", "before": "4s"},
    {"ends": "user", "before": "19s"},
    {"turns": {"agent": 2, "user": ">= 2"}},
]
UNMET: list[tuple[Json, str]] = [
    ({"called": "cancel"}, "called were: look_up(order=12345) at 3.00 s; refund(order=12345, "),
    ({"called": "look_up", "with": {"order": "9"}}, "called were: look_up(order=12345) at 3.00 s"),
    ({"called": "look_up", "times": 2}, "called 1 times: look_up(order=12345) at 3.00 s"),
    ({"called": "look_up", "before": "3s"}, "called were: look_up(order=12345) at 3.00 s"),
    ({"called": "look_up", "after": "turn 2"}, "called were: look_up(order=12345) at 3.00 s"),
    ({"called": "look_up", "after": "turn 3"}, "the user took 2 turns, not 3"),
    ({"called": "look_up", "after": "call cancel"}, "cancel was never called"),
    ({"called": "look_up", "only": True}, "called as well: refund("),
    ({"called": "look_up", "by": "user"}, "look_up was not called, nor was anything else"),
    ({"not_called": "refund", "after": "11.1s"}, "called refund(order=1) at 11.20 s (refused)"),
    ({"not_called": "refund", "after": "11.25s"}, "called refund() at 11.30 s (arguments)"),
    ({"state": "orders.12345.status", "is": "shipped"}, "found 'refunded'"),
    ({"state": "orders.12345.status", "unchanged": True}, "found 'refunded', was 'shipped'"),
    ({"state": "orders.9.status", "is": "shipped"}, "found nothing there"),
    ({"state": "orders.12345.n", "is": True}, "found 1"),
    ({"says": "agent", "match": "lost"}, "said instead: 'it was shipped you have four nine two nine points'"),
    ({"says": "agent", "match": "shipped", "within": "1s", "after": "turn 1"}, "the agent said nothing then"),
    ({"says": "agent", "match": "shipped", "after": "turn 9"}, "the user took 2 turns, not 9"),
    ({"never_says": "agent", "match": r"\b4929\b"}, "said '4929' (told)"),
    ({"never_says": "agent", "match": "was shipped"}, "said 'was shipped' (told)"),
    ({"ends": "agent"}, "the user hung up at 18.00 s"),
    ({"ends": "user", "before": "10s"}, "the user hung up at 18.00 s"),
    ({"turns": {"agent": "> 2"}}, "the agent took 2"),
]


@pytest.mark.parametrize("outcome", MET, ids=str)
def test_an_outcome_is_met(outcome: Json, session: Session) -> None:
    """By what the session holds."""
    assert found_in(outcome, session) is True


@pytest.mark.parametrize(("outcome", "told"), UNMET, ids=str)
def test_an_outcome_is_unmet_and_it_is_said_what_was_found(outcome: Json, told: str, session: Session) -> None:
    """With the moment."""
    score = score_of(outcome, session)
    assert score.value == 0
    assert score.evidence[0].label.startswith(told)


def test_evidence_is_the_moment(session: Session) -> None:
    """Of words where they lie, of calls from the call to its answer."""
    (words,) = score_of({"says": "agent", "match": "nine two"}, session).evidence
    (made,) = score_of({"called": "look_up"}, session).evidence
    assert [words.start / session.sample_rate, words.end / session.sample_rate] == [13.5, 14.5]
    assert [made.start / session.sample_rate, made.end / session.sample_rate] == [3.0, 3.5]


def test_without_a_world_a_state_is_undefined(session: Session) -> None:
    """And so is a stretch that never began, for what must not happen in it."""
    (session.folder / "world.json").unlink()
    assert found_in({"state": "orders", "unchanged": True}, session) is None
    assert found_in({"not_called": "refund", "after": "turn 3"}, session) is None
    assert found_in({"never_says": "agent", "match": "x", "after": "call cancel"}, session) is None


def untold(session: Session, **fields: Any) -> Session:
    """The session with speech of the agent at 5 to 7 s and 10 to 10.3 s that nobody told the words of."""
    segments = tuple(Segment(start=round(a * session.sample_rate), end=round(b * session.sample_rate), source="vad")
                     for a, b in ((5.0, 7.0), (10.0, 10.3)))  # fmt: skip
    agent = msgspec.structs.replace(session.speech.agent, segments=segments, words=(), utterances=(), **fields)
    return session.with_speech(msgspec.structs.replace(session.speech, agent=agent))


def test_a_missing_transcript_is_undefined_and_never_a_pass(session: Session) -> None:
    """Unless nothing was said in the stretch."""
    deaf = untold(session)
    never = {"never_says": "agent", "match": "4929"}
    assert score_of(never, deaf).reason == "nobody told what the agent said, and nothing of it was recognised"
    assert found_in({"says": "agent", "match": "4929"}, deaf) is None


def test_speech_without_words_beside_words_is_undefined(session: Session) -> None:
    """Half a transcript shows that something was said, not that it was not."""
    recognised = (Segment(start=0, end=session.sample_rate, source="asr", text="it was shipped"),)
    half = untold(session, recognised=recognised)
    assert found_in({"says": "agent", "match": "shipped", "source": "heard"}, half) is True
    score = score_of({"never_says": "agent", "match": "4929"}, half)
    assert (score.value, score.reason) == (None, "2.0 s of the agent's speech at 5.00 s has no words")
    assert found_in({"never_says": "agent", "match": "4929", "after": "8s"}, half) is True
    assert found_in({"never_says": "agent", "match": "4929", "after": "6s"}, half) is None
    assert found_in({"never_says": "agent", "match": "4929", "after": "6.8s"}, half) is True


def test_what_was_recognised_betrays_what_was_not_told(session: Session) -> None:
    """`never_says` looks at both, `says` at what was told."""
    recognised = (Segment(start=0, end=session.sample_rate, source="asr", text="the pin is seven"),)
    agent = msgspec.structs.replace(session.speech.agent, recognised=recognised)
    both = session.with_speech(msgspec.structs.replace(session.speech, agent=agent))
    assert score_of({"never_says": "agent", "match": "pin is 7"}, both).evidence[0].label == "said 'pin is 7' (heard)"
    assert found_in({"says": "agent", "match": "pin"}, both) is False
    assert found_in({"says": "agent", "match": "pin", "source": "both"}, both) is True


def interrupted(folder: Path, after: str, *, cut: bool = True) -> Session:
    """The user barges in at 4 s with a new wish; the agent stops, or does not, and says something after it."""
    take = Take(folder / "take", 20.0)
    spoken(take, "user", 0.5, "what do you have")
    take.say("agent", 3.0, 4.6 if cut else 8.0, text="we have soup and", words=[("we", 3.0), ("have", 3.5)], cut=cut,
             planned=8.0)  # fmt: skip
    spoken(take, "user", 4.0, "stop the menu please", role="interruption")
    if after:
        spoken(take, "agent", 8.5, after)
    return take.annotated()


@pytest.mark.parametrize(
    ("after", "cut", "more", "expected"),
    [
        ("here is the menu", True, {}, True),
        ("here is the menu", True, {"within": "2s"}, False),
        ("as I said soup", True, {}, False),
        ("the menu and soup", True, {"drops": "soup"}, False),
        ("", True, {}, False),
        ("here is the menu", False, {}, False),
        ("here is the menu", True, {"number": 2}, None),
    ],
)
def test_an_agent_recovers_from_an_interruption(
    tmp_path: Path, after: str, cut: bool, more: Json, expected: bool | None
) -> None:
    """It stops, and what it says next is about the new wish; an interruption that never was shows nothing."""
    outcome = {"recovers": "interruption", "answers": "menu", **more}
    assert found_in(outcome, interrupted(tmp_path, after, cut=cut)) is expected


def test_a_task_is_done_when_all_of_it_is(session: Session) -> None:
    """What informs alone counts nothing; an undefined outcome leaves the task undefined unless another one is unmet."""
    met, unmet, unknown = {"called": "look_up"}, {"called": "cancel"}, {"state": "x", "is": 1}
    (session.folder / "world.json").unlink()

    def scores(*outcomes: Json) -> list[float | None]:
        return [score.value for score in Task([read_expectation(item, "t") for item in outcomes]).score(session)[:2]]

    assert scores(met) == [1, 1]
    assert scores(met, unmet) == [0, 0.5]
    assert scores(met, unknown) == [None, 1]
    assert scores(unmet, unknown) == [0, 0]
    assert scores(met, {**unmet, "inform": True}) == [1, 1]


def test_a_session_is_scored_by_its_own_scenario(session: Session) -> None:
    """`simulate score --as task` needs nothing but the folder."""
    (session.folder / "scenario.yaml").write_text("name: t\nexpect: ['a.b > 1', {called: look_up}, {called: x}]\n")
    assert [score.value for score in TaskSpec().build().score(session)] == [0, 0.5]


def rows(*values: float | None) -> list[Row]:
    """Sessions with these values of an outcome."""
    found: list[Row] = []
    for trial, value in enumerate(values):
        parts = {"count": int(value or 0), "of": int(value is not None)}
        score = RowScore(value=value, unit="ratio", n=1, reason=None if value is not None else "no words", parts=parts)
        found.append(Row(id=f"s-{trial}", scenario="s", trial=trial, sound=str(trial), scores={"expect.o": score}))
    return found


@pytest.mark.parametrize(
    ("values", "at_least", "passed", "reason"),
    [
        ((1.0, 1.0), 1.0, True, "met in 2 of 2 sessions"),
        ((1.0, 0.0, 1.0, 1.0), 0.75, True, "met in 3 of 4 sessions"),
        ((1.0, 0.0), 0.75, False, "met in 1 of 2 sessions"),
        ((1.0, None, 1.0), 1.0, False, "met in 2 of 3 sessions, undefined in 1: no words"),
        ((1.0, None, 1.0, 1.0), 0.75, True, "met in 3 of 4 sessions, undefined in 1: no words"),
    ],
)
def test_trials_are_pooled(values: tuple[float | None, ...], at_least: float, passed: bool, reason: str) -> None:
    """An undefined session counts as one that does not meet it."""
    expected = read_expectation({"called": "look_up", "name": "o", "at_least": at_least}, "t")
    (verdict,) = verdicts([expected], {}, rows(*values))
    assert (verdict.passed, verdict.reason) == (passed, reason)


def test_identical_trials_meet_what_each_of_them_meets() -> None:
    """They count once above and below the line: two that sound the same and meet it are no half."""
    expected = read_expectation({"called": "look_up", "name": "o"}, "t")
    alike = [msgspec.structs.replace(row, sound="same") for row in rows(1.0, 1.0)]
    assert verdicts([expected], {}, alike)[0].outcome == "held"


def test_an_outcome_is_decided_with_confidence() -> None:
    """By one trial after the other; undefined ones are unmet."""
    expected = read_expectation({"called": "x", "name": "o", "at_least": 0.5, "confidence": 0.95}, "t")
    assert verdicts([expected], {}, rows(*[1.0] * 20))[0].outcome == "held"
    assert verdicts([expected], {}, rows(*[None] * 19, 1.0))[0].outcome == "failed"
    assert verdicts([expected], {}, rows(1.0, 0.0))[0].outcome == "undecided"


METRICS: list[Any] = ["a.b > 1", {"metric": "a.b > 1", "inform": True}]


@pytest.mark.parametrize("written", [*MET, *(outcome for outcome, _ in UNMET), *METRICS], ids=str)
def test_an_expectation_is_written_back_as_it_was_meant(written: Any, tmp_path: Path) -> None:
    """In a scenario, in scores.json, in a baseline."""
    expected = read_expectation(written, "t")
    again = read_expectation(msgspec.json.decode(msgspec.json.encode(expected.__encode__())), "t")
    assert (again, again.metric) == (expected, expected.metric)
    write_judged(tmp_path, Judged(expectations=[judge(expected, {})]))
    assert read_judged(tmp_path).expectations[0].expectation == expected
    write_baseline(tmp_path / "b.json", Run(tmp_path, rows(1.0), expected={"s": [expected]}), [])
    assert read_baseline(tmp_path / "b.json").verdicts["s"][0].expectation == expected


SHOP = {"state": BEFORE, "tools": [{"name": "look_up", "parameters": {"properties": {"order": {}}}}]}
REFUSED: list[tuple[Any, str]] = [
    ({"calld": "look_up"}, "has none; an expectation has one of metric, called, not_called"),
    ({"called": "a", "not_called": "b"}, "has called and not_called"),
    ({"called": "look_up", "wit": {}}, "wit"),
    ({"called": []}, "names no tool"),
    ({"called": ["a", "b"], "times": 1}, "belong to one tool"),
    ({"called": "look_up", "times": "often"}, "'often' is no count"),
    ({"called": "look_up", "after": "lunch"}, "is no moment; write it like `turn 2`"),
    ({"called": "look_up", "with": {"order": {"match": "("}}}, "is no regular expression"),
    ({"called": "look_up", "at_least": 2}, "<= 1"),
    ({"state": "a.b"}, "is held against `is: VALUE`, or `unchanged: true`"),
    ({"state": "a..b", "is": 1}, "is no path"),
    ({"says": "agent", "match": "("}, "is no regular expression"),
    ({"says": "agent", "match": ".*"}, "is found in an empty text"),
    ({"says": "nobody", "match": "a"}, "nobody"),
    ({"turns": {}}, "names no party"),
    ({"called": "look_pu"}, r"expect\[0\]: nobody has a tool 'look_pu'; did you mean look_up"),
    ({"not_called": "refund"}, "nobody has a tool 'refund'; there are look_up"),
    (
        {"says": "agent", "match": "a", "after": "call look_pu"},
        "`after: call look_pu`: nobody has such a tool; did you m",
    ),
    ({"called": "look_up", "by": "user"}, "nobody has a tool 'look_up'; there are none"),
    ({"called": "look_up", "with": {"oder": "1"}}, "look_up has no parameter 'oder'; did you mean order"),
    ({"state": "order.1", "is": 1}, "the world's state has no 'order'; did you mean orders"),
    ({"judge": "It was polite."}, "needs `judge:`"),
]


@pytest.mark.parametrize(("outcome", "complaint"), REFUSED, ids=str)
def test_an_outcome_that_cannot_be_is_refused(outcome: Any, complaint: str, tmp_path: Path) -> None:
    """In one sentence, with its place, before anything starts."""
    with pytest.raises(ScenarioError, match=complaint) as caught:
        check_expectations(
            scenario_of({"user": "silent", "agent": "silent", "world": SHOP, "expect": [outcome]}, tmp_path)
        )
    assert "$.expect[0]" in str(caught.value)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"expect": [{"turns": {"user": 1}}, {"turns": {"user": 1}}]}, r"expect\[1\]: is expect\[0\] once more"),
        ({"expect": [{"turns": {"user": 1}}], "scorers": []}, "`scorers: \\[\\]` wants none"),
        ({"expect": [{"state": "a", "is": 1}]}, "is that of a `world`, and there is none"),
        ({"expect": [{"turns": {"user": 1}}], "repeat": {"until": "decided"}}, "say `at_least` below 1"),
    ],
)
def test_expectations_that_do_not_go_together_are_refused(more: Json, complaint: str, tmp_path: Path) -> None:
    """Two that are the same, one where nothing is scored, one that no number of trials decides."""
    with pytest.raises(ScenarioError, match=complaint):
        check_expectations(scenario_of({"user": "silent", "agent": "silent", **more}, tmp_path))


def test_an_id_is_short_and_belongs_to_its_text() -> None:
    """Two outcomes of one beginning are told apart, and the same one has the same id anywhere."""
    first, second = (Expectation.of(read_expectation({"says": "agent", "match": "a" * 80 + end}, "t").outcome)  # type: ignore[arg-type]
                     for end in "bc")  # fmt: skip
    assert first.metric != second.metric
    assert len(first.metric) < 80
    assert read_expectation({"name": "The Order", "called": "x"}, "t").metric == "expect.the-order"


@pytest.mark.parametrize(
    ("bounds", "start", "end"),
    [
        ({"after": "turn 2", "within": "1s"}, 8.0, 11.0),  # 12.0 is too late: the turn at 8.0 has no answer
        ({"before": "3.5s"}, 1.0, 3.5),  # the first turn of the user's has none yet
        ({"before": "500ms"}, 0.0, 0.5),  # nobody has spoken
    ],
)
def test_what_was_not_answered_is_shown_at_the_turn(session: Session, bounds: Json, start: float, end: float) -> None:
    """Where the agent said nothing, the evidence begins with the user's turn that it left without an answer."""
    (shown,) = score_of({"says": "agent", "match": "table", **bounds}, session).evidence
    assert (shown.start / session.sample_rate, shown.end / session.sample_rate) == (start, end)
    assert shown.label == "the agent said nothing then"
