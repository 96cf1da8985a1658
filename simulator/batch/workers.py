"""Worker processes that a Ctrl-C reaches only while they play a session.

The terminal sends SIGINT to every process of the group. A worker that is starting, idle or scoring lets it pass: the
run itself decides what happens then. A worker that plays a session ends it cleanly, as the only process of a run would.
"""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from typing import TYPE_CHECKING

from simulator.logs import logs_are_verbose, set_up_logs

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event


class WorkerPool(ProcessPoolExecutor):
    """Fresh processes (no fork: detectors and recognisers have threads) that ignore Ctrl-C when idle."""

    def __init__(self, workers: int) -> None:
        resource_tracker.ensure_running()  # started by the first `submit` it would let Ctrl-C through again
        context = get_context("spawn")
        self._leave = context.Event()
        super().__init__(workers, mp_context=context, initializer=_set_up, initargs=(logs_are_verbose(), self._leave))

    def interrupt(self) -> None:
        """Let Ctrl-C reach the workers that play: whoever sent it sent it to the run alone."""
        self._leave.set()


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


def _set_up(verbose: bool, leave: "Event") -> None:
    set_up_logs(verbose=verbose)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_mind, args=(leave,), daemon=True).start()


def _mind(leave: "Event") -> None:
    leave.wait()
    os.kill(os.getpid(), signal.SIGINT)
