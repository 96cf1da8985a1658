"""What goes over the data channel of a WebRTC connection beside its sound, dialect by dialect, without I/O.

plain, whip   nothing is expected; whatever comes is `remote_message`
pipecat       RTVI (agents/pipecat/rtvi.py), `ping` once a second, {type: signalling}: peerLeft is a goodbye
openai        the events of the Realtime protocol without their sound; what waits is dropped when the service says so
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from agents.pipecat.rtvi import NO_RTVI, RtviEars
from agents.remote.failure import FAILED, failed_fields
from agents.remote.foreign_json import error_in, inner, number
from agents.remote.peer_core import Actions, Message
from agents.remote.play_queue import PlayQueue
from agents.remote.usage import UsageTally, openai_counts
from agents.webrtc.signalling import Dialect
from simulator.errors import RemoteError
from simulator.events import Party, other_party

PING_S = 1
"""Pipecat's own clients ping so often; after three seconds without one it takes them for gone."""


class ChannelWords(Protocol):
    """A dialect's words for one connection. awaited: what to look at when it is not ready in time."""

    party: Party
    awaited: str

    @property
    def ready(self) -> bool:
        """Whether the far end has said all that it says before a session."""
        ...

    @property
    def left(self) -> bool:
        """Whether it has said goodbye."""
        ...

    def opened(self, at: int) -> None:
        """The connection stands, and the channel is open."""
        ...

    def receive(self, message: Any, at: int) -> None:
        """Act on a message of the channel, an object of JSON or a text. RemoteError: it ends the session."""
        ...

    def heard(self, second: int) -> None:
        """Another second was heard."""
        ...

    def keys(self, digits: str) -> None:
        """Tell of keys that the other party pressed."""
        ...


class RtcOut:
    """What words act on: actions, the play-out, how it is cleared, what was used up."""

    def __init__(self, actions: Actions, queue: PlayQueue, clear: Callable[[int], None], usage: UsageTally) -> None:
        self.actions = actions
        self.queue = queue
        self.clear = clear
        self.usage = usage


class PlainWords:
    """No words of its own."""

    awaited = ""
    left = False

    def __init__(self, out: RtcOut) -> None:
        self.party: Party = "agent"
        self.ready = False
        self._out = out

    def opened(self, at: int) -> None:
        """Nothing more is waited for."""
        self.ready = True
        self._out.actions.note(at, "remote_ready", server="webrtc")

    def receive(self, message: Any, at: int) -> None:
        """Keep it as an event."""
        topic = message.get("type") if isinstance(message, Mapping) else None
        self._out.actions.note(at, "remote_message", topic=str(topic) if topic else None, data=message)

    def heard(self, second: int) -> None:
        """Nothing to tell."""

    def keys(self, digits: str) -> None:
        """There is no word for keys: they go as tones."""


class PipecatChannel:
    """RTVI, and what SmallWebRTC says beside it. rtvi: whether client-ready is answered."""

    awaited = NO_RTVI

    def __init__(self, out: RtcOut, *, rtvi: bool) -> None:
        self.left = False
        self._out = out
        self._rtvi = rtvi
        self._ears = RtviEars(out.actions, out.queue, out.clear)

    @property
    def party(self) -> Party:
        """Which party the bot plays."""
        return self._ears.party

    @party.setter
    def party(self, party: Party) -> None:
        self._ears.party = party

    @property
    def ready(self) -> bool:
        """Whether the bot has answered, or is not asked."""
        return self._ears.ready

    def opened(self, at: int) -> None:
        """Say client-ready, where RTVI is spoken."""
        self._out.actions.send({"text": "ping"})
        if self._rtvi:
            greeting = self._ears.greet()
            self._out.actions.send({"type": "client-ready", "json": greeting})
        else:
            self._ears.ready = True
            self._out.actions.note(at, "remote_ready", server="pipecat")

    def receive(self, message: Any, at: int) -> None:
        """Act on RTVI and signals; a pong, and other texts, are passed over."""
        if not isinstance(message, Mapping):
            return
        if message.get("type") != "signalling":
            self._ears.receive(message, at)
            return
        signal = inner(message, "message").get("type")
        if signal == "peerLeft":
            self.left = True
        elif signal == "renegotiate":
            told = "it asks to negotiate anew, which is not done here: its sound may end"
            self._out.actions.note(at, "remote_error", code="renegotiate", message=told)

    def heard(self, second: int) -> None:
        """Ping."""
        if second % PING_S == 0:
            self._out.actions.send({"text": "ping"})

    def keys(self, digits: str) -> None:
        """RTVI's dtmf."""
        if self._rtvi:
            self._out.actions.send({"type": "dtmf", "json": self._ears.keys(digits)})


class OpenAIChannel:
    """The Realtime protocol's events, whose sound goes over the connection. Who detects turns is the service."""

    awaited = "; its data channel `oai-events` has not told of a session"
    left = False

    def __init__(self, out: RtcOut) -> None:
        self.party: Party = "agent"
        self.ready = False
        self.out = out

    def opened(self, at: int) -> None:
        """The service speaks first: session.created."""

    def receive(self, message: Any, at: int) -> None:
        """Act on an event of the service's. RemoteError: an error before there is a session."""
        if isinstance(message, Mapping):
            act = _EVENTS.get(str(message.get("type")))
            if act is not None:
                act(self, message, at)

    def heard(self, second: int) -> None:
        """Nothing to tell."""

    def keys(self, digits: str) -> None:
        """There is no word for keys: they go as tones."""

    def transcript(self, of: Party, message: Message, at: int) -> None:
        """Note what was said or understood."""
        text = str(message.get("transcript") or "").strip()
        if text:
            self.out.actions.note(at, "transcript", of=of, id=message.get("item_id"), text=text)


def words_for(dialect: Dialect, out: RtcOut, *, rtvi: bool) -> ChannelWords:
    """Give a dialect's words."""
    if dialect == "pipecat":
        return PipecatChannel(out, rtvi=rtvi)
    return OpenAIChannel(out) if dialect == "openai" else PlainWords(out)


def _created(words: OpenAIChannel, message: Message, at: int) -> None:
    if not words.ready:
        words.ready = True
        words.out.actions.note(at, "remote_ready", server=str(inner(message, "session").get("model") or "openai"))


def _failed(words: OpenAIChannel, message: Message, at: int) -> None:
    error = error_in(message)
    sentence = " ".join(str(error.get("message") or "no reason given").split())[:300]
    if not words.ready:
        raise RemoteError(f"refused the session: {sentence.rstrip('. ')}")
    words.out.actions.note(at, "remote_error", code=str(error.get("code") or "error"), message=sentence)


def _turn(words: OpenAIChannel, message: Message, at: int) -> None:
    began = message["type"] == "input_audio_buffer.speech_started"
    rate = words.out.queue.rate
    if began:
        since = int(number(message, "audio_start_ms")) * rate // 1000
        words.out.actions.note(at, "heard_speech_start", heard_since=since)
    else:
        until = int(number(message, "audio_end_ms")) * rate // 1000
        words.out.actions.note(at, "heard_speech_end", heard_until=until)


def _response_done(words: OpenAIChannel, message: Message, at: int) -> None:
    response = inner(message, "response")
    if response.get("status") in ("failed", "incomplete"):
        details = inner(response, "status_details")
        reason = error_in(details).get("message") or details.get("reason")
        words.out.actions.note(at, FAILED, **failed_fields("openai", reason, id=str(response.get("id", "")),
                                                          status=response["status"]))  # fmt: skip
    words.out.usage.tokens(openai_counts(inner(response, "usage")), at)


_EVENTS: Mapping[str, Callable[[OpenAIChannel, Message, int], None]] = {
    "session.created": _created,
    "error": _failed,
    "input_audio_buffer.speech_started": _turn,
    "input_audio_buffer.speech_stopped": _turn,
    "response.output_audio_transcript.done": lambda words, message, at: words.transcript(words.party, message, at),
    "conversation.item.input_audio_transcription.completed": lambda words, message, at: words.transcript(
        other_party(words.party), message, at
    ),
    "output_audio_buffer.cleared": lambda words, message, at: words.out.clear(at),
    "output_audio_buffer.stopped": lambda words, message, at: words.out.queue.done(),
    "response.done": _response_done,
}
