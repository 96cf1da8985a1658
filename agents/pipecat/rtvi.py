"""RTVI, what clients and bots of Pipecat tell each other beside the sound, without I/O: {label, type, id, data}.

    from the bot                               what is done
    bot-ready                                  it is ready, if it speaks a version that is known here
    bot-interrupted                            what waits is dropped at the sample heard
    bot-stopped-speaking                       the burst is whole
    bot-transcription                          `transcript` of what it says, sentence by sentence
    user-transcription, user-input (final)     `transcript` of what it understood; who tells it twice is noted once
    llm-function-call-in-progress, -stopped    `tool_call`, `tool_result`, with what its settings let it tell
    server-message                             `remote_message`
    error, error-response                      `remote_error`; a fatal one ends the session

Everything else is kept in the trace. Source: pipecat-ai 1.14's RTVI models (2.2.0).
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.remote.foreign_json import inner
from agents.remote.peer_core import Actions, Message
from agents.remote.play_queue import PlayQueue
from simulator.errors import RemoteError
from simulator.events import Party, other_party
from simulator.texts import quoted

LABEL = "rtvi-ai"
VERSION = "2.2.0"
MAJORS = ("1", "2")
NO_RTVI = (
    "; it has not answered client-ready: is there an RTVI processor in its pipeline? without one write `rtvi: false`"
)
"""What to look at when a bot is not ready in time."""


def rtvi(type_: str, id_: str, data: Mapping[str, Any] | None = None) -> Message:
    """Give a message; `id` is asked for in all of a client's."""
    return {"label": LABEL, "type": type_, "id": id_, **({"data": data} if data is not None else {})}


class RtviEars:
    """What a bot tells. ready: whether it has answered client-ready. clear: drops what waits, if not the queue does."""

    def __init__(self, actions: Actions, queue: PlayQueue, clear: Callable[[int], object] | None = None) -> None:
        self.party: Party = "agent"
        self.ready = False
        self.actions = actions
        self.queue = queue
        self._clear = clear or queue.clear
        self._sent = 0
        self._last_heard = ("", "")

    def greet(self) -> Message:
        """Give the first message: a bot that waits for it takes sound from then on."""
        return self.word("client-ready", {"version": VERSION, "about": {"library": "duplex-simulator"}})

    def word(self, type_: str, data: Mapping[str, Any]) -> Message:
        """Give a message with an id of its own."""
        self._sent += 1
        return rtvi(type_, f"client-{self._sent}", data)

    def keys(self, digits: str) -> Message:
        """Give the message of keys pressed."""
        return self.word("dtmf", {"buttons": list(digits)})

    def receive(self, message: Message, at: int) -> None:
        """Act on a message; others' messages on the same channel are `remote_message`. RemoteError: a fatal error."""
        if message.get("label") != LABEL:
            self.actions.note(at, "remote_message", topic=_topic(message), data=message)
            return
        act = _ACTS.get(str(message.get("type")))
        if act is not None:
            act(self, message, at)

    def interrupted(self, at: int) -> None:
        """Drop what waits; it may be told twice."""
        self._clear(at)

    def understood(self, text: object, told_as: str, at: int) -> None:
        """Note what the bot understood: by one word, another, or both, as bots of different age do."""
        last, last_told_as = self._last_heard
        self._last_heard = (str(text), told_as)
        if text and (text != last or told_as == last_told_as):
            self.actions.note(at, "transcript", of=other_party(self.party), text=str(text))
        elif text:
            self._last_heard = ("", "")


def _topic(message: Message) -> str | None:
    return str(message["type"]) if message.get("type") else None


def _bot_ready(ears: RtviEars, message: Message, at: int) -> None:
    version = str(inner(message, "data").get("version", VERSION))
    if version.partition(".")[0] not in MAJORS:
        raise RemoteError(f"speaks RTVI {quoted(version)}; versions {' and '.join(MAJORS)} are known here")
    if not ears.ready:
        ears.ready = True
        ears.actions.note(at, "remote_ready", server=f"rtvi {version}")


def _said(ears: RtviEars, message: Message, at: int) -> None:
    text = inner(message, "data").get("text")
    if text:
        ears.actions.note(at, "transcript", of=ears.party, text=str(text).strip())


def _understood(ears: RtviEars, message: Message, at: int) -> None:
    data = inner(message, "data")
    if data.get("final") and data.get("input_type", "transcription") == "transcription":
        ears.understood(data.get("text"), str(message["type"]), at)


def _calls(ears: RtviEars, message: Message, at: int) -> None:
    data = inner(message, "data")
    call, name = str(data.get("tool_call_id", "")), str(data.get("function_name") or "unnamed")
    ears.actions.note(at, "tool_call", id=call, name=name, arguments=data.get("arguments") or {})


def _answers(ears: RtviEars, message: Message, at: int) -> None:
    data = inner(message, "data")
    call, name = str(data.get("tool_call_id", "")), str(data.get("function_name") or "unnamed")
    if data.get("cancelled"):
        ears.actions.note(at, "tool_call_cancelled", id=call)
    else:
        ears.actions.note(at, "tool_result", id=call, name=name, answer=data.get("result", ""))


def _failed(ears: RtviEars, message: Message, at: int) -> None:
    data = inner(message, "data")
    sentence = " ".join(str(data.get("error", "no reason given")).split())[:300]
    if data.get("fatal"):
        raise RemoteError(f"told of an error that ended its pipeline: {sentence.rstrip('. ')}")
    ears.actions.note(at, "remote_error", code=str(message["type"]), message=sentence)


def _sent_by_user(ears: RtviEars, message: Message, at: int) -> None:
    data = message.get("data")
    topic = _topic(data) if isinstance(data, Mapping) else None
    ears.actions.note(at, "remote_message", topic=topic, data=data)


_ACTS: Mapping[str, Callable[[RtviEars, Message, int], None]] = {
    "bot-ready": _bot_ready,
    "bot-interrupted": lambda ears, message, at: ears.interrupted(at),
    "bot-stopped-speaking": lambda ears, message, at: ears.queue.done(),
    "bot-transcription": _said,
    "user-transcription": _understood,
    "user-input": _understood,
    "llm-function-call-in-progress": _calls,
    "llm-function-call-stopped": _answers,
    "server-message": _sent_by_user,
    "error": _failed,
    "error-response": _failed,
}
