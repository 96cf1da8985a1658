"""What a judge's scorer and sentences give of a session, and how judges and rubrics are written."""

from pathlib import Path
from typing import Any

import pytest

from metrics.judge import JudgeScorerSpec
from metrics.task import TaskSpec
from simulator.errors import ScenarioError
from simulator.judging.rubric import read_rubric
from simulator.judging.spec import AnyJudge, JudgeSpec
from simulator.reading.expect import Expectation
from simulator.scoring.scorer import AnyScorer
from simulator.session import Session
from simulator.spec import decode
from simulator.testing import Take, scored, scorer_contract
from tests.chat_endpoint import CannedReply, chat_endpoint
from tests.judged_session import HELPFUL, NO, POLITE, YES, answer, judged_session

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """The session of tests/judged_session.py."""
    return judged_session(tmp_path)


def test_a_key_that_is_missing_is_a_reason(session: Session) -> None:
    """Where nothing was checked before: an old session, a live one. The other scores stand."""
    spec = JudgeScorerSpec(criteria={"polite": POLITE}, judge=JudgeSpec(model="m"))
    assert "OPENAI_API_KEY is not set" in (scored(spec, session)["polite"].reason or "")


def test_a_sentence_is_held_against_a_session(session: Session) -> None:
    """`{judge: "...", votes: 3, at_least: 0.67}`: two of three are enough, and the moment that decides is shown."""
    told = [{"judge": "The agent is polite.", "votes": 3, "at_least": share} for share in (0.67, 0.9)]
    told.append({"judge": "The agent is polite.", "votes": 3, "name": "most"})
    expect = tuple(decode(item, Expectation, source="t", folder=Path()) for item in told)
    with chat_endpoint(answer(**YES), answer(**NO), answer(**YES)) as endpoint:
        judge = JudgeSpec(model="m", base_url=endpoint.base_url)
        scores = [TaskSpec(expect=(item,), judge=judge).build().score(session)[-1] for item in expect]
    assert [score.value for score in scores] == [1.0, 0.0, 1.0] and len(endpoint.asked) == 3
    assert scores[1].evidence[0].label == "not met: It says 'please'."
    evidence = scores[0].evidence[0]
    assert (evidence.start, evidence.party, evidence.label) == (40_000, "agent", "met: It says 'please'.")


def test_a_scorer_gives_verdicts_points_and_agreement(session: Session) -> None:
    """Two metrics per criterion; a single vote agrees with nobody."""

    def reply(body: Any) -> CannedReply:
        return answer(reason="so", score=4) if "How helpful" in body["messages"][1]["content"] else answer(**YES)

    with chat_endpoint(reply) as endpoint:
        judge = JudgeSpec(model="m", base_url=endpoint.base_url, votes=2)
        spec = JudgeScorerSpec(criteria={"polite": POLITE, "helpful": HELPFUL}, judge=judge)
        scores = scored(spec, session)
        alone = scored(
            JudgeScorerSpec(criteria={"polite": POLITE}, judge=JudgeSpec(model="m", base_url=endpoint.base_url)),
            session,
        )
    assert [(name, score.value) for name, score in scores.items()] == [
        ("polite", 1.0), ("polite.agreement", 1.0), ("helpful.score", 4.0), ("helpful.agreement", 1.0),
    ]  # fmt: skip
    assert alone["polite.agreement"].value is None and alone["polite"].value == 1


@pytest.mark.parametrize(
    ("answers", "preferred", "consistent"),
    [
        (("first", "second"), 1.0, 1.0),
        (("second", "first"), 0.0, 1.0),
        (("tie", "tie"), 0.5, 1.0),
        (("first", "first"), 0.5, 0.0),
        (("second", "second"), 0.5, 0.0),
        (("first", "tie"), 0.5, 0.0),
        (("first", "neither"), None, None),
        (("first", ["second"]), None, None),
    ],
)
def test_a_pair_is_asked_about_in_both_orders(
    session: Session, answers: tuple[Any, Any], preferred: float | None, consistent: float | None
) -> None:
    """A preference that goes with the order is a tie; one that is missing in either order is none."""
    run = session.folder.parent / "other"
    take = Take(run / "take", duration=4.0)
    take.say("agent", 1.0, 2.0, text="Hm", words=[("Hm", 1.0)])
    take.annotated()

    def reply(body: Any) -> CannedReply:
        turned = body["messages"][1]["content"].index("Hm") < body["messages"][1]["content"].index("Done")
        return answer(reason="so", better=answers[turned])

    with chat_endpoint(reply) as endpoint:
        judge = JudgeSpec(model="m", base_url=endpoint.base_url, retries=0)
        scores = scored(JudgeScorerSpec(criteria={"polite": POLITE}, judge=judge, against=run), session)
        assert len(endpoint.asked) == 2
        missing = scored(JudgeScorerSpec(criteria={"polite": POLITE}, judge=judge, against=session.folder), session)
    assert {name: score.value for name, score in scores.items()} == {
        "polite.preferred": preferred, "polite.consistent": consistent,
    }  # fmt: skip
    assert "not a session folder" in (missing["polite.preferred"].reason or "")
    with pytest.raises(ScenarioError, match="no run folder"):
        JudgeScorerSpec(criteria={"polite": POLITE}, judge=judge, against=run / "none").build()


def test_a_judge_is_written_in_three_ways() -> None:
    """A mapping, the same as one text, or MODEL@URL."""
    forms = [
        "m@http://127.0.0.1:1/v1",
        "{model: m, base_url: 'http://127.0.0.1:1/v1'}",
        {"model": "m", "base_url": "http://127.0.0.1:1/v1"},
    ]
    assert {decode(form, AnyJudge, source="t", folder=Path()) for form in forms} == {
        JudgeSpec(model="m", base_url="http://127.0.0.1:1/v1")
    }


@pytest.mark.parametrize(
    ("judge", "sentence"),
    [
        ({"base_url": "http://x/v1"}, "a mapping with a model"),
        ({"model": ""}, "model is empty"),
        ({"model": "m", "base_url": "ftp://x"}, "no http or https URL"),
        ({"model": "m", "votes": 0}, r"votes: expected `int` >= 1"),
        ({"model": "m", "hears": "mono"}, "hears: "),
        ({"model": "m", "record": "sometimes"}, "record: "),
        ({"model": "m", "colour": 1}, "colour"),
        (7, "MODEL@URL or a mapping"),
        ("{a", "cannot be read"),
    ],
)
def test_a_judge_that_is_none_is_refused(judge: Any, sentence: str) -> None:
    """Where, what was found, what is allowed."""
    with pytest.raises(ScenarioError, match=sentence):
        decode(judge, AnyJudge, source="t", folder=Path(), where="$.judge")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("criteria: {}", "names no criterion"),
        ("criteria: {a b: x}", "'a b' is no name"),
        ("criteria: {score: x}", "'score' is no name"),
        ("criteria: {a: {criterion: ''}}", "criterion is empty"),
        ("criteria: {a: {criterion: x, scale: [5, 1]}}", "lowest point first"),
        ("criteria: {a: {criterion: x, anchors: {1: y}}}", "anchors belong to a scale"),
        ("criteria: {a: {criterion: x, scale: [1, 5], anchors: {7: y}}}", "anchor 7 is no point"),
        ("criteria: {a: {criterion: x, scale: [1, 5], at_least: 0.5}}", "at_least belongs to"),
        ("criteria: {a: [x]}", "a sentence or a mapping"),
        ("rubric: x", "rubric"),
        ("- x", "rubric.yaml"),
    ],
)
def test_a_rubric_that_is_none_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """With the file's name and the place in it."""
    path = tmp_path / "rubric.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=sentence) as caught:
        read_rubric(path)
    assert "rubric.yaml" in str(caught.value)


def test_a_scorer_names_a_rubric_or_criteria() -> None:
    """One of them."""
    for kind in ({"kind": "judge"}, {"kind": "judge", "rubric": "r.yaml", "criteria": {"a": "b"}}):
        with pytest.raises(ScenarioError, match="one of them"):
            decode(kind, AnyScorer, source="t", folder=Path())


TestJudgeScorer = scorer_contract(
    [{"kind": "judge", "criteria": {"polite": "The agent is polite."},
      "judge": {"model": "m", "base_url": "http://127.0.0.1:9/v1", "record": "never"}}]
)  # fmt: skip
