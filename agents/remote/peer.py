"""Peers: remote systems with a real time of their own, joined to a session on the wall clock.

A kind is a core (peer_core.py) and a way to dial. The core acts only in steps: what comes in waits in an
inbox until the next half of one, is written to the trace with that step's `at`, the half and its own time of arrival,
and goes through the core. So a replay that hands over the same messages at the same steps says the same samples
(peer_replay.py).

    start   dial; hand messages over until the core is ready (`connect_s`)
    hear    inbox -> core.receive ...; core.hear(frame)                         (never waits)
    answer  inbox -> core.receive ...; core.say -> frame                        (never waits)
    behind  one task (peer_connection.py): reads into the inbox, writes what the core sends, dials again when asked;
            when the session ends: core.close, a moment for the far end's last word, the connection is closed

Whatever goes wrong at the far end is one RemoteError, raised by `start` or by the step that finds it.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import msgspec

from agents.remote.peer_connection import BACKLOG_S, Arrival, Connection, Dial, Wire
from agents.remote.peer_core import Awaiting, Core, Note, Send, TakesKeys, deliver, said_at, word_of
from agents.remote.trace import Tracer
from simulator.actor import ActorSpec, Context, PunctualActor
from simulator.errors import RemoteError
from simulator.frame import AudioFrame
from simulator.reading.secrets import Secrets
from simulator.traits import StepTraits

LOST = "connection_lost"
"""The trace's word for the moment when a connection was found to be gone."""


class FarEnd(msgspec.Struct, frozen=True, kw_only=True):
    """name: how errors call it. connect_s: how long dialling and the handshake may take, in seconds."""

    name: str
    dial: Dial
    connect_s: float


class Peer(PunctualActor):
    """Plays a party by a remote system. It stays on the event loop: a step only moves data."""

    def __init__(self, spec: ActorSpec, core: Core, far_end: FarEnd, secrets: Secrets) -> None:
        self.traits = StepTraits(format=core.format, threaded=False)
        self._spec = spec
        self._core = core
        self._far_end = far_end
        self._secrets = secrets
        self._at = -1
        self._keys: list[tuple[float, str]] = []
        self._line: Connection | None = None
        self._closed = False

    async def start(self, context: Context) -> None:
        """Dial and shake hands; RemoteError when that fails or takes too long."""
        assert context.tasks is not None
        self._context = context
        self._tracer = Tracer(
            context,
            self._spec,
            protocol=self._core.protocol,
            version=self._core.version,
            secrets=self._secrets,
        )
        self._core.begin(context.party, noisy=context.line_has_channels, world=context.world)
        backlog = math.ceil(BACKLOG_S * context.input_rate / context.input_samples)
        self._line = Connection(
            self._far_end.dial,
            now=self._now,
            backlog=backlog,
            opening=self._core.opening,
            farewell=self._say_goodbye,
        )
        context.tasks.start_soon(self._line.stay_connected)
        with self._at_fault():
            await self._shake_hands(self._line)

    def hear(self, heard: AudioFrame) -> None:
        """Act on what came in, hand over what is heard; but not the silent frame before the session."""
        at = self._at = said_at(heard, self._context.output_samples)
        self._tracer.after_heard = False
        with self._at_fault():
            self._trace_heard(heard, at)
            self._press_due(heard.start / self._context.input_rate)
            self._act_on_all()
            if heard.start >= 0:
                self._core.hear(heard.samples, at)
            self._perform()
        self._tracer.after_heard = True

    def answer(self) -> AudioFrame:
        """Act on what came in since, say what is due."""
        with self._at_fault():
            self._act_on_all()
            samples = self._core.say(self._context.output_samples, self._at)
            self._perform()
        self.done = self._core.done
        return AudioFrame(self._at, samples)

    def press(self, digits: str, at_s: float) -> None:
        """Keep keys until their time has come."""
        self._keys.append((at_s, digits))

    def _press_due(self, now_s: float) -> None:
        while self._keys and self._keys[0][0] <= now_s:
            digits = self._keys.pop(0)[1]
            if isinstance(self._core, TakesKeys):
                self._core.press(digits, self._at)

    async def close(self) -> None:
        """Account for what is open and make sure that the connection is closed."""
        if self._line is None:
            return
        with anyio.CancelScope(shield=True):
            await self._line.close()
        self._account()
        self._tracer.close()

    @property
    def _connection(self) -> Connection:
        assert self._line is not None
        return self._line

    def _now(self) -> int:
        """The session sample of an arrival; -1 before the session's first step."""
        return self._context.clock.now() if self._at >= 0 else -1

    def _trace_heard(self, heard: AudioFrame, at: int) -> None:
        if heard.start >= 0:
            self._tracer.heard(heard.samples, at)
        else:
            self._tracer.at = at

    async def _shake_hands(self, line: Connection) -> None:
        try:
            with anyio.fail_after(self._far_end.connect_s):
                while not self._core.ready:
                    self._act_on(await line.inbox.receive())
        except TimeoutError:
            hint = self._core.awaited if isinstance(self._core, Awaiting) else ""
            raise RemoteError(f"was not ready within {self._far_end.connect_s:g} s{hint}") from None

    async def _say_goodbye(self, wire: Wire) -> None:
        """Tell the far end that the session is over, and hear its last word where the protocol has one."""
        self._account()
        for message in self._connection.unsent():
            await wire.send(message)
        while not self._core.ended:
            self._act_on(Arrival(await wire.receive(), self._now()))

    def _account(self) -> None:
        if not self._closed:
            self._closed = True
            self._core.close(max(0, self._at))
            self._perform()

    def _act_on_all(self) -> None:
        for arrival in self._connection.arrivals():
            self._act_on(arrival)

    def _act_on(self, arrival: Arrival) -> None:
        if arrival.message is None:
            lost = {"reason": arrival.reason}
            self._tracer.message("received", LOST, lost, arrived=arrival.arrived)
            self._core.lost(arrival.reason, self._at)
        else:
            self._tracer.message("received", word_of(arrival.message), arrival.message, arrived=arrival.arrived)
            deliver(self._core, arrival.message, self._at)
        self._perform()

    def _perform(self) -> None:
        for action in self._core.actions.take():
            if isinstance(action, Note):
                self._context.emit(action.at, action.type, **self._secrets.scrub_all(action.fields))
            elif isinstance(action, Send):
                if not action.heard:
                    self._tracer.message("sent", word_of(action.message), action.message)
                self._connection.send(action.message)
            else:
                self._connection.redial()

    @contextmanager
    def _at_fault(self) -> Iterator[None]:
        """Complete a predicate to the sentence that names the far end and the moment, without secrets."""
        try:
            yield
        except RemoteError as error:
            when = f" at t={self._at / self._context.output_rate:.2f} s" if self._at >= 0 else ""
            clean = self._secrets.scrub(str(error))
            # A cause that quotes a secret would bring it into the log.
            raise RemoteError(f"{self._far_end.name} {clean}{when}") from (error if clean == str(error) else None)
