"""Small parties and whole sessions in a call: a scenario as plain data, played and read back.

Nothing here patches anything: a fake party is a party.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import numpy as np

from simulator.actor import Actor, Context
from simulator.annotation.annotate import annotate as annotated
from simulator.batch.job import Played, play
from simulator.call.surroundings import Surroundings
from simulator.frame import AudioFrame, Samples, freeze, to_grid
from simulator.languages.spread import spread
from simulator.planning.job import Job
from simulator.scenario import Scenario, check, resolved, slug
from simulator.session import Session, read_session
from simulator.speaking.ears import NOMINAL_DBFS
from simulator.spec import decode


def scenario_of(data: Mapping[str, Any], folder: Path) -> Scenario:
    """Decode and check a scenario given as plain data; paths are relative to `folder`."""
    plain: dict[str, Any] = {"name": "test", "duration": "2s", **data}
    spread(plain)
    scenario: Scenario = decode(plain, Scenario, source="test", folder=folder)
    check(scenario, "test")
    return scenario


def play_session(
    data: Mapping[str, Any], folder: Path, surroundings: Surroundings | None = None, *, annotate: bool = False
) -> Session:
    """Run one session of a scenario given as plain data under `folder`, and read it back, whatever became of it.

    annotate: with the speech of both parties, as scorers get it; words are those that a party told, not recognised.
    """
    session = play_scenario(scenario_of(data, folder), folder, surroundings)[0]
    return session.with_speech(annotated(session, words=False)) if annotate else session


def play_scenario(scenario: Scenario, folder: Path, surroundings: Surroundings | None = None) -> tuple[Session, Played]:
    """Run the first trial of a scenario; gives the session as read back and how it went."""
    name = slug(scenario.name)
    job = Job(id=f"{name}-{scenario.trial}", group=name, scenario=resolved(scenario, 0))
    played = anyio.run(play, job, folder, surroundings or Surroundings())
    return read_session(folder / job.id), played


def burst(count: int, seed: int = 0) -> Samples:
    """Give `count` samples of noise at the nominal speech level, on the grid: sound that level ears hear as speech."""
    noise = np.random.default_rng(seed).standard_normal(count).astype(np.float32)
    return to_grid(noise * np.float32(10 ** (NOMINAL_DBFS / 20)))


SOUNDS = ("conversation.wav", "conversation.flac", "heard.wav", "events.jsonl")


def bytes_of(session: Session) -> dict[str, bytes]:
    """Give what a session sounds like and tells, file by file: the same seed gives the same bytes of these."""
    return {name: (session.folder / name).read_bytes() for name in SOUNDS if (session.folder / name).is_file()}


class Bursts(Actor):
    """Says bursts of noise at [start, end) samples of its output stream and notes what it hears.

    heard: every frame it was given, in order.
    """

    def __init__(self, stretches: Sequence[tuple[int, int]]) -> None:
        self._stretches = stretches
        self.heard: list[AudioFrame] = []
        self.closed = 0

    async def start(self, context: Context) -> None:
        """Take note of the context."""
        self.context = context

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Hear a frame, say what falls into the next one."""
        self.heard.append(heard)
        count = len(heard.samples)
        start = heard.start + count
        frame = np.zeros(count, np.float32)
        for begin, end in self._stretches:
            first, last = max(begin, start), min(end, start + count)
            if first < last:
                frame[first - start : last - start] = burst(end - begin)[first - begin : last - begin]
        return AudioFrame(start, freeze(frame))

    async def close(self) -> None:
        """Count how often it was closed."""
        self.closed += 1
