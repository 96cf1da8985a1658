"""Rules of gemini_live: whole sessions with a scripted service behind TLS, as agent and as user."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.gemini.protocol import UP
from simulator.errors import ScenarioError
from simulator.session import Session
from simulator.testing import play_session
from tests.contracts.peer_services import (
    RATE,
    Json,
    Script,
    Talker,
    certificate,
    gemini_sound,
    heard_of,
    service,
    tone,
)
from tests.contracts.peer_sessions import KEY, assert_no_secret, of_type

pytestmark = pytest.mark.usefixtures("loopback_key")


def gemini_session(
    script: Script,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    party: str = "agent",
    duration: str = "1500ms",
    **settings: Any,
) -> tuple[Session, list[Json]]:
    """A session with a scripted Gemini service behind TLS; gives it with the messages the service saw."""
    context, cert = certificate(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with service(script, UP, ssl=context, process_request=settings.pop("process_request", None)) as (
        url,
        seen,
    ):
        spec = {
            "kind": "gemini_live",
            "base_url": url.replace("127.0.0.1", "localhost"),
            "api_key_env": "TEST_KEY",
            **settings,
        }
        parties = {"user": "silent", "agent": "silent", party: spec}
        return play_session({**parties, "duration": duration, "scorers": []}, folder), seen


async def greet_gemini(talker: Talker) -> Json:
    """Shake hands as Gemini Live does; gives the setup."""
    message = await talker.until(lambda message: "setup" in message)
    await talker.send({"setupComplete": {}})
    return dict(message["setup"])


def test_gemini_is_cut_when_the_service_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`interrupted` drops what waits; both transcripts and a turn's usage are told."""

    async def talks(talker: Talker) -> None:
        await greet_gemini(talker)
        await talker.until_heard(0.2)
        await talker.send(
            gemini_sound(tone(3.0)),
            {"serverContent": {"outputTranscription": {"text": "Good evening"}}},
            {"serverContent": {"inputTranscription": {"text": "hello"}}},
        )
        await talker.until_heard(0.8)
        await talker.send(
            {"serverContent": {"interrupted": True}},
            {"serverContent": {"turnComplete": True}, "usageMetadata": {
                "promptTokenCount": 50, "responseTokenCount": 20, "totalTokenCount": 70,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 40}],
                "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 20}]}},
        )  # fmt: skip
        await talker.stay()

    session, seen = gemini_session(talks, tmp_path, monkeypatch, voice="Puck", duration="1400ms")
    assert session.meta.status == "completed", session.meta.problem
    (end,) = of_type(session, "audio_end")
    assert end["cut"]
    loud = int((np.abs(session.said("agent")) > 0.05).sum())
    assert end["said_samples"] == loud
    assert 0.1 * RATE < loud < 1.2 * RATE
    assert [(event["of"], event["text"]) for event in of_type(session, "transcript")] == [
        ("agent", "Good evening"), ("user", "hello")]  # fmt: skip
    (tokens,) = [event for event in of_type(session, "usage") if "output_audio_tokens" in event]
    assert (tokens["input_audio_tokens"], tokens["input_text_tokens"], tokens["output_audio_tokens"]) == (
        40,
        10,
        20,
    )
    assert '"Puck"' in json.dumps(seen[0]["setup"]["generationConfig"])
    assert_no_secret(tmp_path / "test-0")


def test_gemini_plays_a_caller_that_hangs_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a persona it is told its goal, may call hang_up, and its party is done when its goodbye was
    said."""

    async def calls(talker: Talker) -> None:
        await greet_gemini(talker)
        await talker.until(lambda message: "text" in message.get("realtime_input", {}))
        call = {"id": "c1", "name": "hang_up", "args": {"reason": "booked"}}
        await talker.send(gemini_sound(tone(0.2)), {"toolCall": {"functionCalls": [call]}})
        await talker.stay()

    context, cert = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with service(calls, UP, ssl=context) as (url, seen):
        user = {
            "kind": "gemini_live",
            "base_url": url.replace("127.0.0.1", "localhost"),
            "api_key_env": "TEST_KEY",
            "speaks_first": True,
            "persona": {"who": "Ann", "goal": "a table for three"},
        }
        ends = {"after": "user", "tail": "100ms", "at_most": "20s"}
        session = play_session({"user": user, "agent": "silent", "duration": ends, "scorers": []}, tmp_path)
    assert session.meta.status == "completed", session.meta.problem
    assert session.duration < 6 * RATE
    assert heard_of(np.abs(session.said("user")) > 0.05) == int(0.2 * RATE)
    assert [event["reason"] for event in of_type(session, "hang_up")] == ["booked"]
    told = seen[0]["setup"]["systemInstruction"]["parts"][0]["text"]
    assert "a table for three" in told
    assert seen[0]["setup"]["tools"][0]["functionDeclarations"][0]["name"] == "hang_up"


def test_gemini_goes_on_over_another_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After GoAway, and after a connection lost without a word, the session is resumed with the newest
    handle."""
    handles: list[Any] = []

    async def leaves(talker: Talker) -> None:
        setup = await greet_gemini(talker)
        handles.append(setup.get("sessionResumption", {}).get("handle"))
        number = len(handles)
        update = {"newHandle": f"handle-{number}", "resumable": True}
        await talker.send({"sessionResumptionUpdate": update})
        await talker.until_heard(0.2)
        if number == 1:
            await talker.send(
                gemini_sound(tone(0.1)),
                {"serverContent": {"generationComplete": True}},
                {"serverContent": {"turnComplete": True}},
                {"goAway": {"timeLeft": "10s"}},
            )
        if number == 2:
            talker.connection.transport.abort()
        await talker.stay()

    session, _ = gemini_session(leaves, tmp_path, monkeypatch, duration="2s")
    assert session.meta.status == "completed", session.meta.problem
    assert handles == [None, "handle-1", "handle-2"]
    assert [event["time_left_s"] for event in of_type(session, "go_away")] == [10.0]
    assert len(of_type(session, "resumed")) == 2
    assert len(of_type(session, "connection_lost")) == 1


async def _refuses_gemini_key(talker: Talker) -> None:
    await talker.until(lambda message: "setup" in message)
    await talker.connection.close(1007, f"API key not valid: {KEY}")


async def _gemini_leaves(talker: Talker) -> None:
    await greet_gemini(talker)
    await talker.until_heard(0.2)
    await talker.connection.close(1011, "Internal error encountered.")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (_refuses_gemini_key, "gemini_live refused the key (code 1007: API key not valid: ${TEST_KEY})"),
        (_gemini_leaves, "gemini_live closed the connection (code 1011: Internal error encountered) at t=0."),
    ],
)
def test_gemini_at_fault_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: Script, problem: str
) -> None:
    """A refused key and a connection lost without a handle end the session."""
    session, _ = gemini_session(script, tmp_path, monkeypatch)
    assert session.meta.status == "failed"
    assert str(session.meta.problem).startswith(problem)
    assert_no_secret(tmp_path / "test-0")


def test_the_wall_clock_is_needed(tmp_path: Path) -> None:
    """A peer with its own real time and `clock: virtual` exclude each other."""
    with pytest.raises(ScenarioError, match="clock"):
        play_session({"user": "silent", "agent": {"kind": "gemini_live"}, "clock": "virtual"}, tmp_path)
