"""A session with a Moshi server: connected, in step with it, drained, closed; every failure is one sentence.

connect    dial, then wait for 0x00: behind other clients, or while a prompt is read, that takes minutes
exchange   lock-step: send a frame, act on messages until the frames due are in
exchange_at_once   paced: act on what is there, hand the frame to the writer
close      wait for the frames owed and `drain_s` longer, say goodbye
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import msgspec

from agents.moshi.play import LOST, MoshiPlay
from agents.moshi.protocol import FRAME, kind_name
from agents.moshi.wire import Closed, MoshiAddress, MoshiArrival, MoshiWire, dial
from agents.remote.trace import Tracer
from simulator.actor import Context
from simulator.clock import seconds
from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.logs import log
from simulator.reading.secrets import Secrets
from simulator.sound.opus import RATE_HZ

BEHIND_S = 2.0
"""A server that owes more when the session ends is no network's delay behind, it is too slow."""
MOST_STALLS = 10
"""How many times `stall_timeout` a slow server is waited for when the session has ended."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds to wait for the handshake, for a frame, and after the last frame owed."""

    handshake_s: float
    stall_s: float
    drain_s: float


class MoshiLink:
    """The connection and what goes over it, as one party's session with a server."""

    def __init__(
        self, address: MoshiAddress, play: MoshiPlay, tracer: Tracer, patience: Patience, secrets: Secrets
    ) -> None:
        self._address = address
        self._name = "moshi at " + secrets.scrub(address.url.partition("?")[0])
        self._play = play
        self._core = play.core
        self._tracer = tracer
        self._patience = patience
        self._secrets = secrets
        self._wire: MoshiWire | None = None
        self._failed = False
        self._received = 0
        self._moved_s = self._began_s = 0.0

    async def connect(self, context: Context) -> None:
        """Connect and wait for the handshake. RemoteError: refused, unreachable, silent for too long."""
        self._context = context
        self._realtime = context.realtime
        with self._blaming(None):
            async with _one_at_a_time(self._address.url, context):
                wire = self._wire = await dial(self._address, context.clock.now)
                assert context.tasks is not None
                context.tasks.start_soon(_live, wire)
                await self._shake_hands(wire)
            self._began_s = self._moved_s = seconds()
            for message in self._play.prime():
                await wire.send(message)

    async def exchange(self, samples: Samples, at: int) -> None:
        """Send a frame, float32 (1920,), and act on messages until the frames due are in."""
        wire = self._open()
        with self._blaming(at):
            try:
                with anyio.fail_after(self._patience.stall_s):
                    await wire.send(self._play.hear(samples))
                    while not self._play.answered:
                        self._act_on(await wire.receive(), at)
            except TimeoutError:
                raise self._stalled() from None

    def exchange_at_once(self, samples: Samples, at: int) -> None:
        """Act on what has come in and hand a frame to the writer; never waits."""
        wire = self._open()
        with self._blaming(at):
            while (arrival := wire.receive_nowait()) is not None:
                self._act_on(arrival, at)
            self._check_progress()
            wire.send_later(self._play.hear(samples))

    async def close(self) -> None:
        """Drain and say goodbye. RemoteError when what is owed does not come any more."""
        if self._wire is None:
            return
        try:
            with anyio.CancelScope(shield=True):
                if self._core.state == "open" and not self._failed:
                    await self._drain(self._wire)
        finally:
            await self._wire.close()

    def _check_progress(self) -> None:
        core = self._core
        if core.received != self._received or core.received >= core.owed:
            self._received, self._moved_s = core.received, seconds()
        elif seconds() - self._moved_s > self._patience.stall_s:
            raise self._stalled()

    def _open(self) -> MoshiWire:
        assert self._wire is not None
        return self._wire

    async def _shake_hands(self, wire: MoshiWire) -> None:
        limit_s = self._patience.handshake_s
        try:
            with anyio.fail_after(limit_s):
                while self._core.state == "waiting":
                    self._act_on(await wire.receive(), -1)
        except TimeoutError:
            raise RemoteError(
                f"sent no handshake (0x00) within {limit_s:g} s: it is busy with another client, or still loading; a "
                "Moshi server serves one client after the other, see handshake_timeout"
            ) from None

    async def _drain(self, wire: MoshiWire) -> None:
        """Wait for what is owed. The session's own tasks have ended by now, so reading goes on in new ones."""
        self._core.finish()
        failure: RemoteError | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_live, wire)
            try:
                with self._blaming(self._tracer.at):
                    await self._collect_owed(wire)
            except RemoteError as error:
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _collect_owed(self, wire: MoshiWire) -> None:
        # It lies behind the session's end: kept in the trace, counted, and no event any more.
        self._tracer.at += FRAME
        core, ended_s = self._core, seconds()
        while not core.complete:
            before = core.received
            with anyio.move_on_after(self._patience.stall_s):
                while core.received == before and not core.complete:
                    core.receive(self._noted(await wire.receive()))
            if core.received == before and not core.complete:
                raise self._stalled()
            if seconds() - ended_s > MOST_STALLS * self._patience.stall_s and not core.complete:
                raise RemoteError(f"is slower than real time: {self._pace()}, {core.owed - core.received} still owed")
        if self._realtime and seconds() - ended_s > BEHIND_S:
            log.warning("the server is slower than real time", server=self._name, pace=self._pace())
            self._context.emit(
                self._tracer.at - FRAME, "remote_error", code="slower_than_real_time", message=self._pace()
            )
        with anyio.move_on_after(self._patience.drain_s):
            while not isinstance((arrival := await wire.receive()).message, Closed):
                self._core.receive(self._noted(arrival))

    def _act_on(self, arrival: MoshiArrival, at: int) -> None:
        self._play.receive(self._noted(arrival), at)

    def _noted(self, arrival: MoshiArrival) -> bytes:
        """Put what came in into the trace and give it; RemoteError when it is the end that came, too early."""
        message, arrived = arrival.message, arrival.arrived if self._realtime else None
        if not isinstance(message, Closed):
            self._tracer.message("received", kind_name(message), message, arrived=arrived)
            return message
        reason = self._secrets.scrub(message.reason)
        self._tracer.message("received", LOST, {"code": message.code, "reason": reason}, arrived=arrived)
        self._core.lost(message.code, reason)
        return b""

    def _pace(self) -> str:
        """What came in so far, and how fast: 1 is real time."""
        sound_s, took_s = self._core.received * FRAME / RATE_HZ, max(seconds() - self._began_s, 1e-3)
        return f"{sound_s:.1f} s of sound in {took_s:.1f} s, {sound_s / took_s:.2f} times real time"

    def _stalled(self) -> RemoteError:
        progress = f"{self._core.received} of {self._core.owed} frames owed"
        return RemoteError(f"sent no audio for {self._patience.stall_s:g} s ({progress})")

    @contextmanager
    def _blaming(self, at: int | None) -> Iterator[None]:
        """Say who and when, without secrets; `at` is where the answer to the frame being heard starts."""
        try:
            yield
        except RemoteError as error:
            self._failed = True
            when = "" if at is None else f" at t={max(0, at) / RATE_HZ:.2f} s"
            clean = self._secrets.scrub(str(error))
            # A cause that quotes a secret would bring it into the log.
            raise RemoteError(f"{self._name} {clean}{when}") from (error if clean == str(error) else None)


async def _live(wire: MoshiWire) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wire.write)
        await wire.read()
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def _one_at_a_time(url: str, context: Context) -> AsyncIterator[None]:
    """Let one session of this run wait for a server's handshake at a time.

    PersonaPlex keeps the prompts of whoever connected last, so that of two waiting clients the first one
    would be given the other's.
    """
    async with context.shared.setdefault(("moshi", url.partition("?")[0]), anyio.Lock()):
        yield
