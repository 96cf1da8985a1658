"""Judges: bounded asking, ready replies, an endpoint with its replies kept."""

from pathlib import Path

import pytest

from simulator.errors import RemoteError, ScenarioError
from simulator.scoring.judge import ReadyReplies, ask
from simulator.scoring.judge_endpoint import EndpointJudge, EndpointSettings, open_judge
from tests.judge_endpoint import endpoint

ASKED = [{"role": "user", "content": "rate this"}]


def number(reply: str) -> int | None:
    """Read a reply that is a number."""
    return int(reply) if reply.isdigit() else None


def test_asking_stops_at_the_first_reply_that_parses() -> None:
    """Every raw reply is kept, and how many were of no use."""
    verdict = ask(ReadyReplies({"a": ["x", "y", "7", "8"]}), "a", ASKED, number, tries=5)
    assert verdict.value == 7 and verdict.replies == ("x", "y", "7") and verdict.unparsed == 2


def test_asking_is_bounded() -> None:
    """After `tries` replies, or when there is none left, there is no value but a reason."""
    judge = ReadyReplies({"a": ["x"] * 9})
    assert ask(judge, "a", ASKED, number, tries=3).problem == "none of 3 judge replies could be parsed"
    assert ask(judge, "b", ASKED, number, tries=3).problem == "no judge reply is given"


@pytest.mark.parametrize(
    ("content", "replies"),
    [
        ('{"a": ["1", "2"], "b": "3"}', {"a": ["1", "2"], "b": ["3"]}),
        ('{"item_id": "a", "generation": "1"}\n{"item_id": "a", "generation": "2"}\n', {"a": ["1", "2"]}),
        ('{"item_id": "a", "generation": "1"}', {"a": ["1"]}),
        ("{}", {}),
    ],
)
def test_both_forms_of_ready_replies(tmp_path: Path, content: str, replies: dict[str, list[str]]) -> None:
    """A mapping of lists, or lines of item_id and generation in the order they are used."""
    path = tmp_path / "replies"
    path.write_text(content)
    assert ReadyReplies.read(path).replies == replies


@pytest.mark.parametrize("content", ["[]", "no json", '{"a": [1]}', '{"item_id": "a"}\n{"item_id": "b"}'])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    """A file of another form is refused with the two forms there are."""
    path = tmp_path / "replies"
    path.write_text(content)
    with pytest.raises(ScenarioError, match=r"expected \{id"):
        ReadyReplies.read(path)
    with pytest.raises(ScenarioError, match="cannot be read"):
        ReadyReplies.read(tmp_path / "none")


def test_an_endpoint_is_asked_once_per_question(tmp_path: Path) -> None:
    """Replies are kept by content: asking again, or from another judge object, costs no request."""
    with endpoint(["x", "7"]) as (url, asked):
        settings = EndpointSettings(model="m", base_url=url, seed=1, seed_step=1)
        first = ask(EndpointJudge(settings, tmp_path), "a", ASKED, number, tries=5)
        again = ask(EndpointJudge(settings, tmp_path), "a", ASKED, number, tries=5)
    assert first == again and first.value == 7 and first.replies == ("x", "7")
    assert [request["seed"] for request in asked] == [1, 2] and asked[0]["messages"] == ASKED
    assert len((tmp_path / "judge.jsonl").read_text().splitlines()) == 2


def test_another_question_is_another_request(tmp_path: Path) -> None:
    """The model, the messages and which asking it is are part of what a reply is kept under."""
    with endpoint(["1"]) as (url, asked):
        for model, content in (("m", "a"), ("m", "b"), ("n", "a"), ("m", "a")):
            judge = EndpointJudge(EndpointSettings(model=model, base_url=url), tmp_path)
            judge.ask("s", [{"role": "user", "content": content}], 0)
    assert len(asked) == 3


def test_a_failing_endpoint_is_given_up(tmp_path: Path) -> None:
    """Failures count as tries, end in a reason, are not kept, and after several in a row nobody asks any more."""
    with endpoint([500]) as (url, asked):
        judge = EndpointJudge(EndpointSettings(model="m", base_url=url), tmp_path)
        verdict = ask(judge, "a", ASKED, number, tries=3)
        assert verdict.value is None and "the judge m failed" in (verdict.problem or "") and len(asked) == 3
        ask(judge, "b", ASKED, number, tries=9)
        assert len(asked) == EndpointJudge.patience
        with pytest.raises(RemoteError, match="failed 5 times in a row"):
            judge.ask("c", ASKED, 0)
    assert not list(tmp_path.iterdir())


def test_the_public_endpoint_needs_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without base_url the key must be there, and the sentence names its variable."""
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(ScenarioError, match="NO_SUCH_KEY is not set"):
        EndpointJudge(EndpointSettings(model="m", key_env="NO_SUCH_KEY"), tmp_path)


def test_ready_replies_come_before_an_endpoint(tmp_path: Path) -> None:
    """A file of replies is taken even when a model is named; nothing named is no judge."""
    path = tmp_path / "replies"
    path.write_text("{}")
    settings = EndpointSettings(model="m", base_url="http://127.0.0.1:9/v1")
    assert isinstance(open_judge(path, settings), ReadyReplies)
    assert isinstance(open_judge(None, settings), EndpointJudge)
    assert open_judge(None, None) is None


@pytest.mark.parametrize("several", [True, False])
def test_a_poll_is_one_request_where_the_server_can(tmp_path: Path, several: bool) -> None:
    """Three replies by `n`, else by three requests; asked again, they come from disk."""
    settings = {"model": "m", "seed": None, "options": {"temperature": 0.5}}
    with endpoint(["5", "4", "3"], several=several) as (url, asked):
        judge = EndpointJudge(EndpointSettings(base_url=url, **settings), tmp_path)  # type: ignore[arg-type]
        first = judge.poll("a", ASKED, 3)
        assert first == (["5", "5", "5"] if several else ["5", "4", "3"])
        assert len(asked) == (1 if several else 3) and asked[0]["n"] == 3 and asked[0]["temperature"] == 0.5
        again = EndpointJudge(EndpointSettings(base_url=url, **settings), tmp_path)  # type: ignore[arg-type]
        assert again.poll("a", ASKED, 3) == first and len(asked) == (1 if several else 3)
        again.poll("a", [{"role": "user", "content": "another"}], 3)
        assert len(asked) > 1


def test_a_request_that_failed_is_tried_again(tmp_path: Path) -> None:
    """As often as the settings say, after a wait; a reply then counts as any other."""
    with endpoint([500, "5"]) as (url, asked):
        judge = EndpointJudge(EndpointSettings(model="m", base_url=url, retries=1), tmp_path)
        assert judge.ask("a", ASKED, 0) == "5" and len(asked) == 2
