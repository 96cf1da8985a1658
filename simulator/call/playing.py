"""Playing: the drivers that move a call's time: the virtual clock's, in blocks of ticks or by ticks, and the wall's.

said[k] -> exchange -> heard[k] -> said[k+1] = step(heard[k]). Before tick 0 each actor is stepped once with a silent
frame that starts at -frame; its answer is said in tick 0.
"""

from collections.abc import Awaitable
from typing import Any

import anyio
import anyio.lowlevel

from simulator.call.live_seat import LiveSeat
from simulator.call.punctual_seat import Prompt, PunctualSeat
from simulator.call.surroundings import Pacing
from simulator.call.table import Table
from simulator.clock import VirtualClock, WallClock
from simulator.errors import LateError, SimulatorError, single
from simulator.events import PARTIES, Party, Source
from simulator.frame import AudioFrame, silence


async def play_virtual(table: Table, clock: VirtualClock) -> None:
    """Play on the virtual clock: time moves when both have answered, however long that took."""
    if table.looks_ahead:
        await _play_blocks(table, clock)
    else:
        await _play_ticks(table, clock)


async def _play_blocks(table: Table, clock: VirtualClock) -> None:
    """Play as many ticks at once as everybody knows ahead; why the bytes are those of ticks: docs/engine.md."""
    count, ending, exchange = table.frame_samples, table.ending, table.exchange
    user, agent = (seat.block for seat in table.seats.values())
    assert user is not None and agent is not None
    heard_user = heard_agent = AudioFrame(-count, silence(count))
    tick = 0
    party: Source = "user"
    while tick < ending.last:
        now = table.now
        look_at = tick - tick % table.ticks_between_looks + table.ticks_between_looks
        try:
            party = "user"
            waiting_user = user.hear(heard_user)
            party = "agent"
            waiting_agent = agent.hear(heard_agent)
            if waiting_user is not None or waiting_agent is not None:
                await _wait_for(table, user=waiting_user, agent=waiting_agent)
            party = "line"
            bound = min(user.settled(now), agent.settled(now), exchange.settled(now), ending.settled(now))
            ticks = min(-(-(bound - now) // count), look_at - tick, ending.last - tick)
            party = "user"
            said_user = user.say(now, ticks * count)
            party = "agent"
            said_agent = agent.say(now, ticks * count)
        except (SimulatorError, OSError):
            raise
        except Exception as error:
            raise table.blamed(party, error, "failed") from error
        heard_user, heard_agent = table.carry(said_user, said_agent, ticks * count)
        tick += ticks
        clock.advance(table.now)
        if ending.waits:
            ending.said(table.now, said_agent)
        if tick == look_at:
            await anyio.lowlevel.checkpoint()
            table.look()


async def _play_ticks(table: Table, clock: VirtualClock) -> None:
    """Play one tick after the other."""
    count, ending, carry = table.frame_samples, table.ending, table.carry
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
            user, agent = await _answers(table, user, agent)
        heard_user, heard_agent = carry(user.samples, agent.samples, count)
        tick += 1
        clock.advance(table.now)
        if ending.waits:
            ending.said(table.now, agent.samples)
        if tick % table.ticks_between_looks == 0:
            await anyio.lowlevel.checkpoint()
            table.look()


async def _answers(table: Table, user: Any, agent: Any) -> tuple[AudioFrame, AudioFrame]:
    """Wait for the parties that answer later."""
    both: dict[Party, Any] = {"user": user, "agent": agent}
    late = {party: answer if answer.__class__ is not AudioFrame else None for party, answer in both.items()}
    both |= await _wait_for(table, **late)
    return both["user"], both["agent"]


async def _wait_for(table: Table, *, user: Awaitable[Any] | None, agent: Awaitable[Any] | None) -> dict[Party, Any]:
    """Wait for one party or both at once, because each may need the other's frame to go on; gives what they gave.

    When one fails, the other's step is cancelled before the failure is told: nothing runs on behind a session.
    """
    if user is None or agent is None:
        party: Party = "user" if agent is None else "agent"
        return {party: await table.answer(party, user if agent is None else agent)}  # type: ignore[arg-type]
    given: dict[Party, Any] = {}

    async def wait(party: Party, answer: Awaitable[Any]) -> None:
        given[party] = await table.answer(party, answer)

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait, "user", user)
            tasks.start_soon(wait, "agent", agent)
    except ExceptionGroup as group:
        error = single(group)
        raise error from error.__cause__
    return given


async def play_wall(
    table: Table, clock: WallClock, tasks: anyio.abc.TaskGroup, pacing: Pacing, *, strict: bool
) -> None:
    """Play on the wall clock: a tick comes at its deadline, and nobody is waited for."""
    count, rate, ending = table.frame_samples, table.scenario.sample_rate, table.ending
    user, agent = (_seated(table, party, strict=strict) for party in PARTIES)
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
            heard_user, heard_agent = table.carry(user.take(tick), said, count)
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


def _seated(table: Table, party: Party, *, strict: bool) -> LiveSeat | PunctualSeat:
    seat, count = table.seats[party], table.frame_samples
    if seat.punctual is not None:
        return PunctualSeat(seat, seat.punctual, count)
    if seat.actor.traits.prompt and not seat.latency_ticks:
        return PunctualSeat(seat, Prompt(seat.plain_step), count)
    return LiveSeat(seat, table.log, count, strict=strict)


def _note_late(table: Table, size: int, *, strict: bool) -> None:
    if strict:
        late_ms = 1000 * size / table.scenario.sample_rate
        raise LateError(f"the runner was {late_ms:.0f} ms late at sample {table.now}")
    table.log.add(table.now, "late", "line", size=size)
