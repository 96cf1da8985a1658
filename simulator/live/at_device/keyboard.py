"""The keyboard of a live session in a terminal: keys one by one, without enter, read beside the event loop."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def keys(press: Callable[[str], None]) -> Iterator[bool]:
    """Call `press` on the event loop for every key until the block ends; gives False where no terminal reads keys."""
    if not sys.stdin.isatty():
        yield False
        return
    try:
        import termios
        import tty
    except ImportError:  # no POSIX terminal
        yield False
        return
    loop, file = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(file)
    tty.setcbreak(file)

    def read() -> None:
        # Past Python's own buffer: what waits in there would only come out with the next key.
        pressed = os.read(file, 64).decode(errors="ignore")
        if not pressed:
            loop.remove_reader(file)
        for key in pressed:
            press(key)

    loop.add_reader(file, read)
    try:
        yield True
    finally:
        loop.remove_reader(file)
        termios.tcsetattr(file, termios.TCSADRAIN, before)
