"""What every actor keeps, whatever its kind: run over all kinds that need nothing but this process."""

from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
import soundfile

from simulator.call.seat import Seat
from simulator.clock import VirtualClock
from simulator.events import EventLog, Party
from simulator.frame import AudioFrame, silence
from simulator.plugins import installed, load
from simulator.scenario import Scenario
from simulator.spec import decode
from simulator.testing import burst, play_session, scenario_of

RATE, FRAME = 24_000, 480

LOCAL: dict[str, dict[str, Any]] = {
    "silent": {},
    "player": {"file": "speech.wav"},
    "scripted": {"turns": ["Hello there.", {"choose": ["Yes.", "No."], "repeat": True}]},
    "cascade": {"opening": "Good evening.", "replies": [{"say": "I see."}]},
    "turn_based": {"responder": {"kind": "rules", "rules": [{"say": "I see."}]}, "opening": "Good evening."},
    "replay": {"file": "speech.wav"},
}
"""A small spec of every kind that needs no other program."""

ELSEWHERE = {"moshi", "openai_realtime", "openai_live", "gemini_live", "replay_trace", "duplex_model", "human"}
"""Kinds with contract suites of their own: they need a server, a model or a person."""


def test_every_installed_kind_is_under_a_contract() -> None:
    """A kind that is added is added here or to a suite of its own."""
    ours = {name for name, point in installed("actors").items() if point.value.startswith("agents.")}
    assert ours - ELSEWHERE == set(LOCAL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a recording."""
    soundfile.write(tmp_path / "speech.wav", burst(16_000), 16_000)
    return tmp_path


def spec_of(kind: str, folder: Path, party: Party) -> Any:
    """Decode a kind's spec as one party of a scenario."""
    other = "agent" if party == "user" else "user"
    return scenario_of({party: {"kind": kind, **LOCAL[kind]}, other: "silent"}, folder).actor(party)


async def stepped(spec: Any, heard: list[Any], party: Party) -> list[AudioFrame]:
    """Start a seat, step it through what it hears, close it; gives what it said."""
    log = EventLog()
    seat = Seat(party, spec, RATE, FRAME, log)
    async with anyio.create_task_group() as tasks:
        rng = np.random.default_rng(0)
        await seat.actor.start(seat.context(VirtualClock(), rng, line_has_channels=False, tasks=tasks))
        said = []
        for index, samples in enumerate([silence(FRAME), *heard]):
            answer = seat.step(AudioFrame((index - 1) * FRAME, samples))
            said.append(answer if isinstance(answer, AudioFrame) else await answer)
        await seat.actor.close()
    return said


@pytest.mark.parametrize("party", ["user", "agent"])
@pytest.mark.parametrize("kind", LOCAL)
def test_one_frame_out_per_frame_in_and_nothing_of_it_moves(kind: str, party: Party, folder: Path) -> None:
    """Every answer is a frame of the length heard, at its place, finite, within full scale, read-only."""
    heard = [burst(FRAME, index) if 60 < index < 90 else silence(FRAME) for index in range(150)]
    said = anyio.run(stepped, spec_of(kind, folder, party), heard, party)
    assert [frame.start for frame in said] == [index * FRAME for index in range(151)]
    for frame in said:
        assert frame.samples.dtype == np.float32
        assert frame.samples.shape == (FRAME,)
        assert not frame.samples.flags.writeable
        assert np.abs(frame.samples).max() <= 1.0
        assert np.array_equal(frame.samples * 32768, np.rint(frame.samples * 32768))


@pytest.mark.parametrize("kind", LOCAL)
def test_the_same_seed_gives_the_same_samples(kind: str, folder: Path) -> None:
    """A kind's sound depends on its spec, its seed and what it hears, and on nothing else."""
    heard = [burst(FRAME, index) if 60 < index < 90 else silence(FRAME) for index in range(120)]
    first, second = (anyio.run(stepped, spec_of(kind, folder, "user"), heard, "user") for _ in range(2))
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("kind", LOCAL)
def test_a_session_with_the_kind_on_both_sides_runs(kind: str, folder: Path) -> None:
    """Any two actors can be the two parties, a kind against itself included."""
    party = {"kind": kind, **LOCAL[kind]}
    session = play_session({"user": party, "agent": party, "duration": "3s"}, folder)
    assert session.meta.status == "completed"
    assert session.duration == 3 * RATE


@pytest.mark.parametrize("kind", LOCAL)
def test_every_utterance_that_begins_ends(kind: str, folder: Path) -> None:
    """speech_start and speech_end come in pairs, in order, and say how many samples were said."""
    session = play_session({"user": {"kind": kind, **LOCAL[kind]}, "agent": "silent", "duration": "1100ms"}, folder)
    starts = {event.id: event for event in session.by_type.get("speech_start", [])}
    ends = {event.id: event for event in session.by_type.get("speech_end", [])}
    assert starts.keys() == ends.keys()
    for name, end in ends.items():
        assert end.said_samples == end.at - starts[name].at
        assert end.cut == (end.said_samples < starts[name].planned_samples)


def test_a_plugin_kind_loads_by_its_name() -> None:
    """Kinds are entry points: the name is the YAML kind, the value the spec class."""
    for name in installed("actors"):
        spec = load("actors", name)
        assert spec.__struct_config__.tag == name
    assert isinstance(
        decode({"name": "x", "user": "silent", "agent": "silent"}, Scenario, source="t", folder=Path()), Scenario
    )
