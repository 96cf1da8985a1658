"""Rules of the wall clock: nobody is waited for, and a stall is that party's underrun and nothing else."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import msgspec
import numpy as np
import pytest

from simulator.actor import Actor, ActorSpec, Latency
from simulator.call.conversation import Conversation
from simulator.call.live_seat import LiveSeat
from simulator.call.recording import Recorder
from simulator.call.seat import Seat
from simulator.call.surroundings import Surroundings
from simulator.errors import ActorError, LateError
from simulator.events import EventLog
from simulator.frame import AudioFrame, silence
from simulator.scenario import Scenario
from simulator.session import SessionMeta, read_session
from simulator.spec import decode
from simulator.testing import Bursts
from simulator.traits import StepTraits

FRAME = 480


class Given(ActorSpec, frozen=True, kw_only=True, tag="given"):
    """A spec that builds the actor it was given."""

    actor: Any

    def build(self) -> Actor:
        """Give the actor."""
        return self.actor


class Gated(Actor):
    """Answers the first frame at once and every later one when its gate opens; each answer holds its number."""

    def __init__(self) -> None:
        self.gate = threading.Semaphore(1)
        self.answered = threading.Semaphore(0)
        self.steps = 0

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Wait for the gate, then answer."""
        self.gate.acquire()
        self.steps += 1
        answer = AudioFrame(0, np.full(FRAME, self.steps / 1024, np.float32))
        self.answered.release()
        return answer


def on_a_seat(
    test: Callable[[LiveSeat, Gated, EventLog], None], *, strict: bool = False, latency: str = "free"
) -> None:
    """Run a test against a live seat with a gated actor in its thread."""

    async def go() -> None:
        log, actor = EventLog(), Gated()
        spec = Given(actor=actor, latency=Latency(latency))
        seat = LiveSeat(Seat("agent", spec, 24_000, FRAME, log), log, FRAME, strict=strict)
        async with anyio.create_task_group() as tasks:
            await seat.start(tasks)
            try:
                test(seat, actor, log)
            finally:
                seat.stop(0)
                actor.gate.release(1000)
                tasks.cancel_scope.cancel()

    anyio.run(go)


def settle(actor: Gated, answers: int) -> None:
    """Let the actor answer so many frames and wait until it has."""
    actor.gate.release(answers)
    for _ in range(answers):
        assert actor.answered.acquire(timeout=10)


def value(samples: Any) -> int:
    """The number an answer holds."""
    return round(float(samples[0]) * 1024)


def wait_for(seat: LiveSeat, tick: int) -> int:
    """Take a tick whose answer has been computed but may not have been handed over by the thread yet."""
    for _ in range(1_000_000):
        if seat._answers and seat._answers[-1][0] >= tick:
            break
    return value(seat.take(tick))


def test_an_answer_in_time_is_said_in_its_tick() -> None:
    """The answer to the frame heard in tick k is said in tick k + 1."""

    def rule(seat: LiveSeat, actor: Gated, log: EventLog) -> None:
        assert actor.answered.acquire(timeout=10)
        assert value(seat.take(0)) == 1
        seat.hear(AudioFrame(0, silence(FRAME)))
        settle(actor, 1)
        assert wait_for(seat, 1) == 2
        assert log.take(1 << 40) == []

    on_a_seat(rule)


def test_a_stall_is_silence_and_one_underrun_with_its_size_and_the_late_answers_are_dropped() -> None:
    """Late answers are replaced by silence; the actor is stepped through the frames it missed and goes on in time."""

    def rule(seat: LiveSeat, actor: Gated, log: EventLog) -> None:
        assert actor.answered.acquire(timeout=10)
        seat.take(0)
        for tick in range(1, 6):
            seat.hear(AudioFrame((tick - 1) * FRAME, silence(FRAME)))
            assert not seat.take(tick).any()
        seat.hear(AudioFrame(5 * FRAME, silence(FRAME)))
        settle(actor, 6)
        assert wait_for(seat, 6) == 7
        (event,) = log.take(1 << 40)
        assert (event.type, event.party, event.since, event.size, event.at) == (
            "underrun",
            "agent",
            FRAME,
            5 * FRAME,
            6 * FRAME,
        )

    on_a_seat(rule)


def test_a_fixed_latency_is_silence_at_first_and_no_underrun() -> None:
    """Two ticks of 20 ms: the answer to the frame before time 0 is due in tick 2, and nobody was late before."""

    def rule(seat: LiveSeat, actor: Gated, log: EventLog) -> None:
        assert actor.answered.acquire(timeout=10)
        assert np.array_equal([seat.take(0), seat.take(1)], np.zeros((2, FRAME)))
        assert value(seat.take(2)) == 1
        assert log.take(1 << 40) == []

    on_a_seat(rule, latency="40ms")


def test_a_step_that_hangs_keeps_no_program_from_ending() -> None:
    """The interpreter waits for every thread that is no daemon."""

    def rule(seat: LiveSeat, actor: Gated, log: EventLog) -> None:
        seat.hear(AudioFrame(0, silence(FRAME)))
        mine = [thread for thread in threading.enumerate() if thread.name == "agent-actor"]
        assert mine and all(thread.daemon for thread in mine)

    on_a_seat(rule)


def test_strict_makes_a_late_answer_an_error() -> None:
    """`strict: true`: a missing answer ends the session."""

    def rule(seat: LiveSeat, actor: Gated, log: EventLog) -> None:
        assert actor.answered.acquire(timeout=10)
        seat.take(0)
        with pytest.raises(LateError, match="agent did not answer in time"):
            seat.take(1)

    on_a_seat(rule, strict=True)


class Staller(Bursts):
    """Stalls once for 300 ms, in a thread's way or in a task's way."""

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Stall in the tenth step."""
        if len(self.heard) == 10:
            threading.Event().wait(0.3)
        return super().step(heard)


class AsyncStaller(Bursts):
    """The same with an async step."""

    traits = StepTraits(threaded=False)

    async def step(self, heard: AudioFrame) -> AudioFrame:  # type: ignore[override]
        """Stall in the tenth step."""
        if len(self.heard) == 10:
            await anyio.to_thread.run_sync(threading.Event().wait, 0.3)
        return super().step(heard)


@pytest.mark.parametrize("kind", [Staller, AsyncStaller])
def test_a_stall_of_300_ms_leaves_the_other_party_and_the_clock_alone(tmp_path: Path, kind: type[Bursts]) -> None:
    """An actor that stalls causes `underrun` for its own party; the other hears every frame of the session."""
    agent, user = kind([]), Bursts([(0, 4800)])
    scenario: Scenario = decode(
        {"name": "t", "user": "silent", "agent": "silent", "duration": "1s", "clock": "wall"},
        Scenario,
        source="t",
        folder=tmp_path,
    )
    scenario = msgspec.structs.replace(scenario, user=Given(actor=user), agent=Given(actor=agent))
    meta = SessionMeta(format=1, id="t-0", scenario="t", sample_rate=24_000, frame_ms=20)
    recorder = Recorder(tmp_path / "t-0", meta, "", heard=False)
    anyio.run(Conversation(scenario, recorder, Surroundings()).run)
    session = read_session(tmp_path / "t-0")
    underruns = [event for event in session.by_type.get("underrun", []) if event.party == "agent"]
    assert sum(event.size for event in underruns) >= 0.2 * 24_000
    assert [frame.start for frame in agent.heard][:11] == [FRAME * (n - 1) for n in range(11)]
    assert session.duration == 24_000


class Broken(Bursts):
    """Fails on the wall clock."""

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Fail in the third step."""
        if len(self.heard) == 3:
            raise ValueError("no idea")
        return super().step(heard)


def test_a_failure_in_an_actors_thread_ends_the_session_with_its_name(tmp_path: Path) -> None:
    """The runner raises what the actor's thread met, with the party named."""
    scenario: Scenario = decode(
        {"name": "t", "user": "silent", "agent": "silent", "duration": "1s", "clock": "wall"},
        Scenario,
        source="t",
        folder=tmp_path,
    )
    scenario = msgspec.structs.replace(scenario, agent=Given(actor=Broken([])))
    meta = SessionMeta(format=1, id="t-0", scenario="t", sample_rate=24_000, frame_ms=20)
    recorder = Recorder(tmp_path / "t-0", meta, "", heard=False)
    with pytest.raises(ActorError, match=r"agent \(given\) failed.*no idea"):
        anyio.run(Conversation(scenario, recorder, Surroundings()).run)
