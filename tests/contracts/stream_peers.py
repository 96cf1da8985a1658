"""What tests of streams on loopback share: a session with a far end, and a signal whose samples can be counted."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.server import ServerConnection

from simulator.frame import Samples
from simulator.session import Session
from simulator.testing import play_session

TALKER = {"kind": "scripted", "turns": [{"at": "100ms", "say": "Good evening."}]}


def talk_with(
    agent: dict[str, Any], folder: Path, *, user: Any = "silent", duration: str = "600ms", **more: Any
) -> Session:
    """A session of a user with an agent elsewhere."""
    return play_session({"user": user, "agent": agent, "duration": duration, "scorers": [], **more}, folder)


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
