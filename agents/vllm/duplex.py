"""vllm_duplex: a party played by a full-duplex model that vLLM-omni serves: MiniCPM-o 4.5, Nemotron VoiceChat.

    agent:
      kind: vllm_duplex
      base_url: http://127.0.0.1:8099/v1
      model: openbmb/MiniCPM-o-4_5
      ref_audio: voice.wav
      instructions: You take bookings for a restaurant.

The model hears all the time and decides by itself, unit by unit, whether to listen or to speak: nothing is committed
and no response is asked for. Its decisions are `decision` events, its sound comes after them; what was really heard of
it is acknowledged. A server that speaks at another rate than `output_rate` is told apart by its first sound. The
protocol is in protocol.py.
"""

import base64
import io
import wave
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from agents.remote.base64_bytes import base64_text
from agents.remote.peer import FarEnd, Peer
from agents.remote.peer_replay import PeerReplay
from agents.remote.peer_spec import STALL, PeerSpec
from agents.remote.trace import Trace
from agents.remote.wire_audio import wire_format
from agents.vllm.protocol import DuplexCore, DuplexSettings
from agents.vllm.wire import DuplexAddress, dial_duplex
from simulator.actor import Actor, Setting
from simulator.errors import ScenarioError, located
from simulator.frame import Samples, to_pcm16
from simulator.reading.secrets import Secrets
from simulator.sound import recordings
from simulator.spec import Duration, Spec
from simulator.traits import PartyTraits

Rate = Annotated[int, Meta(ge=8000, le=48_000)]
VOICE_HZ = 16_000
LONGEST_VOICE_S = 60
"""Some seconds show a voice; a minute is 2.6 MB of a message that may have 15."""


class ModelVad(Spec, frozen=True, kw_only=True, omit_defaults=True, tag="model"):
    """The model hears turns: when to listen and when to speak is its own decision."""


class InterruptingVad(Spec, frozen=True, kw_only=True, omit_defaults=True, tag="server"):
    """The server hears speech by Silero and cuts the model off. What is not given is the server's default.

    threshold: the probability of speech that counts, 0 to 1. prefix: so much sound before a turn belongs to it.
    silence: so much silence ends a turn.
    """

    threshold: float | None = None
    prefix: Duration | None = None
    silence: Duration | None = None


class VllmDuplexSpec(PeerSpec, frozen=True, kw_only=True, tag="vllm_duplex"):
    """A full-duplex model behind vLLM-omni: `{kind: vllm_duplex, base_url: "http://host:8099/v1", model: ...}`.

    model: as the server has it. ref_audio: a recording of the voice to speak with (of a stereo file the left channel),
    which MiniCPM-o needs. vad: whether the model alone decides, or the server's detector cuts it off. audio_format,
    input_rate: how it is sent what it hears. output_rate: Hz of what it says (Nemotron VoiceChat: 22050). session: more
    fields of session.update.
    """

    model: Annotated[str, Meta(min_length=1)]
    base_url: str = "http://127.0.0.1:8099/v1"
    api_key_env: str | None = None
    ref_audio: Path | None = None
    vad: ModelVad | InterruptingVad = ModelVad()
    audio_format: Literal["pcm16", "pcm_f32le"] = "pcm16"
    input_rate: Rate = 16_000
    output_rate: Rate = 24_000
    session: dict[str, Any] = msgspec.field(default_factory=dict)

    def traits(self) -> PartyTraits:
        """The server has its own real time; nobody bills for it."""
        return PartyTraits(own_time=True, remote=True, calls_tools=True)

    def check(self, setting: Setting) -> None:
        """Refuse what the protocol has no word for, and a voice that cannot be sent."""
        PeerSpec.check(self, setting)
        if self.speaks_first:
            complaint = "nobody can ask this model to speak; leave it out, or say so in `instructions`"
            raise setting.refuse(".speaks_first", complaint)
        if self.stall_timeout != STALL:
            raise setting.refuse(".stall_timeout", "no answer is ever due from a model that may listen; leave it out")
        if self.ref_audio is not None:
            located(f"{setting.where}.ref_audio", lambda: voice_url(self.ref_audio))

    def build(self) -> Peer:
        """Make the actor. ScenarioError: the voice cannot be read any more."""
        secrets = Secrets()

        def dial() -> Any:
            key = self.key(secrets) if self.api_key_env else None
            url = secrets.expand(self.base_url)
            return dial_duplex(DuplexAddress(base_url=url, key=key, connect_s=self.connect_timeout))

        far_end = FarEnd(name="vllm_duplex", dial=dial, connect_s=self.connect_timeout)
        return Peer(self, DuplexCore(self.settings()), far_end, secrets)

    def replay(self, trace: Trace) -> Actor:
        """Make an actor that plays a trace of this kind; the voice file is not asked for."""
        return PeerReplay(DuplexCore(msgspec.structs.replace(self, ref_audio=None).settings()), self.laid(trace))

    def settings(self) -> DuplexSettings:
        """What the core needs to know."""
        return DuplexSettings(
            session=self._session(),
            encode=_float32 if self.audio_format == "pcm_f32le" else wire_format("pcm16", self.input_rate).encode,
            input_rate=self.input_rate,
            output_rate=self.output_rate,
            interrupted=isinstance(self.vad, InterruptingVad),
            tools=self.offered_tools(),
            jitter_s=self.jitter,
        )

    def _session(self) -> dict[str, Any]:
        """The object of session.update."""
        session: dict[str, Any] = {
            "model": self.model,
            "modalities": ["audio", "text"],
            "input_audio_format": self.audio_format,
            "output_audio_format": "pcm16",
            "sample_rate_hz": self.input_rate,
            "audio": {"input": {"sample_rate_hz": self.input_rate}, "output": {"sample_rate_hz": self.output_rate}},
            "turn_detection": _turn_detection(self.vad),
            "overlap_policy": "listen_only" if isinstance(self.vad, ModelVad) else "barge_in_on_speech",
            "playback_commit_policy": "ack_only",
            "extra_body": {"auto_response": True},
        }
        given = {
            "instructions": self.told(),
            "voice": self.voice,
            "tools": self._tools(),
            "ref_audio": voice_url(self.ref_audio),
        }
        return session | {name: value for name, value in given.items() if value} | self.session

    def _tools(self) -> list[dict[str, Any]]:
        return [
            {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters}
            for tool in self.offered_tools()
        ]


def voice_url(path: Path | None) -> str | None:
    """Give a recording of a voice as a data URL: a WAV of 16 kHz, whatever it was. ScenarioError: none that will do."""
    if path is None:
        return None
    samples = recordings.load(path, VOICE_HZ, channel=0)
    if len(samples) > LONGEST_VOICE_S * VOICE_HZ:
        seconds = len(samples) / VOICE_HZ
        raise ScenarioError(f"{path}: holds {seconds:.1f} s; a voice is shown in {LONGEST_VOICE_S} s at most")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(VOICE_HZ)
        writer.writeframes(to_pcm16(samples).astype("<i2").tobytes())
    return f"data:audio/wav;base64,{base64_text(file.getvalue())}"


def _float32(samples: Samples) -> str:
    return base64.b64encode(np.asarray(samples, "<f4").tobytes()).decode("ascii")


def _turn_detection(vad: ModelVad | InterruptingVad) -> dict[str, Any] | None:
    if isinstance(vad, ModelVad):
        return None
    times = {"prefix_padding_ms": vad.prefix, "silence_duration_ms": vad.silence}
    given = {name: round(time * 1000) for name, time in times.items() if time is not None}
    threshold = {"threshold": vad.threshold} if vad.threshold is not None else {}
    return {"type": "server_vad", **threshold, **given}
