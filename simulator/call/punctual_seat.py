"""Punctual seats: an actor on the wall clock that keeps nobody waiting, and is asked when its answer is due.

    wall clock   k F                            (k+1) F                           F: a frame
                 take(k), carry, hear(k)        take(k+1), carry, hear(k+1)
                    to the far end -> ... what comes in until here is heard in frame k+1

A LiveSeat has the answer to hear(k) drawn at once, so what comes in behind that is heard in frame k+2 only. An actor
that is prompt (see StepTraits) takes its whole step in `hear`: nothing comes in for it from anywhere else.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio.abc

from simulator.actor import PunctualActor
from simulator.call.edge import Edge, Step
from simulator.call.live_seat import failure_of
from simulator.call.seat import Seat
from simulator.errors import ActorError
from simulator.frame import AudioFrame, Samples, silence


class Prompt:
    """An actor that knows what it says as soon as it has heard; step: its plain one."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def hear(self, heard: AudioFrame) -> None:
        """Take the whole step. ActorError: it answers later."""
        answer = self._step(heard)
        if not isinstance(answer, AudioFrame):
            raise ActorError("an actor that answers later cannot say `prompt=True` in its traits")
        self._said = answer

    def answer(self) -> AudioFrame:
        """Give what it said."""
        return self._said


class PunctualSeat:
    """Steps one seat in the tick itself; there is no underrun, as every answer is there when it is asked for."""

    def __init__(self, seat: Seat, punctual: PunctualActor | Edge | Prompt, frame_samples: int) -> None:
        self._seat = seat
        self._punctual = punctual
        self._count = frame_samples

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        """Let the actor hear the silent frame before time 0."""
        self.hear(AudioFrame(-self._count, silence(self._count)))

    def hear(self, frame: AudioFrame) -> None:
        """Hand over what is heard. SimulatorError: the actor failed."""
        with self._at_fault():
            self._punctual.hear(frame)

    def take(self, tick: int) -> Samples:
        """Give what is said in this tick. SimulatorError: the actor failed."""
        with self._at_fault():
            return self._punctual.answer().samples

    def stop(self, now: int) -> None:
        """Nothing goes on behind the ticks."""

    @contextmanager
    def _at_fault(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again, with whose fault it is
            failure = failure_of(self._seat, error)
            raise failure from (error.__cause__ if failure is error else error)
