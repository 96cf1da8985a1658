"""Worker processes that a Ctrl-C reaches only while they play a session, and that end when the run is gone.

The terminal sends SIGINT to every process of the group. A worker that is starting, idle or scoring lets it pass: the
run itself decides what happens then. A worker that plays a session ends it cleanly, as the only process of a run would;
a second Ctrl-C does not hurry it. However the run's own process went, its workers notice and end.
"""

import os
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, TypeVar

from simulator.logs import logs_are_verbose, set_up_logs

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

T = TypeVar("T")

LOOK_S = 0.05
ORPHANS_LEAVE_S = 10.0
"""How long a session may take to be closed when the run is gone: then nobody is left to wait for it."""
PATIENT_UP_TO = 2
"""So many times Ctrl-C may be pressed before what is being closed is left as it is."""


class WorkerPool(ProcessPoolExecutor):
    """Fresh processes (no fork: detectors and recognisers have threads) that ignore Ctrl-C when idle."""

    def __init__(self, workers: int) -> None:
        resource_tracker.ensure_running()  # started by the first `submit` it would let Ctrl-C through again
        context = get_context("spawn")
        # A pipe whose end nobody has to acknowledge, for a worker may be dead; and it ends with this process, too.
        self._ended, self._end = context.Pipe(duplex=False)
        self._given_up, self._give_up = context.Pipe(duplex=False)
        told = (logs_are_verbose(), self._ended, self._given_up)
        super().__init__(workers, mp_context=context, initializer=_set_up, initargs=told)

    def interrupt(self) -> None:
        """Let Ctrl-C reach the workers that play: whoever sent it sent it to the run alone."""
        self._end.close()

    def give_up(self) -> None:
        """Let the workers end when one of them has died: the SIGTERM they get then is a Ctrl-C to them, which the idle
        ones let pass, and who waits for them would wait for ever (from Python 3.12 on)."""
        self._give_up.close()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back for a moment; to be put around `submit`.

    The first one starts the workers, and what a process blocks its children block until they are ready to ignore it.
    """
    held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
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


@contextmanager
def closing() -> Iterator[None]:
    """Let Ctrl-C pass while what it interrupted is being closed; pressed again and again it ends that, too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, _Patience())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Patience:
    """A handler that lets a signal pass, the first of them already received."""

    def __init__(self, then: Callable[[int, Any], object] = signal.default_int_handler) -> None:
        self._then = then
        self._times = 1

    def __call__(self, number: int, frame: Any) -> None:
        self._times += 1
        if self._times > PATIENT_UP_TO:
            self._then(number, frame)


async def closed_in_peace(work: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Do an event loop's work so that the first Ctrl-C cancels it, and a second one does not cut its closing short."""
    cancel = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(cancel):
        return await work(*args)

    def first(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, _Patience())
        cancel(number, frame)

    signal.signal(signal.SIGINT, first)
    try:
        return await work(*args)
    finally:
        signal.signal(signal.SIGINT, cancel)


def heed_ctrl_c() -> None:
    """Take Ctrl-C even where whoever started us had it ignored, as a shell does with what runs behind `&`.

    What stops a run is taken for one (below), and a run that nothing but SIGKILL ends leaves its sessions `running`.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def stop_as_by_ctrl_c() -> None:
    """Take SIGTERM (who runs us in CI says stop so) and SIGHUP (a terminal is gone) for a Ctrl-C.

    Sessions are closed, and what is there is kept. What whoever started us had ignored (`nohup`) stays so.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))


def _set_up(verbose: bool, ended: "Connection", given_up: "Connection") -> None:
    set_up_logs(verbose=verbose)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop_as_by_ctrl_c()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    threading.Thread(target=_mind, args=(ended, given_up), daemon=True).start()


def _mind(ended: "Connection", given_up: "Connection") -> None:
    """Wait until the run says stop, gives up its workers or is gone; then end what this worker plays, and in the last
    two cases the worker."""
    parent = parent_process()
    gone: list[Any] = [given_up, *([parent.sentinel] if parent is not None else [])]
    while not wait([ended, *gone], None):
        pass
    threading.Thread(target=_leave_with, args=(gone,), daemon=True).start()
    # While a session is being prepared or scored nothing would hear it.
    while not _plays():
        threading.Event().wait(LOOK_S)
    os.kill(os.getpid(), signal.SIGINT)


def _leave_with(gone: list[Any]) -> None:
    """End this process when the run is gone or has given it up, as soon as no session is open in it."""
    wait(gone, None)
    for _ in range(round(ORPHANS_LEAVE_S / LOOK_S)):
        if not _plays():
            break
        threading.Event().wait(LOOK_S)
    os._exit(1)


def _plays() -> bool:
    return signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
