"""Live seats: an actor on the wall clock, stepped in a thread or a task of its own, waited for by nobody.

A tick asks for the answer that is due. One that is not there yet is replaced by silence; the stretch of missing
answers becomes one `underrun` event when it ends, and the actor is stepped through the frames it missed.
"""

import inspect
import math
import queue
import threading
from collections import deque
from contextlib import suppress

import anyio
import anyio.abc
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from simulator.call.seat import Seat
from simulator.errors import ActorError, LateError, SimulatorError, blamed
from simulator.events import EventLog
from simulator.frame import AudioFrame, Samples, silence
from simulator.scenario import kind_of


class LiveSeat:
    """Steps one seat beside the clock. A fixed latency is slack: the answer to a frame is due that much later."""

    def __init__(self, seat: Seat, log: EventLog, frame_samples: int, *, strict: bool) -> None:
        self._seat = seat
        self._log = log
        self._count = frame_samples
        self._strict = strict
        self._step = seat.plain_step
        self._answers: deque[tuple[int, Samples]] = deque()
        self._due = seat.latency_ticks
        """The tick in which the next answer is to be said."""
        self._missed_since: int | None = None
        self._failure: Exception | None = None
        self._threaded = seat.actor.traits.threaded and not inspect.iscoroutinefunction(seat.actor.step)
        self._inbox: queue.SimpleQueue[AudioFrame | None] = queue.SimpleQueue()
        self._handed: MemoryObjectSendStream[AudioFrame] | None = None

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        """Answer the silent frame before time 0, then go to work in a thread or a task."""
        first = self._step(AudioFrame(-self._count, silence(self._count)))
        self._keep(first if isinstance(first, AudioFrame) else await first)
        if self._threaded:
            threading.Thread(target=self._work, name=f"{self._seat.party}-actor", daemon=True).start()
        else:
            # Without a bound: an actor that falls behind hears every frame, late.
            self._handed, inbox = anyio.create_memory_object_stream[AudioFrame](math.inf)
            tasks.start_soon(self._work_async, inbox)

    def hear(self, frame: AudioFrame) -> None:
        """Hand over what is heard; returns at once."""
        if self._handed is not None:
            self._handed.send_nowait(frame)
        else:
            self._inbox.put(frame)

    def take(self, tick: int) -> Samples:
        """Give what is said in this tick: the answer if it has come, else silence."""
        if self._failure is not None:
            raise self._failure
        if tick < self._seat.latency_ticks:
            return silence(self._count)
        while self._answers and self._answers[0][0] < tick:
            self._answers.popleft()
        if self._answers and self._answers[0][0] == tick:
            self._note_underrun(tick * self._count)
            return self._answers.popleft()[1]
        if self._missed_since is None:
            self._missed_since = tick * self._count
        if self._strict:
            raise LateError(f"the {self._seat.party} did not answer in time at sample {tick * self._count}")
        return silence(self._count)

    def stop(self, now: int) -> None:
        """End the work; a thread that hangs in a step is left behind as a daemon."""
        self._note_underrun(now)
        with suppress(queue.Empty):  # what it has not heard yet, nobody waits for
            while True:
                self._inbox.get_nowait()
        self._inbox.put(None)
        if self._handed is not None:
            self._handed.close()

    def _note_underrun(self, now: int) -> None:
        if self._missed_since is not None:
            self._log.add(now, "underrun", self._seat.party, since=self._missed_since, size=now - self._missed_since)
            self._missed_since = None

    def _keep(self, answer: AudioFrame) -> None:
        self._answers.append((self._due, answer.samples))
        self._due += 1

    def _work(self) -> None:
        while (frame := self._inbox.get()) is not None:
            try:
                answer = self._step(frame)
                if not isinstance(answer, AudioFrame):
                    raise ActorError("an actor that answers later must say `threaded=False` in its traits")
                self._keep(answer)
            except Exception as error:  # noqa: BLE001 - handed to the runner, which says whose fault it is
                self._failure = failure_of(self._seat, error)
                return

    async def _work_async(self, inbox: MemoryObjectReceiveStream[AudioFrame]) -> None:
        with inbox:
            async for frame in inbox:
                try:
                    answer = self._step(frame)
                    self._keep(answer if isinstance(answer, AudioFrame) else await answer)
                except Exception as error:  # noqa: BLE001 - handed to the runner, which says whose fault it is
                    self._failure = failure_of(self._seat, error)
                    return


def failure_of(seat: Seat, error: Exception) -> SimulatorError:
    """Give the error that ends a session whose actor at this seat failed, with whose fault it is."""
    found = blamed(error, f"the {seat.party} ({kind_of(seat.spec)}) failed")
    found.party = seat.party
    return found
