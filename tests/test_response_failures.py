"""A far end that fails a response is told in one form by every kind, counted, and is not an agent that is silent."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection

from agents.gemini.protocol import GeminiCore
from agents.http_voice.npy_wire import encode_npy
from agents.openai.live_protocol import LiveCore
from metrics.latency import LatencySpec
from simulator.actor import AnyActor
from simulator.call.responses import AskedResponses
from simulator.events import EventLog
from simulator.session import Session
from simulator.spec import decode
from simulator.testing import play_session
from simulator.testing.take import Take, scored
from tests.contracts.http_peers import Got, Json, scripted
from tests.contracts.moshi_peers import answering
from tests.contracts.moshi_peers import scripted as moshi_server
from tests.contracts.peer_driver import Driver
from tests.contracts.peer_services import Talker, greet_realtime, service, speech, tone
from tests.contracts.peer_sessions import KEY, assert_no_secret, of_type, session_with

TURNS = [{"at": "300ms", "say": "Hello there."}, {"at": "4s", "say": "Are you there?"}]


def asked(responder: Json, folder: Path, turns: int = 1) -> Session:
    """A session in which a responder is asked so many turns."""
    return play_session({
        "user": {"kind": "scripted", "turns": TURNS[:turns]}, "duration": f"{4 * turns}s", "scorers": [],
        "agent": {"kind": "turn_based", "ears": "level", "responder": responder},
    }, folder)  # fmt: skip


def piece(content: Any = None, finish: str | None = None, **delta: Any) -> Json:
    """A chunk of a streamed chat completion."""
    said = {"content": content, **delta}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": said, "finish_reason": finish}]}  # fmt: skip


def whole(content: Any, finish: str = "stop", **message: Any) -> Json:
    """A chat completion that is not streamed."""
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    ]}  # fmt: skip


def chat(script: Callable[[Got], None], folder: Path, turns: int = 1, **spec: Any) -> Session:
    """A session with a scripted chat endpoint."""
    with scripted(script) as (url, _):
        return asked({"kind": "chat", "base_url": f"{url}/v1", "model": "m", **spec}, folder, turns)


def said(session: Session) -> list[str]:
    """What the agent said, utterance by utterance."""
    return [event.data["text"] for event in session.by_type.get("speech_start", ()) if event.party == "agent"]


CALL = {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}]}
ENDINGS: dict[str, tuple[list[Json], str]] = {
    "filtered": ([piece("", "content_filter")],
                 "a content filter stopped its answer before it said a word (finish_reason content_filter)"),
    "cut": ([piece("<think>Let me"), piece(" see", "length")], "its answer was cut off before it said a word "
            "(finish_reason length, see max_tokens), it was still thinking"),
    "empty": ([piece("", "stop")], "it said nothing (finish_reason stop)"),
    "thoughts": ([piece(reasoning_content="Hm."), piece(None, "stop")],
                 "it thought and said nothing (finish_reason stop)"),
    "calls": ([piece(None, "tool_calls", **CALL)], "it called look_up and said nothing; it was offered no functions"),
    "refused": ([piece(None, "stop", refusal="I cannot help with that.")], "it refused: I cannot help with that"),
}  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_chat_endpoint_that_gives_no_answer_fails_the_session(tmp_path: Path, ending: str) -> None:
    """One sentence says how its answer ended."""
    pieces, reason = ENDINGS[ending]
    session = chat(lambda got: got.stream(*pieces), tmp_path)
    assert session.meta.status == "failed"
    assert session.meta.problem == f"chat failed 1 of 1 responses: {reason}"
    assert of_type(session, "response_failed")[0]["reason"] == reason


def test_an_answer_that_was_not_streamed_is_said(tmp_path: Path) -> None:
    """A gateway that ignores `stream: true` did answer."""
    session = chat(lambda got: got.answer(whole("Yes, we’re open. Come in.")), tmp_path)
    assert session.meta.problem is None
    assert " ".join(said(session)) == "Yes, we’re open. Come in."


PIECES = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "We open "}]


@pytest.mark.parametrize(
    "script",
    [
        lambda got: got.answer(json.dumps(whole("We open at six.")).encode(), kind="text/plain"),
        lambda got: got.answer(whole([*PIECES, {"type": "text", "text": "at six."}])),
        lambda got: got.stream(piece(PIECES[:1]), piece(PIECES[1:]), piece("at six."), piece("", "stop")),
    ],
    ids=["under another name", "in pieces", "streamed in pieces"],
)
def test_an_answer_in_another_shape_is_said(tmp_path: Path, script: Callable[[Got], None]) -> None:
    """JSON that is called a text, and contents that are lists of texts and thoughts (Mistral's)."""
    session = chat(script, tmp_path)
    assert (session.meta.problem, said(session)) == (None, ["We open at six."])


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (lambda got: got.answer(b"<html>Please sign in</html>", kind="text/html"),
         "answered with no completion: <html>Please sign in</html>"),
        (lambda got: got.begin(), "broke its answer off: peer closed connection"),
    ],
    ids=["a page", "cut off"],
)  # fmt: skip
def test_what_is_no_answer_is_the_far_ends_doing(tmp_path: Path, script: Callable[[Got], None], reason: str) -> None:
    """And is told by its address and in one sentence, not as a fault of the agent."""
    problem = chat(script, tmp_path).meta.problem or ""
    assert problem.startswith("http://") and f"(m) {reason}" in problem


def test_an_error_that_came_as_json_is_the_services_sentence(tmp_path: Path) -> None:
    """Whatever the status says."""
    session = chat(lambda got: got.answer({"error": {"message": "You exceeded your current quota."}}), tmp_path)
    assert (session.meta.problem or "").endswith("(m) answered without choices: You exceeded your current quota")


def test_some_failed_responses_are_a_remark_of_a_completed_session(tmp_path: Path) -> None:
    """What was cut off was said as far as it went; the other turn is fine."""
    session = chat(
        lambda got: got.stream(piece("Hello. And"), piece("", "stop" if got.number else "length")), tmp_path, 2
    )
    assert session.meta.status == "completed"
    assert session.meta.problem == (
        "chat failed 1 of 2 responses: its answer was cut off (finish_reason length, see max_tokens)"
    )
    assert len(said(session)) >= 2


def test_thoughts_and_markup_are_kept_but_not_said_and_go_back_as_written(tmp_path: Path) -> None:
    """The next request holds the reply as the model wrote it."""
    written = "<think>They ask.</think>**We** open\nat six. 😀"
    with scripted(lambda got: got.stream(*(piece(letter) for letter in written), piece("", "stop"))) as (url, seen):
        session = asked({"kind": "chat", "base_url": f"{url}/v1", "model": "m"}, tmp_path, 2)
    assert said(session)[:2] == ["We open", "at six."]
    assert of_type(session, "unspoken")[0]["text"] == "<think>They ask.</think> ** ** 😀"
    assert [message["content"] for message in seen[1].json["messages"] if message["role"] == "assistant"] == [written]


def test_speak_raw_says_all(tmp_path: Path) -> None:
    """For whoever wants to hear what the model writes."""
    session = chat(lambda got: got.stream(piece("**We** open.", "stop")), tmp_path, speak_raw=True)
    assert said(session) == ["**We** open."]
    assert not of_type(session, "unspoken")


def test_chat_audio_tells_of_a_filter_and_says_text_without_thoughts(tmp_path: Path) -> None:
    """The first answer holds nothing, the second text for our voice."""

    def script(got: Got) -> None:
        got.answer(whole("<think>Hm.</think>**Yes**, we do.") if got.number else whole(None, "content_filter"))

    with scripted(script) as (url, _):
        session = asked({"kind": "chat_audio", "base_url": f"{url}/v1"}, tmp_path, 2)
    assert (session.meta.problem or "").startswith("chat_audio failed 1 of 2 responses: a content filter stopped")
    assert said(session) == ["Yes, we do."]
    assert of_type(session, "unspoken")[0]["text"] == "<think>Hm.</think> ** **"


def test_a_voice_server_without_a_sample_gave_no_answer(tmp_path: Path) -> None:
    """Silence would be one; a server that breaks its protocol, or refuses, fails the session at once."""
    empty = {"audio_data": encode_npy(np.zeros(0, np.float32)), "sample_rate": 16_000}
    with scripted(lambda got: got.answer(empty)) as (url, _):
        session = asked({"kind": "http_voice", "base_url": url}, tmp_path)
    assert session.meta.status == "failed"
    assert (session.meta.problem or "").endswith("answered /api/v1/v2v with audio_data that holds no sample")


def test_a_function_tells_of_its_far_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the form that all kinds have; a turn that it answers with silence is no failure."""
    (tmp_path / "quota_agent.py").write_text(
        "from simulator.speaking.dialogue import Reply\n"
        "def answer(turn, history):\n"
        "    return None if history else Reply(events=[('response_failed', {'reason': 'the quota is used up.'})])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    session = asked({"kind": "function", "call": "quota_agent:answer"}, tmp_path / "s", 2)
    assert session.meta.problem == "function failed 1 of 2 responses: the quota is used up"


def failed(response: str, message: str) -> list[Json]:
    """A Realtime response that fails."""
    error = {"type": "insufficient_quota", "code": "insufficient_quota", "message": message}
    over = {"id": response, "status": "failed", "output": [], "status_details": {"type": "failed", "error": error}}
    return [{"type": "response.created", "response": {"id": response}}, {"type": "response.done", "response": over}]


@pytest.mark.usefixtures("loopback_key")
@pytest.mark.parametrize("answers", [False, True])
def test_realtime_quotas_are_counted_in_the_services_words(tmp_path: Path, *, answers: bool) -> None:
    """No response is a failed session, some are a remark; the key that was quoted is not in it."""

    async def script(talker: Talker) -> None:
        await greet_realtime(talker)
        await talker.until_heard(0.2)
        await talker.send(*failed("resp_1", f"You exceeded your current quota, {KEY}."), *failed("resp_2", "Busy."))
        if answers:
            await talker.send(*speech("resp_3", "item_3", tone(0.1)))
        await talker.stay()

    with service(script) as (url, _):
        session = session_with(url, tmp_path)
    of = 3 if answers else 2
    assert session.meta.status == ("completed" if answers else "failed")
    assert session.meta.problem == (
        f"openai_realtime failed 2 of {of} responses: You exceeded your current quota, ${{TEST_KEY}} "
        "(1 other reason beside it)"
    )
    assert_no_secret(tmp_path)


def test_a_delegated_response_of_openai_live_fails_beside_the_stream() -> None:
    """The model may go on talking: the stream is a response too."""
    spec: Any = decode({"kind": "openai_live", "backend": {"model": "thinker"}}, AnyActor, source="t", folder=Path())
    peer = Driver(LiveCore(spec.settings())).receive({"type": "session.started"}).step()
    over = {"id": "r", "status": "failed", "error": {"message": "You exceeded your current quota."}}
    peer.receive({"type": "response.event", "event": {"type": "response.failed", "response": over}})
    assert peer.noted("response_failed") == [
        {"id": "r", "by": "openai_live", "reason": "You exceeded your current quota", "status": "failed"}
    ]
    sound = spec.settings().audio.encode(np.full(480, 0.1, np.float32))
    peer.receive(*[{"type": "session.output_audio.delta", "delta": sound}] * 2)
    assert peer.noted("response_start") == [{"id": "stream"}]


def test_a_gemini_turn_that_ends_with_a_reason_failed() -> None:
    """Rejected before its first sound it never started; needing more input is no failure."""
    spec: Any = decode({"kind": "gemini_live"}, AnyActor, source="t", folder=Path())
    peer = Driver(GeminiCore(spec.settings())).receive({"setup_complete": {}}).step()
    for reason in ("RESPONSE_REJECTED", "NEED_MORE_INPUT"):
        peer.receive({"server_content": {"turn_complete": True, "turn_complete_reason": reason}})
    assert peer.noted("response_failed") == [{"by": "gemini_live", "reason": "RESPONSE_REJECTED"}]


def test_errors_of_a_moshi_server_are_failed_responses_beside_its_stream(tmp_path: Path) -> None:
    """It goes on after one; one that leaves instead is quoted in the session's sentence."""

    async def goes_on(connection: ServerConnection) -> None:
        await connection.send(b"\x00")
        await connection.send(b"\x05out of slots")
        await answering("moshi", handshake=b"")(connection)

    async def leaves(connection: ServerConnection) -> None:
        await connection.send(b"\x00")
        await connection.send(b"\x05out of memory.")
        await connection.close()

    problems = []
    for script in (goes_on, leaves):
        with moshi_server(script) as url:
            agent = {"kind": "moshi", "url": url}
            session = play_session(
                {"user": "silent", "agent": agent, "duration": "1s", "scorers": []}, tmp_path / script.__name__
            )
        problems.append(session.meta.problem or "")
    assert problems[0] == "moshi failed 1 of 2 responses: out of slots"
    assert "its last error was: out of memory" in problems[1]


def counted(*events: tuple[str, dict[str, Any]]) -> AskedResponses:
    """The count of the agent's responses by these events."""
    log = EventLog()
    responses = AskedResponses(log)
    for type_, fields in events:
        log.add(0, type_, "agent", **fields)
    return responses


def test_failures_are_counted_by_response() -> None:
    """One told twice is one; one without a name, or that never started, is one more."""
    assert counted().failure is None
    assert counted(("response_start", {"id": "a"})).remark is None
    start, bad = ("response_start", {"id": "a"}), ("response_failed", {"id": "a", "reason": "no"})
    assert str(counted(start, bad, bad).failure) == "the agent failed 1 of 1 responses: no"
    unnamed = ("response_failed", {"reason": "no", "by": "x"})
    both = counted(start, unnamed, unnamed)
    assert (both.failure, both.remark) == (None, "x failed 2 of 3 responses: no")


def test_a_turn_whose_response_failed_is_not_unanswered(tmp_path: Path) -> None:
    """It is known by where the response began: the failure may be told in the next turn."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 2.0)
    take.note(2.5, "response_start", "agent", id="a")
    take.say("user", 6.0, 7.0)
    take.note(6.5, "response_failed", "agent", id="a", by="chat", reason="quota")
    take.say("user", 11.0, 12.0)
    take.say("agent", 12.5, 15.0)
    rate = scored(LatencySpec(), take.annotated())["unanswered_rate"]
    assert (rate.value, rate.n) == (0.5, 2)
