"""Worker processes that a Ctrl-C reaches only while they play a session.

The terminal sends SIGINT to every process of the group. A worker that is starting, idle or scoring lets it pass: the
run itself decides what happens then. A worker that plays a session ends it cleanly, as the only process of a run would.
"""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from typing import TYPE_CHECKING

from simulator.logs import logs_are_verbose, set_up_logs

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

LOOK_S = 0.05


class WorkerPool(ProcessPoolExecutor):
    """Fresh processes (no fork: detectors and recognisers have threads) that ignore Ctrl-C when idle."""

    def __init__(self, workers: int) -> None:
        resource_tracker.ensure_running()  # started by the first `submit` it would let Ctrl-C through again
        context = get_context("spawn")
        # A pipe whose end nobody has to acknowledge, for a worker may be dead; and it ends with this process, too.
        self._ended, self._end = context.Pipe(duplex=False)
        super().__init__(workers, mp_context=context, initializer=_set_up, initargs=(logs_are_verbose(), self._ended))

    def interrupt(self) -> None:
        """Let Ctrl-C reach the workers that play: whoever sent it sent it to the run alone."""
        self._end.close()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back for a moment; to be put around `submit`.

    The first one starts the workers, and what a process blocks its children block until they are ready to ignore it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt in this worker."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _set_up(verbose: bool, ended: "Connection") -> None:
    set_up_logs(verbose=verbose)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_mind, args=(ended,), daemon=True).start()


def _mind(ended: "Connection") -> None:
    with suppress(EOFError, OSError):
        ended.recv()
    # While a session is being prepared or scored nothing would hear it.
    while signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        threading.Event().wait(LOOK_S)
    os.kill(os.getpid(), signal.SIGINT)
