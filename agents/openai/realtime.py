"""openai_realtime: a party played by the OpenAI Realtime API, or by anything that speaks its protocol.

    agent:
      kind: openai_realtime
      model: gpt-realtime-2
      voice: marin
      instructions: You take bookings for a restaurant.
      vad: {kind: semantic, eagerness: high}
      tools:
        - name: book_table
          parameters: {type: object, properties: {people: {type: integer}}}
          answer: booked

With a `persona` it plays the user: a caller with a goal who hangs up. The service detects turns (`server`,
`semantic`), or our own ears do (`none`). What it says is heard when it arrives, through a jitter buffer. The
protocol is in realtime_protocol.py.
"""

from typing import Any, Literal

import msgspec

from agents.openai.realtime_protocol import RealtimeCore
from agents.openai.reply import RealtimeSettings
from agents.openai.wire import OpenAIAddress, dial_realtime
from agents.remote.own_turns import OwnVad
from agents.remote.peer import FarEnd, Peer
from agents.remote.peer_replay import PeerReplay
from agents.remote.peer_spec import PeerSpec
from agents.remote.trace import Trace
from agents.remote.wire_audio import Encoding, wire_format
from simulator.actor import Actor
from simulator.reading.secrets import Secrets
from simulator.spec import Duration, Spec

FORMATS = {
    "pcm16": {"type": "audio/pcm", "rate": 24_000},
    "mulaw": {"type": "audio/pcmu"},
    "alaw": {"type": "audio/pcma"},
}


class ServerVad(Spec, frozen=True, kw_only=True, omit_defaults=True, tag="server"):
    """The service hears turns by loudness. What is not given is the service's default.

    interrupt: whether speech cuts the model off. idle: the model speaks up after so much silence. threshold: how loud
    speech is, 0 to 1. prefix: so much sound before a turn belongs to it. silence: so much silence ends a turn.
    """

    threshold: float | None = None
    prefix: Duration | None = None
    silence: Duration | None = None
    idle: Duration | None = None
    interrupt: bool = True


class SemanticVad(Spec, frozen=True, kw_only=True, omit_defaults=True, tag="semantic"):
    """The service's model judges when a turn is complete.

    eagerness: how soon a turn is taken as complete. interrupt: whether speech cuts the model off.
    """

    eagerness: Literal["low", "medium", "high", "auto"] | None = None
    interrupt: bool = True


class OpenAIRealtimeSpec(PeerSpec, frozen=True, kw_only=True, tag="openai_realtime"):
    """GPT realtime, or anything that speaks its Realtime API: `{kind: openai_realtime, model: gpt-realtime}`.

    vad: who detects turns. transcribe: the model that writes down what is heard; null for none.

    audio_format: PCM16 at 24 kHz, or G.711 at 8 kHz. session: more fields of session.update, laid over ours.
    noise_reduction: for a near or a far microphone (default: none).
    """

    model: str = "gpt-realtime-2"
    base_url: str = "https://api.openai.com/v1"
    api_key_env: str | None = "OPENAI_API_KEY"
    vad: ServerVad | SemanticVad | OwnVad = ServerVad()
    transcribe: str | None = "gpt-4o-transcribe"
    noise_reduction: Literal["near_field", "far_field"] | None = None
    audio_format: Encoding = "pcm16"
    session: dict[str, Any] = msgspec.field(default_factory=dict)

    def models(self) -> tuple[str, ...]:
        """The models whose prices apply: the recogniser's is its own."""
        return (self.model, self.transcribe) if self.transcribe else (self.model,)

    def build(self) -> Peer:
        """Make the actor."""
        secrets = Secrets()

        def dial() -> Any:
            return dial_realtime(
                OpenAIAddress(
                    base_url=secrets.expand(self.base_url),
                    key=self.key(secrets),
                    model=self.model,
                    connect_s=self.connect_timeout,
                )
            )

        far_end = FarEnd(name="openai_realtime", dial=dial, connect_s=self.connect_timeout)
        return Peer(self, RealtimeCore(self.settings()), far_end, secrets)

    def replay(self, trace: Trace) -> Actor:
        """Make an actor that plays a trace of this kind."""
        return PeerReplay(RealtimeCore(self.settings()), self.laid(trace))

    def settings(self) -> RealtimeSettings:
        """What the core needs to know."""
        own = self.vad if isinstance(self.vad, OwnVad) else None
        return RealtimeSettings(
            session=self._session(),
            model=self.model,
            recogniser=self.transcribe,
            audio=wire_format(self.audio_format),
            tools=self.offered_tools(),
            speaks_first=self.speaks_first,
            interrupts=self.vad.interrupt,
            cancels=own is not None,
            detects_turns=own is None,
            own_ears=own.ears if own else None,
            end_silence_s=own.end_silence if own else 0.0,
            jitter_s=self.jitter,
            stall_s=self.stall_timeout,
        )

    def _session(self) -> dict[str, Any]:
        """The object of session.update."""
        form = FORMATS[self.audio_format]
        heard: dict[str, Any] = {"format": form, "turn_detection": _turn_detection(self.vad)}
        heard["transcription"] = {"model": self.transcribe} if self.transcribe else None
        if self.noise_reduction:
            heard["noise_reduction"] = {"type": self.noise_reduction}
        said: dict[str, Any] = {"format": form} | ({"voice": self.voice} if self.voice else {})
        session: dict[str, Any] = {"type": "realtime", "output_modalities": ["audio"]}
        session["audio"] = {"input": heard, "output": said}
        if self.told():
            session["instructions"] = self.told()
        if self.offered_tools():
            session["tools"] = [
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                }
                for tool in self.offered_tools()
            ]
        return _laid_over(session, self.session)


def _turn_detection(vad: ServerVad | SemanticVad | OwnVad) -> dict[str, Any] | None:
    if isinstance(vad, OwnVad):
        return None
    given: dict[str, Any] = {"create_response": True, "interrupt_response": vad.interrupt}
    if isinstance(vad, SemanticVad):
        return {"type": "semantic_vad", "eagerness": vad.eagerness or "auto"} | given
    more = {
        "threshold": vad.threshold,
        "prefix_padding_ms": _ms(vad.prefix),
        "silence_duration_ms": _ms(vad.silence),
        "idle_timeout_ms": _ms(vad.idle),
    }
    return {"type": "server_vad"} | given | {name: value for name, value in more.items() if value is not None}


def _ms(duration: Duration | None) -> int | None:
    return None if duration is None else round(duration * 1000)


def _laid_over(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Lay one tree of mappings over another; what is no mapping is replaced."""
    laid = dict(base)
    for name, value in over.items():
        below = laid.get(name)
        both = isinstance(below, dict) and isinstance(value, dict)
        laid[name] = _laid_over(below, value) if both else value  # type: ignore[arg-type]
    return laid
