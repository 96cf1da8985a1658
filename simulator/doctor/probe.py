"""Probes: whether a party works, found out without a conversation.

A spec (or its responder's) that is `Probed` is asked. Any other actor is started as for a session, stepped through a
few silent frames and closed: enough for a socket to open and a session to be accepted.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import anyio

from simulator import clock
from simulator.call.surroundings import Surroundings
from simulator.call.table import Table
from simulator.clock import Clock, VirtualClock, WallClock
from simulator.events import Event, Party
from simulator.frame import AudioFrame, silence
from simulator.scenario import Scenario

FRAMES = 5
LISTENED_S = 0.4
"""So long a far end with a time of its own is listened to: a greeting comes within two round trips over an ocean."""


@runtime_checkable
class Probed(Protocol):
    """A spec that can ask its far end whether it works."""

    async def probe(self) -> str:
        """Reach the far end, have the key accepted, and say in a sentence what was found. RemoteError."""
        ...


async def probe_party(party: Party, scenario: Scenario, warn: Callable[[str], None] = lambda _: None) -> str:
    """Reach a scenario's party and say in a sentence what was found. SimulatorError when it does not work.

    warn: told of what is doubtful about one that works: nothing of what it sends is described by the scenario.
    """
    spec = scenario.actor(party)
    told = [await part.probe() for part in (spec, *spec.parts()) if isinstance(part, Probed)]
    if told:
        return "; ".join(told)
    return await _start_and_leave(party, scenario, warn)


async def _start_and_leave(party: Party, scenario: Scenario, warn: Callable[[str], None]) -> str:
    table = Table(scenario, None, Surroundings(), parties=(party,))
    table.log.watch("remote_error", lambda event: _warn_of(event, warn))
    seat, count = table.seats[party], scenario.frame_samples
    time: Clock = WallClock(scenario.sample_rate) if scenario.actor(party).traits().own_time else VirtualClock()
    began = clock.seconds()
    async with anyio.create_task_group() as tasks:
        try:
            await table.start(time, tasks)
            ready_s = clock.seconds() - began
            for tick in range(-1, FRAMES * seat.shape.ticks):
                if isinstance(time, WallClock) and tick >= 0:
                    await clock.sleep(LISTENED_S / FRAMES / seat.shape.ticks)
                answer = seat.step(AudioFrame(tick * count, silence(count)))
                if not isinstance(answer, AudioFrame):
                    await table.answer(party, answer)
        finally:
            with anyio.CancelScope(shield=True):
                await table.leave()
            tasks.cancel_scope.cancel()
    return f"ready after {ready_s:.2f} s, answers frames"


def _warn_of(event: Event, warn: Callable[[str], None]) -> None:
    """Pass on that what came was not understood; that it said nothing in so short a time is no news."""
    if event.data.get("code") == "not_described":
        warn(str(event.message))
