"""The terminal, through rich: what is piped has 100 columns and no colours, and a reader who leaves ends nothing."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PIPED_COLUMNS = 100


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Print in the block; when whoever reads it has seen enough (`| head`), the rest goes nowhere."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console(*, stderr: bool = False) -> Any:
    """Give a console on standard output or error. Writing to it raises BrokenPipeError when nobody reads any more."""
    from rich.console import Console

    class Quiet(Console):
        """Without rich's own way out, which is an exit code that means something else here."""

        def on_broken_pipe(self) -> None:
            """Leave it to the caller."""
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    return Quiet(stderr=stderr, width=None if stream.isatty() else PIPED_COLUMNS, highlight=False)
