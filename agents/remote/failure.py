"""Failures: a far end that answers a turn with an outcome instead of speech, told by every kind in one form.

The event is `response_failed {id, reason, by, status}`. reason: the service's own words where it has some. What the
calls make of it: simulator/call/responses.py.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

STARTED = "response_start"
FAILED = "response_failed"
LONGEST = 300
"""Characters of a reason: services quote whole requests in their errors."""

_CUT = ("length", "max_tokens")
_FILTERED = ("content_filter", "safety")


def failed_fields(by: str, reason: object, *, id: str | None = None, status: object = None) -> dict[str, Any]:  # noqa: A002 - the event's own word
    """Give the fields of a `response_failed`: one line of reason without a full stop, which stands inside sentences."""
    line = " ".join(str(reason or status or "no reason given").split()).rstrip(". ")
    given = {"id": id, "by": by, "reason": line[:LONGEST], "status": status}
    return {name: value for name, value in given.items() if value is not None}


def response_events(by: str, id: str, failure: str | None, at: int) -> list[tuple[str, dict[str, Any]]]:  # noqa: A002
    """Give what a reply that came whole tells of itself: that it was asked for, and why it is none where it is not."""
    events: list[tuple[str, dict[str, Any]]] = [(STARTED, {"at": at, "id": id})]
    if failure is not None:
        events.append(("response_failed", {"at": at, **failed_fields(by, failure, id=id)}))
    return events


class ChatOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a chat completion ended.

    wrote: whether it holds anything that was meant to be heard; thought: whether it holds anything else. finish: its
    finish_reason. calls: the functions it called. refusal: the model's words where it refused. error: the service's.
    """

    wrote: bool
    thought: bool = False
    finish: str = ""
    calls: Sequence[str] = ()
    refusal: str = ""
    error: str = ""

    @property
    def failure(self) -> str | None:
        """Why it is no whole answer; None when it is one."""
        before = "" if self.wrote else " before it said a word"
        if self.error or self.finish == "error":
            return self.error or "the service broke its answer off (finish_reason error)"
        if self.finish in _FILTERED:
            return f"a content filter stopped its answer{before} (finish_reason {self.finish})"
        if self.finish in _CUT:
            thinking = ", it was still thinking" if self.thought and not self.wrote else ""
            return f"its answer was cut off{before} (finish_reason {self.finish}, see max_tokens){thinking}"
        if self.wrote:
            return None
        if self.refusal:
            return f"it refused: {self.refusal}"
        if self.calls:
            return f"it called {', '.join(self.calls)} and said nothing; it was offered no functions"
        return f"it {'thought and ' if self.thought else ''}said nothing (finish_reason {self.finish or 'missing'})"
