"""Stores of cassettes: where paid calls are looked up, and where new ones are kept.

A store is a file of lines; the last line of a key counts. A line that is damaged is named and passed over. It reads
several files and writes one: a session's own cassettes come first, then the user's. The file that it writes grows to
200 MB (SIMULATOR_REPLIES_MB says otherwise); then the lines go that were written first.

    always   every call goes out, whatever is kept
    missing  what is kept is not asked again
    never    nothing goes out; a call that is not kept is an error that names it
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from simulator.cassettes.cassette import Cassette, key_of, written_down
from simulator.errors import SessionError
from simulator.files import allowed_bytes, append_lines, decode_json, write_whole
from simulator.logs import log

Record = Literal["always", "missing", "never"]
_LINE = msgspec.json.Decoder(Cassette)
_LARGEST_MB = 200
# Room is made for a while at once.
_LEFT = 0.8


class Paid(NamedTuple):
    """What a call came to: the reply, and how many tokens it used by kind."""

    reply: dict[str, Any]
    usage: dict[str, int] = {}


class Cassettes:
    """Paid calls by their request. notes: a sentence for every damaged line. used: what was given out, in order.

    files: where they are looked up, in this order; a file that is not there holds none. keep: the file that gets new
    ones; a place that cannot be written is no error, as the reply is there all the same. behind: a store that is asked
    next, and keeps what is new.
    """

    def __init__(
        self,
        files: Sequence[Path] = (),
        *,
        keep: Path | None = None,
        record: Record = "missing",
        behind: "Cassettes | None" = None,
    ) -> None:
        self.notes: list[str] = []
        self.used: list[Cassette] = []
        self._files = files
        self._keep = keep
        self._record = record
        self._behind = behind
        self._known: dict[str, Cassette] | None = None

    @property
    def offline(self) -> bool:
        """Whether nothing may go out."""
        return self._record == "never"

    @property
    def files(self) -> list[Path]:
        """Where a call is looked up."""
        return [*self._files, *(self._behind.files if self._behind else ())]

    def call(self, kind: str, request: Mapping[str, Any], ask: Callable[[], Paid], *, what: str) -> dict[str, Any]:
        """Give the reply to a request: the kept one, or what `ask` gets, which is kept; errors of `ask` pass through.

        kind: who asks. what: the call in words. SessionError names it where nothing may go out and none is kept.
        """
        kept = self.find(kind, request, what=what)
        return kept if kept is not None else self.keep(kind, request, ask())

    def find(self, kind: str, request: Mapping[str, Any], *, what: str) -> dict[str, Any] | None:
        """Give the kept reply; None where the call has to go out. SessionError where it may not, and none is kept."""
        key = key_of(kind, written_down(request))
        kept = None if self._record == "always" else self._find(key)
        if kept is not None:
            self.used.append(msgspec.structs.replace(kept, replayed=True))
            return kept.reply
        if self.offline:
            where = ", ".join(map(str, self.files)) or "no file"
            raise SessionError(f"no reply is kept for {what} (key {key[:12]}, looked up in {where}; record: never)")
        return None

    def keep(self, kind: str, request: Mapping[str, Any], answer: Paid) -> dict[str, Any]:
        """Keep what a call that went out was answered, and give its reply."""
        asked = written_down(request)
        made = Cassette(key=key_of(kind, asked), kind=kind, request=asked, reply=answer.reply, usage=answer.usage)
        self._add(made)
        self.used.append(made)
        return made.reply

    def _find(self, key: str) -> Cassette | None:
        found = self._all().get(key)
        return found if found is not None or self._behind is None else self._behind._find(key)

    def _add(self, cassette: Cassette) -> None:
        self._all()[cassette.key] = cassette
        if self._behind is not None:
            self._behind._add(cassette)
        if self._keep is not None:
            append(self._keep, [cassette])
            with suppress(OSError):
                _make_room(self._keep)

    def _all(self) -> dict[str, Cassette]:
        """Read every file, once."""
        if self._known is None:
            self._known = {}
            for file in self._files:
                for cassette in read_cassettes(file, self.notes):
                    self._known.setdefault(cassette.key, cassette)
            for note in self.notes:
                log.warning("cassette passed over", note=note)
        return self._known


def read_cassettes(file: Path, notes: list[str]) -> list[Cassette]:
    """Read a file of cassettes, the last of each key; none where there is no file. notes: gets a sentence per damage.

    SessionError: it is there and cannot be read.
    """
    try:
        lines = file.read_bytes().split(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SessionError(f"{file}: cannot be read: {error.strerror}") from error
    found: dict[str, Cassette] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{file}: line {number}"
        try:
            cassette = decode_json(line, _LINE, where=where)
        except SessionError as error:
            notes.append(f"{error}; passed over")
            continue
        if cassette.key == key_of(cassette.kind, cassette.request):
            found[cassette.key] = cassette
        else:
            notes.append(f"{where}: its key is not that of its request; passed over")
    return list(found.values())


def append(file: Path, cassettes: Sequence[Cassette]) -> None:
    """Add cassettes to a file; it may fail in silence."""
    with suppress(OSError):
        append_lines(file, map(msgspec.json.encode, cassettes))


def largest_bytes() -> int:
    """Give how much is kept in a file: SIMULATOR_REPLIES_MB of the environment, else 200 MB."""
    return allowed_bytes("SIMULATOR_REPLIES_MB", _LARGEST_MB)


def _make_room(file: Path) -> None:
    """Leave the newest lines of a file that is too large. OSError.

    What another process adds meanwhile may be lost: it is asked for again.
    """
    if file.stat().st_size > largest_bytes():
        content = file.read_bytes()
        cut = content.find(b"\n", len(content) - round(_LEFT * largest_bytes()))
        write_whole(file, content[cut + 1 :])
