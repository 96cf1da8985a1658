"""Rules of a punctual seat: what comes in before an answer is due is in it, through own frames and replays, too."""

from collections.abc import Iterator
from typing import Any

import anyio
import numpy as np
import pytest

from agents.remote.peer_core import Actions, Message
from agents.remote.peer_replay import PeerReplay
from agents.remote.trace import Trace, TraceHeader, TraceRecord
from simulator.actor import Actor, ActorSpec, Context, PunctualActor
from simulator.call.punctual_seat import Prompt, PunctualSeat
from simulator.call.seat import Seat
from simulator.clock import VirtualClock
from simulator.errors import ActorError, RemoteError, SimulatorError
from simulator.events import EventLog, Party
from simulator.frame import AudioFrame, Samples, silence
from simulator.traits import AudioFormat, StepTraits
from simulator.world.world import World

FRAME = 480


class Told(PunctualActor):
    """Says the number that it was told last."""

    def __init__(self, form: AudioFormat) -> None:
        self.traits = StepTraits(format=form, threaded=False)
        self.heard: list[int] = []
        self.number = 0
        self.failing: Exception | None = None

    def hear(self, heard: AudioFrame) -> None:
        """Note where the frame starts."""
        self.heard.append(heard.start)
        self._count = len(heard.samples)

    def answer(self) -> AudioFrame:
        """Say the number."""
        if self.failing is not None:
            raise self.failing
        return AudioFrame(0, np.full(self._count, self.number / 1024, np.float32))


class ToldSpec(ActorSpec, frozen=True, kw_only=True, tag="told"):
    """A spec that builds the actor it was given."""

    actor: Any

    def build(self) -> Actor:
        """Give the actor."""
        return self.actor


def seated(actor: Told) -> PunctualSeat:
    """Seat the actor in frames of 20 ms and start it."""
    seat = Seat("agent", ToldSpec(actor=actor), 24_000, FRAME, EventLog())
    assert seat.punctual is not None
    found = PunctualSeat(seat, seat.punctual, FRAME)
    anyio.run(found.start, None)
    return found


def value(samples: Samples) -> int:
    """The number that every sample holds."""
    (found,) = np.unique(np.rint(samples * 1024)).astype(int)
    return int(found)


def said_by(actor: Told, ticks: int) -> list[int]:
    """What is said in each tick by one that is told the number 10 + tick at its border."""
    seat = seated(actor)
    said = []
    for tick in range(ticks):
        actor.number = 10 + tick
        said.append(value(seat.take(tick)))
        seat.hear(AudioFrame(tick * FRAME, silence(FRAME)))
    return said


def test_what_is_told_before_an_answer_is_due_is_said_with_it() -> None:
    """The frame of tick k is heard in it; what is told behind that is said in tick k + 1."""
    actor = Told(AudioFormat())
    assert said_by(actor, 4) == [10, 11, 12, 13]
    assert actor.heard == [-FRAME, 0, FRAME, 2 * FRAME, 3 * FRAME]


def test_an_own_frame_of_two_ticks_is_answered_when_the_first_of_the_next_two_is_said() -> None:
    """Told within a frame that is being said it is too late for that one; told at its border it is not."""
    actor = Told(AudioFormat(frame_ms=40))
    assert said_by(actor, 6) == [10, 10, 12, 12, 14, 14]
    assert actor.heard == [-2 * FRAME, 0, 2 * FRAME, 4 * FRAME]


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        (RemoteError("far end left"), (RemoteError, "far end left")),
        (ValueError("no idea"), (ActorError, r"the agent \(told\) failed: ValueError: no idea")),
    ],
)
def test_who_fails_when_asked_is_named(failing: Exception, told: tuple[type[SimulatorError], str]) -> None:
    """Its own sentence where it is one of ours, and the party either way."""
    actor = Told(AudioFormat())
    seat = seated(actor)
    actor.failing = failing
    with pytest.raises(told[0], match=told[1]) as found:
        seat.take(0)
    assert found.value.party == "agent"


class Later:
    """Something to be waited for."""

    def __await__(self) -> Iterator[None]:
        yield


class Prompted(Actor):
    """Says how many frames it has heard, at once or later."""

    traits = StepTraits(prompt=True)

    def __init__(self, *, later: bool = False) -> None:
        self._later = later
        self._count = 0

    def step(self, heard: AudioFrame) -> Any:
        """Count the frame."""
        self._count += 1
        answer = AudioFrame(0, np.full(len(heard.samples), self._count / 1024, np.float32))
        return Later() if self._later else answer


def prompt_seat(actor: Actor) -> PunctualSeat:
    """Seat an actor whose steps are taken in the tick."""
    seat = Seat("user", ToldSpec(actor=actor), 24_000, FRAME, EventLog())
    return PunctualSeat(seat, Prompt(seat.plain_step), FRAME)


def test_a_prompt_actor_has_answered_when_it_has_heard() -> None:
    """The silent frame before time 0 is the first one; every tick says the answer to the frame before it."""
    seat = prompt_seat(Prompted())
    anyio.run(seat.start, None)
    said = []
    for tick in range(3):
        said.append(value(seat.take(tick)))
        seat.hear(AudioFrame(tick * FRAME, silence(FRAME)))
    assert said == [1, 2, 3]


def test_who_answers_later_is_not_prompt() -> None:
    """Nobody waits in a tick."""
    with pytest.raises(ActorError, match=r"an actor that answers later cannot say `prompt=True` in its traits"):
        prompt_seat(Prompted(later=True)).hear(AudioFrame(0, silence(FRAME)))


class Noting:
    """A core that notes in which order it is called."""

    protocol, version, format, ready, done, ended = "noting", 1, AudioFormat(), True, False, True

    def __init__(self) -> None:
        self.actions = Actions()
        self.calls: list[Any] = []

    def begin(self, party: Party, *, noisy: bool, world: World | None = None) -> None:
        """Nothing to learn."""

    def opening(self) -> list[Message]:
        """Nothing to send."""
        return []

    def receive(self, message: Message, at: int) -> None:
        """Note the message."""
        self.calls.append((message["n"], at))

    def lost(self, reason: str, at: int) -> None:
        """Never in this test."""

    def hear(self, samples: Samples, at: int) -> None:
        """Note it."""
        self.calls.append(("hear", at))

    def say(self, count: int, at: int) -> Samples:
        """Note it."""
        self.calls.append(("say", at))
        return silence(count)

    def close(self, at: int) -> None:
        """Nothing to account for."""


def test_a_replay_acts_on_messages_in_the_halves_of_the_steps_in_which_they_were_acted_on() -> None:
    """Those before what was heard, those behind it, and one without the word, as older traces have them."""
    header = TraceHeader(
        party="agent", protocol="noting", version=1, spec={}, input_rate=24_000, output_rate=24_000, frame_samples=FRAME
    )
    places = [(-1, False), (0, True), (FRAME, False), (FRAME, True), (2 * FRAME, False)]
    records = tuple(
        TraceRecord(party="agent", at=at, dir="received", json={"n": n}, after_heard=behind)
        for n, (at, behind) in enumerate(places)
    )
    core = Noting()
    actor = PeerReplay(core, Trace(header=header, records=records))
    context = Context(
        party="agent", input_rate=24_000, output_rate=24_000, input_samples=FRAME, output_samples=FRAME,
        clock=VirtualClock(), realtime=False, line_has_channels=False, rng=np.random.default_rng(0), emit=_unheard,
    )  # fmt: skip
    anyio.run(actor.start, context)
    for start in (-FRAME, 0, FRAME):
        actor.step(AudioFrame(start, silence(FRAME)))
    two = 2 * FRAME
    assert core.calls == [
        (0, -1), (1, 0), ("say", 0), (2, FRAME), ("hear", FRAME), (3, FRAME), ("say", FRAME),
        (4, two), ("hear", two), ("say", two),
    ]  # fmt: skip


def _unheard(at: int, type_: str, /, **fields: Any) -> None:
    """Events are of no interest here."""
