"""What every protocol core keeps: a log gives its actions however it is cut."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.moshi.protocol import FRAME, MoshiClient, Sound
from agents.openai.realtime import OpenAIRealtimeSpec
from agents.openai.realtime_protocol import RealtimeCore
from agents.remote.peer_core import deliver
from agents.remote.trace import read_trace
from agents.vllm.duplex import VllmDuplexSpec
from agents.vllm.protocol import DuplexCore
from simulator.frame import silence
from simulator.sound.ogg import PageReader
from simulator.sound.opus import OpusEncoder
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


def moshi(core: MoshiClient, messages: Sequence[bytes]) -> list[tuple[str, Any]]:
    """Hand messages over, a frame sent before each; sound as bytes, so that events compare."""
    events = []
    for message in messages:
        if core.state == "open":
            core.send(silence(FRAME))
        events += core.receive(message)
    return [(type(event).__name__, event.samples.tobytes() if isinstance(event, Sound) else event) for event in events]


def realtime(core: RealtimeCore | DuplexCore, messages: Sequence[dict[str, Any]]) -> list[Any]:
    """Hand messages over, 20 ms said after each; what it does and what it says."""
    found: list[Any] = []
    for message in messages:
        deliver(core, message, 0)
        found += [*core.actions.take(), core.say(480, 0).tobytes()]
    return found


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


TestOurProtocols = protocol_contract(
    [
        ProtocolCase(name="ogg", make=PageReader, feed=PageReader.feed, log=OpusEncoder().encode(burst(12_000))),
        ProtocolCase(name="realtime", make=talking, feed=realtime, log=REALTIME),
        ProtocolCase(name="duplex", make=deciding, feed=realtime, log=DUPLEX),
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
)
