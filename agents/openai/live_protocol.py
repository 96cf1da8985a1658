"""The client's side of the OpenAI Live protocol (continuous full-duplex sessions), without I/O.

    state     what happens                          what is done                                      next
    starting  a connection opens                    session.start                                     starting
              session.started                                                                         open
              error, session.closed                 RemoteError: refused the session
    open      a frame is heard                      session.input_audio.append                        open
              session.output_audio.delta            the sound waits to be said                        open
              transcript deltas of either side      told with their times on the service's timeline   open
              a delegated response that fails       told as `response_failed`                        open
              a delegated function call             its answer when due, then response.create         open
              session.delegation.created (client)   session.commentary.append with `delegated`        open
              session.usage.updated                 the seconds since the last one are told           open
              error                                 told as `remote_error`                            open
              session.closed                        RemoteError: closed the session (reason)
    open      the session is over                   session.close                                     closing
    closing   session.closed                        its usage is told                                 ended

There are no turns in this protocol: no event says that speech began, nothing is truncated. The model's sound
is one stream that is said as it comes; when the model yields, the stream falls silent by itself.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agents.remote.failure import FAILED, failed_fields
from agents.remote.foreign_json import error_in, inner, number
from agents.remote.peer_core import Actions, Message
from agents.remote.playout import Playout, tell
from agents.remote.tools import HANG_UP, ToolDesk
from agents.remote.usage import openai_counts
from agents.remote.wire_audio import WireFormat, WirePieces
from simulator.errors import RemoteError
from simulator.events import Party, other_party
from simulator.frame import Samples
from simulator.texts import written
from simulator.traits import AudioFormat
from simulator.world.tool import Tool
from simulator.world.world import World

STREAM = "stream"
LAST_WORDS_S = 1.0
"""A model that hung up is gone after so much silence: its goodbye may still be on its way."""

LONGEST_CONTEXT = 2000
"""Characters of an appended text: the service takes 500 tokens."""


class LiveSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is made of: the object of session.start, and what our side does about it.

    backend: the model that functions are delegated to. delegated: what a delegation to the application is
    answered.
    """

    session: Mapping[str, Any]
    model: str
    audio: WireFormat
    backend: str = ""
    tools: tuple[Tool, ...] = ()
    delegated: str = ""
    greeting: str = ""
    jitter_s: float = 0.1


class LiveCore:
    """One session with a Live endpoint."""

    protocol = "openai_live"
    version = 1

    def __init__(self, settings: LiveSettings) -> None:
        audio = settings.audio
        self.format = AudioFormat(input_rate=audio.rate, output_rate=audio.rate)
        self.actions = Actions()
        self.pieces = WirePieces(settings.audio)
        self.settings = settings
        self.ready = False
        self.party: Party = "agent"
        self.playout = Playout(audio.rate, settings.jitter_s)
        self.tools = ToolDesk(settings.tools, audio.rate)
        self.leaving = False
        self._gone = False
        self._begun = False
        self._quiet = 0
        self._greeted = not settings.greeting
        self._closing = False
        self._continue = False
        self._seconds = 0.0

    @property
    def done(self) -> bool:
        """Whether the model has hung up and all it said before was said."""
        return self._gone

    ended = True

    def begin(self, party: Party, *, noisy: bool, world: World | None = None) -> None:
        """Learn which party it plays."""
        self.tools.enter(world, party)
        self.party = party

    def opening(self) -> list[Message]:
        """Start the session."""
        return [{"type": "session.start", "session": dict(self.settings.session)}]

    def receive(self, message: Message, at: int) -> None:
        """Act on a message, by its type."""
        handler = _HANDLERS.get(str(message.get("type")))
        if handler is not None:
            handler(self, message, at)

    def lost(self, reason: str, at: int) -> None:
        """Nothing brings a Live session back."""
        raise RemoteError(reason)

    def hear(self, samples: Samples, at: int) -> None:
        """Send what is heard, and what is due."""
        sound = self.settings.audio.encode(samples)
        self.actions.send({"type": "session.input_audio.append", "audio": sound}, heard=True)
        if not self._greeted:
            self._greeted = True
            self._append("session.instructions.append", self.settings.greeting, None)
        for answer in self.tools.due(self.actions, at):
            item = {"type": "function_call_output", "call_id": answer.call, "output": written(answer.answer)}
            self.actions.send({"type": "response.item.create", "item": item})
            self._continue = True
        if self._continue and not self.tools.waiting:
            self._continue = False
            self.actions.send({"type": "response.create"})

    def say(self, count: int, at: int) -> Samples:
        """Say what is due."""
        samples, moments = self.playout.take(count, at)
        for moment in moments:
            tell(self.actions, moment)
        self._quiet = self._quiet + count if self.leaving and self.playout.dry else 0
        self._gone = self._gone or self._quiet >= LAST_WORDS_S * self.settings.audio.rate
        return samples

    def sound(self, samples: Samples, at: int) -> None:
        """Keep sound to be said. The stream counts as one response, beside those that are delegated."""
        if not self._begun:
            self._begun = True
            self.actions.note(at, "response_start", id=STREAM)
        self.playout.push(STREAM, samples)

    def close(self, at: int) -> None:
        """Ask for the session's end: its last word is what it cost."""
        self._closing = True
        self.ended = not self.ready
        self.actions.send({"type": "session.close"})

    def closed(self, reason: str, at: int) -> None:
        """The far end has closed the session."""
        self.ended = True
        if self._closing:
            return
        if not self.ready:
            raise RemoteError(f"refused the session: {reason}")
        self.actions.note(at, "session_closed", reason=reason)
        raise RemoteError(_CLOSED.get(reason, f"closed the session: {reason}"))

    def used(self, usage: Mapping[str, Any], at: int) -> None:
        """Tell of the seconds since the last time: the service's counts are totals."""
        total = number(usage, "seconds")
        fresh, self._seconds = total - self._seconds, max(total, self._seconds)
        if fresh > 0:
            self.actions.note(at, "usage", model=self.settings.model, session_s=round(fresh, 3))

    def call(self, item: Mapping[str, Any], at: int) -> None:
        """The backend calls a function."""
        name = str(item.get("name", ""))
        if name == HANG_UP:
            self.leaving = True
            self.actions.note(at, "hang_up")
            return
        self.tools.called(self.actions, str(item.get("call_id", "")), name, item.get("arguments"), at)

    def failed(self, response: Mapping[str, Any], at: int) -> None:
        """The backend gave no answer, or half of one, to what was delegated to it."""
        reason = inner(response, "error").get("message") or inner(response, "incomplete_details").get("reason")
        told = failed_fields("openai_live", reason, id=response.get("id"), status=response.get("status"))
        self.actions.note(at, FAILED, **told)

    def delegated(self, delegation: Mapping[str, Any], at: int) -> None:
        """The model delegates a task; one that is ours is answered with the scenario's text."""
        target, name = str(delegation.get("target", "")), str(delegation.get("id", ""))
        self.actions.note(at, "delegation", id=name, target=target)
        if target == "client" and self.settings.delegated:
            self._append("session.commentary.append", self.settings.delegated, name)

    def _append(self, type_: str, text: str, delegation: str | None) -> None:
        self.actions.send({"type": type_, "content": text[:LONGEST_CONTEXT], "delegation_id": delegation})


_CLOSED = {
    "expired": "reached its session limit",
    "content": "closed the session: its safety filter stepped in",
    "connection_lost": "closed the session: it lost a connection of its own",
}


def _on_started(core: LiveCore, _message: Message, _at: int) -> None:
    core.ready = True


def _on_error(core: LiveCore, message: Message, at: int) -> None:
    error = error_in(message)
    code, sentence = str(error.get("code") or error.get("type") or "error"), str(error.get("message") or "")
    if not core.ready:
        raise RemoteError(f"refused the session: {code}: {sentence.rstrip('. ')}")
    core.actions.note(at, "remote_error", code=code, message=sentence)


def _on_audio(core: LiveCore, message: Message, at: int) -> None:
    core.sound(core.pieces.decode(message.get("delta")), at)


def _on_said_text(core: LiveCore, message: Message, at: int) -> None:
    _tell_transcript(core, message, at, core.party)


def _on_heard_text(core: LiveCore, message: Message, at: int) -> None:
    _tell_transcript(core, message, at, other_party(core.party))


def _tell_transcript(core: LiveCore, message: Message, at: int, of: Party) -> None:
    """A fragment, placed where the service has it; fragments bring their own spaces."""
    core.actions.note(
        at,
        "transcript",
        of=of,
        text=str(message.get("delta") or ""),
        fragment=True,
        start_ms=message.get("start_ms"),
        end_ms=message.get("end_ms"),
    )


def _on_delegation(core: LiveCore, message: Message, at: int) -> None:
    core.delegated(inner(message, "delegation"), at)


def _on_backend(core: LiveCore, message: Message, at: int) -> None:
    """An event of the backend that works on a delegated task: its function calls, and what it used."""
    event = inner(message, "event")
    item = inner(event, "item")
    if event.get("type") == "response.output_item.done" and item.get("type") == "function_call":
        core.call(item, at)
    response = inner(event, "response")
    usage = response.get("usage")
    over = event.get("type") in ("response.completed", "response.incomplete", "response.failed")
    if over and event.get("type") != "response.completed":
        core.failed(response, at)
    if over and usage:
        counts = openai_counts(usage)
        fields = {f"{kind}_tokens": count for kind, count in counts.items() if count}
        core.actions.note(at, "usage", model=core.settings.backend, **fields)


def _on_usage(core: LiveCore, message: Message, at: int) -> None:
    core.used(inner(message, "usage"), at)


def _on_closed(core: LiveCore, message: Message, at: int) -> None:
    core.used(inner(message, "usage"), at)
    core.closed(str(message.get("reason") or "no reason given"), at)


_HANDLERS: Mapping[str, Callable[[LiveCore, Message, int], None]] = {
    "session.started": _on_started,
    "error": _on_error,
    "session.output_audio.delta": _on_audio,
    "session.output_transcript.delta": _on_said_text,
    "session.input_transcript.delta": _on_heard_text,
    "session.delegation.created": _on_delegation,
    "response.event": _on_backend,
    "session.usage.updated": _on_usage,
    "session.closed": _on_closed,
}
