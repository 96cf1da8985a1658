"""Full-Duplex-Bench v3's judge: its questions, its verdicts, and what counts where there is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from metrics.compat.fdb.v3 import V3Spec
from metrics.compat.fdb.v3_judge import read_verdict, read_wording
from simulator.cli import main
from simulator.errors import ScenarioError
from simulator.judging.spec import JudgeSpec
from simulator.session import Session
from simulator.testing import Take
from tests.chat_endpoint import ChatEndpoint, chat_endpoint, refuses, says

SCRIPT = '''
def llm_judge_argument(expected_args, actual_args, function_name):
    prompt = f"""ASKED {function_name}: {json.dumps(expected_args)} or {json.dumps(actual_args)}? {{"correct": 1}}"""
    raise SystemExit("is read, and never run")

def llm_judge_response(expected_intent, actual_transcript):
    prompt = f"RESPONSE {expected_intent} or {actual_transcript}?"
'''
WORDS = [("It", 6.0), ("was", 6.3), ("shipped", 6.6)]
YES, NO = '{"correct": true, "explanation": "so"}', '```json\n{"correct": false, "explanation": "not so"}\n```'

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """An order was to be tracked by its number in digits; the agent passed it on in words, and answered."""
    talk = Take(tmp_path / "take", duration=12.0)
    talk.say("user", 1.0, 2.0, words=[("Track", 1.0), ("it", 1.5)])
    talk.say("agent", 6.0, 7.0, words=WORDS)
    talk.note(3.0, "tool_call", "agent", id="1", name="track_order", arguments={"order_id": "one two"})
    talk.note(3.5, "tool_result", "agent", id="1", name="track_order", answer="ok")
    session = talk.annotated()
    expected = [{"function": "track_order", "args": {"order_id": "12"}}]
    session.meta.sample.update({"id": "7", "expected_tool_calls": expected, "expected_response": "It is on its way."})
    return session


def values(scored: Session, endpoint: ChatEndpoint, **options: Any) -> dict[str, float | None]:
    """What a judge at an endpoint makes of a session: argument accuracy, Pass@1, response quality."""
    judge = JudgeSpec(model="gpt-4o", base_url=endpoint.base_url, retries=0)
    scorer = V3Spec(judge=judge, **options).build()
    scores = {score.id.removeprefix("fdb:v3."): score.value for score in scorer.score(scored)}
    return {name: scores[name] for name in ("argument_accuracy", "pass_at_1", "response_quality")}


def test_the_judge_decides_on_arguments_and_response(session: Session) -> None:
    """Asked once for each, at temperature 0 with 200 tokens, with what was expected and what was found."""
    with chat_endpoint(says(YES), says(NO)) as endpoint:
        assert values(session, endpoint) == {"argument_accuracy": 1.0, "pass_at_1": 1.0, "response_quality": 0.0}
        first, second = endpoint.asked
    assert (first["model"], first["temperature"], first["max_tokens"]) == ("gpt-4o", 0, 200)
    (asked,) = first["messages"]
    assert all(part in asked["content"] for part in ("track_order", '{"order_id": "12"}', '{"order_id": "one two"}'))
    assert all(part in second["messages"][0]["content"] for part in ("It is on its way.", "It was shipped"))


def test_without_a_verdict_arguments_are_compared_exactly(session: Session) -> None:
    """As the script does on any error, and a response is no yes; strict would rather have nothing."""
    nothing = {"argument_accuracy": None, "pass_at_1": None, "response_quality": None}
    for reply in (says("I think so."), refuses(429, "slow down"), says('{"correct": true}')):
        with chat_endpoint(reply) as endpoint:
            found = values(session, endpoint)
            assert (found["argument_accuracy"], found["pass_at_1"]) == (0.0, 0.0)
            if reply.hostile is not None or "think" in reply.text:
                assert found["response_quality"] == 0.0
                assert values(session, endpoint, mode="strict") == nothing


def test_ready_replies_stand_in_for_a_judge(session: Session, tmp_path: Path) -> None:
    """Those about arguments in order, then the one about the response; the notes say in whose words."""
    (tmp_path / "replies.json").write_text(json.dumps({session.id: [NO, YES]}))
    spec = V3Spec(judge_replies=tmp_path / "replies.json")
    measured = spec.measure_session(session, spec.prepare())
    assert measured.parts["argument_accuracy"] == {"values": [0.0]}
    assert measured.parts["response_quality"] == {"count": 1, "of": 1}
    assert (measured.replies, measured.notes) == ([NO, YES], ["judged in our own words"])


def test_a_call_that_was_not_made_and_a_silent_agent_are_not_asked_about(tmp_path: Path) -> None:
    """No verdict could make them right."""
    session = Take(tmp_path / "take", duration=4.0).annotated()
    session.meta.sample.update({"expected_tool_calls": [{"function": "track_order"}], "expected_response": "Yes."})
    with chat_endpoint(says(YES)) as endpoint:
        assert values(session, endpoint) == {"argument_accuracy": None, "pass_at_1": 0.0, "response_quality": None}
        assert not endpoint.asked


def test_a_checkout_is_asked_in_its_own_words(session: Session, tmp_path: Path) -> None:
    """Its script is read and not run; its places are filled, its braces stay."""
    folder = tmp_path / "checkout" / "v3"
    folder.mkdir(parents=True)
    (folder / "evaluate_tool_calls.py").write_text(SCRIPT)
    with chat_endpoint(says(YES)) as endpoint:
        values(session, endpoint, checkout=folder.parent)
        asked = [body["messages"][0]["content"] for body in endpoint.asked]
    assert asked == [
        'ASKED track_order: {"order_id": "12"} or {"order_id": "one two"}? {"correct": 1}',
        "RESPONSE It is on its way. or It was shipped?",
    ]
    assert read_wording(folder).whose == "the words of evaluate_tool_calls.py"


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (None, "cannot be read"),
        ("def (", "cannot be read"),
        ("x = 1", "has no prompt in llm_judge_argument, llm_judge_response"),
        (SCRIPT.replace("{expected_intent}", "{other.thing}"), "has no prompt in llm_judge_response"),
        (SCRIPT.replace('prompt = f"RESPONSE', 'asked = f"RESPONSE'), "has no prompt in llm_judge_response"),
    ],
)
def test_a_checkout_without_the_questions_is_refused(tmp_path: Path, script: str | None, sentence: str) -> None:
    """With the file's name, and what it lacks."""
    if script is not None:
        (tmp_path / "evaluate_tool_calls.py").write_text(script)
    with pytest.raises(ScenarioError, match=rf"evaluate_tool_calls\.py: {sentence}"):
        read_wording(tmp_path)


@pytest.mark.parametrize(
    ("reply", "keys", "compat", "strict"),
    [
        (YES, {"correct", "explanation"}, True, True),
        (NO, {"correct", "explanation"}, False, False),
        ("```\n" + YES, set(), True, True),
        ('{"correct": "false"}', set(), True, None),  # as Python has it
        ('{"correct": 0}', set(), False, None),
        ("{}", set(), False, None),
        ('{"correct": true}', {"correct", "explanation"}, None, None),
        ("[true]", set(), None, None),
        ("Yes: " + YES, set(), None, None),
    ],
)
def test_a_verdict_is_read_as_the_script_reads_it(
    reply: str, keys: set[str], compat: bool | None, strict: bool | None
) -> None:
    """strict wants true or false."""
    assert (read_verdict(reply, keys, strict=False), read_verdict(reply, keys, strict=True)) == (compat, strict)


def test_it_is_asked_from_the_command_line(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`judge=MODEL@URL`; without a judge response quality is undefined, with the words that name one."""
    with chat_endpoint(says(YES)) as endpoint:
        words = ["score", str(session.folder), "--as", "fdb:v3"]
        assert main([*words, "--set", f"judge=gpt-4o@{endpoint.base_url}", "--json", str(tmp_path / "out.json")]) == 0
    result = json.loads((tmp_path / "out.json").read_text())
    assert "judged in our own words" in result["samples"][0]["notes"]
    capsys.readouterr()
    main(words)
    assert "no judge is named" in capsys.readouterr().out
