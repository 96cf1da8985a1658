"""The items of a served Realtime session: one chain over both sides, made by the client, by its sound and by the agent.

    what happens                                 what the client gets
    conversation.item.create                     conversation.item.added, .done; a known id is an error
    a turn of the client's sound                 conversation.item.added, .done
    the agent's response                         conversation.item.added, when it is over .done
    conversation.item.retrieve                   conversation.item.retrieved
    conversation.item.delete                     conversation.item.deleted; the chain closes behind it

`previous_item_id` is what stands before an item in the chain at that moment; null is the beginning. Sound and
pictures of a client's item are not kept.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from agents.openai.server_words import ClientEventError, Message, Outgoing, mapping

TYPES = ("message", "function_call", "function_call_output", "mcp_approval_response", "mcp_approval_request",
         "mcp_list_tools", "mcp_call")  # fmt: skip
ROLES = ("user", "assistant", "system", "developer")
ROOT = "root"

MOST_ITEMS = 10_000
LARGEST_ITEM = 2**20
MOST_BYTES = 16 * 2**20
"""Of all items together, as JSON; what a conversation of words never comes to."""


class ConversationItems:
    """The conversation's items in order. What is asked of it wrongly is a ClientEventError."""

    def __init__(self, out: Outgoing) -> None:
        self._out = out
        self._items: dict[str, dict[str, Any]] = {}
        self._before: dict[str, str] = {}
        self._after: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._bytes = 0

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def create(self, message: Message) -> dict[str, Any]:
        """Put the client's item where it wants it, and give it as it is kept."""
        item = kept_of(mapping(message.get("item"), "item"))
        name = item["id"] = item.get("id") or self.name()
        self.check_room(len(msgspec.json.encode(item)))
        self.add(item, self._place_for(message.get("previous_item_id")))
        self.done(name)
        return item

    def add(self, item: dict[str, Any], after: str | None = None) -> None:
        """Put an item behind another one, or at the end."""
        name = item["id"]
        if name in self._items:
            raise ClientEventError("item_create_duplicate_item_id", f"there is an item {name!r} already", "item.id")
        size = len(msgspec.json.encode(item))
        before = self._before.get(ROOT, ROOT) if after is None else after
        self._join(name, self._after.get(before, ROOT))
        self._join(before, name)
        self._items[name] = item
        self._sizes[name] = size
        self._bytes += size
        self._out.send("conversation.item.added", item=item, previous_item_id=self.previous(name))

    def name(self) -> str:
        """Give an id that no item has."""
        while (name := self._out.name("item")) in self._items:
            pass
        return name

    def check_room(self, size: int = 0) -> None:
        """Refuse what would make the conversation too long, in items or bytes of JSON: ClientEventError."""
        if size > LARGEST_ITEM:
            told = f"an item is at most {LARGEST_ITEM} bytes without its sound; this has {size}"
            raise ClientEventError("item_too_large", told, "item")
        if len(self._items) >= MOST_ITEMS or self._bytes + size > MOST_BYTES:
            raise ClientEventError("conversation_full", "the conversation holds no more items; delete some", "item")

    def done(self, name: str) -> None:
        """Tell the client that an item is complete, if it is still there."""
        if name in self._items:
            self._out.send("conversation.item.done", item=self._items[name], previous_item_id=self.previous(name))

    def change(self, item: dict[str, Any]) -> None:
        """Keep what has become of an item, if it is still there."""
        if item["id"] in self._items:
            self._items[item["id"]] = item

    def previous(self, name: str) -> str | None:
        """Name the item before one; None for the first."""
        before = self._before.get(name, ROOT)
        return None if before == ROOT else before

    @property
    def last(self) -> str | None:
        """The id of the last item."""
        return self.previous(ROOT)

    def retrieve(self, message: Message) -> None:
        """Tell the client what an item is."""
        self._out.send("conversation.item.retrieved", item=self._items[self._known(message, "retrieve")])

    def delete(self, message: Message) -> str:
        """Take an item out of the chain and give its id."""
        name = self._known(message, "delete")
        self._join(self._before.pop(name), self._after.pop(name))
        del self._items[name]
        self._bytes -= self._sizes.pop(name)
        self._out.send("conversation.item.deleted", item_id=name)
        return name

    def transcribed(self, name: str, text: str) -> None:
        """Keep what was understood of a turn of sound."""
        item = self._items.get(name)
        if item is not None:
            self.change({**item, "content": [{"type": "input_audio", "transcript": text}]})

    def truncated(self, name: str) -> None:
        """Forget the words of an item whose sound was not all heard: nobody knows which of them were."""
        item = self._items.get(name)
        if item is not None:
            self.change({**item, "content": [{"type": "output_audio", "transcript": ""}]})

    def _join(self, before: str, after: str) -> None:
        self._after[before], self._before[after] = after, before

    def _known(self, message: Message, what: str) -> str:
        name = message.get("item_id")
        if not isinstance(name, str) or name not in self._items:
            raise ClientEventError(f"item_{what}_invalid_item_id", f"there is no item {str(name)[:200]!r}", "item_id")
        return name

    def _place_for(self, given: object) -> str | None:
        if given is None or given == ROOT:
            return ROOT if given else None
        if not isinstance(given, str) or given not in self._items:
            told = f"there is no item {str(given)[:200]!r} to put this one behind"
            raise ClientEventError("item_create_invalid_previous_item_id", told, "previous_item_id")
        return given


def kept_of(given: Message) -> dict[str, Any]:
    """Check a client's item and give what is kept of it: no sound, no pictures. ClientEventError when it is none."""
    type_, role, name = given.get("type"), given.get("role"), given.get("id")
    if type_ not in TYPES:
        raise ClientEventError(
            "invalid_value", f"item.type is {str(type_)[:200]!r}; message and others are known", "item.type"
        )
    if type_ == "message" and role not in ROLES:
        told = f"item.role is {str(role)[:200]!r}; {', '.join(ROLES)} are allowed"
        raise ClientEventError("invalid_value", told, "item.role")
    if name is not None and (not isinstance(name, str) or not 0 < len(name) <= 512 or name == ROOT):
        raise ClientEventError("invalid_value", "item.id is a text of 1 to 512 characters", "item.id")
    item = {"object": "realtime.item", "status": "completed", **given}
    if type_ == "message":
        item["content"] = [
            {key: value for key, value in part.items() if key not in ("audio", "image_url")} for part in parts_of(given)
        ]
    return item


def parts_of(item: Message) -> list[Mapping[str, Any]]:
    """Give the content of a message, part by part. ClientEventError when it is none."""
    content = item.get("content") or []
    if not isinstance(content, list) or not all(isinstance(part, Mapping) for part in content):
        raise ClientEventError("invalid_type", "item.content is a list of objects", "item.content")
    return content


def text_of(item: Message) -> str:
    """Give the words of an item: its texts and transcripts, or what a function gave."""
    if item.get("type") != "message":
        return str(item.get("output") or "")
    words = [part.get("text") or part.get("transcript") for part in parts_of(item)]
    return " ".join(word for word in words if isinstance(word, str) and word)
