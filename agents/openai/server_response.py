"""One response of a served Realtime session: its messages, from response.created to response.done.

    created ──the agent begins──> output_item.added, conversation.item.added, content_part.added
            ──sound, words──────> output_audio.delta, output_audio_transcript.delta (or output_text.delta)
            ──over──────────────> ... done, conversation.item.done, response.done

What a client asked for is told back: metadata, limits, modalities. A response outside the conversation adds no item to
it. The words come without a leading blank: those of the deltas together are those of the transcript.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from agents.openai.server_items import ConversationItems
from agents.openai.server_settings import ServedSettings, described_format, text_only
from agents.openai.server_words import ClientEventError, Message, Outgoing, mapping, only_known
from simulator.frame import Samples

CONVERSATION = "conv_1"
KNOWN = ("audio", "conversation", "input", "instructions", "max_output_tokens", "metadata", "output_modalities",
         "parallel_tool_calls", "prompt", "reasoning", "tool_choice", "tools")  # fmt: skip
MOST_METADATA = 16


class AskedResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What a response is to be. outside: of the conversation. told: what is told back as it came."""

    text_only: bool = False
    outside: bool = False
    metadata: Mapping[str, str] | None = None
    voice: Any = None
    told: dict[str, Any] = {}


def asked_of(given: Message, settings: ServedSettings) -> AskedResponse:
    """Read the parameters of `response.create`. ClientEventError: those that are not known or not possible."""
    only_known(given, KNOWN, "response")
    if given.get("conversation") not in (None, "auto", "none"):
        raise ClientEventError("invalid_value", "response.conversation is 'auto' or 'none'", "response.conversation")
    audio = mapping(given.get("audio"), "response.audio")
    said = mapping(audio.get("output"), "response.audio.output")
    form = mapping(said.get("format"), "response.audio.output.format")
    if form and form.get("type") != described_format(settings.said)["type"]:
        told = "the format of the session's audio holds for every response"
        raise ClientEventError("invalid_value", told, "response.audio.output.format")
    modalities = given.get("output_modalities")
    where = "response.output_modalities"
    return AskedResponse(
        text_only=settings.text_only if modalities is None else text_only(modalities, where),
        outside=given.get("conversation") == "none",
        metadata=_metadata(given.get("metadata")),
        voice=said.get("voice") or settings.voice,
        told={"max_output_tokens": given.get("max_output_tokens") or settings.told.get("max_output_tokens") or "inf"},
    )


def _metadata(given: object) -> Mapping[str, str] | None:
    where = "response.metadata"
    pairs = mapping(given, where)
    if len(pairs) > MOST_METADATA or not all(isinstance(value, str) and len(value) <= 512 for value in pairs.values()):
        told = f"{where} is at most {MOST_METADATA} texts of 512 characters by name"
        raise ClientEventError("invalid_value", told, where)
    return None if given is None else pairs


class ServedResponse:
    """One response, told to the client as it goes."""

    def __init__(self, out: Outgoing, items: ConversationItems, settings: ServedSettings, asked: AskedResponse) -> None:
        self._out = out
        self._items = items
        self._form = settings.said
        self._asked = asked
        self.name = out.name("resp")
        self.item = ""
        """The id of what is being said; empty before the first sound."""
        self.sent = 0
        """Samples of sound sent."""
        self._text = ""
        self._out.send("response.created", response=self._state("in_progress", []))

    def begin(self) -> None:
        """The agent begins to answer."""
        self.item = self._items.name()
        item = self._as_item("in_progress", [])
        self._out.send("response.output_item.added", response_id=self.name, output_index=0, item=item)
        if not self._asked.outside:
            self._items.add(item)
        self._out.send("response.content_part.added", part=self._part(""), **self._place())

    def sound(self, samples: Samples) -> None:
        """Send sound, unless words alone were asked for."""
        if not self._asked.text_only and len(samples):
            self.sent += len(samples)
            self._out.send("response.output_audio.delta", delta=self._form.encode(samples), **self._place())

    def text(self, piece: str) -> None:
        """Send words."""
        piece = piece if self._text else piece.lstrip()
        if piece:
            self._text += piece
            kind = "output_text" if self._asked.text_only else "output_audio_transcript"
            self._out.send(f"response.{kind}.delta", delta=piece, **self._place())

    def over(self, status: str, reason: str | None = None) -> None:
        """Tell what it came to: `completed`, or `cancelled` and why."""
        output = [self._item_over(status)] if self.item else []
        details = {"type": status, "reason": reason} if reason else None
        self._out.send("response.done", response=self._state(status, output) | {"status_details": details})

    def _item_over(self, status: str) -> dict[str, Any]:
        text = self._text.rstrip()
        words = {"text": text} if self._asked.text_only else {"transcript": text}
        kind = "output_text" if self._asked.text_only else "output_audio"
        item = self._as_item("completed" if status == "completed" else "incomplete", [{"type": kind, **words}])
        if self._asked.text_only:
            self._out.send("response.output_text.done", text=text, **self._place())
        else:
            self._out.send("response.output_audio.done", **self._place())
            self._out.send("response.output_audio_transcript.done", transcript=text, **self._place())
        self._out.send("response.content_part.done", part=self._part(text), **self._place())
        self._out.send("response.output_item.done", response_id=self.name, output_index=0, item=item)
        self._items.change(item)
        self._items.done(self.item)
        return item

    def _part(self, text: str) -> dict[str, Any]:
        return {"type": "text", "text": text} if self._asked.text_only else {"type": "audio", "transcript": text}

    def _state(self, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        said = {"format": described_format(self._form)} | ({"voice": self._asked.voice} if self._asked.voice else {})
        return {
            "id": self.name,
            "object": "realtime.response",
            "conversation_id": None if self._asked.outside else CONVERSATION,
            "status": status,
            "status_details": None,
            "output": output,
            "output_modalities": ["text" if self._asked.text_only else "audio"],
            "audio": {"output": said},
            "metadata": self._asked.metadata,
            "usage": None,
            **self._asked.told,
        }

    def _as_item(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.item,
            "object": "realtime.item",
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        }

    def _place(self) -> dict[str, Any]:
        return {"response_id": self.name, "item_id": self.item, "output_index": 0, "content_index": 0}
