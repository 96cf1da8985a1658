"""gemini_live: a party played by Gemini Live.

    agent:
      kind: gemini_live
      model: gemini-3.1-flash-live-preview
      voice: Puck
      instructions: You take bookings for a restaurant.

    user:
      kind: gemini_live
      persona: {who: Ann, in a hurry, goal: a table for three at eight tonight}

With a `persona` it is a simulated user: it calls with a goal and hangs up (the function `hang_up`) when it is
done. A session outlives its connections: announced or not, a lost one is resumed where the service gave a
handle. The protocol is in protocol.py. 16 kHz go up, 24 kHz come down.
"""

from typing import Any, Literal

import msgspec

from agents.gemini.protocol import GeminiCore
from agents.gemini.turn import GeminiSettings
from agents.gemini.wire import GeminiAddress, dial_gemini
from agents.remote.own_turns import OwnVad
from agents.remote.peer import FarEnd, Peer
from agents.remote.peer_replay import PeerReplay
from agents.remote.peer_spec import PeerSpec
from agents.remote.trace import Trace
from simulator.actor import Actor
from simulator.reading.secrets import Secrets
from simulator.spec import Duration, Spec

GREETING = "(The call has just been connected. You speak first.)"


class AutomaticVad(Spec, frozen=True, kw_only=True, omit_defaults=True, tag="automatic"):
    """The service detects turns. start, end: how sensitive it is to either. Not given: its default.

    prefix: so much speech before a turn begins. silence: so much silence ends a turn. interrupt: whether speech cuts
    the model off.
    """

    start: Literal["high", "low"] | None = None
    end: Literal["high", "low"] | None = None
    prefix: Duration | None = None
    silence: Duration | None = None
    interrupt: bool = True


class GeminiLiveSpec(PeerSpec, frozen=True, kw_only=True, tag="gemini_live"):
    """Gemini Live, as the agent under test or as a simulated user: `{kind: gemini_live}`.

    vad: who detects turns. transcribe: ask for both sides' transcripts. resume: survive lost connections.

    config: more fields of the session's configuration (google.genai.types.LiveConnectConfig), laid over ours.
    api_version: of the service (default: the client's). language: that it speaks, a code such as en-US.
    """

    model: str = "gemini-3.1-flash-live-preview"
    base_url: str = "https://generativelanguage.googleapis.com"
    api_version: str | None = None
    api_key_env: str | None = "GEMINI_API_KEY"
    vad: AutomaticVad | OwnVad = AutomaticVad()
    transcribe: bool = True
    resume: bool = True
    language: str | msgspec.UnsetType = msgspec.UNSET
    config: dict[str, Any] = msgspec.field(default_factory=dict)

    def build(self) -> Peer:
        """Make the actor."""
        secrets = Secrets()
        core = GeminiCore(self.settings())

        def dial() -> Any:
            return dial_gemini(GeminiAddress(
                base_url=secrets.expand(self.base_url), key=self.key(secrets), model=self.model,
                config=self.configuration(core.link.handle), api_version=self.api_version,
            ))  # fmt: skip

        far_end = FarEnd(name="gemini_live", dial=dial, connect_s=self.connect_timeout)
        return Peer(self, core, far_end, secrets)

    def replay(self, trace: Trace) -> Actor:
        """Make an actor that plays a trace of this kind."""
        return PeerReplay(GeminiCore(self.settings()), self.laid(trace))

    def settings(self) -> GeminiSettings:
        """What the core needs to know."""
        own = self.vad if isinstance(self.vad, OwnVad) else None
        return GeminiSettings(
            model=self.model,
            tools=self.offered_tools(),
            greeting=GREETING if self.speaks_first else "",
            detects_turns=own is None,
            own_ears=own.ears if own else None,
            end_silence_s=own.end_silence if own else 0.0,
            jitter_s=self.jitter,
            stall_s=self.stall_timeout,
        )

    def configuration(self, handle: str | None) -> dict[str, Any]:
        """The session's configuration; handle: of the session to go on with."""
        config: dict[str, Any] = {
            "response_modalities": ["AUDIO"],
            "realtime_input_config": _input_config(self.vad),
        }
        speech: dict[str, Any] = {}
        if self.voice:
            speech["voice_config"] = {"prebuilt_voice_config": {"voice_name": self.voice}}
        if self.language:
            speech["language_code"] = self.language
        if speech:
            config["speech_config"] = speech
        if self.told():
            config["system_instruction"] = self.told()
        if self.offered_tools():
            functions = [
                {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters_json_schema": tool.parameters,
                }
                for tool in self.offered_tools()
            ]
            config["tools"] = [{"function_declarations": functions}]
        if self.transcribe:
            config |= {"input_audio_transcription": {}, "output_audio_transcription": {}}
        if self.resume:
            config["session_resumption"] = {"handle": handle} if handle else {}
        return config | self.config


def _input_config(vad: AutomaticVad | OwnVad) -> dict[str, Any]:
    config: dict[str, Any] = {} if vad.interrupt else {"activity_handling": "NO_INTERRUPTION"}
    if isinstance(vad, OwnVad):
        return config | {"automatic_activity_detection": {"disabled": True}}
    given: dict[str, Any] = {
        "start_of_speech_sensitivity": vad.start and f"START_SENSITIVITY_{vad.start.upper()}",
        "end_of_speech_sensitivity": vad.end and f"END_SENSITIVITY_{vad.end.upper()}",
        "prefix_padding_ms": None if vad.prefix is None else round(vad.prefix * 1000),
        "silence_duration_ms": None if vad.silence is None else round(vad.silence * 1000),
    }
    given = {name: value for name, value in given.items() if value is not None}
    return config | ({"automatic_activity_detection": given} if given else {})
