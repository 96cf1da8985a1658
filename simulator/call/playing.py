"""Playing: the two loops that move a session's time, tick by tick.

said[k] -> exchange -> heard[k] -> said[k+1] = step(heard[k]). Before tick 0 each actor is stepped once with a silent
frame that starts at -frame; its answer is said in tick 0.
"""

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import anyio.lowlevel
from anyio.abc import TaskGroup

from simulator.call.live_seat import LiveSeat
from simulator.call.surroundings import pacing_of
from simulator.clock import VirtualClock, WallClock
from simulator.errors import LateError, SimulatorError
from simulator.events import PARTIES, Party, Source
from simulator.frame import AudioFrame, Samples, silence

if TYPE_CHECKING:
    from simulator.call.conversation import Conversation


async def play_virtual(session: "Conversation", clock: VirtualClock) -> None:
    """Play on the virtual clock: a tick is over when both have answered, however long that took."""
    count, exchange = session.frame_samples, session.exchange.tick
    step_user, step_agent = session.seats["user"].step, session.seats["agent"].step
    heard_user = heard_agent = AudioFrame(-count, silence(count))
    tick, last = 0, session.ticks
    awaited = session.awaited()
    party: Source = "user"
    try:
        while tick < last:
            # Both are asked before either is awaited: they may share one batched model, which needs both frames.
            party = "user"
            user = step_user(heard_user)
            party = "agent"
            agent = step_agent(heard_agent)
            if user.__class__ is not AudioFrame or agent.__class__ is not AudioFrame:
                user, agent = await _answers(session, user, agent)
            now = tick * count
            party = "line"
            heard_user, heard_agent = exchange(now, user.samples, agent.samples)
            tick += 1
            session.now = now + count
            clock.advance(session.now)
            if awaited is not None and awaited.done:
                awaited, last = None, session.last_tick(last)
            if tick % session.ticks_between_looks == 0:
                await anyio.lowlevel.checkpoint()
                last = session.look(last)
    except (SimulatorError, OSError):
        raise
    except Exception as error:
        raise session.blamed(party, error, "failed") from error


async def _answers(session: "Conversation", user: Any, agent: Any) -> tuple[AudioFrame, AudioFrame]:
    """Wait for the parties that answer later; both at once, because each may need the other's frame to go on."""
    both: tuple[tuple[Party, Any], ...] = (("user", user), ("agent", agent))
    pending = {party: answer for party, answer in both if answer.__class__ is not AudioFrame}
    if len(pending) == 2:
        done = await asyncio.gather(*(_answer(session, party, wait) for party, wait in pending.items()))
        return done[0], done[1]
    ((party, wait),) = pending.items()
    answer = await _answer(session, party, wait)
    return (answer, agent) if party == "user" else (user, answer)


async def _answer(session: "Conversation", party: Party, wait: Awaitable[AudioFrame]) -> AudioFrame:
    if not isinstance(wait, Awaitable):
        raise session.blamed(party, TypeError(f"answered {type(wait).__name__}, not an AudioFrame"), "failed")
    try:
        return await wait
    except Exception as error:
        raise session.blamed(party, error, "failed") from error


async def play_wall(session: "Conversation", clock: WallClock, tasks: TaskGroup, *, strict: bool) -> None:
    """Play on the wall clock: a tick comes at its deadline, and nobody is waited for."""
    count, rate = session.frame_samples, session.scenario.sample_rate
    seats = {party: LiveSeat(session.seats[party], session.log, count, strict=strict) for party in PARTIES}
    lateness: list[float] = []
    try:
        for seat in seats.values():
            await seat.start(tasks)
        clock.begin()
        tick, last = 0, session.ticks
        awaited = session.awaited()
        while tick < last:
            late_s = await clock.sleep_until(tick * count)
            lateness.append(late_s)
            now = tick * count
            if late_s * rate >= count:
                _note_late(session, now, round(late_s * rate), strict=strict)
            user, agent = seats["user"].take(tick), seats["agent"].take(tick)
            heard_user, heard_agent = _exchanged(session, now, user, agent)
            seats["user"].hear(heard_user)
            seats["agent"].hear(heard_agent)
            tick += 1
            session.now = now + count
            if awaited is not None and awaited.done:
                awaited, last = None, session.last_tick(last)
            if tick % session.ticks_between_looks == 0:
                last = session.look(last)
    finally:
        for seat in seats.values():
            seat.stop(session.now)
        session.pacing = pacing_of(lateness)


def _exchanged(session: "Conversation", now: int, user: Samples, agent: Samples) -> tuple[AudioFrame, AudioFrame]:
    try:
        return session.exchange.tick(now, user, agent)
    except (SimulatorError, OSError):
        raise
    except Exception as error:
        raise session.blamed("line", error, "failed") from error


def _note_late(session: "Conversation", now: int, size: int, *, strict: bool) -> None:
    if strict:
        raise LateError(f"the runner was {1000 * size / session.scenario.sample_rate:.0f} ms late at sample {now}")
    session.log.add(now, "late", "line", size=size)
