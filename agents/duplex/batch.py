"""The batch: sessions hand in frames and get futures, the model is stepped when a step is due.

Which rows take part is decided by `slots` (pure), the model lives on its own thread (`thread`); this file
joins the two on the event loop. One step runs when every talking slot has submitted; on the wall clock nobody
is waited for longer than a grace (`grid`): who is late is stepped with silence, and a step that takes longer
than it lasts answers with silence, as do the frames that came meanwhile. A row that is not a number fails its
own session, an exception all.
"""

import asyncio
from collections.abc import Callable
from math import isfinite
from typing import Any

import msgspec
import numpy as np

from agents.duplex.grid import Grid
from agents.duplex.meter import StepMeter
from agents.duplex.model import Piece, StepAudio, StepOutput
from agents.duplex.slots import SlotFrame, Slots, Stage
from agents.duplex.thread import ModelThread
from simulator.clock import seconds
from simulator.errors import ActorError, SimulatorError
from simulator.frame import AudioFrame, Samples, energies, silence


class SlotAnswer(msgspec.Struct, frozen=True, gc=False):
    """What a frame came to: what was said, the pieces, the row's own frame, the cost, whether a reply ended.

    underrun: the frame missed its step: what is said is silence, and the model has not heard it. sounds: whether
    anything is said at all, found for all rows at once.
    """

    pcm: Samples
    pieces: list[Piece]
    frame: int
    cost_s: float
    reply_ended: bool = False
    underrun: bool = False
    sounds: bool = False


Then = Callable[[SlotAnswer], AudioFrame]


class Tenant:
    """A session's hold on a slot: open it, submit frame after frame, leave it."""

    def __init__(self, batch: "Batch", slot: int, session: str) -> None:
        self.slot = slot
        self.session = session
        self.error: Exception | None = None
        self.batch = batch
        self.ready: asyncio.Future[None] | None = None
        self._answer: asyncio.Future[AudioFrame] | None = None
        self._then: Then | None = None

    async def open(self, prompt: Any, seed: int) -> None:
        """Prepare the slot and go through its lead-in; on the wall clock, up to the next grid point."""
        await self.batch.open(self, prompt, seed)

    def submit(self, samples: Samples, then: Then) -> asyncio.Future[AudioFrame]:
        """Hand in the next frame, float32 (input_samples,); gives what `then` makes of the answer, later."""
        self._answer = future = asyncio.get_running_loop().create_future()
        self._then = then
        if self.error is not None:
            future.set_exception(self.error)
        else:
            self.batch.submit(self, samples)
        return future

    async def begin_turn(self) -> None:
        """Begin the voice anew, in a model that can; while nothing is submitted."""
        await self.batch.begin_turn(self)

    def rest(self) -> None:
        """Hear nothing for a while: the batch goes on without waiting for this session, until it submits again."""
        self.batch.rest(self)

    def reply(self, answer: SlotAnswer) -> None:
        """Answer the frame that was handed in; nobody may be there any more."""
        future = self._answer
        if future is None or future.done() or self._then is None:
            return
        try:
            future.set_result(self._then(answer))
        except Exception as error:  # noqa: BLE001  (the session's own code: it gets it, the batch goes on)
            future.set_exception(error)

    def fail(self, error: Exception) -> None:
        """Let whoever waits on this slot, now or later, have the error."""
        self.error = error
        for future in (self.ready, self._answer):
            if future is not None and not future.done():
                future.set_exception(error)


class Batch:
    """The sessions in one loaded model.

    broken(error): called when the model itself failed. freed(): called when a slot can be taken again.
    """

    def __init__(
        self,
        name: str,
        audio: StepAudio,
        slots: int,
        thread: ModelThread,
        meter: StepMeter,
        *,
        realtime: bool,
        broken: Callable[[ActorError], None],
        freed: Callable[[], None],
    ) -> None:
        self._name = name
        self._audio = audio
        self._grid = Grid(audio.step_s) if realtime else None
        self._slots = Slots(slots, self._grid.rhythm if self._grid else None)
        self._thread = thread
        self._meter = meter
        self._broken = broken
        self._freed = freed
        self._tenants: dict[int, Tenant] = {}
        self._over = False
        self._considering = False

    def take(self, session: str, count: int) -> list[Tenant] | None:
        """Take `count` slots for a session, all or none."""
        slots = self._slots.take(count)
        if slots is None:
            return None
        tenants = [Tenant(self, slot, session) for slot in slots]
        self._tenants.update((tenant.slot, tenant) for tenant in tenants)
        return tenants

    async def open(self, tenant: Tenant, prompt: Any, seed: int) -> None:
        """See Tenant.open."""
        try:
            lead_in = await self._thread.open(tenant.slot, prompt, seed)
        except SimulatorError:
            raise
        except Exception as error:
            raise ActorError(f"{self._name}: slot {tenant.slot} could not be opened: {error}") from error
        if tenant.error is not None:
            raise tenant.error
        if not isinstance(lead_in, int | np.integer) or lead_in < 0:
            what = f"gave a lead-in of {lead_in!r}; a whole number of steps from 0 on is one"
            raise ActorError(f"{self._name}: opening slot {tenant.slot} {what}")
        tenant.ready = asyncio.get_running_loop().create_future()
        self._slots.opened(tenant.slot, lead_in)
        if self._slots.stage(tenant.slot) is Stage.READY:
            self._be_ready(tenant)
        self._consider()
        await tenant.ready

    async def begin_turn(self, tenant: Tenant) -> None:
        """See Tenant.begin_turn."""
        try:
            await self._thread.begin_turn(tenant.slot)
        except Exception as error:
            raise ActorError(f"{self._name}: slot {tenant.slot} could not begin a turn: {error}") from error

    def submit(self, tenant: Tenant, samples: Samples) -> None:
        """See Tenant.submit."""
        now_s = seconds()
        if self._slots.submit(tenant.slot, samples, now_s):
            self._meter.submitted(tenant.session, now_s)
            if self._grid is not None:
                self._grid.gather(self._grace_over)
            self._consider()
        else:
            self._underrun(tenant)

    def rest(self, tenant: Tenant) -> None:
        """See Tenant.rest."""
        if self._tenants.get(tenant.slot) is tenant:
            self._slots.rest(tenant.slot)
            self._consider()

    def leave(self, tenant: Tenant) -> None:
        """Give the slot back, in any stage; nobody waits for it from this moment on."""
        stage = self._slots.stage(tenant.slot)
        if self._over or self._tenants.get(tenant.slot) is not tenant or stage is Stage.LEAVING:
            return
        self._slots.leave(tenant.slot)
        self._thread.close(tenant.slot).add_done_callback(lambda closing: self._closed(tenant, closing))
        self._consider()

    def end(self, error: Exception) -> None:
        """Fail every session in the batch and step no more."""
        self._over = True
        if self._grid is not None:
            self._grid.gathered()
        for tenant in self._tenants.values():
            tenant.fail(error)

    def _closed(self, tenant: Tenant, closing: "asyncio.Future[None]") -> None:
        if self._over or closing.cancelled():
            return
        if (cause := closing.exception()) is not None:
            self._break(f"slot {tenant.slot} could not be closed: {cause}", cause)
            return
        del self._tenants[tenant.slot]
        self._slots.freed(tenant.slot)
        self._freed()

    def _break(self, what: str, cause: BaseException | None) -> None:
        error = ActorError(f"{self._name}: {what}")
        error.__cause__ = cause
        self.end(error)
        self._broken(error)

    def _consider(self) -> None:
        """Look whether a step is due, once all who act in this round of the event loop have acted."""
        if not self._considering and self._may_step():
            self._considering = True
            asyncio.get_running_loop().call_soon(self._step_if_due)

    def _step_if_due(self) -> None:
        self._considering = False
        if self._may_step():
            self._begin()

    def _may_step(self) -> bool:
        return not self._over and self._slots.due(seconds())

    def _grace_over(self) -> None:
        """Step with whoever is there; while a step runs, its end decides about the frames that wait."""
        if self._grid is not None:
            self._grid.gathered()
        if not self._over and not self._slots.stepping and self._slots.submitted:
            self._begin()

    def _begin(self) -> None:
        if self._grid is not None:
            self._grid.gathered()
        pcm, active = self._slots.begin(self._audio.input_samples, seconds())
        self._meter.began(int(active.sum()))
        self._thread.step(pcm, active).add_done_callback(self._ended)

    def _ended(self, step: "asyncio.Future[tuple[StepOutput, float]]") -> None:
        if self._over or step.cancelled():
            return
        if (cause := step.exception()) is not None:
            self._break(f"step {self._meter.steps + 1} failed: {cause}", cause)
            return
        output, cost_s = step.result()
        if (wrong := _wrong(output, (self._slots.slots, self._audio.output_samples))) is not None:
            self._break(f"step {self._meter.steps + 1} {wrong}", None)
            return
        talked, ready = self._slots.finish()
        self._meter.ended(cost_s, len(talked))
        for slot in ready:
            self._be_ready(self._tenants[slot])
        late = self._grid is not None and cost_s > self._grid.step_s
        self._hand_out(output, talked, cost_s, late=late)
        if late:
            for slot in self._slots.skip():
                self._underrun(self._tenants[slot])
        if self._grid is not None and self._slots.submitted:
            self._grid.gather(self._grace_over)
        self._consider()

    def _hand_out(self, output: StepOutput, talked: list[SlotFrame], cost_s: float, *, late: bool) -> None:
        with np.errstate(over="ignore", invalid="ignore"):  # void rows may hold anything
            energy = energies(output.pcm.ravel(), self._audio.output_samples).tolist()
        pieces: dict[int, list[Piece]] = {}
        for piece in output.pieces:
            pieces.setdefault(piece.slot, []).append(piece)
        for row in talked:
            tenant = self._tenants[row.slot]
            power = energy[row.slot]
            # An energy that is no number finds what is none; only of sound beyond all measure it says nothing.
            if not isfinite(power) and not np.isfinite(output.pcm[row.slot]).all():
                what = f"frame {row.frame} of slot {row.slot} is not a number (NaN or infinity)"
                tenant.fail(ActorError(f"{self._name}: {what}"))
            elif row.submitted and late:
                self._underrun(tenant)
            elif row.submitted:
                said = pieces.get(row.slot, [])
                ended = row.slot in output.ended
                pcm = output.pcm[row.slot]
                tenant.reply(SlotAnswer(pcm, said, row.frame, cost_s, ended, sounds=power != 0))

    def _underrun(self, tenant: Tenant) -> None:
        self._meter.underruns += 1
        tenant.reply(SlotAnswer(silence(self._audio.output_samples), [], -1, 0.0, underrun=True))

    def _be_ready(self, tenant: Tenant) -> None:
        if tenant.ready is None or tenant.ready.done():
            return
        if self._grid is not None:
            self._grid.finish_at_next_point(tenant.ready)
        else:
            tenant.ready.set_result(None)


def _wrong(output: object, shape: tuple[int, int]) -> str | None:
    """Say what is wrong with what a step gave, as the end of a sentence; None when it is as promised."""
    if not isinstance(output, StepOutput):
        return f"gave {type(output).__name__}, no StepOutput"
    pcm: object = output.pcm
    if not isinstance(pcm, np.ndarray):
        return f"gave pcm of type {type(pcm).__name__}, no numpy array"
    if pcm.shape != shape or pcm.dtype != np.float32:
        return f"gave pcm {pcm.dtype} {pcm.shape}, expected float32 {shape}"
    return None
