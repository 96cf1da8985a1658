"""The settings of a served Realtime session, as `session.update` brings them.

Names are those of the protocol since general availability. What changes the sound or the turns is honoured; what only
tells a model how to behave is told back and changes nothing, for the agent hears sound alone; every other name, and
every value that cannot be honoured, is an error that names it, and then nothing of the update holds.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from agents.openai.server_words import ClientEventError, Message, mapping, milliseconds, only_known
from agents.remote.own_turns import PREROLL_S
from agents.remote.wire_audio import Encoding, WireFormat, wire_format

ECHOED = ("include", "instructions", "max_output_tokens", "parallel_tool_calls", "prompt", "reasoning", "tool_choice",
          "tools", "tracing", "truncation")  # fmt: skip
"""Settings that the client is told back and that change nothing."""

KNOWN = (*ECHOED, "type", "object", "id", "model", "expires_at", "audio", "output_modalities")
HEARD = ("format", "turn_detection", "transcription", "noise_reduction")
SAID = ("format", "voice", "speed")
TURNS = ("type", "threshold", "prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms", "create_response",
         "interrupt_response", "eagerness")  # fmt: skip

ENCODINGS: Mapping[str, Encoding] = {"audio/pcm": "pcm16", "audio/pcmu": "mulaw", "audio/pcma": "alaw"}
LONGEST_MS = 10_000


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """How turns are found. manual: the client commits. interrupt: speech cancels the response.

    create: a turn is answered unasked.
    """

    manual: bool = False
    create: bool = True
    interrupt: bool = True
    silence_s: float = 0.5
    prefix_ms: int = round(PREROLL_S * 1000)

    def described(self) -> dict[str, Any] | None:
        """What the client is told of it."""
        return None if self.manual else {
            "type": "server_vad", "silence_duration_ms": round(self.silence_s * 1000),
            "prefix_padding_ms": self.prefix_ms, "create_response": self.create,
            "interrupt_response": self.interrupt,
        }  # fmt: skip


class ServedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What holds in a session. text_only: responses come without sound. told: what is only told back."""

    heard: WireFormat = WireFormat()
    said: WireFormat = WireFormat()
    detection: Detection = Detection()
    transcription: dict[str, Any] | None = None
    noise_reduction: dict[str, Any] | None = None
    voice: Any = None
    text_only: bool = False
    told: dict[str, Any] = {}

    def described(self) -> dict[str, Any]:
        """Give the fields of a `session` object that are settings."""
        heard = {
            "format": described_format(self.heard),
            "transcription": self.transcription,
            "noise_reduction": self.noise_reduction,
            "turn_detection": self.detection.described(),
        }
        said = {"format": described_format(self.said)} | ({"voice": self.voice} if self.voice else {})
        modalities = ["text" if self.text_only else "audio"]
        return {**self.told, "output_modalities": modalities, "audio": {"input": heard, "output": said}}


def changed(before: ServedSettings, session: Message) -> ServedSettings:
    """Give the settings after an update. ClientEventError, and nothing changes: what cannot be honoured."""
    only_known(session, KNOWN, "session")
    if session.get("type") not in (None, "realtime"):
        raise _refused("session.type", session["type"], "'realtime' is served here")
    audio = mapping(session.get("audio"), "session.audio")
    only_known(audio, ("input", "output"), "session.audio")
    heard = mapping(audio.get("input"), "session.audio.input")
    said = mapping(audio.get("output"), "session.audio.output")
    only_known(heard, HEARD, "session.audio.input")
    only_known(said, SAID, "session.audio.output")
    if said.get("speed") not in (None, 1):
        raise _refused("session.audio.output.speed", said["speed"], "the agent speaks as it does: 1 is allowed")
    changes: dict[str, Any] = {name: _object(heard[name], f"session.audio.input.{name}")
                               for name in ("transcription", "noise_reduction") if name in heard}  # fmt: skip
    if "turn_detection" in heard:
        changes["detection"] = detection_of(heard["turn_detection"])
    if said.get("voice"):
        changes["voice"] = said["voice"]
    if session.get("output_modalities") is not None:
        changes["text_only"] = text_only(session["output_modalities"], "session.output_modalities")
    told = {name: session[name] for name in ECHOED if name in session}
    return msgspec.structs.replace(
        before,
        heard=_format(heard.get("format"), before.heard, "session.audio.input.format"),
        said=_format(said.get("format"), before.said, "session.audio.output.format"),
        told=before.told | told,
        **changes,
    )


def detection_of(given: object) -> Detection:
    """Read `turn_detection`; null leaves turns to the client. ClientEventError when it is neither."""
    where = "session.audio.input.turn_detection"
    if given is None:
        return Detection(manual=True)
    if not isinstance(given, Mapping) or given.get("type", "server_vad") not in ("server_vad", "semantic_vad"):
        raise ClientEventError("invalid_value", "turn_detection is server_vad, semantic_vad or null", where)
    only_known(given, TURNS, where)
    if given.get("idle_timeout_ms") is not None:
        raise _refused(f"{where}.idle_timeout_ms", given["idle_timeout_ms"], "the agent decides when it speaks up")
    for name in ("create_response", "interrupt_response"):
        if not isinstance(given.get(name), bool | None):
            raise _refused(f"{where}.{name}", given[name], "true and false are allowed")
    silence = given.get("silence_duration_ms")
    prefix = given.get("prefix_padding_ms")
    silence_ms = milliseconds(500 if silence is None else silence, f"{where}.silence_duration_ms", LONGEST_MS)
    prefix_ms = milliseconds(300 if prefix is None else prefix, f"{where}.prefix_padding_ms", LONGEST_MS)
    return Detection(
        create=given.get("create_response") is not False,
        interrupt=given.get("interrupt_response") is not False,
        silence_s=silence_ms / 1000,
        prefix_ms=prefix_ms,
    )


def text_only(given: object, where: str) -> bool:
    """Read modalities: `["audio"]`, which comes with its words, or `["text"]` alone."""
    if not isinstance(given, list) or not given or any(name not in ("audio", "text") for name in given):
        raise _refused(where, given, '["audio"] and ["text"] are allowed')
    return "audio" not in given


def described_format(form: WireFormat) -> dict[str, Any]:
    """Give a format as the client is told it."""
    name = next(name for name, encoding in ENCODINGS.items() if encoding == form.encoding)
    return {"type": name, "rate": form.rate} if form.encoding == "pcm16" else {"type": name}


def _format(given: object, known: WireFormat, where: str) -> WireFormat:
    if given is None:
        return known
    form = {"type": given} if isinstance(given, str) else mapping(given, where)
    only_known(form, ("type", "rate"), where)
    type_, rate = form.get("type"), form.get("rate")
    if not isinstance(type_, str) or type_ not in ENCODINGS:
        raise _refused(f"{where}.type", type_, f"choose one of {', '.join(ENCODINGS)}")
    wire = wire_format(ENCODINGS[type_])
    if rate is not None and rate != wire.rate:
        raise _refused(f"{where}.rate", rate, f"{type_} has {wire.rate} Hz here")
    return wire


def _object(value: object, where: str) -> Message | None:
    return None if value is None else mapping(value, where)


def _refused(where: str, found: object, allowed: str) -> ClientEventError:
    return ClientEventError("invalid_value", f"{where} is {str(found)[:200]!r}; {allowed}", where)
