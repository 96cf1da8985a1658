"""Rules of the served Realtime protocol under what other people's clients send, as tests/clients recorded it.

A record is a conversation with one client: its events, and when sound went which way. Here its sound and the agent's
are tones, and no client reads the answers: where a record names an item of the server's, the server has to have made
the same items in the same order.
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.openai.server_protocol import RealtimeServer
from simulator.frame import Samples, silence
from simulator.speaking.ears import LevelEarsSpec

RECORDS = Path(__file__).parent / "data" / "clients"
RATE, FRAME = 24_000, 480
AROUND_S = 0.8
"""Silence that is sent with what is said, 300 ms before it and 400 ms behind it, and what a wire may take."""
LOUD: Samples = (0.3 * np.sin(np.arange(FRAME) * 2 * np.pi * 200 / RATE)).astype(np.float32)


def played(record: Path) -> list[Any]:
    """Play a record; gives the server's events."""
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    server, events = RealtimeServer("any", LevelEarsSpec()), []
    said = [(line["at"], line["at"] + line["said_s"] - AROUND_S) for line in lines if "said_s" in line]
    heard = [(line["at"], line["at"] + line["sound_s"]) for line in lines if line.get("loud")]
    sent = [line for line in lines if "sent" in line]
    for tick in range(round((lines[-1]["at"] + 2.0) * RATE / FRAME)):
        at = tick * FRAME / RATE
        while sent and sent[0]["at"] <= at:
            server.receive(sent.pop(0)["sent"])
        sound = LOUD if any(begin <= at < end for begin, end in heard) else silence(FRAME)
        audio = base64.b64encode((sound * 32767).astype("<i2").tobytes()).decode()
        server.receive({"type": "input_audio_buffer.append", "audio": audio})
        server.say(LOUD if any(begin <= at < end for begin, end in said) else silence(FRAME))
        server.hear(FRAME)
        events += server.out.take()
    return events


@pytest.mark.parametrize("record", sorted(RECORDS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_client_is_served_without_an_error(record: Path) -> None:
    """All it sends is taken, its metadata comes back, and every item's predecessor is the one before it."""
    events = played(record)
    assert [event["error"] for event in events if event["type"] == "error"] == []
    chain: list[str] = []
    for event in events:
        if event["type"] == "conversation.item.added":
            assert event["previous_item_id"] == (chain[-1] if chain else None)
            chain.append(event["item"]["id"])
        elif event["type"] == "conversation.item.deleted":
            chain.remove(event["item_id"])
    asked = [json.loads(line).get("sent") or {} for line in record.read_text().splitlines()]
    wanted = [event["response"]["metadata"] for event in asked if (event.get("response") or {}).get("metadata")]
    created = [event["response"]["metadata"] for event in events if event["type"] == "response.created"]
    assert [metadata for metadata in created if metadata] == wanted
    assert [event["type"] for event in asked if event.get("type") == "conversation.item.create"]


def test_all_four_are_on_record() -> None:
    """None is left out unseen."""
    assert {path.stem for path in RECORDS.glob("*.jsonl")} == {"livekit", "openai", "openai_agents", "pipecat"}
