"""What every protocol core keeps: a log gives its actions however it is cut."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.chat_audio.protocol import AskRules, ChatAudioCore
from agents.gemini.live import GeminiLiveSpec
from agents.gemini.protocol import DOWN, GeminiCore
from agents.http_voice.npy_wire import encode_npy
from agents.http_voice.protocol import HttpVoiceCore
from agents.livekit.protocol import RoomCore, RoomSettings
from agents.llama_omni.protocol import UnitStream
from agents.mini_omni.protocol import MiniOmniCore
from agents.moshi.protocol import FRAME, MoshiClient, Sound
from agents.openai.live import OpenAILiveSpec
from agents.openai.live_protocol import LiveCore
from agents.openai.realtime import OpenAIRealtimeSpec
from agents.openai.realtime_protocol import RealtimeCore
from agents.pipecat.frames import encode_audio, encode_interruption, encode_message
from agents.pipecat.protocol import PipecatCore, PipecatSettings
from agents.pipecat.server_protocol import PipecatWords
from agents.pipecat.wire import told_of
from agents.remote.peer_core import Core, deliver
from agents.remote.trace import read_trace
from agents.remote.wire_audio import WireFormat
from agents.serve.stream import Frames
from agents.twilio.protocol import MULAW, MediaStreamCore, StreamSettings
from agents.twilio.server_protocol import MediaStreamWords
from agents.vllm.duplex import VllmDuplexSpec
from agents.vllm.protocol import DuplexCore
from agents.webrtc.protocol import PCM as RTC_PCM
from agents.webrtc.protocol import RtcCore, RtcSettings
from agents.websocket.actor import WebSocketSpec
from agents.websocket.protocol import SocketCore
from simulator.frame import silence
from simulator.sound.ogg import PageReader
from simulator.sound.opus import OpusEncoder
from simulator.spec import decode
from simulator.testing import ProtocolCase, burst, protocol_contract
from tests.contracts.duplex_services import BARGE_IN, listen, opened, over, speak, unit
from tests.contracts.peer_services import speech, tone

MOSHI_LOGS = Path(__file__).parents[1] / "data" / "moshi"

REALTIME: list[dict[str, Any]] = [
    {"type": "session.updated", "session": {}},
    *speech("resp_1", "item_1", tone(0.3), text="Good evening."),
    {"type": "input_audio_buffer.speech_started", "audio_start_ms": 100, "item_id": "item_u"},
]


DUPLEX: list[dict[str, Any]] = [
    *opened({}),
    listen(),
    *speak("r"),
    *unit("r", tone(0.3), "Good evening."),
    BARGE_IN,
    *over("r", "cancelled", "barge_in"),
]


GEMINI: list[dict[str, Any]] = [
    {"setup_complete": {"session_id": "s"}},
    {"session_resumption_update": {"new_handle": "h1", "resumable": True}},
    {"server_content": {"model_turn": {"parts": [
        {"inline_data": {"mime_type": "audio/pcm;rate=24000", "data": DOWN.encode(DOWN.unpack(tone(0.1)))}}]}}},
    {"server_content": {"output_transcription": {"text": "Good evening."}}},
    {"server_content": {"interrupted": True}},
    {"server_content": {"turn_complete": True}},
    {"tool_call": {"function_calls": [{"id": "1", "name": "hang_up", "args": {"reason": "done"}}]}},
]  # fmt: skip

LIVE: list[dict[str, Any]] = [
    {"type": "session.started", "session": {}},
    {"type": "session.output_audio.delta", "delta": WireFormat().encode(WireFormat().unpack(tone(0.1)))},
    {"type": "error", "error": {"code": "odd", "message": "something was odd"}},
]

SOUND = WireFormat(rate=16_000).encode(burst(1600))
SOCKET: list[dict[str, Any]] = [
    {"type": "opened"},
    {"json": {"data": SOUND, "text": "Good evening."}},
    {"json": {"name": "m"}},
    {"json": {"type": "clear"}},
    {"json": {"data": SOUND}},
]

MEDIA = MULAW.encode(burst(800))
CALL: list[dict[str, Any]] = [
    {"type": "opened",
     "call": {"streamSid": "MZ1", "callSid": "CA1", "accountSid": "AC1", "customParameters": {"k": "v"}}},
    {"json": {"event": "media", "streamSid": "MZ1", "media": {"payload": MEDIA}}},
    {"json": {"event": "mark", "streamSid": "MZ1", "mark": {"name": "m"}}},
    {"json": {"event": "clear", "streamSid": "MZ1"}},
]  # fmt: skip
SERVED_CALL = [
    json.dumps({"event": "start", "streamSid": "MZ1", "start": {"customParameters": {}}}),
    json.dumps({"event": "media", "media": {"payload": MEDIA}}),
    json.dumps({"event": "dtmf", "dtmf": {"digit": "5"}}),
    json.dumps({"event": "stop"}),
]

BOT: list[dict[str, Any]] = [
    {"type": "opened"},
    *map(told_of, (
        encode_message({"label": "rtvi-ai", "type": "bot-ready", "id": "1", "data": {"version": "2.2.0"}}),
        encode_audio(burst(2400), 24_000),
        encode_message({"label": "rtvi-ai", "type": "user-input", "data": {"text": "Hi.", "final": True}}),
        encode_interruption(),
        encode_audio(burst(960), 24_000),
    )),
]  # fmt: skip
RTC: list[dict[str, Any]] = [
    {"type": "opened", "call": "pc-1"},
    {"type": "bot-ready", "json": {"label": "rtvi-ai", "type": "bot-ready", "id": "1", "data": {"version": "2.2.0"}}},
    *({"type": "audio", "audio": RTC_PCM.encode(burst(960)), "pts": pts} for pts in (0, 960, 2880)),
    {"type": "bot-interrupted", "json": {"label": "rtvi-ai", "type": "bot-interrupted"}},
    {"type": "audio", "audio": RTC_PCM.encode(silence(960)), "pts": 3840},
    {"type": "audio", "audio": RTC_PCM.encode(burst(960)), "pts": 4800},
]
ROOM: list[dict[str, Any]] = [
    {"type": "joined", "identity": "caller"},
    {"type": "participant", "identity": "a", "kind": "agent", "attributes": {"lk.agent.state": "listening"}},
    {"type": "track", "identity": "a"},
    {"type": "text_opened", "stream": "s", "topic": "lk.transcription", "identity": "a", "attributes": {}},
    {"type": "text", "stream": "s", "text": "Good evening."},
    {"type": "audio", "identity": "a", "audio": RTC_PCM.encode(burst(960)), "pts": 0},
    {"type": "text_closed", "stream": "s", "attributes": {}},
    {"type": "left", "identity": "a", "reason": "reason 1"},
]
SERVED_BOT = [
    encode_message({"label": "rtvi-ai", "type": "client-ready", "id": "a", "data": {"version": "2.2.0"}}),
    encode_audio(burst(500), 16_000),
    encode_message({"label": "rtvi-ai", "type": "dtmf", "id": "b", "data": {"buttons": ["5"]}}),
    encode_audio(burst(140), 16_000),
]

CHAT: list[tuple[int, Any]] = [
    (200, {"choices": [{"message": {"role": "assistant", "content": "one"}}], "session_id": "s1"}),
    (200, {"choices": [{"message": {"role": "assistant", "audio": {"id": "a2", "transcript": "two"}}}]}),
    (200, {"choices": [{"message": {"role": "assistant", "content": "three"}}], "session_id": "s3"}),
]

VOICE: list[tuple[int, bytes]] = [
    (404, b""),
    *((200, json.dumps({"audio_data": encode_npy(burst(n)), "text": f"{n}"}).encode()) for n in (80, 160, 240)),
]


HUM: list[tuple[int, bytes]] = [(200, bytes([n, n]) * 100) for n in (1, 2, 3)]
UNITS = b"".join(
    json.dumps({"text": "yes" * n, "unit": "1 2 " * n, "error_code": 0}).encode() + b"\0" for n in (1, 2, 3)
)


def hummed(core: MiniOmniCore, answers: Sequence[tuple[int, bytes]]) -> list[Any]:
    """Hand answers over, a turn asked before each: what was asked, and the sound that was read, as bytes."""
    return [(core.ask(burst(160)), core.receive(*answer).samples.tobytes()) for answer in answers]


def moshi(core: MoshiClient, messages: Sequence[bytes]) -> list[tuple[str, Any]]:
    """Hand messages over, a frame sent before each; sound as bytes, so that events compare."""
    events = []
    for message in messages:
        if core.state == "open":
            core.send(silence(FRAME))
        events += core.receive(message)
    return [(type(event).__name__, event.samples.tobytes() if isinstance(event, Sound) else event) for event in events]


def realtime(core: Core, messages: Sequence[dict[str, Any]]) -> list[Any]:
    """Hand messages over, 20 ms said after each; what it does and what it says."""
    found: list[Any] = []
    for message in messages:
        deliver(core, message, 0)
        found += [*core.actions.take(), core.say(480, 0).tobytes()]
    return found


def chatted(core: ChatAudioCore, answers: Sequence[tuple[int, Any]]) -> list[Any]:
    """Hand answers over, a turn asked before each: the body, in which earlier ones come back, and what was read."""
    return [found for status, body in answers for found in (core.ask(b"RIFF"), core.receive(status, body))]


def voiced(core: HttpVoiceCore, answers: Sequence[tuple[int, bytes]]) -> list[Any]:
    """Hand answers over, a turn asked before each: where it went, and what was read, its sound as bytes."""
    found: list[Any] = []
    for status, body in answers:
        found.append(core.ask(burst(160)).path)
        answer = core.receive(status, body)
        found.append(
            answer and answer.samples is not None and (answer.samples.tobytes(), answer.sample_rate, answer.text)
        )
    return found


def gemini() -> GeminiCore:
    """A core that plays the agent and says sound as it comes."""
    core = GeminiCore(GeminiLiveSpec(jitter=0).settings())
    core.begin("agent", noisy=False)
    return core


def live() -> LiveCore:
    """A core of one continuous stream, playing the agent."""
    core = LiveCore(OpenAILiveSpec().settings())
    core.begin("agent", noisy=False)
    return core


def talking() -> RealtimeCore:
    """A core that plays the agent."""
    core = RealtimeCore(OpenAIRealtimeSpec().settings())
    core.begin("agent", noisy=False)
    return core


def deciding() -> DuplexCore:
    """A core of a model that decides by itself, playing the agent."""
    core = DuplexCore(VllmDuplexSpec(model="m").settings())
    core.begin("agent", noisy=False)
    return core


def socket() -> SocketCore:
    """A core of a WebSocket in words of JSON, playing the agent."""
    send = {"json": {"data": "{audio}"}, "mark": {"name": "{mark}"}}
    words = {"audio": "$.data", "text": "$.text", "clear": {"type": "clear"}, "mark": "$.name"}
    data = {"kind": "websocket", "url": "ws://127.0.0.1:1", "jitter": "0ms", "send": send, "receive": words}
    spec: Any = decode(data, WebSocketSpec, source="contract", folder=Path())
    core = SocketCore(spec.settings())
    core.begin("agent", noisy=False)
    return core


def call() -> MediaStreamCore:
    """A core of a telephone call, playing the agent."""
    core = MediaStreamCore(StreamSettings())
    core.begin("agent", noisy=False)
    return core


def bot() -> PipecatCore:
    """A core of a bot of Pipecat's, playing the agent."""
    core = PipecatCore(PipecatSettings(input_rate=16_000, output_rate=24_000, jitter_s=0))
    core.begin("agent", noisy=False)
    return core


def rtc() -> RtcCore:
    """A core of a bot behind WebRTC, playing the agent."""
    core = RtcCore(RtcSettings(dialect="pipecat", jitter_s=0))
    core.begin("agent", noisy=False)
    return core


def room() -> RoomCore:
    """A core of a stay in a room, playing the agent."""
    core = RoomCore(RoomSettings(jitter_s=0))
    core.begin("agent", noisy=False)
    return core


def words() -> MediaStreamWords:
    """An agent's side of a telephone call."""
    return MediaStreamWords()


def worded(core: MediaStreamWords | PipecatWords, messages: Sequence[Any]) -> list[Any]:
    """Hand a client's messages over, a frame said after each once the stream is known; sound as bytes."""
    found: list[Any] = []
    for message in messages:
        for item in core.receive(message):
            found += [frame.tobytes() for frame in item.frames] if isinstance(item, Frames) else [item]
        found += core.say(silence(160))
    return found


PROTOCOLS = [
    ProtocolCase(name="ogg", make=PageReader, feed=PageReader.feed, log=OpusEncoder().encode(burst(12_000))),
    ProtocolCase(name="realtime", make=talking, feed=realtime, log=REALTIME),
    ProtocolCase(name="duplex", make=deciding, feed=realtime, log=DUPLEX),
    ProtocolCase(name="gemini_live", make=gemini, feed=realtime, log=GEMINI),
    ProtocolCase(name="openai_live", make=live, feed=realtime, log=LIVE),
    ProtocolCase(name="websocket", make=socket, feed=realtime, log=SOCKET),
    ProtocolCase(name="twilio", make=call, feed=realtime, log=CALL),
    ProtocolCase(name="twilio-served", make=words, feed=worded, log=SERVED_CALL),
    ProtocolCase(name="pipecat", make=bot, feed=realtime, log=BOT),
    ProtocolCase(name="webrtc", make=rtc, feed=realtime, log=RTC),
    ProtocolCase(name="livekit", make=room, feed=realtime, log=ROOM),
    ProtocolCase(name="pipecat-served", make=lambda: PipecatWords(16_000, 20), feed=worded, log=SERVED_BOT),
    ProtocolCase(name="chat_audio", make=lambda: ChatAudioCore(AskRules()), feed=chatted, log=CHAT),
    ProtocolCase(name="llama_omni", make=UnitStream, feed=UnitStream.feed, log=UNITS),
    ProtocolCase(name="mini_omni", make=MiniOmniCore, feed=hummed, log=HUM),
    ProtocolCase(name="http_voice", make=HttpVoiceCore, feed=voiced, log=VOICE),
    *(
        ProtocolCase(
            name=f"moshi-{name}",
            make=MoshiClient,
            feed=moshi,
            log=[record.payload for record in read_trace(MOSHI_LOGS / f"{name}.jsonl").received()],
        )
        for name in ("moshi", "personaplex", "rust")
    ),
]
"""What each core is fed, as its service writes it."""

TestOurProtocols = protocol_contract(PROTOCOLS)
