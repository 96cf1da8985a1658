"""Requests of the chat completions protocol as they come in, without I/O: what was asked, or why it is refused."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from agents.chat_audio.answer import split_debug
from agents.remote.base64_bytes import base64_bytes
from agents.remote.long_text import LongText
from agents.serve.http_json import RefusedError, read_object
from agents.serve.sound_in import opened_sound

MOST_MESSAGES = 10_000
MOST_PARTS = 2_000
SYSTEM = ("system", "developer")
_LONGEST_HEAD = 200
"""Characters of a data: URL before its data."""

Range = tuple[float, float, str]
LIMITS: dict[str, Range] = {
    "max_tokens": (1, 1e9, "an integer of at least 1"),
    "max_completion_tokens": (1, 1e9, "an integer of at least 1"),
    "temperature": (0, 2, "a number from 0 to 2"),
    "top_p": (0, 1, "a number from 0 to 1"),
    "seed": (-(2.0**63), 2.0**63, "an integer"),
}


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message: who said it, its text parts joined by a space, its sound as bytes of sound files.

    audio_id: stands for the sound of an earlier reply.
    """

    role: str
    text: str = ""
    sounds: tuple[bytes, ...] = ()
    audio_id: str = ""

    def identity(self) -> list[Any]:
        """What tells this message from any other."""
        return [self.role, self.text, [hashlib.sha256(data).hexdigest() for data in self.sounds]]


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A whole request: what is needed of its messages, found once.

    turn: the last message of the user, what is asked now. system: the system text. key: names the dialogue up to here,
    what the next request's `earlier` will be. earlier: names the dialogue that this request goes on with, all but the
    last reply and the new turn; None: a new one. last_reply: the text of the assistant's last message, without a
    debug_info that came back with it, else its audio id. session_id: which dialogue it names, if any. settings:
    sampling keys, as given. sounds: of all messages, in order.
    """

    turn: ChatMessage
    system: str
    key: str
    earlier: str | None
    last_reply: str
    session_id: str | None = None
    settings: dict[str, Any] = {}
    sounds: tuple[bytes, ...] = ()


def key_of(identities: Sequence[Any]) -> str:
    """Give 16 hex digits of sha256 over role, text and sha256 of every sound of the messages."""
    return hashlib.sha256(msgspec.json.encode(identities)).hexdigest()[:16]


def read_request(body: bytes) -> ChatRequest:
    """Read a request's body. RefusedError (400): no JSON, no messages, nothing asked, sound that is none, too much."""
    data = read_object(body, 400)
    messages = data.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RefusedError(400, "No messages provided")
    if len(messages) > MOST_MESSAGES:
        raise RefusedError(400, f"{len(messages)} messages; {MOST_MESSAGES} are allowed")
    _count_parts(messages)
    read = [_message(index, message) for index, message in enumerate(messages)]
    if not any(message.text.strip() or message.sounds for message in read):
        raise RefusedError(400, "Request must have either text or audio input")
    if data.get("stream"):
        raise RefusedError(400, "stream: answers are given whole; leave it out")
    turn = next((message for message in reversed(read) if message.role == "user"), ChatMessage(role="user"))
    for message in read:
        for file in message.sounds if message is not turn else ():  # the turn's own sound is read whole
            with opened_sound(file):
                pass
    identities = [message.identity() for message in read]
    spoken = [message for message in read if message.role not in SYSTEM]
    return ChatRequest(
        turn=turn,
        system=" ".join(message.text for message in read if message.role in SYSTEM),
        key=key_of(identities),
        earlier=key_of(identities[:-2]) if len(spoken) > 2 else None,
        last_reply=next((_reply_of(message) for message in reversed(read) if message.role == "assistant"), ""),
        session_id=_session_id(data),
        settings=_settings(data),
        sounds=tuple(file for message in read for file in message.sounds),
    )


def _reply_of(message: ChatMessage) -> str:
    return split_debug(message.text)[0] or message.audio_id


def _count_parts(messages: Sequence[Any]) -> None:
    contents = [message.get("content") for message in messages if isinstance(message, dict)]
    parts = sum(len(content) for content in contents if isinstance(content, list))
    if parts > MOST_PARTS:
        raise RefusedError(400, f"{parts} parts in all messages; {MOST_PARTS} are allowed")


def _settings(data: dict[str, Any]) -> dict[str, Any]:
    given = {name: data[name] for name in LIMITS if data.get(name) is not None}
    for name, value in given.items():
        lowest, highest, allowed = LIMITS[name]
        whole = isinstance(value, int) or not allowed.startswith("an integer")
        if isinstance(value, bool) or not isinstance(value, int | float) or not whole or not lowest <= value <= highest:
            raise RefusedError(400, f"{name}: expected {allowed}, found {str(value)[:40]}")
    return given


def _session_id(data: dict[str, Any]) -> str | None:
    """The id of a dialogue: at top level, or inside a literal `extra_body`, which wins."""
    inner = data.get("extra_body")
    found = (inner.get("session_id") if isinstance(inner, dict) else None) or data.get("session_id")
    if found is None:
        return None
    if not isinstance(found, str):
        raise RefusedError(400, f"session_id: expected a text, found {type(found).__name__}")
    return found


def _message(index: int, message: object) -> ChatMessage:
    where = f"messages[{index}]"
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise RefusedError(400, f"{where}: expected an object with a role")
    content = _text(message.get("content"))
    if content is None or isinstance(content, str):
        audio = message.get("audio")
        id_ = audio.get("id") if isinstance(audio, dict) else None
        return ChatMessage(role=message["role"], text=content or "", audio_id=id_ if isinstance(id_, str) else "")
    if not isinstance(content, list):
        raise RefusedError(400, f"{where}.content: expected a text or a list of parts")
    texts: list[str] = []
    sounds: list[bytes] = []
    for number, part in enumerate(content):
        _part(f"{where}.content[{number}]", part, texts, sounds)
    return ChatMessage(role=message["role"], text=" ".join(texts), sounds=tuple(sounds))


def _part(where: str, part: object, texts: list[str], sounds: list[bytes]) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    assert isinstance(part, dict) or kind is None
    text = _text(part.get("text")) if isinstance(part, dict) else None
    if kind == "text" and isinstance(text, str):
        texts.append(text)
    elif kind in ("input_audio", "audio_url") and isinstance(part, dict):
        inner = part.get(kind)
        name = "data" if kind == "input_audio" else "url"
        value = inner.get(name) if isinstance(inner, dict) else None
        if not isinstance(value, str | LongText):
            raise RefusedError(400, f"{where}.{kind}.{name}: expected a text")
        sounds.append(_decoded(f"{where}.{kind}.{name}", value if kind == "input_audio" else _of_url(where, value)))
    else:
        raise RefusedError(400, f"{where}: expected a part of type text, input_audio or audio_url")


def _text(value: object) -> object:
    """Give a value whose texts are texts, however long."""
    return value.text() if isinstance(value, LongText) else value


def _of_url(where: str, url: str | LongText) -> str | LongText:
    start = url[:_LONGEST_HEAD] if isinstance(url, str) else url[:_LONGEST_HEAD].decode("ascii")
    head, comma, _ = start.partition(",")
    if not head.lower().startswith("data:"):
        raise RefusedError(400, f"{where}.audio_url.url: only data: URLs are read, found {start[:40]!r}")
    if not comma or not head.lower().endswith(";base64"):
        raise RefusedError(400, f"{where}.audio_url.url: expected data:audio/<format>;base64,<data>")
    return url[len(head) + 1 :] if isinstance(url, str) else url.after(len(head) + 1)


def _decoded(where: str, text: str | LongText) -> bytes:
    try:
        return base64_bytes(text)
    except ValueError:
        raise RefusedError(400, f"{where}: is not base64") from None
