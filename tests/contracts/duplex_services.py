"""A duplex server of vLLM-omni, scripted: its handshake, its messages, and what it refuses."""

import base64
from typing import Any

import numpy as np

from agents.remote.wire_audio import WireFormat
from tests.contracts.peer_services import RATE, Json, Talker, sound_in

HEARD = WireFormat(rate=16_000)
ABLE: Json = {"supports_barge_in": True, "supports_audio_truncate": True, "chunk_period_ms": 1000}
LOUD = 0.01


def opened(session: Json, able: Json = ABLE) -> list[Json]:
    """What a server answers to the first session.update."""
    told = session | {"id": "duplex-1", "capabilities": able}
    created = {"type": "session.created", "session": told, "resume_token": "rt_1", "server_event_seq": 1}
    return [created, {"type": "session.updated", "session": told, "server_event_seq": 2}]


async def greet_duplex(talker: Talker, able: Json = ABLE) -> Json:
    """Shake hands: nothing is said before the first session.update; gives the session that was asked for."""
    update = await talker.until(lambda message: True)
    assert update["type"] == "session.update", update
    await talker.send(*opened(update["session"], able))
    return dict(update["session"])


async def talk_until_loud(talker: Talker, pcm: bytes, *, ahead_s: float) -> None:
    """Say `pcm` from 0.3 s of the session on, in units of 100 ms, `ahead_s` ahead, until speech was heard for 0.3 s."""
    await talker.until_heard(0.3)
    await talker.send(*speak("r"))
    began_s, step, said, loud = talker.heard_s, RATE // 10 * 2, 0, 0.0
    while loud < 0.3:
        while said < (talker.heard_s - began_s + ahead_s) * RATE * 2:
            await talker.send(*unit("r", pcm[said : said + step], "la "))
            said += step
        audio = sound_in(await talker.until(lambda message: True))
        if audio is not None:
            loud += float(np.count_nonzero(np.abs(HEARD.decode(audio)) > LOUD)) / HEARD.rate


async def part(talker: Talker) -> None:
    """Wait for the goodbye and answer it."""
    await talker.until_type("session.close")
    await talker.send({"type": "session.closed", "session_id": "duplex-1", "reason": "client_close"})
    await talker.stay()


def speak(response: str) -> list[Json]:
    """The model decides to speak."""
    place = {"response_id": response, "item_id": f"item_{response}"}
    return [
        {"type": "response.created", "response_id": response, "response": {"id": response, "status": "in_progress"}},
        {"type": "response.speak", **place, "metadata": {"model_speak": True}},
    ]


def unit(response: str, pcm: bytes, text: str = "", rate: int = RATE, **more: Any) -> list[Json]:
    """One unit of what the model says, with its text."""
    place = {"response_id": response, "item_id": f"item_{response}", "output_index": 0, "content_index": 0}
    delta = base64.b64encode(pcm).decode()
    return [
        {"type": "response.output_audio.delta", **place, "delta": delta, "format": "pcm16", "sample_rate_hz": rate,
         "metadata": {"end_of_turn": False, **more}},
        {"type": "response.output_audio_transcript.delta", **place, "delta": text},
    ]  # fmt: skip


def over(response: str, status: str = "completed", reason: str | None = None) -> list[Json]:
    """A response is over."""
    details = {"type": status, "reason": reason} if reason else None
    told = {"id": response, "status": status, "status_details": details, "output": [{"id": f"item_{response}"}]}
    return [
        {"type": "response.done", "response_id": response, "response": told},
        {"type": "rate_limits.updated", "rate_limits": []},
    ]


def listen(reason: str = "model_listen") -> Json:
    """The model decides to listen, or its server waits for more sound."""
    told = {"reason": reason, "model_listen": reason == "model_listen"}
    return {"type": "response.listen", "session_id": "duplex-1", "epoch": 0,
            "response": {"status": "listening", "metadata": told}}  # fmt: skip


BARGE_IN: Json = {
    "type": "overlap.decision",
    "policy": "barge_in_on_speech",
    "action": "barge_in",
    "reason": "server_vad_utterance_active",
}
