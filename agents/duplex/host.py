"""The model host: every session of a run that uses the same model takes slots in one batch.

A session claims its slots (all it needs or none), opens them, and from then on submits a frame and gets a
future; it submits both parties' frames before it awaits either, so a model can talk to itself. An exception
in a step fails every session in the batch and poisons the host: who queues fails with that cause, unless a
restart is left.
"""

import asyncio
from typing import Any

import msgspec

from agents.duplex.batch import Batch, Tenant
from agents.duplex.claims import Claim, Claims
from agents.duplex.device import peak_bytes
from agents.duplex.meter import HostReport, StepMeter
from agents.duplex.model import ModelSpec, Placement
from agents.duplex.thread import ModelThread
from simulator.errors import ActorError, ScenarioError, SimulatorError
from simulator.spec import encode


class ModelHost:
    """One loaded model and the sessions in it; made and used on one event loop."""

    def __init__(self, spec: ModelSpec, placement: Placement, *, realtime: bool = False, restarts: int = 0) -> None:
        self.meter = StepMeter()
        self._spec = spec
        self._placement = placement
        self._realtime = realtime
        self._restarts = restarts
        self._thread = ModelThread(spec, placement)
        self._claims = Claims(self._take)
        self._batch: Batch | None = None
        self._loading: asyncio.Task[None] | None = None
        self._poison: Exception | None = None

    async def claim(self, session: str, count: int = 1, wait_s: float | None = None) -> Tenant:
        """Give a session one of the `count` slots it needs; they are taken all or none, in order of asking.

        wait_s: how long to queue; None queues for ever on the virtual clock and not at all on the wall clock.
        ScenarioError when there are never so many slots, ActorError when they are taken or the model has
        failed.
        """
        if count > self._placement.slots:
            raise ScenarioError(
                f"the session needs {count} slots of {self._spec.name}, and slots is "
                f"{self._placement.slots}; allowed is {count} or more"
            )
        try:
            await self._loaded()
            claim = self._claims.make(session, count)
            if not claim.granted.done():
                await self._wait_for(claim, wait_s)
            return self._claims.pick_up(claim)
        except BaseException:
            self._forget(session)
            raise

    def leave(self, tenant: Tenant) -> None:
        """Take a session's slot back, in any stage, and what it has claimed and not picked up."""
        self._forget(tenant.session)
        tenant.batch.leave(tenant)

    def report(self) -> HostReport:
        """What this host has measured so far, for run.json."""
        peak = peak_bytes(self._placement.device)
        return self.meter.report(self._spec.name, self._placement, self._spec.audio(), peak)

    def close(self) -> None:
        """Let go of the model at the end of a run, when the sessions have left; may block; from any
        thread.
        """
        self._poison = ActorError(f"{self._spec.name}: the model host is closed")
        self._thread.stop()

    async def _loaded(self) -> None:
        """Wait until the model is there; the first to ask loads it, and may be cancelled without harm."""
        if self._poison is not None:
            raise self._poison
        if self._loading is None:
            self._loading = asyncio.get_running_loop().create_task(self._load())
        await asyncio.shield(self._loading)

    async def _load(self) -> None:
        try:
            self.meter.load_s = await self._thread.load()
        except SimulatorError:
            raise
        except Exception as error:
            raise ActorError(f"{self._spec.name} could not be loaded: {error}") from error
        self._batch = Batch(
            self._spec.name,
            self._spec.audio(),
            self._placement.slots,
            self._thread,
            self.meter,
            realtime=self._realtime,
            broken=self._broken,
            freed=self._claims.grant,
        )
        self._claims.grant()

    def _take(self, session: str, count: int) -> list[Tenant] | None:
        return self._batch.take(session, count) if self._batch else None

    async def _wait_for(self, claim: Claim, wait_s: float | None) -> None:
        full = f"{self._spec.name}: all {self._placement.slots} slots are taken; raise slots or give wait"
        if wait_s is None and self._realtime:
            raise ActorError(full)
        try:
            await asyncio.wait_for(asyncio.shield(claim.granted), wait_s)
        except TimeoutError:
            raise ActorError(f"{full} (waited {wait_s:g} s)") from None

    def _forget(self, session: str) -> None:
        for tenant in self._claims.drop(session):
            tenant.batch.leave(tenant)

    def _broken(self, error: ActorError) -> None:
        """The model has failed: load it again for those who queue, or let them have the cause."""
        self._batch = None
        if self._restarts == 0:
            self._fail(error)
            return
        self._restarts -= 1
        self._loading = asyncio.get_running_loop().create_task(self._load())
        self._loading.add_done_callback(self._reloaded)

    def _reloaded(self, loading: "asyncio.Task[None]") -> None:
        if not loading.cancelled() and (cause := loading.exception()) is not None:
            self._fail(ActorError(f"{self._spec.name} could not be loaded again: {cause}"))

    def _fail(self, error: Exception) -> None:
        self._poison = error
        self._claims.fail(error)


def shared_host(
    shared: dict[str, Any], spec: ModelSpec, placement: Placement, *, realtime: bool, restarts: int = 0
) -> ModelHost:
    """Give the run's host for this model and placement, made when it is first asked for.

    shared: a dict that lives as long as the run; who owns it closes what is in it at the end.
    """
    what = msgspec.json.encode([encode(spec.shared()), encode(placement), realtime]).decode()
    host = shared.setdefault(f"model host {what}", None)
    if host is None:
        host = ModelHost(spec.shared(), placement, realtime=realtime, restarts=restarts)
        shared[f"model host {what}"] = host
    return host
