"""The actor and the injector suites: what a call relies on, whoever plays a party or speaks with its mouth."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import anyio
import anyio.abc
import numpy as np

from simulator.actor import ActorSpec
from simulator.call.seat import Seat
from simulator.call.surroundings import Surroundings
from simulator.clock import VirtualClock
from simulator.events import EventLog, Party, other_party
from simulator.frame import AudioFrame, Samples, freeze, silence
from simulator.session import Session
from simulator.testing.cases import Case, Prepare, names_of, nothing, over
from simulator.testing.sessions import burst, bytes_of, play_session, scenario_of

RATE, FRAME = 24_000, 480
FRAMES = 150
SPOKEN_TO = range(60, 90)
"""The frames in which the other party is heard: late enough for an opening, with 1.2 s of silence behind it."""
CLOSING_LOOKS = 20
"""So often the loop goes round after a close: what was left to itself has had its turn by then."""


def actor_contract(cases: Sequence[Case], *, prepare: Prepare = nothing) -> type["ActorContract"]:
    """Give the tests that every actor on the virtual clock passes: `TestMine = actor_contract([{"kind": "mine"}])`.

    prepare(folder): writes the files that cases name.
    """
    return over(ActorContract, cases, names_of(cases), prepare=staticmethod(prepare))


def injector_contract(cases: Sequence[Case], *, prepare: Prepare = nothing) -> type["InjectorContract"]:
    """Give the tests that every injector passes; a case's cue should come true within three seconds of the talk.

    In the talk the user speaks, then the agent for some seconds, then the user again. prepare: as for actors.
    """
    return over(InjectorContract, cases, names_of(cases), prepare=staticmethod(prepare))


class ActorContract:
    """One frame out per frame in; seeded; what begins ends; nothing is left behind; blocks give the bytes of ticks."""

    prepare: ClassVar[Prepare]

    def test_a_frame_in_is_a_frame_out_at_its_place(self, case: Case, tmp_path: Path) -> None:
        """Every answer has the length heard and starts where that ended: float32, finite, in full scale, read-only."""
        for party in ("user", "agent"):
            said = anyio.run(self._stepped, self._spec(case, tmp_path, party), party)
            assert [frame.start for frame in said] == [index * FRAME for index in range(FRAMES + 1)]
            for frame in said:
                assert frame.samples.dtype == np.float32, f"samples are {frame.samples.dtype}, not float32"
                assert frame.samples.shape == (FRAME,), f"{FRAME} samples heard, {frame.samples.shape} said"
                assert not frame.samples.flags.writeable, "what is said can be changed: give it through freeze()"
                assert np.abs(frame.samples).max() <= 1.0, "a sample is beyond full scale, or no number"

    def test_who_promises_the_grid_keeps_to_it(self, case: Case, tmp_path: Path) -> None:
        """An actor whose traits say `on_grid` says samples that 16 bits hold exactly: nobody rounds them again."""
        spec = self._spec(case, tmp_path, "agent")
        if spec.build().traits.on_grid:
            for frame in anyio.run(self._stepped, spec, "agent"):
                assert np.array_equal(frame.samples * 32768, np.rint(frame.samples * 32768)), "off the int16 grid"

    def test_the_same_seed_gives_the_same_samples(self, case: Case, tmp_path: Path) -> None:
        """What is said depends on the spec, the seed and what is heard, and on nothing else."""
        spec = self._spec(case, tmp_path, "user")
        first, second = (anyio.run(self._stepped, spec, "user") for _ in range(2))
        same = all(np.array_equal(a.samples, b.samples) for a, b in zip(first, second, strict=True))
        assert same, "the same seed gave other samples: is there chance beside context.rng?"

    def test_a_cancelled_session_leaves_no_task(self, case: Case, tmp_path: Path) -> None:
        """Whatever an actor started ends with its session, also when that is cancelled in the middle."""
        anyio.run(self._cancelled, self._spec(case, tmp_path, "agent"))

    def test_nothing_is_told_after_the_close(self, case: Case, tmp_path: Path) -> None:
        """When `close` has returned, the actor has said and told its last."""
        anyio.run(self._closed, self._spec(case, tmp_path, "agent"))

    def test_it_can_play_both_parties(self, case: Case, tmp_path: Path) -> None:
        """Any two actors can be the two parties of a session, a kind against itself included."""
        type(self).prepare(tmp_path)
        session = play_session({"user": dict(case), "agent": dict(case), "duration": "3s"}, tmp_path)
        assert session.meta.status == "completed", session.meta.status
        assert session.duration == 3 * session.sample_rate

    def test_every_utterance_that_begins_ends(self, case: Case, tmp_path: Path) -> None:
        """speech_start and speech_end come in pairs and say how much was said, also where the session cuts it off."""
        type(self).prepare(tmp_path)
        utterances_end(play_session({"user": dict(case), "agent": "silent", "duration": "1100ms"}, tmp_path))

    def test_blocks_give_the_bytes_of_ticks(self, case: Case, tmp_path: Path) -> None:
        """Block by block (a BlockActor) and tick by tick a session sounds and tells the same (docs/engine.md)."""
        type(self).prepare(tmp_path)
        talk = {"user": dict(case), "agent": dict(case), "duration": "6s"}
        same_either_way({**talk, "user": dict(SPEAKER)}, tmp_path, "answering")
        same_either_way({**talk, "agent": "silent"}, tmp_path, "alone")

    def _spec(self, case: Case, folder: Path, party: Party) -> ActorSpec:
        type(self).prepare(folder)
        scenario = scenario_of({party: dict(case), other_party(party): "silent"}, folder)
        assert scenario.wall() is None, "the suite runs on the virtual clock; this kind has its own real time"
        return scenario.actor(party)

    async def _stepped(self, spec: ActorSpec, party: Party) -> list[AudioFrame]:
        """Start a seat, step it through a talk, close it; gives what it said."""
        async with anyio.create_task_group() as tasks:
            seat = await _started(spec, party, EventLog(), tasks)
            said = [await _step(seat, index) for index in range(-1, FRAMES)]
            await seat.actor.close()
        return said

    async def _cancelled(self, spec: ActorSpec) -> None:
        before = {task.id for task in anyio.get_running_tasks()}
        async with anyio.create_task_group() as tasks:
            seat = await _started(spec, "agent", EventLog(), tasks)
            for index in range(-1, SPOKEN_TO.stop - 10):
                await _step(seat, index)
            tasks.cancel_scope.cancel()
        await seat.actor.close()
        await _looks()
        left = [task.name for task in anyio.get_running_tasks() if task.id not in before]
        assert not left, f"tasks are still there after the close: {', '.join(map(str, left))}"

    async def _closed(self, spec: ActorSpec) -> None:
        log = EventLog()
        told: list[Any] = []
        async with anyio.create_task_group() as tasks:
            seat = await _started(spec, "agent", log, tasks)
            for index in range(-1, SPOKEN_TO.start // 4):
                await _step(seat, index)
            await seat.actor.close()
            log.listen = told.append
            await _looks()
            tasks.cancel_scope.cancel()
        assert not told, f"events after the close: {', '.join(event.type for event in told)}"


SPEAKER: Case = {
    "kind": "scripted",
    "turns": ["Hello there, can you hear me?", {"after": "agent_turn", "say": "Good."}],
}
"""Whom an actor answers, and whom an injector speaks beside."""
ANSWERER: Case = {
    "kind": "cascade",
    "opening": "Good evening, this is the restaurant, how can I help you tonight?",
    "replies": [{"say": "Certainly, there is a table by the window, and another one near the door."}],
}


class InjectorContract:
    """Seeded; what begins ends; several frames at once give the bytes of one by one."""

    prepare: ClassVar[Prepare]

    def test_the_same_seed_gives_the_same_bytes(self, case: Case, tmp_path: Path) -> None:
        """What is added, and when, depends on the spec, the seed and who spoke when."""
        first, second = (self._played(case, tmp_path / name) for name in ("first", "second"))
        assert bytes_of(first) == bytes_of(second), "the same seed gave another session"

    def test_every_utterance_that_begins_ends(self, case: Case, tmp_path: Path) -> None:
        """What is said is told from its start to its end; the end of a session cuts what is left."""
        utterances_end(self._played(case, tmp_path / "talk"))

    def test_blocks_give_the_bytes_of_ticks(self, case: Case, tmp_path: Path) -> None:
        """Block by block (a BlockInjector) and tick by tick a session sounds the same and tells the same."""
        type(self).prepare(tmp_path)
        same_either_way(_talk(case), tmp_path, "talk")

    def _played(self, case: Case, folder: Path) -> Session:
        folder.mkdir()
        type(self).prepare(folder)
        session = play_session(_talk(case), folder)
        assert session.meta.status == "completed", session.meta.status
        return session


def utterances_end(session: Session) -> None:
    """Fail where an utterance has no end, or its end does not tell what was said of it."""
    starts = {event.id: event for event in session.by_type.get("speech_start", [])}
    ends = {event.id: event for event in session.by_type.get("speech_end", [])}
    assert starts.keys() == ends.keys(), f"begun but not ended, or the reverse: {sorted(starts.keys() ^ ends.keys())}"
    for name, end in ends.items():
        lasted = end.at - starts[name].at
        assert end.said_samples == lasted, f"{name} lasted {lasted} samples and tells {end.said_samples}"
        assert end.cut == (end.said_samples < starts[name].planned_samples), f"{name} is wrong about being cut"


def same_either_way(talk: Case, folder: Path, name: str) -> None:
    """Fail where a session in blocks differs from the same one tick by tick, and say in which file."""
    blocks = play_session({**talk, "name": f"{name} blocks"}, folder)
    ticks = play_session({**talk, "name": f"{name} ticks"}, folder, Surroundings(lookahead="off"))
    one, other = bytes_of(blocks), bytes_of(ticks)
    differing = [file for file in sorted(one.keys() | other.keys()) if one.get(file) != other.get(file)]
    assert not differing, (
        f"in blocks {', '.join(differing)} differs from tick by tick: is a bound of `settled` too high?"
    )


def _talk(case: Case) -> Case:
    return {"user": dict(SPEAKER), "agent": dict(ANSWERER), "injectors": [dict(case)], "duration": "9s"}


def _heard(index: int) -> Samples:
    return freeze(burst(FRAME, index)) if index in SPOKEN_TO else silence(FRAME)


async def _started(spec: ActorSpec, party: Party, log: EventLog, tasks: anyio.abc.TaskGroup) -> Seat:
    seat = Seat(party, spec, RATE, FRAME, log)
    rng = np.random.default_rng(0)
    await seat.actor.start(seat.context(VirtualClock(), rng, line_has_channels=False, tasks=tasks))
    return seat


async def _step(seat: Seat, index: int) -> AudioFrame:
    answer = seat.step(AudioFrame(index * FRAME, _heard(index)))
    return answer if isinstance(answer, AudioFrame) else await answer


async def _looks() -> None:
    for _ in itertools.repeat(None, CLOSING_LOOKS):
        await anyio.lowlevel.checkpoint()
