"""Rules of the tick: who hears what when, on the virtual clock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import msgspec
import numpy as np
import pytest

from simulator.actor import Actor, ActorSpec, Context, Latency
from simulator.call.chance import ACTORS, CHANNELS, INJECTORS, generator
from simulator.call.conversation import Conversation
from simulator.call.recording import Recorder
from simulator.call.surroundings import Surroundings
from simulator.call.turns_begun import TurnsBegun
from simulator.clock import WallClock
from simulator.errors import ActorError
from simulator.events import Event, EventLog
from simulator.frame import AudioFrame, silence
from simulator.line import ChannelContext, ChannelSpec, Lines
from simulator.own_frame import shape_of
from simulator.scenario import Scenario, to_yaml
from simulator.session import Session, SessionMeta, read_session
from simulator.spec import Duration, decode
from simulator.testing import Bursts, burst
from simulator.traits import AudioFormat, StepTraits

RATE = 24_000
FRAME = 480


class Given(ActorSpec, frozen=True, kw_only=True, tag="given"):
    """A spec that builds the actor it was given: for tests that keep hold of their actor."""

    actor: Any

    def build(self) -> Actor:
        """Give the actor."""
        return self.actor


def converse(folder: Path, user: ActorSpec | Actor, agent: ActorSpec | Actor, **fields: Any) -> Session:
    """Run two given actors against each other and read the session back."""
    anyio.run(conversation(folder, user, agent, **fields).run)
    return read_session(folder / "t-0")


def conversation(folder: Path, user: ActorSpec | Actor, agent: ActorSpec | Actor, **fields: Any) -> Conversation:
    """A conversation of two given actors that is still to be run."""
    plain = {"name": "t", "user": "silent", "agent": "silent", "duration": "1s", **fields}
    scenario: Scenario = decode(plain, Scenario, source="t", folder=folder)
    parties = {
        party: actor if isinstance(actor, ActorSpec) else Given(actor=actor)
        for party, actor in (("user", user), ("agent", agent))
    }
    meta = SessionMeta(format=1, id="t-0", scenario="t", sample_rate=RATE, frame_ms=20)
    recorder = Recorder(folder / "t-0", meta, to_yaml(scenario), heard=True)
    return Conversation(msgspec.structs.replace(scenario, **parties), recorder, Surroundings())


def test_first_step_hears_one_silent_frame_before_time_zero(tmp_path: Path) -> None:
    """Before tick 0 each actor is stepped once with a silent frame that starts at -frame."""
    user, agent = Bursts([]), Bursts([])
    converse(tmp_path, user, agent)
    assert [frame.start for frame in user.heard[:3]] == [-FRAME, 0, FRAME]
    assert not user.heard[0].samples.any()
    assert len(agent.heard) == 50 == len(user.heard)


def test_what_is_said_in_a_tick_is_heard_in_that_tick_and_answered_in_the_next(tmp_path: Path) -> None:
    """said[k] and heard[k] lie at the same samples; the step that hears it answers in k+1."""
    user, agent = Bursts([(0, 960)]), Echo()
    session = converse(tmp_path, user, agent)
    said = session.said("user")
    assert np.array_equal(said[:960], burst(960))
    assert np.array_equal(session.heard("agent")[:960], said[:960])
    assert np.array_equal(session.said("agent")[FRAME : FRAME + 960], said[:960])


class Echo(Actor):
    """Says what it hears, as soon as it may."""

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Say it."""
        return AudioFrame(heard.start + len(heard.samples), heard.samples)


class AsyncEcho(Actor):
    """The same, later."""

    async def step(self, heard: AudioFrame) -> AudioFrame:
        """Say it after letting others run."""
        await anyio.lowlevel.checkpoint()
        return AudioFrame(heard.start + len(heard.samples), heard.samples)


@pytest.mark.parametrize("agent", [Echo, AsyncEcho])
@pytest.mark.parametrize("user", [Echo, AsyncEcho])
def test_plain_and_async_steps_give_the_same_session(tmp_path: Path, user: type[Actor], agent: type[Actor]) -> None:
    """Whether a step is plain or async is nobody's business: the same samples at the same places."""
    session = converse(tmp_path / "a", Bursts([(0, 700)]), agent())
    assert np.array_equal(session.said("agent")[FRAME : FRAME + 700], burst(700))
    assert np.array_equal(converse(tmp_path / "b", user(), agent()).said("user"), silence(RATE))


@pytest.mark.parametrize("ticks", [1, 2, 4])
def test_an_actor_with_a_longer_frame_answers_one_own_frame_later(tmp_path: Path, ticks: int) -> None:
    """An actor's frame of m ticks: it hears ticks j*m..., and its answer is said in ticks (j+1)*m...."""
    agent = Echo()
    agent.traits = StepTraits(format=AudioFormat(frame_ms=20.0 * ticks))
    session = converse(tmp_path, Bursts([(0, 500)]), agent)
    assert np.array_equal(session.said("agent")[ticks * FRAME : ticks * FRAME + 500], burst(500))


@pytest.mark.parametrize(("inward", "outward"), [(16_000, 24_000), (8_000, 8_000), (48_000, 16_000), (22_050, 44_100)])
def test_an_edge_delays_by_what_the_session_states_and_by_nothing_else(
    tmp_path: Path, inward: int, outward: int
) -> None:
    """Resampling at an edge adds a constant delay in whole ticks, stated beforehand, and keeps the sound in place."""
    spans: list[tuple[int, int]] = [(4800, 9600)]
    agent = Echo()
    agent.traits = StepTraits(format=AudioFormat(input_rate=inward, output_rate=outward))
    if inward != outward:
        agent = Rescaling(inward, outward)
    shape = shape_of(agent.traits.format, RATE, FRAME)
    session = converse(tmp_path, SmoothBurst(spans), agent)
    delay = shape.input_delay + shape.output_delay + shape.ticks * FRAME
    assert shape.input_delay % FRAME == 0 == shape.output_delay % FRAME
    said = session.said("user")[: RATE - delay].astype(np.float64)
    echoed = session.said("agent")[delay:].astype(np.float64)
    lags = range(-20, 21)
    match = [float(np.dot(said[100:-100], np.roll(echoed, lag)[100:-100])) for lag in lags]
    assert lags[int(np.argmax(match))] == 0


class SmoothBurst(Bursts):
    """A windowed tone instead of noise: it survives any resampling with its shape."""

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Say the tone where the stretch lies."""
        count = len(heard.samples)
        start = heard.start + count
        ((begin, end),) = self._stretches
        n = np.arange(start, start + count)
        inside = (n >= begin) & (n < end)
        shape = np.sin(np.pi * (n - begin) / (end - begin)) ** 2
        return AudioFrame(start, (0.3 * inside * shape * np.sin(2 * np.pi * 440 * n / RATE)).astype(np.float32))


class Rescaling(Actor):
    """Hears at one rate and says the same at another, whole frames resampled by linear interpolation."""

    def __init__(self, inward: int, outward: int) -> None:
        self.traits = StepTraits(format=AudioFormat(input_rate=inward, output_rate=outward))
        self._ratio = outward / inward
        self._last = 0.0

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Say it at the other rate."""
        count = round(len(heard.samples) * self._ratio)
        places = np.arange(count) / self._ratio
        known = np.concatenate([heard.samples, heard.samples[-1:]])
        return AudioFrame(0, np.interp(places, np.arange(len(known)), known).astype(np.float32))


def test_a_fixed_latency_delays_the_whole_output(tmp_path: Path) -> None:
    """`latency: 50ms` is rounded up to ticks and delays everything the actor says."""
    said = converse(tmp_path, Bursts([]), Given(actor=Bursts([(0, 480)]), latency=Latency("50ms"))).said("agent")
    assert not said[: 3 * FRAME].any()
    assert np.array_equal(said[3 * FRAME : 4 * FRAME], burst(480))


class Failing(Actor):
    """Fails in the tenth step."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._steps = 0
        self.closed = False

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Fail, sooner or later."""
        self._steps += 1
        if self._steps == 10:
            if isinstance(self._answer, Exception):
                raise self._answer
            return AudioFrame(0, self._answer)
        return AudioFrame(0, silence(len(heard.samples)))

    async def close(self) -> None:
        """Take note."""
        self.closed = True


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (ValueError("no idea"), "ValueError: no idea"),
        (np.zeros(7, np.float32), "7 samples in a frame of 480"),
        (np.full(480, np.nan, np.float32), "not numbers"),
    ],
)
def test_an_actor_that_fails_is_named_and_what_was_recorded_stays(tmp_path: Path, answer: Any, complaint: str) -> None:
    """A failure ends the session with one sentence; both actors are closed and the sound so far can be read."""
    agent, user = Failing(answer), Bursts([(0, 480)])
    with pytest.raises(ActorError, match=complaint):
        converse(tmp_path, user, agent)
    session = read_session(tmp_path / "t-0")
    assert session.meta.status == "failed"
    assert complaint in (session.meta.problem or "")
    assert session.duration == 9 * FRAME
    assert agent.closed
    assert user.closed == 1


def test_duration_is_rounded_up_to_whole_ticks(tmp_path: Path) -> None:
    """A session is a whole number of ticks."""
    assert converse(tmp_path, Bursts([]), Bursts([]), duration="1.001s").duration == 51 * FRAME


def test_a_session_may_end_after_a_party_is_done(tmp_path: Path) -> None:
    """`duration: {after: user, tail: t}` ends t after the tick in which the user has said all it will."""
    duration = {"after": "user", "tail": "330ms", "at_most": "60s"}
    user = Finite([(0, 3 * FRAME)])
    assert converse(tmp_path, user, Bursts([]), duration=duration).duration == 3 * FRAME + round(0.34 * RATE)


def test_the_end_waits_for_what_latency_and_frame_hold_back(tmp_path: Path) -> None:
    """What the party has answered is said before the tail begins: its thinking time and its long frame count."""
    duration = {"after": "user", "tail": "20ms", "at_most": "60s"}
    late = Given(actor=Finite([(0, 3 * FRAME)]), latency=Latency("100ms"))
    session = converse(tmp_path / "late", late, Bursts([]), duration=duration)
    assert session.duration == (3 + 5 + 1) * FRAME
    assert np.array_equal(session.said("user")[5 * FRAME : 8 * FRAME], burst(3 * FRAME))
    slow = Finite([(0, 4 * FRAME)])
    slow.traits = StepTraits(format=AudioFormat(frame_ms=80))
    session = converse(tmp_path / "slow", slow, Bursts([]), duration=duration)
    assert session.duration == (4 + 1) * FRAME
    assert np.array_equal(session.said("user")[: 4 * FRAME], burst(4 * FRAME))


def test_measured_thinking_cuts_what_was_not_said_in_time(tmp_path: Path) -> None:
    """What a slow party has answered and not said by the end is cut there, like any other utterance."""
    slow = Talking([(0, RATE)])
    slow.last_cost_s = 0.2
    session = converse(tmp_path, Given(actor=slow, latency=Latency("measured")), Bursts([]))
    (begun,), (ended,) = session.by_type["speech_start"], session.by_type["speech_end"]
    assert begun.at == 10 * FRAME
    assert (ended.at, ended.cut) == (RATE, True)
    assert ended.said_samples == RATE - begun.at


class Talking(Bursts):
    """Tells of its first burst; only its first frame costs anything."""

    async def start(self, context: Context) -> None:
        """Begin the utterance."""
        await super().start(context)
        context.emit(0, "speech_start", id="a", role="turn", text="", planned_samples=0, words=[])

    async def close(self) -> None:
        """End it where its answers ended."""
        frame = self.heard[-1]
        end = frame.start + 2 * len(frame.samples)
        self.context.emit(end, "speech_end", id="a", said_samples=end, cut=True)


class Finite(Bursts):
    """Says its bursts and is done."""

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Note when the last one has been said."""
        frame = super().step(heard)
        self.done = frame.start + len(frame.samples) >= max(end for _, end in self._stretches)
        return frame


@pytest.mark.parametrize("clock", ["virtual", "wall"])
def test_a_line_that_breaks_is_named_and_no_party_is_blamed(tmp_path: Path, clock: str) -> None:
    """A channel of somebody's package that fails ends the session with its own fault told."""
    plain = {"name": "t", "user": "silent", "agent": "silent", "duration": "200ms", "clock": clock}
    scenario: Scenario = decode(plain, Scenario, source="t", folder=tmp_path)
    scenario = msgspec.structs.replace(scenario, lines=Lines(user_to_agent=[BreakingSpec()]))  # type: ignore[list-item]
    meta = SessionMeta(format=1, id="t-0", scenario="t", sample_rate=RATE, frame_ms=20)
    conversation = Conversation(scenario, Recorder(tmp_path / "t-0", meta, "", heard=True), Surroundings())
    with pytest.raises(ActorError, match=r"a channel or an injector failed at t=0\.04 s: ZeroDivisionError"):
        anyio.run(conversation.run)
    assert read_session(tmp_path / "t-0").meta.status == "failed"


class BreakingSpec(ChannelSpec, frozen=True, kw_only=True, tag="breaking"):
    """A channel that fails at its third frame."""

    def build(self, context: ChannelContext) -> "BreakingSpec":
        """Give the channel, which needs nothing."""
        return self

    @property
    def delay_samples(self) -> int:
        """No delay."""
        return 0

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry two frames, then divide by zero."""
        return frame if frame.start < 2 * FRAME else AudioFrame(frame.start // 0, frame.samples)


def test_when_one_party_fails_the_others_step_is_over_before_the_session_is(tmp_path: Path) -> None:
    """Nobody is left with a request that runs on: the step that waits is cancelled, then its actor is closed."""
    waiting = Waiting()
    with pytest.raises(ActorError, match=r"the user \(given\) failed at t=0\.02 s: ValueError: no answer"):
        converse(tmp_path, Refusing(), waiting)
    assert waiting.noted == ["cancelled", "closed"]


class Refusing(Actor):
    """Answers late, and its second frame not at all."""

    async def step(self, heard: AudioFrame) -> AudioFrame:
        """Let the other begin its step first."""
        await anyio.lowlevel.checkpoint()
        if heard.start >= 0:
            raise ValueError("no answer")
        return AudioFrame(0, silence(FRAME))


class Waiting(Actor):
    """Waits for ever for the answer to its second frame, and notes how that ended."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    async def step(self, heard: AudioFrame) -> AudioFrame:
        """Wait."""
        try:
            if heard.start >= 0:
                await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            self.noted.append("cancelled")
            raise
        return AudioFrame(0, silence(FRAME))

    async def close(self) -> None:
        """Note it."""
        self.noted.append("closed")


def test_an_interrupted_session_lets_its_actors_leave_first(tmp_path: Path) -> None:
    """Saying goodbye to a far end takes a while; it is waited for, and what was recorded stays."""

    async def interrupted() -> Leaving:
        with anyio.CancelScope() as scope:
            leaving = Leaving(scope.cancel)
            await conversation(tmp_path, Bursts([]), leaving).run()
        return leaving

    leaving = anyio.run(interrupted)
    assert leaving.left
    meta = read_session(tmp_path / "t-0").meta
    assert (meta.status, meta.problem) == ("interrupted", "interrupted")


class Leaving(Actor):
    """Interrupts everything in its tenth step, and takes its time to leave."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self.left = False
        self._steps = 0

    async def step(self, heard: AudioFrame) -> AudioFrame:
        """Say nothing; at the checkpoint it is interrupted itself."""
        self._steps += 1
        if self._steps == 10:
            self._interrupt()
        await anyio.lowlevel.checkpoint()
        return AudioFrame(0, silence(FRAME))

    async def close(self) -> None:
        """Note it, once others have had their turn."""
        await anyio.lowlevel.checkpoint()
        self.left = True


def test_who_runs_a_conversation_hears_its_events_and_what_its_status_adds(tmp_path: Path) -> None:
    """One of two responses failed: both are told as they are noted, and the session completes with a remark."""
    told: list[Event] = []
    one = conversation(tmp_path, Bursts([]), Asked())
    one.log.listen = told.append
    anyio.run(one.run)
    assert [event.type for event in told] == ["response_start", "response_start", "response_failed"]
    assert one.remark == "given failed 1 of 2 responses: no tokens left"


class Asked(Bursts):
    """Asks its far end twice, and gets one answer."""

    def __init__(self) -> None:
        super().__init__([])

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Tell of it in the first frame."""
        if heard.start == 0:
            self.context.emit(FRAME, "response_start", id="a")
            self.context.emit(FRAME, "response_start", id="b")
            self.context.emit(FRAME, "response_failed", id="b", by="given", reason="no tokens left")
        return super().step(heard)


def test_a_party_is_in_the_turn_of_the_other_that_began_last() -> None:
    """What claims no floor is no turn, nor is what begins at that very sample; a line hears nobody."""
    log = EventLog()
    begun = TurnsBegun(log)
    log.add(0, "speech_start", "user", role="turn", text="One.")
    log.add(500, "speech_start", "user", role="backchannel", text="Mm-hm.")
    log.add(900, "speech_start", "user", role="interruption", text="Two.")
    assert [begun.told("agent", at) for at in (0, 900, 901)] == [
        "", ", in turn 1 of the user ('One.')", ", in turn 2 of the user ('Two.')",
    ]  # fmt: skip
    assert begun.told("user", 901) == begun.told("line", 901) == ""


class Talkative(Bursts):
    """Says a burst, tells an utterance, and hangs up when asked to."""

    def __init__(self, start: int, end: int, hangs_up_at: int | None = None) -> None:
        super().__init__([(start, end)])
        self._end = end
        self._hangs_up_at = hangs_up_at

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Tell what is known."""
        now = heard.start + len(heard.samples)
        self.done = now + len(heard.samples) >= self._end
        if self._hangs_up_at == now:
            self.context.emit(now, "hung_up")
        return super().step(heard)


@pytest.mark.parametrize("party", ["user", "agent"])
def test_a_second_after_somebody_hung_up_a_session_is_over(tmp_path: Path, party: str) -> None:
    """Either party may; a goodbye that is under way is still heard."""
    parties: dict[str, Any] = {"user": Bursts([]), "agent": Bursts([])}
    parties[party] = Talkative(0, FRAME, hangs_up_at=50 * FRAME)
    session = converse(tmp_path, **parties, duration="10s")
    assert [event.party for event in session.by_type["hung_up"]] == [party]
    assert session.duration == 50 * FRAME + RATE


@pytest.mark.parametrize(
    ("user", "agent", "seconds"),
    [
        # The question ends at 1.0 s; the answer is heard from 1.5 to 3.0 s, and silence for 0.5 s ends the session.
        ((0, 24_000), [(36_000, 72_000)], 3.5),
        # A pause of 0.4 s in the answer is part of it.
        ((0, 24_000), [(36_000, 48_000), (57_600, 72_000)], 3.5),
        # What was said before the question was over is no answer to it; 2 s of patience begin at its end.
        ((0, 24_000), [(0, 12_000)], 3.0),
        # An answer without end is cut off by at_most.
        ((0, 24_000), [(36_000, 480_000)], 6.0),
    ],
)
def test_a_session_ends_when_the_agent_has_answered(
    tmp_path: Path, user: tuple[int, int], agent: list[tuple[int, int]], seconds: float
) -> None:
    """`duration: {answered: 500ms}`: nothing is cut off, and nothing is waited for that has come."""
    duration = {"answered": "500ms", "no_answer": "2s", "at_most": "6s"}
    session = converse(tmp_path, Talkative(*user), Bursts(agent), duration=duration)
    assert session.duration == round(seconds * RATE)


def test_durations_are_written_with_a_unit() -> None:
    """A Duration reads and writes itself."""
    for text in ("20ms", "1.5s", "300ms", "62.5ms", "90s"):
        assert str(Duration.__decode__(text, lambda value, kind: value)) == text


def test_what_a_seed_means_stays() -> None:
    """Seed, group (0 actors, 1 injectors, 2 channels), party (0 the user), position: a stored session is made again."""
    for group, number in ((ACTORS, 0), (INJECTORS, 1), (CHANNELS, 2)):
        assert generator(7, group, "user").random() == np.random.default_rng([7, number, 0, 0]).random()
    assert generator(7, CHANNELS, "agent", 3).random() == np.random.default_rng([7, 2, 1, 3]).random()


def test_a_wall_clock_on_time_is_late_by_nothing() -> None:
    """Of a moment ahead; one that has passed is missed by the time since."""
    clock = WallClock(RATE)
    assert anyio.run(clock.sleep_until, clock.now() + RATE // 100) < 0.01 + 0.5
    assert 1 <= anyio.run(clock.sleep_until, clock.now() - RATE) < 2
