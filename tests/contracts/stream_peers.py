"""What tests of streams share: a session with a far end, a core stepped by hand, a signal that can be counted."""

import json
from pathlib import Path
from typing import Any, Self

import numpy as np
from websockets.asyncio.server import ServerConnection

from agents.remote.peer_core import Core, Note, Send
from simulator.frame import Samples, silence
from simulator.session import Session
from simulator.testing import play_session

TALKER = {"kind": "scripted", "turns": [{"at": "100ms", "say": "Good evening."}]}


def talk_with(
    agent: dict[str, Any], folder: Path, *, user: Any = "silent", duration: str = "600ms", **more: Any
) -> Session:
    """A session of a user with an agent elsewhere."""
    return play_session({"user": user, "agent": agent, "duration": duration, "scorers": [], **more}, folder)


def assert_replays(session: Session, folder: Path, duration: str) -> None:
    """The trace of a session whose agent was elsewhere says the same again, to the sample."""
    agent = {"kind": "replay_trace", "file": str(session.folder)}
    again = talk_with(agent, folder, duration=duration, sample_rate=session.sample_rate)
    assert np.array_equal(again.said("agent"), session.said("agent"))


def counted(count: int) -> Samples:
    """A signal whose every sample says which one it is, within 30 000: no two neighbours in a row are mistaken."""
    return ((np.arange(count) % 30_000 + 1) / 32_768).astype(np.float32)


def count_of(samples: Samples) -> list[int]:
    """The numbers of the samples of `counted` that are in a recording, in order."""
    values = np.rint(samples * 32_768).astype(int)
    return [int(value) for value in values if value > 0]


async def say_json(connection: ServerConnection, **message: Any) -> None:
    """Send a message of JSON."""
    await connection.send(json.dumps(message))


class Stepped:
    """A core that is stepped by hand, `frame` samples at a time. sounds: what carries what is heard; sent: the rest."""

    def __init__(self, core: Core, frame: int) -> None:
        self.at = 0
        self.sent: list[Any] = []
        self.sounds: list[Any] = []
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self._core = core
        self._frame = frame
        core.begin("agent", noisy=False)

    def step(self, frames: int = 1, heard: Samples | None = None) -> Samples:
        """Play frames; gives what is said in them."""
        said = []
        for _ in range(frames):
            self._core.hear(silence(self._frame) if heard is None else heard, self.at)
            said.append(self._core.say(self._frame, self.at))
            self.at += self._frame
            self.take()
        return np.concatenate(said)

    def take(self) -> Self:
        """Sort what the core did."""
        for action in self._core.actions.take():
            if isinstance(action, Send):
                (self.sounds if action.heard else self.sent).append(action.message.get("json", action.message))
            elif isinstance(action, Note):
                self.notes.append((action.type, dict(action.fields)))
        return self

    def noted(self, type_: str) -> list[dict[str, Any]]:
        """The fields of notes of a type."""
        return [fields for noted, fields in self.notes if noted == type_]
