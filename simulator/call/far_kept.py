"""What a session keeps of a far end: its notes and the messages of its trace, as long as they can be meant.

Both grow with what the far end sends, and nothing else would stop them: a peer that complains in a loop fills a disk
within minutes. So there is room for so much at once and for more with every second of the session, far above what a
real far end tells. What comes beyond it is acted on all the same, and counted: one `remote_excess` at the end of the
session says how much there was, and so does the session's remark.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from simulator.events import Emit, Party

Trace = Callable[[Mapping[str, Any]], None]
"""Keeps a message of a far end."""


def untraced(record: Mapping[str, Any]) -> None:
    """Keep nothing: of a call that nobody keeps."""


class Allowance(msgspec.Struct, frozen=True):
    """So many at once, so many more a second; and as many bytes, as JSON."""

    count: int
    count_a_second: int
    size: int
    size_a_second: int

    def holds(self, count: int, size: int, now_s: float) -> bool:
        """Whether there is room for so many, of so many bytes, at this second of the session."""
        return count <= self.count + self.count_a_second * now_s and size <= self.size + self.size_a_second * now_s


NOTES = Allowance(10_000, 100, 8 * 2**20, 16 * 2**10)
"""A model tells 12.5 pieces of text a second at most, and at once no more than a long answer has; the largest known
note, a server's token streams frame by frame, has 4 MB for an hour."""
MESSAGES = Allowance(20_000, 500, 2**28, 2**18)
"""Sound comes in 50 messages a second, or 100, and up to ten minutes of it at once: 150 MB as base64 at 48 kHz in
float32, and then 256 kB a second."""


class _Shelf:
    """Some of what is kept, and how much there was beyond. ordered: what follows on something left out is, too."""

    def __init__(self, room: Allowance, *, ordered: bool) -> None:
        self._room = room
        self._ordered = ordered
        self._count = self._size = 0
        self.beyond = self.beyond_bytes = 0

    def takes(self, what: object, now_s: float) -> bool:
        """Whether this is kept; counted either way."""
        size = len(msgspec.json.encode(what))
        closed = self._ordered and self.beyond > 0
        if not closed and self._room.holds(self._count + 1, self._size + size, now_s):
            self._count += 1
            self._size += size
            return True
        self.beyond += 1
        self.beyond_bytes += size
        return False


class FarKept:
    """Stands between a far end's actor and its session. now_s(): the second of the session."""

    def __init__(self, emit: Emit, trace: Trace, now_s: Callable[[], float]) -> None:
        self._emit = emit
        self._trace = trace
        self._now_s = now_s
        self._notes = _Shelf(NOTES, ordered=False)
        # Behind a hole a trace would replay another session than this one; one that breaks off replays what it has.
        self._messages = _Shelf(MESSAGES, ordered=True)

    def emit(self, at: int, type_: str, /, **fields: Any) -> None:
        """Note an event, if there is room."""
        if self._notes.takes(fields, self._now_s()):
            self._emit(at, type_, **fields)

    def trace(self, record: Mapping[str, Any]) -> None:
        """Keep a message, if there is room."""
        if self._messages.takes(record, self._now_s()):
            self._trace(record)

    def close(self, at: int) -> None:
        """The session is over: tell what was left out, if anything was."""
        if self._excess:
            self._emit(at, "remote_excess", **self._excess)

    def remark(self, party: Party) -> str | None:
        """The same in words; None where all was kept."""
        told = ", ".join(f"{count} {name}" for name, count in self._excess.items())
        return f"the {party} sent more than is kept of a far end; left out are {told}" if told else None

    @property
    def _excess(self) -> dict[str, int]:
        notes, messages = self._notes, self._messages
        if not notes.beyond and not messages.beyond:
            return {}
        size = notes.beyond_bytes + messages.beyond_bytes
        return {"notes": notes.beyond, "messages": messages.beyond, "bytes": size}
