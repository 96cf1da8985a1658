"""Requests of the chat completions protocol as they come in, without I/O: what was asked, or why it is refused."""

import base64
import binascii
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np

from agents.serve.http_json import RefusedError, read_object
from simulator.frame import Samples, freeze
from simulator.sound import recordings

Range = tuple[float, float, str]
LIMITS: dict[str, Range] = {
    "max_tokens": (1, 1e9, "an integer of at least 1"),
    "max_completion_tokens": (1, 1e9, "an integer of at least 1"),
    "temperature": (0, 2, "a number from 0 to 2"),
    "top_p": (0, 1, "a number from 0 to 1"),
    "seed": (-(2.0**63), 2.0**63, "an integer"),
}


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message: who said it, its text parts joined by a space, its sound as bytes of sound files."""

    role: str
    text: str = ""
    sounds: tuple[bytes, ...] = ()

    def identity(self) -> list[Any]:
        """What tells this message from any other."""
        return [self.role, self.text, [hashlib.sha256(data).hexdigest() for data in self.sounds]]


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A whole request. session_id: which dialogue it names, if any. settings: sampling keys, as given."""

    messages: tuple[ChatMessage, ...]
    session_id: str | None = None
    settings: dict[str, Any] = {}

    @property
    def turn(self) -> ChatMessage:
        """The last message of the user: what is asked now."""
        asked = [message for message in self.messages if message.role == "user"]
        return asked[-1] if asked else ChatMessage(role="user")

    @property
    def system(self) -> str:
        """The system text."""
        return " ".join(message.text for message in self.messages if message.role in ("system", "developer"))

    @property
    def key(self) -> str:
        """Names the dialogue up to here: what the next request's `earlier` will be."""
        return key_of(self.messages)

    @property
    def earlier(self) -> str | None:
        """Names the dialogue that this request goes on with: all but the last reply and the new turn. None: new."""
        spoken = [message for message in self.messages if message.role not in ("system", "developer")]
        return key_of(self.messages[:-2]) if len(spoken) > 2 else None

    @property
    def last_reply(self) -> str:
        """The text of the assistant's last message."""
        said = [message.text for message in self.messages if message.role == "assistant"]
        return said[-1] if said else ""


def key_of(messages: tuple[ChatMessage, ...]) -> str:
    """Give 16 hex digits of sha256 over role, text and sha256 of every sound of the messages."""
    told = msgspec.json.encode([message.identity() for message in messages])
    return hashlib.sha256(told).hexdigest()[:16]


def read_request(body: bytes) -> ChatRequest:
    """Read a request's body. RefusedError (400): no JSON, no messages, nothing asked, sound that is none."""
    data = read_object(body, 400)
    messages = data.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RefusedError(400, "No messages provided")
    read = tuple(_message(index, message) for index, message in enumerate(messages))
    if not any(message.text.strip() or message.sounds for message in read):
        raise RefusedError(400, "Request must have either text or audio input")
    if data.get("stream"):
        raise RefusedError(400, "stream: answers are given whole; leave it out")
    request = ChatRequest(messages=read, session_id=_session_id(data), settings=_settings(data))
    for earlier in (message for message in read if message is not request.turn):  # the turn's own sound is read whole
        for file in earlier.sounds:
            with _opened(file):
                pass
    return request


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
    content = message.get("content")
    if content is None or isinstance(content, str):
        return ChatMessage(role=message["role"], text=content or "")
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
    if kind == "text" and isinstance(part, dict) and isinstance(part.get("text"), str):
        texts.append(part["text"])
    elif kind in ("input_audio", "audio_url") and isinstance(part, dict):
        inner = part.get(kind)
        name = "data" if kind == "input_audio" else "url"
        value = inner.get(name) if isinstance(inner, dict) else None
        if not isinstance(value, str):
            raise RefusedError(400, f"{where}.{kind}.{name}: expected a text")
        sounds.append(_decoded(f"{where}.{kind}.{name}", value if kind == "input_audio" else _of_url(where, value)))
    else:
        raise RefusedError(400, f"{where}: expected a part of type text, input_audio or audio_url")


def _of_url(where: str, url: str) -> str:
    head, comma, data = url.partition(",")
    if not head.lower().startswith("data:"):
        raise RefusedError(400, f"{where}.audio_url.url: only data: URLs are read, found {url[:40]!r}")
    if not comma or not head.lower().endswith(";base64"):
        raise RefusedError(400, f"{where}.audio_url.url: expected data:audio/<format>;base64,<data>")
    return data


def _decoded(where: str, text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise RefusedError(400, f"{where}: is not base64") from None


def sound_of(message: ChatMessage, sample_rate: int, longest_s: float) -> Samples:
    """Give a message's sound, its files one after the other, channels averaged: float32 (n,) at sample_rate Hz.

    RefusedError (400): a file that does not decode, holds nothing, or is longer than allowed.
    """
    parts = [_read(data, sample_rate, longest_s) for data in message.sounds]
    joined = np.concatenate(parts)
    if len(joined) > longest_s * sample_rate:
        raise RefusedError(400, f"the audio is {len(joined) / sample_rate:.0f} s long; {longest_s:g} s are allowed")
    return freeze(joined)


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    """Give an open soundfile.SoundFile. RefusedError (400): it is none, or reading it shows that it is broken."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            yield file
    except (soundfile.SoundFileError, OSError, ValueError, TypeError, MemoryError, AssertionError):
        raise RefusedError(400, "the audio does not decode: it is no sound file") from None


def _read(data: bytes, sample_rate: int, longest_s: float) -> Samples:
    with _opened(data) as file:
        rate, frames, width = file.samplerate, file.frames, file.channels
        if not 4_000 <= rate <= 192_000 or width > 8:
            raise RefusedError(400, f"audio at {rate} Hz in {width} channels; 4000 to 192000 Hz, up to 8 are read")
        if frames > longest_s * rate:  # told by the header: a small file may hold days
            raise RefusedError(400, f"the audio is {frames / rate:.0f} s long; {longest_s:g} s are allowed")
        samples = file.read(int(longest_s * rate) + 1, dtype="float32", always_2d=True)
    if not len(samples):
        raise RefusedError(400, "the audio is empty")
    mono = samples.mean(axis=1) if width > 1 else samples[:, 0]
    if not np.isfinite(mono).all():
        raise RefusedError(400, "the audio holds values that are not finite")
    return recordings.resample(np.clip(mono, -1.0, 1.0).astype(np.float32), rate, sample_rate)
