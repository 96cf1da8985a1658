"""Full-Duplex-Bench v2's judge on sessions of ours, with a checkout in miniature and an endpoint on loopback."""

import json
from pathlib import Path
from typing import Any

import pytest

from metrics.compat.fdb.v2 import V2Spec
from metrics.compat.fdb.v2_live import read_checkout
from metrics.compat.fdb.v2_reply import EVENTS_KEY, TASK_KEY
from simulator.cli import main
from simulator.errors import ScenarioError
from simulator.judging.spec import JudgeSpec
from simulator.session import Session
from simulator.testing import Take
from tests.chat_endpoint import ChatEndpoint, chat_endpoint, refuses, says

PROMPTS = {
    "system_prompt": "SYSTEM", "turn_taking_fluency_prompt": "FLUENCY", "output_format_prompt": "FORM",
    "multi_turn_instruction_following_prompt": "FOLLOWING",
    "task_specific_prompts": [{"id": "safety", "prompt": "SAFE"}, {"id": "entity_tracking", "prompt": "ENTITIES"}],
}  # fmt: skip
REPLY = f'{{"{EVENTS_KEY}": [[3.0, 5.0]: 4, 5, [6.0, 7.0]: 2, 3], "{TASK_KEY}": 3}}'

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The two files that are read, in words of ours."""
    folder = tmp_path / "checkout" / "v2"
    (folder / "eval").mkdir(parents=True)
    (folder / "eval" / "eval_prompts.json").write_text(json.dumps(PROMPTS))
    goals = {"T1": "first goal", "T2": "second goal", "T3": "third goal", "T4": "fourth goal"}
    splits = {
        family: {"tasks": [{"id": f"{family}.x.001", "staged_reveal": goals}]} for family in ("Daily", "EntityTracking")
    }
    (folder / "prompts_staged_200.json").write_text(json.dumps({"version": 6, "splits": splits}))
    return folder.parent


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """The user asks at 1 s, the agent answers at 3 s, and says a word after 120 s."""
    take = Take(tmp_path / "take", duration=125.0)
    take.say("user", 1.0, 2.0, text="A question", words=[("A", 1.0), ("question", 1.5)])
    take.say("agent", 3.0, 5.0, text="An answer", words=[("An", 3.0), ("answer", 4.0)])
    take.say("agent", 121.0, 122.0, text="late", words=[("late", 121.0)])
    return take.annotated()


def spec(endpoint: ChatEndpoint, checkout: Path, **more: Any) -> V2Spec:
    """The scorer with this endpoint as its judge."""
    return V2Spec(judge=JudgeSpec(model="gemini", base_url=endpoint.base_url), checkout=checkout, **more)


def test_a_session_is_asked_about_as_the_original_does(session: Session, checkout: Path) -> None:
    """Rubrics, form, goals, both texts, B's words with times up to 120 s; its temperature; the task's own rubric."""
    with chat_endpoint(says(REPLY)) as endpoint:
        scorer = spec(endpoint, checkout, task="EntityTracking.x.001").build()
        scores = {score.id: score.value for score in scorer.score(session)}
        (asked,) = endpoint.asked
    assert scores == {"fdb:v2.turn_taking": 3.0, "fdb:v2.instruction_following": 4.0, "fdb:v2.task_score": 3.0}
    (message,) = asked["messages"]
    parts = ["SYSTEM", "FLUENCY", "FOLLOWING", "ENTITIES", "FORM", "T1: first goal", "T4: fourth goal", "A question",
             "An answer", "[3.00, 4.00]: An\n[4.00, 5.00]: answer"]  # fmt: skip
    places = [message["content"].index(part) for part in parts]
    assert places == sorted(places)
    assert "late" not in message["content"] and "[1.00" not in message["content"] and "SAFE" not in message["content"]
    assert (asked["temperature"], asked["max_tokens"]) == (0.2, 20_000)
    assert [cassette.kind for cassette in scorer.used] == ["judge"]


def test_daily_has_no_rubric_of_its_own_and_strict_tells_when_the_examiner_spoke(
    session: Session, checkout: Path
) -> None:
    """Without A's times fluency is judged blind; strict mends it."""
    with chat_endpoint(says(REPLY)) as endpoint:
        spec(endpoint, checkout, task="Daily.x.001", mode="strict").build().score(session)
        content = endpoint.asked[0]["messages"][0]["content"]
    assert "[1.00, 1.50]: A" in content and "ENTITIES" not in content and "SAFE" not in content


def test_a_folder_is_judged_from_the_command_line(
    session: Session, checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With both tables where write= asks for them; what is missing is a reason and never a score."""
    with chat_endpoint(says(REPLY)) as endpoint:
        words = ["score", str(session.folder), "--as", "fdb:v2", "--set", f"write={tmp_path / 'out'}",
                 "--set", f"judge=gemini@{endpoint.base_url}", "--set", f"checkout={checkout}"]  # fmt: skip
        assert main([*words, "--set", "task=Daily.x.001", "--json", str(tmp_path / "result.json")]) == 0
        result = json.loads((tmp_path / "result.json").read_text())
        assert (
            result["metrics"]["task_score"]["value"] == 3 and result["samples"][0]["metrics"]["bins_tt"][0] is not None
        )
        assert (tmp_path / "out" / "judge_summary.csv").read_text().splitlines()[1].startswith("Daily,take,1,2,3.0,4.0")
        main([*words, "--set", "task=Daily.x.002"])
        assert "'Daily.x.002' is no task of the checkout" in capsys.readouterr().out
    main(["score", str(session.folder), "--as", "fdb:v2"])
    assert "judge=MODEL@URL and checkout=FOLDER" in capsys.readouterr().out


def test_a_judge_that_fails_leaves_it_undefined(session: Session, checkout: Path) -> None:
    """With its own words for a reason."""
    with chat_endpoint(refuses(429, "slow down")) as endpoint:
        judge = JudgeSpec(model="gemini", base_url=endpoint.base_url, retries=0)
        scores = V2Spec(judge=judge, checkout=checkout, task="Daily.x.001").build().score(session)
        assert len(endpoint.asked) == 1
    assert all(score.value is None and "slow down" in (score.reason or "") for score in scores)


def test_a_reply_that_is_no_use_was_used_all_the_same(session: Session, checkout: Path) -> None:
    """A refusal is paid for, also where the endpoint fails at the next try."""
    with chat_endpoint(says("", finish="content_filter"), refuses(429, "slow down")) as endpoint:
        judge = JudgeSpec(model="gemini", base_url=endpoint.base_url, retries=0)
        scorer = V2Spec(judge=judge, checkout=checkout, task="Daily.x.001").build()
        assert all(score.value is None and "slow down" in (score.reason or "") for score in scorer.score(session))
        assert len(endpoint.asked) == 2
    assert [cassette.reply["replies"][0]["finish"] for cassette in scorer.used] == ["content_filter"]


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("eval/eval_prompts.json", None, "cannot be read"),
        ("eval/eval_prompts.json", "no json", "is no JSON"),
        ("eval/eval_prompts.json", "{}", "has no system_prompt"),
        ("prompts_staged_200.json", "[]", "is no JSON object"),
        ("prompts_staged_200.json", '{"splits": {"Daily": {"tasks": [1]}}}', "has no task"),
    ],
)
def test_a_checkout_that_is_none_is_refused(checkout: Path, file: str, content: str | None, sentence: str) -> None:
    """With the file's name."""
    path = checkout / "v2" / file
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(ScenarioError, match=sentence) as caught:
        read_checkout(checkout)
    assert Path(file).name in str(caught.value)
