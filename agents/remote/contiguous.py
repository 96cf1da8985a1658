"""Contiguous: a recorded session as it would have been heard had every item's sound come in at once.

A service's sound is heard as it arrives, and a slow network leaves gaps in it. Here all sound of an item arrives
with its first piece; everything else stays where it was. Replayed (`{kind: replay_trace, set: {placement:
contiguous}}`), items begin where they began and go on without gaps. A continuous stream (OpenAI Live) has no
items and stays as it is.
"""

from collections.abc import Callable, Mapping

import msgspec

from agents.remote.peer_core import Message
from agents.remote.trace import Trace, TraceRecord

SoundOf = Callable[[Message], str | None]
"""Gives the item that a message's sound belongs to, None for a message without sound; called in order."""


def contiguous(trace: Trace) -> Trace:
    """Give the trace with every item's sound at the step of its first piece."""
    sound_of = _PROTOCOLS.get(trace.header.protocol, _no_items)()
    gathered: list[list[TraceRecord]] = []
    items: dict[str, list[TraceRecord]] = {}
    for record in trace.records:
        item = sound_of(record.json) if record.dir == "received" and isinstance(record.json, Mapping) else None
        if item is None or item not in items:
            gathered.append([record])
            if item is not None:
                items[item] = gathered[-1]
        else:
            first = items[item][0]
            items[item].append(msgspec.structs.replace(record, at=first.at, after_heard=first.after_heard))
    records = tuple(record for group in gathered for record in group)
    return msgspec.structs.replace(trace, records=records)


def _no_items() -> SoundOf:
    return lambda _: None


def _realtime_items() -> SoundOf:
    def item(message: Message) -> str | None:
        return str(message.get("item_id")) if str(message.get("type")).endswith("audio.delta") else None

    return item


def _gemini_turns() -> SoundOf:
    turn = 0

    def item(message: Message) -> str | None:
        nonlocal turn
        content = message.get("server_content") or {}
        parts = (content.get("model_turn") or {}).get("parts") or ()
        sounds = any(part.get("inline_data") for part in parts)
        name = f"turn-{turn}" if sounds else None
        turn += any(content.get(word) for word in ("interrupted", "generation_complete", "turn_complete"))
        return name

    return item


_PROTOCOLS: Mapping[str, Callable[[], SoundOf]] = {
    "openai_realtime": _realtime_items,
    "vllm_duplex": _realtime_items,
    "gemini_live": _gemini_turns,
}
