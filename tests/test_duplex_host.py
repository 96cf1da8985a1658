"""The model host: sessions come, talk, are cancelled and leave; the batch goes on."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import msgspec
import numpy as np
import pytest

from agents.duplex.batch import SlotAnswer, Tenant
from agents.duplex.host import ModelHost, shared_host
from agents.duplex.model import Placement
from simulator.errors import ActorError, ScenarioError
from simulator.frame import AudioFrame, Samples
from tests.contracts.counter_model import AUDIO, Counter, CounterSpec, Plan, watched

PLAIN = Plan()


def frame(value: float = 0.0) -> Samples:
    """A frame of one value."""
    return np.full(AUDIO.input_samples, value, np.float32)


def take(answer: SlotAnswer) -> AudioFrame:
    """Turn an answer into a frame."""
    return AudioFrame(answer.frame, answer.pcm)


class Stage:
    """A host with a counter in it, and what the tests ask of it."""

    def __init__(self, slots: int = 4, *, realtime: bool = False, restarts: int = 0) -> None:
        self.spec, self.models = watched(CounterSpec())
        self.host = ModelHost(self.spec, Placement(slots=slots), realtime=realtime, restarts=restarts)

    @property
    def model(self) -> Counter:
        """The loaded model."""
        return self.models[-1]

    async def seat(self, session: str, plan: Plan = PLAIN, count: int = 1) -> Tenant:
        """A session that is ready to talk."""
        tenant = await self.host.claim(session, count)
        await tenant.open(plan, 1)
        return tenant

    async def talk(self, session: str, frames: int, plan: Plan = PLAIN) -> list[float]:
        """A whole session: the first sample of each of its answers."""
        tenant = await self.seat(session, plan)
        try:
            return [float((await tenant.submit(frame(index / 100), take)).samples[0]) for index in range(frames)]
        finally:
            self.host.leave(tenant)


def run(play: Callable[[Stage], Awaitable[Any]], **settings: Any) -> Any:
    """Play a test against a host; it must not take longer than 20 s."""

    async def main() -> Any:
        stage = Stage(**settings)
        with anyio.fail_after(20):
            result = await play(stage)
            stage.host.close()
        return result

    return anyio.run(main)


def expected(frames: int) -> list[float]:
    """What the counter answers to `talk`."""
    return [float(np.float32(index + np.float32(index / 100))) for index in range(frames)]


def test_sessions_share_one_forward_per_frame() -> None:
    """Four sessions of ten frames take ten steps and a few more at the start, all from one thread."""

    async def play(stage: Stage) -> None:
        said = await asyncio.gather(*(stage.talk(str(index), 10) for index in range(4)))
        assert said == [expected(10)] * 4
        steps = [call for call in stage.model.calls if call.startswith("step")]
        assert "step 0123" in steps
        assert len(steps) <= 13
        assert len(stage.model.threads) == 1
        report = stage.host.report()
        assert report.frames == 40
        assert report.batch_fill is not None
        assert report.batch_fill > 0.75

    run(play)


def test_sessions_of_any_length_come_and_go() -> None:
    """Ten sessions through four slots, of different lengths and lead-ins: each says what it would alone."""

    async def play(stage: Stage) -> None:
        lengths = [3, 9, 1, 4, 7, 2, 8, 5, 6, 3]
        jobs = [stage.talk(str(n), length, Plan(lead_in=n % 3)) for n, length in enumerate(lengths)]
        assert await asyncio.gather(*jobs) == [expected(length) for length in lengths]

    run(play)


def test_a_model_can_talk_to_itself() -> None:
    """Both parties submit before either is awaited: no deadlock, though their lead-ins differ."""

    async def play(stage: Stage) -> None:
        user, agent = await asyncio.gather(stage.seat("s", Plan(lead_in=5), count=2), stage.seat("s", Plan(), count=2))
        for _ in range(5):
            both = [user.submit(frame(), take), agent.submit(frame(), take)]
            await asyncio.gather(*both)
        assert {user.slot, agent.slot} == {0, 1}

    run(play, slots=2)


def test_two_seats_are_taken_all_or_none() -> None:
    """Sessions that need two slots each share two, one after the other: none blocks half-seated."""

    async def play(stage: Stage) -> None:
        async def pair(name: str) -> None:
            seats = await asyncio.gather(stage.seat(name, count=2), stage.seat(name, count=2))
            await asyncio.gather(*(seat.submit(frame(), take) for seat in seats))
            for seat in seats:
                stage.host.leave(seat)

        await asyncio.gather(pair("a"), pair("b"), pair("c"))

    run(play, slots=2)


def test_more_seats_than_slots_are_refused() -> None:
    """A session that can never be seated is told so, not queued."""

    async def play(stage: Stage) -> None:
        with pytest.raises(ScenarioError, match=r"needs 2 slots of watched, and slots is 1"):
            await stage.host.claim("s", 2)

    run(play, slots=1)


async def cancelled(job: Awaitable[Any]) -> None:
    """Start a job, let it come as far as it gets, cancel it."""
    task = asyncio.ensure_future(job)
    for _ in range(50):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_cancelling_a_queued_session_lets_the_next_one_through() -> None:
    """A session cancelled in the queue leaves it; those behind it are served."""

    async def play(stage: Stage) -> None:
        first = await stage.seat("first")
        await cancelled(stage.talk("queued", 3))
        waiting = asyncio.ensure_future(stage.talk("next", 3))
        stage.host.leave(first)
        assert await waiting == expected(3)

    run(play, slots=1)


def test_cancelling_one_party_of_a_pair_gives_back_the_seat_it_never_took() -> None:
    """Two seats were granted, one was picked up, the session ends: both are free again."""

    async def play(stage: Stage) -> None:
        one = await stage.seat("pair", count=2)
        stage.host.leave(one)
        both = await asyncio.gather(stage.talk("a", 2), stage.talk("b", 2))
        assert list(both) == [expected(2)] * 2

    run(play, slots=2)


def test_cancelling_in_the_lead_in() -> None:
    """A session cancelled while the model warms up for it gives its slot back."""

    async def play(stage: Stage) -> None:
        tenant = await stage.host.claim("s")
        stage.model.gate.clear()
        await cancelled(tenant.open(Plan(lead_in=10_000), 1))
        stage.host.leave(tenant)
        stage.model.gate.set()
        assert await stage.talk("next", 3) == expected(3)

    run(play, slots=1)


def test_cancelling_a_session_that_has_submitted_frees_the_others() -> None:
    """One has submitted and waits for another that is cancelled: it is answered at once."""

    async def play(stage: Stage) -> None:
        slow, fast = await stage.seat("slow"), await stage.seat("fast")
        await asyncio.gather(slow.submit(frame(), take), fast.submit(frame(), take))
        waiting = fast.submit(frame(), take)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
        stage.host.leave(slow)
        assert (await waiting).start == 1

    run(play, slots=2)


def test_cancelling_during_a_step_drops_its_result_and_closes_after_it() -> None:
    """The step goes on for the others; the slot is closed when it is over, and only then given away."""

    async def play(stage: Stage) -> None:
        one, other = await stage.seat("one"), await stage.seat("other")
        stage.model.gate.clear()
        dropped, kept = one.submit(frame(), take), other.submit(frame(), take)
        for _ in range(20):
            await asyncio.sleep(0)
        dropped.cancel()
        stage.host.leave(one)
        stage.model.gate.set()
        assert (await kept).start == 0
        stage.host.leave(other)
        assert await stage.talk("next", 2) == expected(2)
        calls = stage.model.calls
        assert calls.index("step 01") < calls.index("close 0") < calls.index("open 0", 3)

    run(play, slots=2)


def test_a_step_never_blocks_the_event_loop() -> None:
    """While the model computes, other tasks of the process run."""

    async def play(stage: Stage) -> None:
        tenant = await stage.seat("s")
        stage.model.gate.clear()
        answer = tenant.submit(frame(), take)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not answer.done()
        stage.model.gate.set()
        assert (await answer).start == 0

    run(play)


def test_a_row_of_nan_fails_its_own_session_only() -> None:
    """Frame and slot are named; the others go on, and the slot can be used again."""

    async def play(stage: Stage) -> None:
        bad = asyncio.ensure_future(stage.talk("bad", 5, Plan(nan_at=2)))
        good = asyncio.ensure_future(stage.talk("good", 8))
        assert await good == expected(8)
        with pytest.raises(ActorError, match=r"watched: frame 2 of slot 0 is not a number"):
            await bad
        assert await stage.talk("after", 3) == expected(3)

    run(play, slots=2)


def test_an_exception_in_a_step_fails_everybody_and_poisons_the_host() -> None:
    """Model and step are named; who queues fails with the same cause; nobody hangs."""

    async def play(stage: Stage) -> None:
        jobs = [stage.talk("bad", 5, Plan(fail_at=1)), stage.talk("good", 5), stage.talk("queued", 5)]
        results = await asyncio.gather(*jobs, return_exceptions=True)
        assert [str(result) for result in results] == ["watched: step 2 failed: out of luck"] * 3
        with pytest.raises(ActorError, match="out of luck"):
            await stage.talk("later", 1)

    run(play, slots=2)


@pytest.mark.parametrize(("breach", "told"), [
    ("nothing", "gave NoneType, no StepOutput"), ("rows", r"float32 \(1, 640\), expected float32 \(2, 640\)"),
    ("short", r"\(2, 639\)"), ("flat", r"\(640,\)"), ("doubles", "float64"), ("list", "pcm of type list"),
])  # fmt: skip
def test_a_step_that_gives_something_else_fails_everybody_with_what_it_gave(breach: str, told: str) -> None:
    """Nobody hangs, and nobody is completed with half a frame."""

    async def play(stage: Stage) -> None:
        jobs = [stage.talk("bad", 5, Plan(breach=breach)), stage.talk("good", 5)]
        for result in await asyncio.gather(*jobs, return_exceptions=True):
            assert isinstance(result, ActorError)
            assert re.search(f"watched: step 3 .*{told}", str(result))

    run(play, slots=2)


@pytest.mark.parametrize("lead_in", [-1, 1.5, None])
def test_a_lead_in_that_is_no_number_of_steps_fails_its_session(lead_in: Any) -> None:
    """It is refused when the slot is opened; the others go on."""

    async def play(stage: Stage) -> None:
        with pytest.raises(ActorError, match="opening slot 0 gave a lead-in of"):
            await stage.talk("bad", 3, msgspec.structs.replace(PLAIN, lead_in=lead_in))
        assert await stage.talk("good", 3) == expected(3)

    run(play, slots=2)


def test_restart_loads_the_model_again_for_those_who_queue() -> None:
    """The sessions in the batch fail, the queue is served by a fresh model, once."""

    async def play(stage: Stage) -> None:
        jobs = [stage.talk("bad", 5, Plan(fail_at=1)), stage.talk("good", 5), stage.talk("queued", 5)]
        results = await asyncio.gather(*jobs, return_exceptions=True)
        assert isinstance(results[0], ActorError)
        assert isinstance(results[1], ActorError)
        assert results[2] == expected(5)
        assert len(stage.models) == 2
        with pytest.raises(ActorError):
            await stage.talk("bad again", 5, Plan(fail_at=1))
        with pytest.raises(ActorError):
            await stage.talk("later", 1)

    run(play, slots=2, restarts=1)


def test_a_model_that_cannot_be_loaded_fails_every_session_with_the_reason() -> None:
    """Loading is tried once; everybody hears why it failed."""

    async def main() -> None:
        host = ModelHost(CounterSpec(broken_load=True), Placement())
        for _ in range(2):
            with pytest.raises(ActorError, match="counter could not be loaded: the file is torn"):
                await host.claim("s")
        host.close()

    anyio.run(main)


def test_sessions_whose_models_differ_in_the_prompt_only_share_a_host() -> None:
    """The prompt is a session's own; device and slots are the model's."""
    shared: dict[Any, Any] = {}
    one = shared_host(shared, CounterSpec(prompt=Plan(lead_in=1)), Placement(), realtime=False)
    assert shared_host(shared, CounterSpec(), Placement(), realtime=False) is one
    assert shared_host(shared, CounterSpec(), Placement(slots=2), realtime=False) is not one
    assert shared_host(shared, CounterSpec(), Placement(), realtime=True) is not one


def test_on_the_wall_clock_a_full_host_refuses_unless_told_to_wait() -> None:
    """No slot: one sentence at once; with `wait` after that time, or a slot if one is given back."""

    async def play(stage: Stage) -> None:
        tenant = await stage.seat("first")
        with pytest.raises(ActorError, match="all 1 slots are taken"):
            await stage.host.claim("second")
        with pytest.raises(ActorError, match=r"waited 0\.01 s"):
            await stage.host.claim("second", wait_s=0.01)
        waiting = asyncio.ensure_future(stage.host.claim("third", wait_s=10))
        await asyncio.sleep(0)
        stage.host.leave(tenant)
        assert (await waiting).slot == 0

    run(play, slots=1, realtime=True)


def test_on_the_wall_clock_nobody_waits_for_a_late_session() -> None:
    """The late one is stepped with silence and answered with silence, one underrun; its next is heard."""

    async def play(stage: Stage) -> None:
        late, prompt = await asyncio.gather(stage.seat("late"), stage.seat("prompt"))
        await asyncio.gather(late.submit(frame(), take), prompt.submit(frame(), take))
        await asyncio.sleep(AUDIO.step_s)
        assert (await prompt.submit(frame(0.5), take)).samples[0] == 1.5
        answer = await late.submit(frame(0.5), take)
        assert not answer.samples.any()
        assert stage.host.meter.underruns == 1
        both = await asyncio.gather(late.submit(frame(0.25), take), prompt.submit(frame(), take))
        assert both[0].samples[0] == 2.25

    run(play, slots=2, realtime=True)


def test_on_the_wall_clock_a_late_step_is_silence() -> None:
    """A step that takes longer than it lasts is answered with silence, one underrun; the next is heard."""

    async def play(stage: Stage) -> None:
        tenant = await stage.seat("s")
        await tenant.submit(frame(), take)
        stage.model.gate.clear()
        slow = tenant.submit(frame(0.5), take)
        asyncio.get_running_loop().call_later(2 * AUDIO.step_s, stage.model.gate.set)
        assert not (await slow).samples.any()
        assert stage.host.meter.underruns == 1
        assert (await tenant.submit(frame(0.25), take)).samples[0] == 2.25

    run(play, slots=1, realtime=True)


def test_sound_beyond_all_measure_is_still_numbers() -> None:
    """A row whose energy overflows fails nobody, and silence is told from sound for each row."""

    async def play(stage: Stage) -> None:
        loud, quiet = await asyncio.gather(stage.seat("loud"), stage.seat("quiet"))
        told: dict[str, SlotAnswer] = {}

        def keep(name: str) -> Callable[[SlotAnswer], AudioFrame]:
            return lambda answer: told.update({name: answer}) or take(answer)  # type: ignore[func-returns-value]

        await asyncio.gather(loud.submit(frame(1e30), keep("loud")), quiet.submit(frame(0.0), keep("quiet")))
        assert told["loud"].pcm[0] == np.float32(1e30)
        assert (told["loud"].sounds, told["quiet"].sounds) == (True, False)

    run(play)
