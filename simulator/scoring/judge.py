"""Judges: language models that are asked to rate or to classify, over an endpoint, or from a file.

A judge is asked at most a stated number of times per question; every raw reply is kept. An endpoint's replies
are cassettes, kept under a hash of everything asked, so that scoring again costs nothing. A file of ready
replies stands in for an endpoint: scoring then runs offline.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from simulator.errors import RemoteError, ScenarioError, SessionError

T = TypeVar("T")

Messages = Sequence[Mapping[str, Any]]


class Judge(Protocol):
    """Something that answers questions about samples."""

    def ask(self, sample: str, messages: Messages, attempt: int) -> str | None:
        """Give the reply to the attempt-th asking (from 0), None without one.

        RemoteError when it fails, SessionError where it may not be asked.
        """
        ...

    def poll(self, sample: str, messages: Messages, count: int) -> Sequence[str]:
        """Give so many replies to one question, of ready replies all that there are; RemoteError when it fails."""
        ...


class Ruling(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What asking came to: the parsed value or None, every raw reply, and why there is no value."""

    value: T | None
    replies: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def unparsed(self) -> int:
        """The number of replies that gave no value."""
        return len(self.replies) - (self.value is not None)


def ask(judge: Judge, sample: str, messages: Messages, parse: Callable[[str], T | None], *, tries: int) -> Ruling[T]:
    """Ask until a reply parses, at most `tries` times; a failing endpoint counts as a try."""
    replies: list[str] = []
    problem: str | None = None
    for attempt in range(tries):
        try:
            reply = judge.ask(sample, messages, attempt)
        except (RemoteError, SessionError) as error:
            problem = str(error)
            continue
        if reply is None:
            break
        replies.append(reply)
        value = parse(reply)
        if value is not None:
            return Ruling(value=value, replies=tuple(replies))
    if problem is None:
        problem = f"none of {len(replies)} judge replies could be parsed" if replies else "no judge reply is given"
    return Ruling(value=None, replies=tuple(replies), problem=problem)


class ReadyReplies:
    """Replies from a file, in order per sample: `{id: [reply, ...]}` or lines of `{item_id, generation}`."""

    def __init__(self, replies: Mapping[str, Sequence[str]]) -> None:
        self.replies = replies

    @classmethod
    def read(cls, path: Path) -> "ReadyReplies":
        """Read a file of replies; ScenarioError when it is of neither form."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ScenarioError(f"judge_replies={path}: cannot be read: {error.strerror}") from error
        try:
            return cls(_by_sample(content))
        except (msgspec.DecodeError, ValueError) as error:
            expected = "{id: [reply, ...]} or lines of {item_id, generation}"
            raise ScenarioError(f"judge_replies={path}: expected {expected}: {error}") from error

    def ask(self, sample: str, _messages: Messages, attempt: int) -> str | None:
        """Give the sample's attempt-th reply; None when there is none left."""
        replies = self.replies.get(sample, ())
        return replies[attempt] if attempt < len(replies) else None

    def poll(self, sample: str, _messages: Messages, _count: int) -> Sequence[str]:
        """Give all of the sample's replies."""
        return self.replies.get(sample, ())


class _Line(msgspec.Struct, frozen=True):
    item_id: str
    generation: str


def _by_sample(content: bytes) -> dict[str, Sequence[str]]:
    try:
        whole = msgspec.json.decode(content, type=dict[str, list[str] | str])
        if not {"item_id", "generation"} <= set(whole):
            return {name: [replies] if isinstance(replies, str) else replies for name, replies in whole.items()}
    except msgspec.DecodeError:
        if b"item_id" not in content:
            raise
    found: dict[str, list[str]] = {}
    for line in msgspec.json.Decoder(_Line).decode_lines(content):
        found.setdefault(line.item_id, []).append(line.generation)
    return dict(found)


def with_suffix(messages: Messages, suffix: str) -> Messages:
    """Give chat messages whose last one of the user's ends with more text; of several parts it gets one more."""
    place = next((place for place in reversed(range(len(messages))) if messages[place].get("role") == "user"), None)
    if not suffix or place is None:
        return messages
    content = messages[place]["content"]
    longer = content + suffix if isinstance(content, str) else [*content, {"type": "text", "text": suffix}]
    return [*messages[:place], {**messages[place], "content": longer}, *messages[place + 1 :]]
