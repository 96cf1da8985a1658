"""The terminal: nothing that is printed steers it, what is piped has 100 columns, and a reader who leaves ends nothing.

While a command runs, standard output and error are `Screen`s: whatever is printed, names and texts from files and far
ends among it, reaches them with control characters as escapes. An output that is closed, full or gone takes the rest
of what is printed with it, and neither the work nor the exit code.
"""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from simulator.texts import shown_lines

PIPED_COLUMNS = 100
_LEFT = (errno.EPIPE, errno.EBADF, errno.EIO)
"""Why an output fails that nobody reads any more: a pipe, a descriptor or a terminal that is gone."""


class Screen(io.TextIOBase):
    """An output stream for texts of any origin; `styled` is the same one for whoever sets its own colours.

    stream: None where the process has none. problem: why it took no more, where somebody may want to know.
    """

    def __init__(self, stream: TextIO | None, *, escapes: bool = True) -> None:
        self._stream = stream
        self._escapes = escapes
        self.problem: str | None = None

    @property
    def styled(self) -> "Screen":
        """The stream for texts that bring escape sequences of our own; what they show was escaped before."""
        return Screen(self._stream, escapes=False)

    def write(self, text: str) -> int:
        """Write a text, as much of it as the stream can show."""
        stream = self._stream
        if stream is not None:
            told = shown_lines(text) if self._escapes else text
            encoding = getattr(stream, "encoding", None) or "utf-8"
            told = told.encode(encoding, "backslashreplace").decode(encoding)
            self._attempt(lambda: stream.write(told))
        return len(text)

    def flush(self) -> None:
        """Hand on what is buffered."""
        if self._stream is not None:
            self._attempt(self._stream.flush)

    def isatty(self) -> bool:
        """Whether somebody looks at it."""
        return self._stream is not None and not self._stream.closed and self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor of the stream; OSError where it has none."""
        if self._stream is None:
            raise OSError(errno.EBADF, "no such stream")
        return self._stream.fileno()

    def _attempt(self, action: Any) -> None:
        try:
            action()
        except (OSError, ValueError) as error:  # ValueError: it was closed
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Let the rest go nowhere, also what is buffered and would fail once more when the process ends."""
        stream, self._stream = self._stream, None
        if isinstance(error, OSError) and error.errno not in _LEFT:
            self.problem = error.strerror
        with suppress(OSError, ValueError, AttributeError):
            assert stream is not None
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


@contextmanager
def screens() -> Iterator[None]:
    """Print through screens in the block, and say on standard error why standard output took no more."""
    before = sys.stdout, sys.stderr
    _fill_descriptors()
    out, err = Screen(before[0]), Screen(before[1])
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        out.flush()
        if out.problem is not None:
            err.write(f"simulate: standard output: {out.problem}\n")
        err.flush()
        sys.stdout, sys.stderr = before


def _fill_descriptors() -> None:
    """Have something at 0, 1 and 2: a file of a session that came to lie there would be taken for an output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free


def console(*, stderr: bool = False) -> Any:
    """Give rich's console on standard output or error; texts that it shows cannot steer it."""
    from rich.console import Console

    class Quiet(Console):
        """One that shows control characters as escapes, its own apart."""

        def render_str(self, text: str, **options: Any) -> Any:
            """Render a text of any origin."""
            return super().render_str(shown_lines(text), **options)

    stream = sys.stderr if stderr else sys.stdout
    columns = None if stream.isatty() else PIPED_COLUMNS
    return Quiet(file=getattr(stream, "styled", stream), width=columns, highlight=False)
