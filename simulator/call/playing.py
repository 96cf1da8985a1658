"""Playing: the two drivers that move a call's time, tick by tick.

said[k] -> exchange -> heard[k] -> said[k+1] = step(heard[k]). Before tick 0 each actor is stepped once with a silent
frame that starts at -frame; its answer is said in tick 0.
"""

from collections.abc import Awaitable
from typing import Any

import anyio
import anyio.lowlevel

from simulator.call.live_seat import LiveSeat
from simulator.call.surroundings import Pacing
from simulator.call.table import Table
from simulator.clock import VirtualClock, WallClock
from simulator.errors import LateError, SimulatorError, single
from simulator.events import PARTIES, Party
from simulator.frame import AudioFrame, silence


async def play_virtual(table: Table, clock: VirtualClock) -> None:
    """Play on the virtual clock: a tick is over when both have answered, however long that took."""
    count, ending, exchange = table.frame_samples, table.ending, table.tick
    step_user, step_agent = table.seats["user"].step, table.seats["agent"].step
    heard_user = heard_agent = AudioFrame(-count, silence(count))
    tick = 0
    party: Party = "user"
    while tick < ending.last:
        try:
            # Both are asked before either is awaited: they may share one batched model, which needs both frames.
            party = "user"
            user = step_user(heard_user)
            party = "agent"
            agent = step_agent(heard_agent)
        except (SimulatorError, OSError):
            raise
        except Exception as error:
            raise table.blamed(party, error, "failed") from error
        if user.__class__ is not AudioFrame or agent.__class__ is not AudioFrame:
            user, agent = await answers(table, user, agent)
        heard_user, heard_agent = exchange(user.samples, agent.samples)
        tick += 1
        clock.advance(table.now)
        if ending.waits:
            ending.said(table.now, agent.samples)
        if tick % table.ticks_between_looks == 0:
            await anyio.lowlevel.checkpoint()
            table.look()


async def answers(table: Table, user: Any, agent: Any) -> tuple[AudioFrame, AudioFrame]:
    """Wait for the parties that answer later; both at once, because each may need the other's frame to go on.

    When one fails, the other's step is cancelled before the failure is told: nothing runs on behind a session.
    """
    both: dict[Party, Any] = {"user": user, "agent": agent}
    pending = [party for party in PARTIES if both[party].__class__ is not AudioFrame]
    if len(pending) == 1:
        (party,) = pending
        both[party] = await table.answer(party, both[party])
        return both["user"], both["agent"]

    async def wait(party: Party, answer: Awaitable[AudioFrame]) -> None:
        both[party] = await table.answer(party, answer)

    try:
        async with anyio.create_task_group() as tasks:
            for party in PARTIES:
                tasks.start_soon(wait, party, both[party])
    except ExceptionGroup as group:
        error = single(group)
        raise error from error.__cause__
    return both["user"], both["agent"]


async def play_wall(
    table: Table, clock: WallClock, tasks: anyio.abc.TaskGroup, pacing: Pacing, *, strict: bool
) -> None:
    """Play on the wall clock: a tick comes at its deadline, and nobody is waited for."""
    count, rate, ending = table.frame_samples, table.scenario.sample_rate, table.ending
    user, agent = (LiveSeat(table.seats[party], table.log, count, strict=strict) for party in PARTIES)
    lateness: list[float] = []
    try:
        for seat in (user, agent):
            await seat.start(tasks)
        clock.begin()
        tick = 0
        while tick < ending.last:
            late_s = await clock.sleep_until(table.now)
            lateness.append(late_s)
            if late_s * rate >= count:
                _note_late(table, round(late_s * rate), strict=strict)
            said = agent.take(tick)
            heard_user, heard_agent = table.tick(user.take(tick), said)
            user.hear(heard_user)
            agent.hear(heard_agent)
            tick += 1
            if ending.waits:
                ending.said(table.now, said)
            if tick % table.ticks_between_looks == 0:
                table.look()
    finally:
        for seat in (user, agent):
            seat.stop(table.now)
        pacing.sum_up(lateness)


def _note_late(table: Table, size: int, *, strict: bool) -> None:
    if strict:
        late_ms = 1000 * size / table.scenario.sample_rate
        raise LateError(f"the runner was {late_ms:.0f} ms late at sample {table.now}")
    table.log.add(table.now, "late", "line", size=size)
