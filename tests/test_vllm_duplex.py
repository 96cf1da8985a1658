"""Rules of vllm_duplex: whole sessions on the wall clock with a scripted duplex server on loopback."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from metrics.barge_in import BargeInSpec
from simulator.annotation.annotate import annotate
from simulator.engines.espeak import Espeak
from simulator.frame import to_pcm16
from simulator.session import Session
from simulator.sound import recordings
from simulator.testing import play_session
from simulator.testing.take import scored
from tests.contracts.duplex_services import (
    BARGE_IN,
    HEARD,
    greet_duplex,
    listen,
    over,
    part,
    speak,
    talk_until_loud,
    unit,
)
from tests.contracts.peer_services import RATE, Json, Script, Talker, heard_of, service, tone
from tests.contracts.peer_sessions import KEY, assert_no_secret, of_type, session_with

pytestmark = pytest.mark.usefixtures("loopback_key")

AHEAD_S = 0.6
"""How much of its speech the scripted model sends before it is due."""
CALLER: Json = {
    "kind": "scripted",
    "turns": [{"agent_speaking": "800ms", "say": "Wait, stop it please, I have a question."}],
}


def session_of(script: Script, folder: Path, **agent: Any) -> tuple[Session, list[Json]]:
    """A session of a silent user with a server that follows the script; and what it was sent that is no sound."""
    with service(script, HEARD) as (url, seen):
        return session_with(url, folder, kind="vllm_duplex", **agent), seen


def interrupted(script: Script, folder: Path) -> tuple[Session, dict[str, Any]]:
    """A caller who barges in 0.8 s into what the model says: the annotated session and its barge-in scores."""
    with service(script, HEARD) as (url, _):
        agent = {"kind": "vllm_duplex", "base_url": f"{url}/v1", "model": "m"}
        spec = {"user": CALLER, "agent": agent, "duration": "5s", "scorers": []}
        session = play_session(spec, folder)
    assert session.meta.status == "completed", session.meta.problem
    session = session.with_speech(annotate(session, words=False))
    return session, scored(BargeInSpec(), session)


@cache
def sentence() -> bytes:
    """Some 5 s of speech without a zero sample, PCM16 at 24 kHz: what was heard of it can be counted."""
    text = "We have a table by the window, and one near the bar, and another one outside in the garden if it is warm."
    said = Espeak("en-gb-x-rp").synthesize(text)
    pcm = to_pcm16(recordings.resample(said.samples, said.sample_rate, RATE) * np.float32(0.5))
    pcm[pcm == 0] = 1
    return pcm.astype("<i2").tobytes()


def test_a_session_in_the_servers_own_words(tmp_path: Path) -> None:
    """No model in the address and a Bearer key; the server hears sound and acks; its last word is waited for."""
    addresses: list[tuple[str, str | None]] = []

    async def talks(talker: Talker) -> None:
        request = talker.connection.request
        assert request is not None
        addresses.append((request.path, request.headers.get("Authorization")))
        await greet_duplex(talker)
        await talker.until_heard(0.2)
        await talker.send(listen(), *speak("r"), *unit("r", tone(0.4), "Good evening."), *over("r"), listen())
        await part(talker)

    session, seen = session_of(talks, tmp_path)
    assert session.meta.status == "completed", session.meta.problem
    assert addresses == [("/v1/realtime", f"Bearer {KEY}")]
    assert seen[0]["session"]["model"] == "test"
    assert heard_of(session.said("agent")) == int(0.4 * RATE)
    types = [message["type"] for message in seen]
    assert set(types) == {"session.update", "session.event_ack", "playback.ack", "session.close"} - (
        {"session.event_ack"} - set(types))  # fmt: skip
    assert [message["played_ms"] for message in seen if message["type"] == "playback.ack"][-1] == 400
    assert [event["choice"] for event in of_type(session, "decision")] == ["listen", "speak", "listen"]
    assert [event["text"] for event in of_type(session, "transcript")] == ["Good evening."]
    assert_no_secret(tmp_path)


def test_a_decision_to_listen_is_told_apart_from_the_silence_that_follows(tmp_path: Path) -> None:
    """The model decides within a unit of the speech; what it had sent ahead is still heard, and then it is silent."""

    async def gives_way(talker: Talker) -> None:
        await greet_duplex(talker)
        await talk_until_loud(talker, sentence(), ahead_s=AHEAD_S)
        await talker.send(listen())
        await part(talker)

    session, scores = interrupted(gives_way, tmp_path)
    decided, stopped = scores["decision_latency_p50_s"].value, scores["yield_latency_p50_s"].value
    assert scores["yield_rate"].value == 1, scores["undecided_rate"].evidence
    assert 0.3 <= decided < stopped - AHEAD_S / 2
    (end,) = of_type(session, "audio_end")
    assert "cut" not in end


def test_what_the_server_cuts_off_is_cut_here(tmp_path: Path) -> None:
    """The server's rule lets speech in: decision and stop are a moment, and the ack counts what the recording holds."""
    acks: list[Json] = []

    async def is_cut(talker: Talker) -> None:
        await greet_duplex(talker)
        await talk_until_loud(talker, sentence(), ahead_s=AHEAD_S)
        await talker.send(BARGE_IN, *over("r", "cancelled", "barge_in"))
        acks.append(await talker.until(lambda message: message.get("truncate") is True))
        await part(talker)

    session, scores = interrupted(is_cut, tmp_path)
    said = heard_of(session.said("agent"))
    assert acks[0]["played_ms"] == said * 1000 // RATE
    assert [event["cut"] for event in of_type(session, "audio_end")] == [True]
    assert scores["yield_rate"].value == 1
    assert abs(scores["yield_latency_p50_s"].value - scores["decision_latency_p50_s"].value) < 0.15


def test_a_recorded_session_replays_to_the_same_samples(tmp_path: Path) -> None:
    """Under the virtual clock, decisions included; nobody asks for the voice file again."""

    async def talks(talker: Talker) -> None:
        await greet_duplex(talker)
        await talker.until_heard(0.2)
        await talker.send(*speak("r"), *unit("r", tone(0.3), "hello"), listen())
        await part(talker)

    soundfile.write(tmp_path / "voice.wav", np.zeros(8000), 8000)
    recorded, _ = session_of(talks, tmp_path / "live", ref_audio=str(tmp_path / "voice.wav"))
    (tmp_path / "voice.wav").unlink()
    agent = {"kind": "replay_trace", "file": str(recorded.folder), "strict": True}
    spec = {"user": "silent", "agent": agent, "duration": "1500ms", "scorers": []}
    again = play_session(spec, tmp_path / "again")
    assert again.meta.clock == "virtual"
    assert np.array_equal(again.said("agent"), recorded.said("agent"))
    assert of_type(again, "decision") == of_type(recorded, "decision")


FULL = {
    "type": "rate_limit_error",
    "code": "resource_exhausted",
    "message": "duplex_session_capacity_exhausted: limit=4",
}
VAD = {"type": "invalid_request_error", "code": "unsupported_turn_detection", "message": "semantic_vad is unsupported",
       "param": "turn_detection"}  # fmt: skip
VOICE = {"type": "invalid_request_error", "code": "ref_audio_required", "message": "ref_audio is required"}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"error": FULL}, "vllm_duplex has no room for another session (duplex_session_capacity_exhausted: limit=4); "
                          "wait for one to end, or run fewer at once"),
        ({"error": VAD}, "vllm_duplex does not support what was asked for (unsupported_turn_detection: "
                         "semantic_vad is unsupported)"),
        ({"error": VOICE}, "vllm_duplex needs a voice to speak with (ref_audio is required); name a recording of one: "
                           "`ref_audio: voice.wav`"),
        ({"error": "Duplex API is not available", "code": "unsupported"},
         "vllm_duplex serves no duplex sessions (Duplex API is not available); the model has to be deployed with "
         "`session_mode: duplex`"),
    ],
)  # fmt: skip
def test_a_session_that_is_not_opened_is_told_in_a_sentence(error: Json, told: str, tmp_path: Path) -> None:
    """Full, unsupported, or no duplex server at all; the socket ends behind it."""

    async def refuses(talker: Talker) -> None:
        await talker.until_type("session.update")
        await talker.send({"type": "error", **error})
        await talker.connection.close(1008)

    session, _ = session_of(refuses, tmp_path)
    assert (session.meta.status, session.meta.problem) == ("failed", told)
