"""Rules of openai_realtime when the far end is at fault: one sentence, a folder that reads, no key in it."""

import re
from pathlib import Path

import pytest

from tests.contracts.peer_services import (
    Script,
    Talker,
    greet_realtime,
    service,
    speech,
)
from tests.contracts.peer_sessions import assert_no_secret, refuse_key, session_with

pytestmark = pytest.mark.usefixtures("loopback_key")


def test_a_wrong_key_is_one_sentence_without_the_key(tmp_path: Path) -> None:
    """A handshake refused with 401 fails the session; the key is in no file, though the service quoted it."""

    async def never(talker: Talker) -> None:
        await talker.stay()

    with service(never, process_request=refuse_key) as (url, _):
        session = session_with(url, tmp_path)
    assert session.meta.status == "failed"
    assert session.meta.problem == (
        "openai_realtime refused the key (HTTP 401: Incorrect API key provided: Bearer ${TEST_KEY})"
    )
    assert_no_secret(tmp_path)


async def _refused_session(talker: Talker) -> None:
    await talker.send({"type": "session.created", "session": {}})
    await talker.until_type("session.update")
    await talker.send({"type": "error", "error": {"code": "model_not_found", "message": "no such model"}})


async def _closes(talker: Talker) -> None:
    await greet_realtime(talker)
    await talker.until_heard(0.2)
    await talker.send({"type": "error", "error": {"code": "server_error", "message": "out of memory"}})
    await talker.connection.close(1011, "internal error")


async def _leaves_without_goodbye(talker: Talker) -> None:
    await greet_realtime(talker)
    await talker.until_heard(0.2)
    talker.connection.transport.abort()


async def _expires(talker: Talker) -> None:
    await greet_realtime(talker)
    await talker.until_heard(0.2)
    await talker.send({"type": "error", "error": {"code": "session_expired", "message": "60 minutes are over."}})
    await talker.stay()


async def _stalls(talker: Talker) -> None:
    await greet_realtime(talker)
    await talker.until_heard(0.1)
    await talker.send({"type": "response.created", "response": {"id": "resp_1"}})
    await talker.stay()


async def _silent_handshake(talker: Talker) -> None:
    await talker.stay()


async def _sends_rubbish(talker: Talker) -> None:
    await greet_realtime(talker)
    await talker.connection.send("[1, 2")
    await talker.stay()


async def _sends_a_well(talker: Talker) -> None:
    await greet_realtime(talker)
    await talker.until_heard(0.1)
    await talker.connection.send('{"type":' * 5000 + "1" + "}" * 5000)
    await talker.stay()


async def _sends_bad_sound(talker: Talker) -> None:
    await greet_realtime(talker)
    await talker.until_heard(0.1)
    await talker.send({"type": "response.output_audio.delta", "item_id": "i", "delta": "!!"})
    await talker.stay()


async def _sends_the_wrong_types(talker: Talker) -> None:
    await greet_realtime(talker)
    await talker.until_heard(0.1)
    await talker.send({"type": "error", "error": "out of memory"})
    await talker.send({"type": "response.done", "response": "resp_1"})
    await talker.stay()


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (_refused_session, "openai_realtime refused the session: model_not_found: no such model"),
        (
            _closes,
            "(code 1011: internal error); its last error was: server_error: out of memory",
        ),
        (_leaves_without_goodbye, "openai_realtime broke the connection without a goodbye at t=0."),
        (_expires, "openai_realtime reached its session limit: 60 minutes are over at t=0."),
        (_stalls, "openai_realtime sent nothing for 0.3 s while an answer was due at t=0."),
        (_silent_handshake, "openai_realtime was not ready within 0.4 s"),
        (_sends_rubbish, "openai_realtime sent a message that is no JSON object"),
        (_sends_a_well, "openai_realtime sent a message that is no JSON object"),
        (_sends_bad_sound, "openai_realtime sent audio that is not base64"),
        (_sends_the_wrong_types, "sent 'response.done' with fields that are not what the protocol says"),
    ],
)
def test_a_far_end_at_fault_fails_the_session_with_a_sentence(tmp_path: Path, script: Script, problem: str) -> None:
    """Whatever the service does wrong, the folder reads and says what happened."""
    with service(script) as (url, _):
        connect = "400ms" if script is _silent_handshake else "5s"
        session = session_with(url, tmp_path, duration="3s", stall_timeout="300ms", connect_timeout=connect)
    assert session.meta.status == "failed"
    assert problem in str(session.meta.problem)
    assert_no_secret(tmp_path)


def test_a_far_end_that_sends_minutes_ahead_fails_the_session(tmp_path: Path) -> None:
    """More than ten minutes waiting to be said is no speech: the session ends then, however long it takes to arrive."""

    async def flood(talker: Talker) -> None:
        await greet_realtime(talker)
        await talker.until_heard(0.1)
        minute = speech("resp_1", "item_1", bytes([0x55]) * (60 * 8000), piece_s=15.0, rate=4000)[1:-3]
        while True:
            await talker.send(*minute)

    with service(flood) as (url, _):
        session = session_with(url, tmp_path, duration="50s", audio_format="mulaw")
    assert session.meta.status == "failed"
    assert re.search(r"sent 6\d\d s of sound ahead of time at t=", str(session.meta.problem))


def test_nobody_there_is_a_sentence(tmp_path: Path) -> None:
    """A port that nobody listens on."""
    session = session_with("http://127.0.0.1:9", tmp_path)
    assert "openai_realtime cannot be reached at http://127.0.0.1:9/v1: " in str(session.meta.problem)


def test_a_missing_key_is_said_before_anything_connects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its variable a session does not start."""
    monkeypatch.delenv("TEST_KEY")
    session = session_with("http://127.0.0.1:9", tmp_path)
    assert session.meta.problem == "the environment variable TEST_KEY is not set"
