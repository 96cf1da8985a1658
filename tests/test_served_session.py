"""Rules of the sessions that every served protocol shares."""

from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from simulator.actor import Actor, ActorSpec, Context, Latency
from simulator.errors import ActorError, ScenarioError
from simulator.frame import AudioFrame, silence
from simulator.serving.served_session import ServedSession
from simulator.serving.server_spec import ServerSpec
from simulator.session import Session, read_session
from simulator.testing import Bursts, burst, play_scenario
from simulator.traits import StepTraits
from tests.served import service

FRAME = 1920


def given(actor: Actor, latency: str = "free") -> ActorSpec:
    """A spec that builds the actor it was given."""

    class GivenSpec(ActorSpec, frozen=True, kw_only=True, tag="given"):
        def build(self) -> Actor:
            return actor

    return GivenSpec(latency=Latency(latency))


class Breaking(Actor):
    """Fails at its third frame."""

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Hear a frame, fail or say silence."""
        if heard.start >= 2 * FRAME:
            raise ValueError("lost the thread")
        return AudioFrame(heard.start, silence(len(heard.samples)))


async def hear(session: ServedSession, frames: int) -> list[np.ndarray[Any, Any]]:
    """Let a session hear so many frames of noise and collect the answers."""
    heard = burst(frames * FRAME)
    return [await session.hear(heard[start : start + FRAME]) for start in range(0, len(heard), FRAME)]


def serve_frames(folder: Path, actor: ActorSpec, frames: int) -> tuple[Session, list[np.ndarray[Any, Any]]]:
    """Serve an actor to a client that sends so many frames; the session as recorded, and the answers."""
    answers: list[np.ndarray[Any, Any]] = []

    async def talk() -> None:
        async with service(folder, actor).session(frame_ms=80) as session:
            answers.extend(await hear(session, frames))

    anyio.run(talk)
    return read_session(folder / "runs" / "serve-test-0"), answers


def test_a_served_session_answers_in_the_next_frame_and_is_recorded(tmp_path: Path) -> None:
    """The client's frames lie from sample 0 on, frame k of the answers in k+1; what was said before is dropped."""
    actor = Bursts([(0, 5 * FRAME)])
    session, answers = serve_frames(tmp_path, given(actor), 8)
    assert [frame.start for frame in actor.heard[:3]] == [-FRAME, 0, FRAME]
    assert np.array_equal(session.said("user")[: 8 * FRAME], burst(8 * FRAME))
    agent = session.said("agent")
    assert not agent[:FRAME].any()
    assert np.array_equal(agent[FRAME:], np.concatenate(answers))
    assert np.array_equal(agent[FRAME : 5 * FRAME], burst(5 * FRAME)[FRAME:])
    assert (session.meta.status, session.meta.clock) == ("completed", "virtual")
    assert session.meta.parties["user"].kind == "client"


def test_the_recorded_client_meets_the_same_actor_again(tmp_path: Path) -> None:
    """The folder's scenario runs, and gives what was served."""
    from simulator.scenario import load as load_scenario

    served, _ = serve_frames(tmp_path, _scripted(tmp_path), 12)
    scenario = load_scenario(served.folder / "scenario.yaml")
    again, played = play_scenario(scenario, tmp_path / "again")
    assert played.status == "completed"
    length = 12 * FRAME
    assert np.array_equal(again.said("user", 0, length), served.said("user", 0, length))
    assert np.array_equal(again.said("agent", 0, length), served.said("agent", 0, length))


def _scripted(folder: Path) -> ActorSpec:
    from simulator.actor import AnyActor
    from simulator.spec import decode

    data = {"kind": "scripted", "turns": [{"at": "400ms", "say": "good morning"}]}
    return decode(data, AnyActor, source="test", folder=folder)


def test_an_actor_that_fails_ends_its_session_only(tmp_path: Path) -> None:
    """The client is told, the folder says why, and what was heard until then is kept."""

    async def talk() -> None:
        offered = service(tmp_path, given(Breaking()))
        with pytest.raises(ActorError, match=r"the agent \(given\) failed at t=0\.24 s: ValueError: lost the thread"):
            async with offered.session(frame_ms=80) as session:
                await hear(session, 5)

    anyio.run(talk)
    session = read_session(tmp_path / "runs" / "serve-test-0")
    assert (session.meta.status, session.duration) == ("failed", 4 * FRAME)
    assert session.meta.problem == "the agent (given) failed at t=0.24 s: ValueError: lost the thread"


class NoNumbers(Actor):
    """Says what no sound is."""

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Say NaN."""
        return AudioFrame(heard.start, np.full(len(heard.samples), np.nan, np.float32))


def test_an_actor_that_says_no_numbers_leaves_a_finished_folder(tmp_path: Path) -> None:
    """The session is failed, and nothing stays open."""

    async def talk() -> None:
        offered = service(tmp_path, given(NoNumbers()))
        with pytest.raises(ActorError, match="not numbers"):
            async with offered.session(frame_ms=80) as session:
                await hear(session, 5)

    anyio.run(talk)
    session = read_session(tmp_path / "runs" / "serve-test-0")
    assert session.meta.status == "failed" and "not numbers" in str(session.meta.problem)


def test_a_server_counts_on_where_its_folder_ends(tmp_path: Path) -> None:
    """Sessions are numbered, never overwritten, and listed in results.jsonl with their seed."""
    from simulator.results.row_file import read_rows

    async def talk() -> None:
        for _ in range(2):
            offered = service(tmp_path)
            for _ in range(2):
                async with offered.session() as session:
                    await session.hear(silence(480))

    anyio.run(talk)
    rows, _ = read_rows(tmp_path / "runs")
    assert [(row.id, row.seed, row.status) for row in rows] == [(f"serve-test-{n}", n, "completed") for n in range(4)]


def test_events_of_the_agent_are_told_once_and_notes_of_the_client_recorded(tmp_path: Path) -> None:
    """take_events gives what is new; note adds the client's own."""

    async def talk() -> None:
        async with service(tmp_path, _scripted(tmp_path)).session(frame_ms=80) as session:
            told = []
            for _ in range(10):
                await session.hear(silence(FRAME))
                told += session.take_events()
            session.note("client_message", text="goodbye")
            assert [event.type for event in told] == ["speech_start"]
            assert (session.take_events(), session.done) == ([], False)

    anyio.run(talk)
    events = read_session(tmp_path / "runs" / "serve-test-0").events
    assert [event.type for event in events] == ["speech_start", "client_message", "speech_end"]


class Client(Bursts):
    """A client with a time of its own: leaves after so many frames."""

    traits = StepTraits(threaded=False)

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Hear a frame; done after 300 ms."""
        self.done = heard.start >= 7200
        return super().step(heard)


@pytest.mark.slow
def test_a_client_with_its_own_time_is_served_on_the_wall_clock(tmp_path: Path) -> None:
    """converse runs until the client is done; the client hears the agent."""
    client = Client([(0, 4800)])
    anyio.run(service(tmp_path, given(Bursts([(0, 24_000)]))).converse, client)
    session = read_session(tmp_path / "runs" / "serve-test-0")
    assert (session.meta.status, session.meta.clock) == ("completed", "wall")
    assert session.said("agent").any()
    assert any(frame.samples.any() for frame in client.heard)
    assert session.duration <= 2 * 24_000


class Counting(Actor):
    """Tells what it used in every frame, and that it is done when it is closed; each frame costs half a second."""

    async def start(self, context: Context) -> None:
        """Take note of the context."""
        self._context = context

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Tell, and say silence."""
        now = heard.start + len(heard.samples)
        self.last_cost_s = 0.2 if now == 0 else 0.0
        self._context.emit(now, "usage", model="counting", input_s=0.08)
        return AudioFrame(now, silence(len(heard.samples)))


def test_a_served_actor_with_a_measured_latency_tells_all_of_it_where_it_is_heard(tmp_path: Path) -> None:
    """Its thinking time delays what it tells as much as what it says; what it never comes to say is told at the end."""
    serve_frames(tmp_path, given(Counting(), latency="measured"), 6)
    told = read_session(tmp_path / "runs" / "serve-test-0").by_type["usage"]
    # The first frame is ready after 0.2 s of 80 ms frames: said in frame 3, and every later one three frames late, too.
    # Frame 6 is the last that is recorded; what belongs to the frames behind it comes at the end.
    assert [event.at for event in told] == [frame * FRAME for frame in (3, 4, 5, 6, 7, 7, 7)]


def test_a_server_refuses_what_a_scenario_would(tmp_path: Path) -> None:
    """On the wall clock time is real, so an actor whose time is measured cannot be served there."""
    with pytest.raises(ScenarioError, match=r"\$\.agent\.latency: measured belongs to the virtual clock"):
        RealtimeSpec().check(given(Bursts([]), latency="measured"))


class RealtimeSpec(ServerSpec, frozen=True, kw_only=True, tag="realtime"):
    """A protocol with a time of its own."""

    realtime = True


def test_a_session_writes_events_as_it_goes(tmp_path: Path) -> None:
    """About once a second the log is handed to the recorder: a killed server leaves what was known by then."""

    async def talk() -> None:
        async with service(tmp_path, _scripted(tmp_path)).session(frame_ms=80) as session:
            for _ in range(30):
                await session.hear(silence(FRAME))
            session._recorder.flush()
            assert (session.folder / "events.jsonl").stat().st_size > 0

    anyio.run(talk)
