"""JSON whose texts are long: sound in base64, read where it stands and never made into one text.

A decoder makes every text at once and lets no other thread run meanwhile: of a body of 64 MB for 150 ms, in which a
server would not even say that it is well. So long texts of plain ASCII are cut out first, a piece at a time, and the
rest is decoded. A body that is large otherwise (millions of escapes, megabytes of other texts) is no request.
"""

from typing import Any
from uuid import uuid4

from agents.remote.foreign_json import decode_foreign

SMALL = 2**20
"""Bytes that are decoded as they are: 3 ms."""
LONG = 2**12
"""Characters from which on a text is cut out: a body of 64 MB has 16,000 of them at most."""
PIECE = 2**18
"""Bytes that are looked at before another thread has its turn: well under a millisecond's work."""
MOST_REST = 8 * 2**20
"""Bytes beside the long texts: 20 ms."""
MOST_STEPS = 1_000_000
"""Quotes and escapes: a second's walk, in which others have their turns."""
_PLAIN = bytes(code for code in range(32, 127) if chr(code) not in '"\\')
_SHOWN = 40


class LongText:
    """A text of plain ASCII where it stands in the bytes of a document, from `start` to `end`."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data = data
        self._start = start
        self._end = end

    def __len__(self) -> int:
        return self._end - self._start

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(len(self))
        return self._data[self._start + start : self._start + end]

    def __str__(self) -> str:
        return f"{self[:_SHOWN].decode('ascii')}..."  # in an error's sentence

    def text(self) -> str:
        """Give all of it."""
        return self[:].decode("ascii")

    def after(self, count: int) -> "LongText":
        """Give what comes behind so many characters."""
        return LongText(self._data, min(self._end, self._start + count), self._end)


def decode_long(data: bytes) -> Any:
    """Decode JSON as `decode_foreign` does; of a large document long texts of plain ASCII are given as LongText.

    ValueError: as there, or more than 8 MiB beside them, or more than a million quotes and escapes.
    """
    if len(data) <= SMALL:
        return decode_foreign(data)
    pieces = (data[start : start + PIECE] for start in range(0, len(data), PIECE))
    if sum(piece.count(b'"') + piece.count(b"\\") for piece in pieces) > MOST_STEPS:
        raise ValueError(f"it holds more than {MOST_STEPS} quotes and escapes")
    rest, cut = _cut(data)
    if len(rest) > MOST_REST:
        raise ValueError(f"it holds {len(rest)} bytes beside long texts of ASCII; {MOST_REST} are allowed")
    return _put_back(decode_foreign(rest), cut)


def whole(value: Any) -> Any:
    """Give a value of `decode_long` with every LongText made into a text."""
    if isinstance(value, LongText):
        return value.text()
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    return [whole(item) for item in value] if isinstance(value, list) else value


def _cut(data: bytes) -> tuple[bytes, dict[str, LongText]]:
    """Give a document with a mark in the place of every long text, and the texts by their marks."""
    secret = uuid4().hex  # a mark that a client could write would be a text sent once and read often
    cut: dict[str, LongText] = {}
    kept: list[bytes] = []
    done = at = 0
    while (opens := _find(data, b'"', at, len(data))) >= 0:
        start = opens + 1
        end = _end_of_text(data, start)
        if end - start >= LONG and _is_plain(data, start, end):
            mark = f"{secret}{len(cut)}"
            cut[mark] = LongText(data, start, end)
            kept += [data[done:start], mark.encode()]
            done = end
        at = end + 1
    return b"".join([*kept, data[done:]]), cut


def _end_of_text(data: bytes, at: int) -> int:
    """Where the text that begins at `at` has its closing quote; the document's end where it has none."""
    while True:
        quote = _find(data, b'"', at, len(data))
        quote = len(data) if quote < 0 else quote
        escape = _find(data, b"\\", at, quote)
        if escape < 0:
            return quote
        at = escape + 2


def _find(data: bytes, wanted: bytes, start: int, end: int) -> int:
    for at in range(start, end, PIECE):
        found = data.find(wanted, at, min(end, at + PIECE))
        if found >= 0:
            return found
    return -1


def _is_plain(data: bytes, start: int, end: int) -> bool:
    return not any(data[at : min(end, at + PIECE)].translate(None, _PLAIN) for at in range(start, end, PIECE))


def _put_back(value: Any, cut: dict[str, LongText]) -> Any:
    """Put long texts in the places of their marks; a document is at most 100 levels deep."""
    if isinstance(value, str):
        return cut.get(value, value)
    if isinstance(value, list):
        return [_put_back(item, cut) for item in value]
    if isinstance(value, dict):
        return {cut[name].text() if name in cut else name: _put_back(item, cut) for name, item in value.items()}
    return value
