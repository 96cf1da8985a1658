"""`--record`: what is paid for is recorded once, and played again without a network or a key."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.cassettes.recording import record_by
from simulator.results import load_run, load_session
from simulator.testing import bytes_of
from tests.callers import AGENT, CALL, CALLER
from tests.chat_endpoint import chat_endpoint, says
from tests.command_line import simulate
from tests.contracts.http_peers import scripted as http_server
from tests.contracts.moshi_peers import answering as moshi
from tests.contracts.moshi_peers import scripted as moshi_server
from tests.contracts.peer_sessions import KEY, assert_no_secret
from tests.judged_session import YES, answer
from tests.speech_servers import answering, wav

pytestmark = pytest.mark.usefixtures("own_cache", "unrecorded")
USER = {"kind": "scripted", "turns": ["Good evening.", {"after": "agent_turn", "say": "And tomorrow?"}]}


@pytest.fixture
def unrecorded() -> Any:
    """No test records for the next one."""
    yield
    record_by(None)


@pytest.fixture
def run(tmp_path: Path, capsys: Any) -> Callable[..., tuple[int, str]]:
    """Run a scenario given as plain data, recording into one folder; gives the exit code and what was said of it."""

    def play(data: dict[str, Any], record: str, *words: str, out: str) -> tuple[int, str]:
        path = tmp_path / "call.yaml"
        path.write_text(yaml.safe_dump({"name": "call", "duration": "6s", "scorers": [], "report": "none", **data}))
        code = simulate(path, "--out", tmp_path / out, "--record", record, "--cassettes", tmp_path / "kept", *words)
        said = capsys.readouterr()
        return code, said.out + said.err

    return play


def chatting(url: str, **more: Any) -> dict[str, Any]:
    """A call with an agent behind a chat endpoint."""
    chat = {"kind": "chat", "base_url": url, "model": "m", "api_key_env": "TEST_KEY", **more}
    return {"user": USER, "agent": {"kind": "cascade", "chat": chat}}


def same(tmp_path: Path, first: str, second: str) -> bool:
    """Whether two runs of one session sound the same and tell the same, but for tokens that were paid for."""
    one, two = (load_session(tmp_path / name / "call-0") for name in (first, second))
    told = [[event for event in session.events if event.type != "usage"] for session in (one, two)]
    return bytes_of(one)["conversation.wav"] == bytes_of(two)["conversation.wav"] and told[0] == told[1]


def test_a_chat_endpoint_is_asked_once(tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run, without the endpoint and without its key, is the first; another question is named."""
    monkeypatch.setenv("TEST_KEY", KEY)
    with chat_endpoint(says("Good evening, how can I help?"), says("Tomorrow we are closed.")) as endpoint:
        data = chatting(endpoint.base_url)
        assert run(data, "missing", out="first")[0] == 0
        asked = len(endpoint.asked)
        assert run(data, "missing", out="second")[0] == 0 and len(endpoint.asked) == asked == 2
    assert_no_secret(tmp_path / "kept")
    monkeypatch.delenv("TEST_KEY")
    assert run(data, "never", out="third")[0] == 0
    assert same(tmp_path, "first", "second") and same(tmp_path, "first", "third")
    kept = [json.loads(line) for line in (tmp_path / "kept" / "cassettes.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in kept] == ["chat", "chat"]
    assert kept[1]["request"]["messages"][-1]["content"]
    code, said = run(chatting(endpoint.base_url, system="Be brief."), "never", out="other")
    assert code == 3 and "no reply is kept for chat m at" in said and "record: never" in said


def test_always_asks_again_and_the_newest_answer_counts(tmp_path: Path, run: Any, loopback_key: None) -> None:
    """What was recorded before is replaced."""
    with chat_endpoint(says("One."), says("Two."), says("Three."), says("Four.")) as endpoint:
        data = chatting(endpoint.base_url)
        run(data, "missing", out="first")
        assert run(data, "always", out="second")[0] == 0 and len(endpoint.asked) == 4
    record_by(None)  # as another process would, read the store anew
    assert run(data, "never", out="third")[0] == 0
    # The second question holds the first answer, so all of the second run's are other ones.
    assert same(tmp_path, "second", "third") and not same(tmp_path, "first", "third")


def test_a_callers_mind_is_recorded(tmp_path: Path, run: Any) -> None:
    """What it thinks is given again, so that the call is the same."""
    texts = [{"action": "say", "say": "A table for two.", "reason": "r", "stage_reached": False},
             {"action": "hang_up", "say": "Goodbye.", "reason": "done", "stage_reached": False}]  # fmt: skip
    with chat_endpoint(*(says(json.dumps(text)) for text in texts)) as endpoint:
        llm = {"base_url": endpoint.base_url, "model": "test"}
        data = {**CALL, "name": "call", "agent": AGENT, "user": {**CALLER, "llm": llm}}
        assert run(data, "missing", out="first")[0] == 0
    record_by(None)
    assert run(data, "never", out="second")[0] == 0 and same(tmp_path, "first", "second")


def test_a_judge_is_recorded(tmp_path: Path, run: Any) -> None:
    """In the same store, whatever the judge's own `record` and the user's cache say."""
    criteria = {"greets": "The user greets."}
    with chat_endpoint(answer(**YES)) as endpoint:
        data = {"user": USER, "agent": "silent", "scorers": [{"kind": "judge", "criteria": criteria}],
                "judge": {"model": "m", "base_url": endpoint.base_url, "record": "always"}}  # fmt: skip
        assert run(data, "missing", out="first")[0] == 0 and len(endpoint.asked) == 1
    record_by(None)
    assert run(data, "never", out="second")[0] == 0
    values = [load_run(tmp_path / name).rows[0].value("judge.greets") for name in ("first", "second")]
    assert values == [1.0, 1.0]


def test_a_speech_server_is_recorded(tmp_path: Path, run: Any) -> None:
    """A voice's sound comes from the store, although the user's cache held it before."""
    with http_server(answering(lambda text: wav(text, 24_000))) as (url, seen):
        voice = {"kind": "openai", "model": "tts", "name": "ann", "base_url": f"{url}/v1", "self_test": False}
        data = {"user": {"kind": "scripted", "turns": ["A sentence of this test alone."], "voice": voice},
                "agent": "silent", "duration": "4s"}  # fmt: skip
        assert run(data, "missing", out="first")[0] == 0 and len(seen) == 1
    line = json.loads((tmp_path / "kept" / "cassettes.jsonl").read_text())
    assert line["kind"] == "voice" and "A sentence of this test alone." in line["request"]["body"]
    assert run(data, "never", out="second")[0] == 0 and same(tmp_path, "first", "second")


def test_a_paid_session_is_recorded_and_a_diverged_trace_says_which_turn(tmp_path: Path, run: Any) -> None:
    """Played again from its trace; where the user says something else than then, the session fails with the turn."""
    user = {"kind": "scripted", "turns": [{"at": "0s", "say": "One."}, {"at": "1500ms", "say": "Two."}]}
    with moshi_server(moshi("moshi")) as url:
        data = {"user": user, "agent": {"kind": "moshi", "url": url, "drain": "50ms"}, "duration": "3s"}
        assert run(data, "missing", out="first")[0] == 0
    code, _ = run(data, "never", out="second")
    assert code == 0 and same(tmp_path, "first", "second")
    changed = {**data, "user": {"kind": "scripted", "turns": [user["turns"][0], {"at": "1500ms", "say": "Seven!"}]}}
    code, said = run(changed, "missing", out="third")
    assert code == 3 and "the agent's kept trace diverged in turn 2 of the user: 'Seven!' was said at 1.50 s" in said
    assert "when it was recorded 'Two.' was said at 1.50 s; record it again with --record always" in said
    shorter = {**data, "user": {"kind": "scripted", "turns": user["turns"][:1]}}
    code, said = run(shorter, "never", out="shorter")
    assert code == 3 and "in turn 2 of the user: nothing was said" in said
    code, said = run({**data, "seed": 9}, "never", out="fourth")
    assert code == 3 and "no reply is kept for the agent (moshi) of call-0" in said
    (trace,) = (tmp_path / "kept" / "traces").iterdir()
    trace.write_bytes(trace.read_bytes()[:-20])
    code, said = run(data, "missing", out="fifth")
    assert code == 3 and "is not what was recorded" in said


def test_an_invalid_session_is_told_not_to_be_kept(tmp_path: Path, run: Any) -> None:
    """On a dead line the agent could not hear the user: nothing is kept to be played again, and somebody says so."""
    interruption = {"kind": "interruption", "cue": {"at": "500ms"}, "say": "Wait, please."}
    with moshi_server(moshi("moshi")) as url:
        data = {"user": "silent", "agent": {"kind": "moshi", "url": url, "drain": "50ms"}, "injectors": [interruption],
                "lines": {"user_to_agent": [{"kind": "gain", "db": -70}]}, "scorers": ["barge_in"]}  # fmt: skip
        code, said = run(data, "missing", out="first")
    assert code == 0 and not (tmp_path / "kept" / "traces").exists()
    assert "simulate: remark: call-0: is not kept for a replay, as it is invalid: the user's" in said


def test_what_cannot_be_is_refused_before_the_run(tmp_path: Path, run: Any, capsys: Any) -> None:
    """A store that is not there where nothing may go out; a folder without a word of what to do with it."""
    code, said = run({"user": USER, "agent": "silent"}, "never", out="first")
    assert code == 2 and "record it first" in said and not (tmp_path / "first").exists()
    assert simulate(tmp_path / "call.yaml", "--cassettes", tmp_path) == 2
    assert "say with --record" in capsys.readouterr().err
