"""Rules of whatever comes over a wire: a sentence, an error of the protocol or a result, whatever it holds.

How to try more mutants, and other ones: see test_fuzz.py.
"""

import base64
import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agents.chat_audio.server_request import read_request
from agents.gemini.protocol import GeminiCore
from agents.http_voice.npy_wire import encode_npy
from agents.http_voice.server import read_ask
from agents.openai.live_protocol import LiveCore
from agents.openai.realtime_protocol import RealtimeCore
from agents.openai.server_protocol import RealtimeServer
from agents.remote.peer_core import deliver
from agents.serve.http_json import RefusedError
from agents.vllm.protocol import DuplexCore
from simulator.actor import AnyActor
from simulator.frame import silence
from simulator.sound.wav import encode_wav
from simulator.speaking.ears import LevelEarsSpec
from simulator.spec import decode
from simulator.testing import ProtocolCase, burst
from tests.contracts.duplex_services import BARGE_IN, listen, over, speak, unit
from tests.contracts.test_protocol_contract import PROTOCOLS
from tests.mutants import bytes_mutated, memory_watched, mutants, survived, value_mutated

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]


@pytest.fixture(autouse=True)
def within_memory() -> Iterator[None]:
    """No mutant takes more than 500 MB beyond what the process had."""
    with memory_watched():
        yield


CORES: dict[str, Any] = {
    "openai_realtime": RealtimeCore,
    "openai_live": LiveCore,
    "gemini_live": GeminiCore,
    "vllm_duplex": DuplexCore,
}

ITEM = {"type": "function_call", "call_id": "c", "name": "hang_up", "arguments": "{}"}
USAGE = {"input_tokens": 3, "input_token_details": {"text_tokens": 1, "audio_tokens": 2}, "seconds": 2.0}
RESPONSE = {"id": "r", "status": "completed", "usage": USAGE, "status_details": {"error": {"code": "x"}}}
MESSAGES: dict[str, list[dict[str, Any]]] = {
    "openai_realtime": [
        {"type": "session.updated", "session": {}},
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": 100, "item_id": "u"},
        {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 300, "item_id": "u"},
        {"type": "response.created", "response": {"id": "r"}},
        {"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": "AAAAAAAA" * 200},
        {"type": "response.output_audio_transcript.delta", "response_id": "r", "item_id": "i", "delta": "Hi"},
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "u", "transcript": "Hello"},
        {"type": "response.output_item.done", "item": ITEM},
        {"type": "response.done", "response": RESPONSE},
        {"type": "rate_limits.updated", "rate_limits": [{"name": "tokens", "remaining": 3, "reset_seconds": 1.5}]},
        {"type": "error", "error": {"type": "x", "code": "y", "message": "z"}},
    ],
    "openai_live": [
        {"type": "session.started", "session": {}},
        {"type": "session.output_audio.delta", "delta": "AAAAAAAA" * 200},
        {"type": "session.output_transcript.delta", "delta": "Hi", "start_ms": 3, "end_ms": 9},
        {"type": "session.input_transcript.delta", "delta": "Hello", "start_ms": 3, "end_ms": 9},
        {"type": "session.usage.updated", "usage": USAGE},
        {"type": "response.event", "event": {"type": "response.output_item.done", "item": ITEM}},
        {"type": "response.event", "event": {"type": "response.completed", "response": RESPONSE}},
        {"type": "session.delegation.created", "delegation": {"id": "d", "status": "x"}},
        {"type": "error", "error": {"code": "y", "message": "z"}},
    ],
    "gemini_live": [
        {"setup_complete": {"session_id": "s"}},
        {"server_content": {"model_turn": {"parts": [
            {"inline_data": {"mime_type": "audio/pcm;rate=24000", "data": "AAAAAAAA" * 200}}, {"text": "x"}]}}},
        {"server_content": {"output_transcription": {"text": "Hi"}, "input_transcription": {"text": "Hello"}}},
        {"server_content": {"interrupted": True, "turn_complete": True, "turn_complete_reason": "x"}},
        {"tool_call": {"function_calls": [{"id": "c", "name": "hang_up", "args": {}}]}},
        {"tool_call_cancellation": {"ids": ["c"]}},
        {"usage_metadata": {"prompt_token_count": 3, "response_token_count": 4}},
        {"go_away": {"time_left": "3s"}},
        {"session_resumption_update": {"new_handle": "h", "resumable": True}},
    ],
    "vllm_duplex": [
        {"type": "session.created", "session": {"capabilities": {"supports_audio_truncate": True}}},
        {"type": "session.updated", "session": {}, "server_event_seq": 2},
        listen(), *speak("r"), *unit("r", bytes(9600), "Hi"), BARGE_IN, *over("r", "cancelled", "barge_in"),
        *speak("s"), *unit("s", bytes(9600), "Hi"), *over("s"),
        {"type": "response.output_item.done", "response_id": "f", "item": ITEM},
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": 100, "item_id": "u"},
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "u", "transcript": "Hello"},
        {"type": "playback.acknowledged", "event": {"played_ms": 3}},
        {"type": "error", "error": {"type": "x", "code": "playback_item_mismatch", "message": "z"}},
        {"type": "session.closed", "reason": "idle_ttl_expired"},
    ],
}  # fmt: skip
"""What far ends send in a session, as their services write it."""


def told_to(kind: str, messages: list[dict[str, Any]]) -> None:
    """Hand messages to a kind's protocol core, a frame heard and said after each."""
    spec = decode({"kind": kind, "model": "m", "jitter": "0s"}, AnyActor, source="x", folder=Path())
    core = CORES[kind](spec.settings())
    core.begin("agent", noisy=False)
    core.opening()
    for number, message in enumerate(messages):
        deliver(core, json.loads(json.dumps(message)), 480 * number)
        core.hear(silence(480), 480 * number)
        assert len(core.say(480, 480 * number)) == 480
        core.actions.take()
    core.close(480 * len(messages))


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_strange_message_of_a_far_end_costs_a_sentence(kind: str) -> None:
    """A core acts on a message with changed fields, passes it over, or says what the far end did."""
    told_to(kind, MESSAGES[kind][:-1])
    for number, random in mutants("wire"):
        messages = list(MESSAGES[kind])
        for _ in range(random.choice((1, 1, 3))):
            at = random.randrange(len(messages))
            changed = value_mutated(messages[at], random)
            messages[at] = changed if isinstance(changed, dict) else {}
        problem = survived(lambda messages=messages: told_to(kind, messages))
        assert problem is None, f"mutant {number} for {kind}: {problem}"


def _message_mutated(message: Any, random: Random) -> Any:
    """Change a message: a status and a body, a body, bytes, text that may be JSON, plain JSON."""
    match message:
        case (int(status), body):
            if random.random() < 0.1:
                return random.choice((0, 200, 404, 500)), body
            return status, _message_mutated(body, random)
        case bytes():
            return bytes_mutated(message, random)
        case str():
            return bytes_mutated(message.encode(), random).decode("utf-8", "replace")
        case _:
            changed = value_mutated(message, random)
            return changed if isinstance(changed, dict) else {}


@pytest.mark.parametrize("case", PROTOCOLS, ids=lambda case: case.name)
def test_a_damaged_log_costs_a_sentence(case: ProtocolCase) -> None:
    """Every protocol core, of a far end or of a client, takes a log with changed messages, or says what is wrong."""
    case.feed(case.make(), case.log)
    for number, random in mutants("log"):
        if isinstance(case.log, bytes):
            log: Any = bytes_mutated(case.log, random)
        else:
            log = list(case.log)
            for _ in range(random.choice((1, 1, 3))):
                at = random.randrange(len(log))
                log[at] = _message_mutated(log[at], random)
        problem = survived(lambda log=log: case.feed(case.make(), log))
        assert problem is None, f"mutant {number} for {case.name}: {problem}"


def _client_events() -> list[dict[str, Any]]:
    """What the clients on record send, an event of each form, with sound between."""
    records = sorted((Path(__file__).parent / "data" / "clients").glob("*.jsonl"))
    lines = [json.loads(line) for record in records for line in record.read_text().splitlines()]
    events = {json.dumps(sorted(sent)) + sent["type"]: sent for line in lines if (sent := line.get("sent"))}
    sound = {"type": "input_audio_buffer.append", "audio": "AAAAAAAA" * 200}
    return [event for sent in events.values() for event in (sound, sent)]


def test_a_strange_event_of_a_client_costs_an_error() -> None:
    """The served Realtime protocol acts on an event with changed fields, or answers with `error`: it raises nothing."""
    events = _client_events()

    def served(events: list[dict[str, Any]]) -> None:
        server = RealtimeServer("any", LevelEarsSpec())
        for event in events:
            server.receive(json.loads(json.dumps(event)))
            server.say(burst(480))
            assert len(server.hear(480)) == 480
            server.out.take()

    for number, random in mutants("client"):
        mine = list(events)
        for _ in range(3):
            at = random.randrange(len(mine))
            mine[at] = _message_mutated(mine[at], random)
        problem = survived(lambda mine=mine: served(mine))
        assert problem is None, f"mutant {number}: {problem}"


CHAT = {"messages": [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "What is this?"},
                                 {"type": "audio_url", "audio_url": {"url": "data:audio/wav;base64,UklGRg=="}}]},
    {"role": "assistant", "content": None, "audio": {"id": "audio-1"}},
    {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}]},
], "temperature": 0.5, "max_tokens": 10, "seed": 1, "extra_body": {"session_id": "s"}}  # fmt: skip
REQUESTS: dict[str, tuple[dict[str, Any], Callable[[bytes], object]]] = {
    "chat_audio": (CHAT, read_request),
    "http_voice": (
        {"audio_data": encode_npy(burst(800)), "sample_rate": 16_000},
        lambda body: read_ask(body, 600),
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_strange_request_costs_a_refusal(name: str) -> None:
    """The bodies of both HTTP protocols, with a sound file in the chat's, are read or refused with a status."""
    request, read = REQUESTS[name]
    sound = base64.b64encode(encode_wav(burst(1600), 16_000)).decode()
    body = json.dumps(request).replace("UklGRg==", sound)

    def refused(body: bytes) -> None:
        with contextlib.suppress(RefusedError):
            read(body)

    for number, random in mutants("request"):
        changed = value_mutated(json.loads(body), random)
        data = json.dumps(changed).encode() if random.random() < 0.5 else bytes_mutated(body.encode(), random)
        problem = survived(lambda data=data: refused(data))
        assert problem is None, f"mutant {number} for {name}: {problem}"
