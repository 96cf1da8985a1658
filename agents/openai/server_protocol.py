"""The server's side of the OpenAI Realtime protocol, without I/O: any actor behind it, on the wall clock.

    state    what happens                                  what is done                                 next
    fresh    the client connects                           session.created                              fresh
             session.update                                session.updated (formats may still change)   fresh
             sound is appended, or response.create         the session with the agent begins            begun
    begun    session.update                                session.updated; another format is an error  begun
             a frame of the agent                          response events                              begun
             a frame for the agent                         the client's sound, turns cut out of it      begun
             the client's speech, while a response is      response.done (cancelled, turn_detected)     begun
             given (`interrupt_response`)
    either   input_audio_buffer.append, .commit, .clear    see server_input.py
             response.create, .cancel                      see server_output.py, server_response.py
             conversation.item.create, .retrieve,          see server_items.py
             .delete, .truncate
             output_audio_buffer.clear                     output_audio_buffer.cleared: no sound waits here
             anything else                                 error, the session goes on

The agent hears sound and nothing else: instructions, voices, tools and the text of items are taken note of and change
nothing that it says.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.openai.server_input import ClientInput
from agents.openai.server_items import ConversationItems, parts_of, text_of
from agents.openai.server_output import Responses
from agents.openai.server_response import asked_of
from agents.openai.server_settings import ServedSettings, changed
from agents.openai.server_words import ClientEventError, Message, Outgoing, mapping, milliseconds
from simulator.frame import Samples
from simulator.speaking.ears import EarsSpec, SileroEarsSpec

LONGEST_NOTE = 5000
"""Characters of a client's text that are kept in the folder."""
_SILERO = SileroEarsSpec()


class RealtimeServer:
    """One client's session. `begun`: sound flows, so that the formats are settled."""

    def __init__(self, model: str, ears: EarsSpec = _SILERO, patience_s: float = 10.0) -> None:
        self.out = Outgoing()
        self.items = ConversationItems(self.out)
        self.input = ClientInput(self.out, self.items, ears)
        self.responses = Responses(self.out, self.items, patience_s)
        self.settings = ServedSettings()
        self.begun = False
        self.notes: list[tuple[str, dict[str, Any]]] = []
        """What the client did that belongs into the session's events."""
        self._session = {"type": "realtime", "object": "realtime.session", "id": "sess_1", "model": model}

    def greet(self) -> None:
        """A client has connected."""
        self.out.send("session.created", session=self._described())

    def receive(self, message: Message) -> None:
        """Act on a client's event; what cannot be done is answered with an error."""
        type_ = message.get("type")
        try:
            handler = _HANDLERS.get(type_) if isinstance(type_, str) else None
            if handler is None:
                raise ClientEventError("unknown_event", f"event type {str(type_)[:200]!r} is not known here", "type")
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
                "event_id": event_id if isinstance(event_id, str) else None,
            },
        )

    def hear(self, count: int) -> Samples:
        """Give the agent's next frame of the client's sound."""
        samples, change = self.input.hear(count)
        if change == "start":
            self.responses.forget()
            if self.settings.detection.interrupt:
                self.responses.cancel("turn_detected")
        return samples

    def say(self, samples: Samples) -> None:
        """Take a frame that the agent says."""
        self.responses.say(samples, self._turn_pending)

    def told(self, piece: str) -> None:
        """Take a piece of text of what the agent says."""
        self.responses.text(piece)

    def recognised(self, text: str) -> None:
        """Take what the agent understood of the client."""
        self.input.recognised(text)

    def update(self, session: Message) -> None:
        """Take the client's settings."""
        settings = changed(self.settings, session)
        if self.begun and (settings.heard, settings.said) != (self.settings.heard, self.settings.said):
            raise ClientEventError("format_fixed", "the audio formats cannot change once audio flows", "session.audio")
        self.settings = self.responses.settings = settings
        self.input.set(settings)
        self._note(system=session.get("instructions"))
        self.out.send("session.updated", session=self._described())

    def append(self, audio: object) -> None:
        """Take sound."""
        self.input.append(audio)
        self.begun = True

    def commit(self) -> None:
        """End the client's turn."""
        self.input.commit()
        self.responses.forget()

    def create(self, given: Message) -> None:
        """Give a response."""
        asked = asked_of(given, self.settings)
        self.responses.create(asked, self.input.waiting_s)
        self.begun = True
        self._note(system=given.get("instructions"))

    def cancel(self, message: Message) -> None:
        """Stop the response, if it is the one that is meant."""
        named = message.get("response_id")
        if not self.responses.open or named not in (None, self.responses.name):
            raise ClientEventError("response_cancel_not_active", "Cancellation failed: no active response found")
        self.responses.cancel("client_cancelled")

    def create_item(self, message: Message) -> None:
        """Take an item of the client's: what it says is noted, what it sounds like is heard."""
        item = self.items.create(message)
        given = mapping(message.get("item"), "item")
        if given.get("type") == "message":
            for index, part in enumerate(parts_of(given)):
                if part.get("audio") is not None and given.get("role") == "user":
                    self.input.take_item(part["audio"], f"item.content[{index}].audio")
                    self.begun = True
        words = text_of(item)
        self._note(**{"text": words} if item.get("role") in ("user", None) else {"system": words})

    def delete(self, message: Message) -> None:
        """Take an item out of the conversation."""
        self.responses.deleted(self.items.delete(message))

    def truncate(self, message: Message) -> None:
        """Take note of how much of an item was heard."""
        item, end_ms = str(message.get("item_id")), milliseconds(message.get("audio_end_ms"), "audio_end_ms")
        self.responses.truncate(item, end_ms)
        self.notes.append(("client_truncated", {"id": item, "audio_end_ms": end_ms}))

    def _note(self, **words: object) -> None:
        told = {name: text[:LONGEST_NOTE] for name, text in words.items() if isinstance(text, str) and text}
        if told:
            self.notes.append(("client_message", told))

    def _turn_pending(self) -> bool:
        self.input.settle()
        return self.input.pending

    def _described(self) -> dict[str, Any]:
        return self._session | self.settings.described()


_HANDLERS: Mapping[str, Callable[[RealtimeServer, Message], None]] = {
    "session.update": lambda server, message: server.update(mapping(message.get("session"), "session")),
    "input_audio_buffer.append": lambda server, message: server.append(message.get("audio")),
    "input_audio_buffer.commit": lambda server, _: server.commit(),
    "input_audio_buffer.clear": lambda server, _: server.input.clear(),
    "output_audio_buffer.clear": lambda server, _: server.out.send(
        "output_audio_buffer.cleared", response_id=server.responses.name or ""
    ),
    "conversation.item.create": lambda server, message: server.create_item(message),
    "conversation.item.retrieve": lambda server, message: server.items.retrieve(message),
    "conversation.item.delete": lambda server, message: server.delete(message),
    "conversation.item.truncate": lambda server, message: server.truncate(message),
    "response.create": lambda server, message: server.create(mapping(message.get("response"), "response")),
    "response.cancel": lambda server, message: server.cancel(message),
}
