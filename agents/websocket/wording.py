"""How a WebSocket's messages are worded, as a scenario describes it: templates to send, places to find things in.

    send:    {json: {type: audio, data: "{audio}"}}              or nothing: sound goes as binary messages
    receive: {audio: "$.data", text: "$.transcript", clear: {type: interrupt}, done: {type: end}}

A template is any JSON object, or a text that is the message itself; `{audio}` and the like in its texts are filled in,
and a text of an object that is nothing but `{ms}` becomes the number. A place is a path (`$.media.payload`,
`$.choices[0].text`), or `{path: "$.data", when: {type: audio}}` for messages that look like that alone; `$` is a text
that is no JSON. A match is part of a message: `{type: interrupt}` is in every message with this type; a text is the
whole of one that is no JSON.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from simulator.spec import Convert, Duration, Written, encode, ms
from simulator.texts import quoted

Template = dict[str, Any] | str
Match = dict[str, Any] | str

EVERY: tuple[Match, ...] = ({}, "")
"""Matches that say nothing."""

_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d{1,4})\]|\[\"([^\"]+)\"\]")
_WORD = re.compile(r"(?<!\$)\{([a-z_]+)\}")

WORDS: Mapping[str, tuple[str, ...]] = {
    "json": ("audio", "ms", "number"),
    "mark": ("mark",),
    "played": ("ms", "samples"),
    "digits": ("digits",),
    "pong": ("ping_id",),
    "hello": ("rate", "output_rate"),
    "bye": (),
    "served_json": ("audio",),
    "served_text": ("text",),
}
"""What a template may hold. ms: of session time, of sound heard; number: of the message, from 1."""

_NEEDED = {"json": "audio", "mark": "mark", "digits": "digits", "served_json": "audio", "served_text": "text"}


class JsonPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where something stands in a message.

    path: such as `$.data`. when: what the message must look like, if anything.
    """

    path: str
    when: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        _steps(self.path)
        if self.when == {}:
            raise ValueError("an empty match is every message; leave `when` out, or write like {type: audio}")

    def __encode__(self) -> Any:
        return self.path if self.when is None else {"path": self.path, "when": encode(self.when)}

    def find(self, message: Any) -> Any:
        """Give what stands there in a message; None where nothing does, or the message does not look like it."""
        if self.when is not None and not matches(message, self.when):
            return None
        if self.path == "$":
            return message if isinstance(message, str) else None
        value = message
        for step in _steps(self.path):
            if isinstance(step, int):
                value = value[step] if isinstance(value, list) and step < len(value) else None
            else:
                value = value.get(step) if isinstance(value, Mapping) else None
        return value


if TYPE_CHECKING:
    AnyPlace = JsonPlace
else:

    class AnyPlace(Written):
        """A place as it is written: a mapping, or its path alone."""

        struct = JsonPlace

        @classmethod
        def __decode__(cls, value: object, convert: Convert) -> JsonPlace:
            if isinstance(value, str):
                value = {"path": value}
            if not isinstance(value, dict) or "path" not in value:
                complaint = "expected a path like $.data or {path: $.data, when: {type: audio}}"
                raise ValueError(f"{complaint}, found {quoted(value)}")
            return convert(value, JsonPlace)


class SendWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is sent. json: a message with sound, `{audio}` in base64; not given: binary. chunk: how much sound a message
    carries; not given: a frame of the session.

    mark: that a mark's sound was heard. played: how much was heard, about every `played_every` and when it is cleared.
    played_every: how often. digits: keys that were pressed. pong: what a ping of theirs is answered with.
    """

    json: Template | None = None
    chunk: Duration | None = None
    mark: Template | None = None
    played: Template | None = None
    played_every: Duration = ms(200)
    digits: Template | None = None
    pong: Template | None = None


class ReceiveWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is received. audio: where sound stands, in base64; not given: in binary messages. rate: where its rate does.

    text: what the far end says, in words; heard: what it understood. ready: from when on it takes sound. clear: drop
    what waits to be heard. done: it has said all of this turn. mark: the name of a mark. digits: keys it pressed.
    hang_up: it leaves. error: its complaint. ping: a message that `send.pong` answers. ping_id: what that repeats.
    """

    audio: AnyPlace | None = None
    rate: AnyPlace | None = None
    text: AnyPlace | None = None
    heard: AnyPlace | None = None
    ready: Match | None = None
    clear: Match | None = None
    done: Match | None = None
    mark: AnyPlace | None = None
    digits: AnyPlace | None = None
    hang_up: Match | None = None
    error: AnyPlace | None = None
    ping: Match | None = None
    ping_id: AnyPlace | None = None


def matches(message: Any, match: Any) -> bool:
    """Whether all of a match stands in a message: objects inside objects likewise, anything else as it is."""
    if isinstance(match, Mapping):
        return isinstance(message, Mapping) and all(
            key in message and matches(message[key], value) for key, value in match.items()
        )
    return type(message) is type(match) and message == match


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """Give a template with the words of its texts filled in; one that is nothing but a word becomes the value."""
    if isinstance(template, Mapping):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, values) for value in template]
    if not isinstance(template, str):
        return template
    whole = _WORD.fullmatch(template)
    if whole is not None:
        return values[whole[1]]
    return _WORD.sub(lambda word: str(values[word[1]]), template)


def complaints(name: str, template: Any) -> Iterator[tuple[str, str]]:
    """Give what is wrong with a template of this name, each with its place inside it (`.data`)."""
    allowed = WORDS[name]
    found: list[str] = []
    for where, text in _texts(template):
        for word in _WORD.findall(text):
            found.append(word)
            if word not in allowed:
                known = ", ".join(f"{{{known}}}" for known in allowed) or "none"
                yield where, f"{{{word}}} is no word of this message; allowed are {known}"
            elif word == "audio" and text != "{audio}":
                yield where, f'the sound is a text of its own; write "{{audio}}", not {quoted(text)}'
    needed = _NEEDED.get(name)
    if needed is not None and found.count(needed) != 1:
        many = "nowhere" if not found.count(needed) else f"{found.count(needed)} times"
        yield "", f"{{{needed}}} stands {many} in it; it must stand there once"


def _texts(template: Any, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(template, str):
        yield where, template
    elif isinstance(template, Mapping):
        for key, value in template.items():
            yield from _texts(value, f"{where}.{key}")
    elif isinstance(template, list):
        for index, value in enumerate(template):
            yield from _texts(value, f"{where}[{index}]")


@lru_cache(maxsize=256)
def _steps(path: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    at = 1
    while path.startswith("$") and at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            break
        steps.append(int(step[2]) if step[2] is not None else step[1] or step[3])
        at = step.end()
    if not path.startswith("$") or at < len(path):
        raise ValueError(f"{quoted(path)} is no path; write it like $.data or $.media[0].payload")
    return tuple(steps)
