"""The server's side of the OpenAI Realtime protocol, without I/O: any actor behind it, on the wall clock.

    state    what happens                                  what is done                                 next
    fresh    the client connects                           session.created                              fresh
             session.update                                session.updated (formats may still change)   fresh
             sound is appended, or response.create         the session with the agent begins            begun
    begun    session.update                                session.updated; another format is an error  begun
             input_audio_buffer.append, .commit, .clear    see server_input.py                          begun
             response.create, .cancel,                     see server_output.py                         begun
             conversation.item.truncate
             a frame of the agent                          response events                              begun
             a frame for the agent                         the client's sound, turns cut out of it      begun
             the client's speech, while a response is      response.done (cancelled, turn_detected)     begun
             given (`interrupt_response`)
    either   anything else                                 error, the session goes on

The agent hears sound and nothing else: instructions, voices and tools are taken note of and change nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.openai.server_input import ClientInput, Detection
from agents.openai.server_output import Responses
from agents.openai.server_words import ClientEventError, Message, Outgoing, mapping, milliseconds
from agents.remote.wire_audio import Encoding, WireFormat, wire_format
from simulator.frame import Samples
from simulator.speaking.ears import EarsKind

ECHOED = ("instructions", "tools", "tool_choice", "output_modalities", "max_output_tokens", "temperature")
"""Settings that the client is told back and that change nothing."""

ENCODINGS: Mapping[str, Encoding] = {"audio/pcm": "pcm16", "audio/pcmu": "mulaw", "audio/pcma": "alaw"}


class RealtimeServer:
    """One client's session. `begun`: sound flows, so that the formats are settled."""

    def __init__(self, model: str, ears: EarsKind = "silero", patience_s: float = 10.0) -> None:
        self.out = Outgoing()
        self.input = ClientInput(self.out, ears)
        self.responses = Responses(self.out, patience_s)
        self.begun = False
        self.notes: list[tuple[str, dict[str, Any]]] = []
        """What the client did that belongs into the session's events."""
        self._transcribes = False
        self._session: dict[str, Any] = {
            "type": "realtime",
            "object": "realtime.session",
            "id": "sess_1",
            "model": model,
            "output_modalities": ["audio"],
        }

    def greet(self) -> None:
        """A client has connected."""
        self.out.send("session.created", session=self._described())

    def receive(self, message: Message) -> None:
        """Act on a client's event; what cannot be done is answered with an error."""
        type_ = str(message.get("type"))
        try:
            handler = _HANDLERS.get(type_)
            if handler is None:
                raise ClientEventError("unknown_event", f"event type {type_!r} is not known here", "type")
            handler(self, message)
        except ClientEventError as problem:
            self.fail(problem, message.get("event_id"))

    def fail(self, problem: ClientEventError, event_id: object = None) -> None:
        """Tell the client what was wrong with an event of its own."""
        self.out.send(
            "error",
            error={
                "type": "invalid_request_error",
                "code": problem.code,
                "message": str(problem),
                "param": problem.param,
                "event_id": event_id,
            },
        )

    def hear(self, count: int) -> Samples:
        """Give the agent's next frame of the client's sound."""
        samples, change = self.input.hear(count)
        if change == "start" and self.input.detection.interrupt:
            self.responses.cancel("turn_detected")
        return samples

    def say(self, samples: Samples) -> None:
        """Take a frame that the agent says."""
        self.responses.say(samples)

    def told(self, piece: str) -> None:
        """Take a piece of text of what the agent says."""
        self.responses.text(piece)

    def recognised(self, text: str) -> None:
        """Take what the agent understood, for a client that asked for transcripts of its own speech."""
        if self._transcribes:
            self.input.recognised(text)

    def update(self, session: Mapping[str, Any]) -> None:
        """Take the client's settings."""
        audio = mapping(session.get("audio"), "session.audio")
        heard, said = (
            mapping(audio.get("input"), "session.audio.input"),
            mapping(audio.get("output"), "session.audio.output"),
        )
        formats = (
            self._format(heard, self.input.format, "input"),
            self._format(said, self.responses.format, "output"),
        )
        if self.begun and formats != (self.input.format, self.responses.format):
            raise ClientEventError("format_fixed", "the audio formats cannot change once audio flows", "session.audio")
        self.input.format, self.responses.format = formats
        if "turn_detection" in heard:
            self.input.detect(detection_of(heard["turn_detection"]))
            self.responses.manual = self.input.detection.manual
        if "transcription" in heard:
            self._transcribes = heard["transcription"] is not None
        self._session |= {name: session[name] for name in ECHOED if name in session}
        self.out.send("session.updated", session=self._described())

    def append(self, audio: object) -> None:
        """Take sound."""
        self.begun = True
        self.input.append(audio)

    def create(self) -> None:
        """Give a response."""
        self.begun = True
        self.responses.create(self.input.waiting_s)

    def cancel(self) -> None:
        """Stop the response."""
        if not self.responses.open:
            raise ClientEventError("response_cancel_not_active", "there is no response to cancel")
        self.responses.cancel("client_cancelled")

    def truncate(self, message: Message) -> None:
        """Take note of how much of an item was heard."""
        item, end_ms = str(message.get("item_id")), milliseconds(message.get("audio_end_ms"), "audio_end_ms")
        self.responses.truncate(item, end_ms)
        self.notes.append(("client_truncated", {"id": item, "audio_end_ms": end_ms}))

    def _format(self, given: Mapping[str, Any], known: WireFormat, side: str) -> WireFormat:
        form = given.get("format")
        if form is None:
            return known
        type_ = str(form.get("type") if isinstance(form, Mapping) else form)
        if type_ not in ENCODINGS:
            raise ClientEventError(
                "invalid_value",
                f"audio format {type_!r} is not known; choose one of {', '.join(ENCODINGS)}",
                f"session.audio.{side}.format",
            )
        return wire_format(ENCODINGS[type_])

    def _described(self) -> dict[str, Any]:
        detection = self.input.detection
        turns = None if detection.manual else {
            "type": "server_vad", "silence_duration_ms": round(detection.silence_s * 1000),
            "prefix_padding_ms": detection.prefix_ms, "create_response": True,
            "interrupt_response": detection.interrupt,
        }  # fmt: skip
        return self._session | {"audio": {
            "input": {"format": _named(self.input.format), "turn_detection": turns},
            "output": {"format": _named(self.responses.format)},
        }}  # fmt: skip


def detection_of(given: object) -> Detection:
    """Read `turn_detection`; null leaves turns to the client. ClientEventError when it is neither."""
    if given is None:
        return Detection(manual=True)
    if not isinstance(given, Mapping) or given.get("type") not in ("server_vad", "semantic_vad"):
        raise ClientEventError(
            "invalid_value",
            "turn_detection is server_vad, semantic_vad or null",
            "session.audio.input.turn_detection",
        )
    silence_ms = milliseconds(given.get("silence_duration_ms") or 500, "turn_detection.silence_duration_ms", 10_000)
    prefix = given.get("prefix_padding_ms")
    prefix_ms = 300 if prefix is None else milliseconds(prefix, "turn_detection.prefix_padding_ms", 10_000)
    return Detection(
        interrupt=given.get("interrupt_response") is not False,
        silence_s=silence_ms / 1000,
        prefix_ms=prefix_ms,
    )


def _named(form: WireFormat) -> dict[str, Any]:
    name = next(name for name, encoding in ENCODINGS.items() if encoding == form.encoding)
    return {"type": name, "rate": form.rate}


def _on_item(_server: RealtimeServer, _message: Message) -> None:
    raise ClientEventError("unsupported", "this agent hears sound only; append audio instead of creating items", "item")


_HANDLERS: Mapping[str, Callable[[RealtimeServer, Message], None]] = {
    "session.update": lambda server, message: server.update(mapping(message.get("session"), "session")),
    "input_audio_buffer.append": lambda server, message: server.append(message.get("audio")),
    "input_audio_buffer.commit": lambda server, _: server.input.commit(),
    "input_audio_buffer.clear": lambda server, _: server.input.clear(),
    "conversation.item.create": _on_item,
    "conversation.item.truncate": lambda server, message: server.truncate(message),
    "response.create": lambda server, _: server.create(),
    "response.cancel": lambda server, _: server.cancel(),
}
