"""The client's side of vLLM-omni's duplex protocol (`/v1/realtime`, release 0.30), without I/O.

    state     what happens                          what is done                                              next
    starting  a connection opens                    session.update: names the model, no turn detection         starting
              session.created                       its capabilities are looked at                             starting
              session.updated                       `remote_ready`                                             open
              error, session.closed                 RemoteError: full, unsupported, refused                    -
    open      a frame is heard                      input_audio_buffer.append; never a commit, never           open
                                                    response.create: when to speak is the model's own affair
              every 5 s, every 30 s of session      session.event_ack, session.heartbeat                       open
              response.listen, response.speak       `decision`, where it is another than before                open
              overlap.decision                      `decision`; barge_in: what waits is dropped                open
              response.output_audio.delta           the sound waits to be said, playback.ack as it is (playback.py)
              response.done                         told; cancelled: what waits is dropped                     open
              response.listen                       no more sound of what is being said will come              open
              a function call                       its answer when due                                        open
              error                                 told as `remote_error`                                     open
              session.closed, session.expired       RemoteError: closed the session                            -
    open      the session is over                   session.close                                              closing
    closing   session.closed                                                                                   ended

What the model says and decides is told in turns.py.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agents.remote.foreign_json import inner, number
from agents.remote.peer_core import Actions, Message
from agents.remote.tools import HANG_UP, ToolDesk
from agents.vllm.turns import ModelTurns
from simulator.errors import RemoteError
from simulator.events import Party, other_party
from simulator.frame import Samples
from simulator.texts import written
from simulator.traits import AudioFormat
from simulator.world.tool import Tool
from simulator.world.world import World

EVENT_ACK_S = 5.0
HEARTBEAT_S = 30.0
"""As the server's own client does."""
LAST_WORDS_S = 1.0
"""A model that hung up is gone after so much silence: its goodbye may still be on its way."""

_REFUSALS = {
    "resource_exhausted": "has no room for another session ({}); wait for one to end, or run fewer at once",
    "unsupported": "serves no duplex sessions ({}); the model has to be deployed with `session_mode: duplex`",
    "ref_audio_required": "needs a voice to speak with ({}); name a recording of one: `ref_audio: voice.wav`",
}


class DuplexSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is made of: the object of session.update, and what our side does about it.

    encode: writes what is heard, float32 (n,) at input_rate Hz, as base64. interrupted: whether the server is asked to
    cut the model off.
    """

    session: Mapping[str, Any]
    encode: Callable[[Samples], str]
    input_rate: int
    output_rate: int
    interrupted: bool = False
    tools: tuple[Tool, ...] = ()
    jitter_s: float = 0.1


class DuplexCore:
    """One session with a duplex server."""

    protocol = "vllm_duplex"
    version = 1

    def __init__(self, settings: DuplexSettings) -> None:
        self.format = AudioFormat(input_rate=settings.input_rate, output_rate=settings.output_rate)
        self.actions = Actions()
        self.settings = settings
        self.turns = ModelTurns(settings.output_rate, settings.jitter_s, self.actions)
        self.tools = ToolDesk(settings.tools, settings.output_rate)
        self.party: Party = "agent"
        self.ready = False
        self.ended = True
        self.closing = False
        self.leaving = False
        self._sequence = 0
        self._heard = 0
        self._quiet = 0
        self._last_error = ""

    @property
    def done(self) -> bool:
        """Whether the model has hung up and all it said before was said."""
        return self.leaving and self._quiet >= LAST_WORDS_S * self.settings.output_rate

    def begin(self, party: Party, *, noisy: bool, world: World | None = None) -> None:
        """Learn which party it plays."""
        self.tools.enter(world, party)
        self.party = self.turns.party = party

    def opening(self) -> list[Message]:
        """Open the session: the first update names the model."""
        return [{"type": "session.update", "session": dict(self.settings.session)}]

    def receive(self, message: Message, at: int) -> None:
        """Act on a message, by its type."""
        self._sequence = max(self._sequence, int(number(message, "server_event_seq")))
        handler = _HANDLERS.get(str(message.get("type")))
        if not self.turns.receive(message, at) and handler is not None:
            handler(self, message, at)

    def lost(self, reason: str, at: int) -> None:
        """The connection is gone, and a session is not resumed: what was heard meanwhile would be missing."""
        raise RemoteError(reason + (f"; its last error was: {self._last_error}" if self._last_error else ""))

    def hear(self, samples: Samples, at: int) -> None:
        """Send what is heard, float32 (n,), and what is due."""
        append = {"type": "input_audio_buffer.append", "audio": self.settings.encode(samples)}
        self.actions.send(append, heard=True)
        before, self._heard = self._heard, self._heard + len(samples)
        if self._sequence and self._passed(EVENT_ACK_S, before):
            self.actions.send({"type": "session.event_ack", "server_event_seq": self._sequence})
        if self._passed(HEARTBEAT_S, before):
            self.actions.send({"type": "session.heartbeat"})
        for answer in self.tools.due(self.actions, at):
            item = {"type": "function_call_output", "call_id": answer.call, "output": written(answer.answer)}
            self.actions.send({"type": "conversation.item.create", "item": item})

    def say(self, count: int, at: int) -> Samples:
        """Say what is due."""
        samples = self.turns.playback.say(count, at)
        self._quiet = self._quiet + count if self.leaving and self.turns.playback.playout.dry else 0
        return samples

    def close(self, at: int) -> None:
        """Account for what is being said, and ask for the session's end."""
        self.turns.playback.cut(at)
        self.turns.tell_texts(at)
        self.closing = True
        self.ended = not self.ready
        self.actions.send({"type": "session.close"})

    def failed(self, code: str, sentence: str, at: int) -> None:
        """The far end tells of an error; before the session stands it is the end."""
        self._last_error = f"{code}: {sentence}".rstrip(". ")
        if not self.ready:
            raise RemoteError(_refusal(code, sentence.rstrip(". ")))
        self.actions.note(at, "remote_error", code=code, message=sentence)

    def call(self, item: Mapping[str, Any], at: int) -> None:
        """The model calls a function; it is announced more than once."""
        name = str(item.get("name", ""))
        if name == HANG_UP:
            if not self.leaving:
                self.leaving = True
                self.actions.note(at, "hang_up")
            return
        self.tools.called(self.actions, str(item.get("call_id", "")), name, item.get("arguments"), at)

    def _passed(self, every_s: float, before: int) -> bool:
        every = round(every_s * self.settings.input_rate)
        return before // every < self._heard // every


def _on_created(core: DuplexCore, message: Message, _at: int) -> None:
    """What the model can do, it says itself: nothing is concluded from its name."""
    able = inner(inner(message, "session"), "capabilities")
    if core.settings.interrupted and able.get("supports_barge_in") is False:
        raise RemoteError("serves a model that speech does not cut off (supports_barge_in: false); leave out `vad`")
    core.turns.playback.ends_told = able.get("supports_barge_in") is not False
    core.turns.playback.truncates = able.get("supports_audio_truncate") is not False


def _on_updated(core: DuplexCore, _message: Message, at: int) -> None:
    if not core.ready:
        core.ready = True
        core.actions.note(at, "remote_ready", server="vllm-omni")


def _on_error(core: DuplexCore, message: Message, at: int) -> None:
    """As OpenAI has them, or flat, from before the session was opened."""
    error = message.get("error")
    given = error if isinstance(error, Mapping) else message
    code = str(given.get("code") or given.get("type") or "error")
    told = given.get("message") or (error if isinstance(error, str) else "")
    core.failed(code, str(told), at)


def _on_closed(core: DuplexCore, message: Message, at: int) -> None:
    core.ended = True
    if core.closing:
        return
    reason = str(message.get("reason") or message.get("type"))
    if not core.ready:
        raise RemoteError(f"refused the session: {reason}")
    core.actions.note(at, "session_closed", reason=reason)
    raise RemoteError(f"closed the session: {reason}")


def _on_heard_text(core: DuplexCore, message: Message, at: int) -> None:
    text = str(message.get("transcript") or "").strip()
    if text:
        core.actions.note(at, "transcript", of=other_party(core.party), id=message.get("item_id"), text=text)


def _on_speech_started(core: DuplexCore, message: Message, at: int) -> None:
    since = int(number(message, "audio_start_ms")) * core.settings.input_rate // 1000
    core.actions.note(at, "heard_speech_start", heard_since=max(0, since))


def _on_speech_stopped(core: DuplexCore, message: Message, at: int) -> None:
    until = int(number(message, "audio_end_ms")) * core.settings.input_rate // 1000
    core.actions.note(at, "heard_speech_end", heard_until=max(0, until))


def _on_call(core: DuplexCore, message: Message, at: int) -> None:
    item = inner(message, "item")
    if item.get("type") == "function_call":
        core.call(item, at)


def _refusal(code: str, sentence: str) -> str:
    """Say what to do about a session that was not opened."""
    if code in _REFUSALS:
        return _REFUSALS[code].format(sentence or code)
    what = "does not support what was asked for" if code.startswith("unsupported_") else "refused the session"
    return f"{what} ({code}{': ' + sentence if sentence else ''})"


_HANDLERS: Mapping[str, Callable[[DuplexCore, Message, int], None]] = {
    "session.created": _on_created,
    "session.updated": _on_updated,
    "session.closed": _on_closed,
    "session.expired": _on_closed,
    "session.replaced": _on_closed,
    "error": _on_error,
    "response.output_item.done": _on_call,
    "conversation.item.input_audio_transcription.completed": _on_heard_text,
    "input_audio_buffer.speech_started": _on_speech_started,
    "input_audio_buffer.speech_stopped": _on_speech_stopped,
}
