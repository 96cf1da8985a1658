"""Rules of what a session keeps of a far end: all that can be meant, and so much of a flood, its rest counted."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from simulator.actor import Actor, ActorSpec, AnyActor, Context
from simulator.call.far_kept import MESSAGES, NOTES, FarKept
from simulator.frame import AudioFrame, silence
from simulator.plugins import installed, load
from simulator.session import Session
from simulator.spec import decode
from simulator.testing import play_session
from simulator.traits import PartyTraits
from tests import distributions


class FloodSpec(ActorSpec, frozen=True, kw_only=True, tag="flood"):
    """A party whose far end complains so many times in every frame, each time by so many letters."""

    complaints: int
    letters: int = 1
    remote: bool = True

    def traits(self) -> PartyTraits:
        """It says itself whether it has a far end."""
        return PartyTraits(remote=self.remote)

    def build(self) -> Actor:
        """Make the actor."""
        return Flood(self)


class Flood(Actor):
    """Notes and traces complaints, and says silence."""

    def __init__(self, spec: FloodSpec) -> None:
        self._spec = spec

    async def start(self, context: Context) -> None:
        """Learn where notes go."""
        self._context = context

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Complain."""
        at = heard.start + len(heard.samples)
        for _ in range(self._spec.complaints):
            self._context.trace({"dir": "received", "type": "error", "json": "x" * self._spec.letters})
            self._context.emit(at, "remote_error", message="x" * self._spec.letters)
        return AudioFrame(at, silence(len(heard.samples)))


@pytest.fixture(autouse=True)
def flood_installed(tmp_path: Path) -> Iterator[None]:
    """The kind above."""
    with distributions.installed(tmp_path / "site", "flood", {"actors": {"flood": f"{__name__}:FloodSpec"}}):
        yield


def flooded(folder: Path, duration: str = "1s", **keys: object) -> tuple[Session, int, int]:
    """A session with such an agent, how many complaints are among its events, and in its trace."""
    session = play_session(
        {"user": "silent", "agent": {"kind": "flood", **keys}, "duration": duration, "scorers": []}, folder / "run"
    )
    trace = (session.folder / "trace.jsonl").read_text().splitlines()
    return session, len(session.by_type.get("remote_error", ())), len(trace)


def test_a_flood_is_kept_up_to_a_limit_and_the_rest_counted(tmp_path: Path) -> None:
    """Of 600 a frame 10,000 notes and 20,000 messages stay, and what a second more allows; one note tells of others."""
    session, notes, messages = flooded(tmp_path, complaints=600)
    (excess,) = session.by_type["remote_excess"]
    told = 50 * 600
    assert 10_000 <= notes <= 10_100 and notes + excess.data["notes"] == told
    assert 20_000 <= messages <= 20_500 and messages + excess.data["messages"] == told
    assert session.meta.status == "completed"
    remark = f"the agent sent more than is kept of a far end; left out are {told - notes} notes, {told - messages} mess"
    assert (session.meta.problem or "").startswith(remark)
    assert json.loads((session.folder / "trace.jsonl").read_text().splitlines()[-1])["type"] == "error"


def test_large_notes_are_counted_by_their_bytes(tmp_path: Path) -> None:
    """Of notes of 1 MiB and some bytes eight stay, the last in what a moment allows; the trace has room for all."""
    session, notes, messages = flooded(tmp_path, "400ms", complaints=1, letters=2**20)
    (excess,) = session.by_type["remote_excess"]
    assert (notes, messages, excess.data["notes"], excess.data["messages"]) == (8, 20, 12, 0)
    assert 12 * 2**20 < excess.data["bytes"] < 12 * 2**20 + 12 * 100


def test_what_is_meant_is_kept_whole_and_who_has_no_far_end_is_not_limited(tmp_path: Path) -> None:
    """As many as there is room for leave no remark of that, nor do more of them from this process."""
    for keys in ({"complaints": 190}, {"complaints": 600, "remote": False}):
        session, notes, messages = flooded(tmp_path / str(keys["complaints"]), **keys)
        assert notes == messages == 50 * keys["complaints"]
        mute = "the agent (flood) never spoke: x" if keys.get("remote", True) else None
        assert session.meta.problem == mute and "remote_excess" not in session.by_type


def test_room_grows_with_the_session_and_a_trace_has_no_holes() -> None:
    """A minute later there is room for 6,000 notes more; a trace that broke off stays as it is."""
    kept: list[str] = []
    now_s = [0.0]

    def note(at: int, type_: str, /, **fields: Any) -> None:
        kept.append(type_)

    def trace(record: Mapping[str, Any]) -> None:
        kept.append("message")

    far = FarKept(note, trace, lambda: now_s[0])
    for moment_s in (0.0, 60.0):
        now_s[0] = moment_s
        for _ in range(NOTES.count + 7_000):
            far.emit(0, "note")
        for _ in range(MESSAGES.count + 1):
            far.trace({})
    assert kept.count("note") == NOTES.count + 60 * NOTES.count_a_second == 16_000
    assert kept.count("message") == MESSAGES.count == 20_000
    far.close(5)
    assert kept[-1] == "remote_excess"


FAR_ENDS: dict[str, dict[str, Any]] = {
    "gemini_live": {}, "openai_live": {}, "openai_realtime": {}, "moshi": {"url": "ws://x"},
    "livekit": {"url": "ws://x", "room": "r"}, "pipecat": {"url": "ws://x"}, "twilio": {"url": "ws://x"},
    "vllm_duplex": {"base_url": "http://x", "model": "m"}, "webrtc": {"url": "http://x"},
    "websocket": {"url": "ws://x"}, "turn_based": {"responder": {"kind": "chat_audio", "base_url": "http://x"}},
}  # fmt: skip
"""The least that every kind with traces asks for."""


@pytest.mark.parametrize(
    "kind", [kind for kind in installed("actors") if kind != "flood" and hasattr(load("actors", kind), "replay")]
)
def test_whoever_writes_a_trace_is_limited(kind: str) -> None:
    """Every kind whose sessions are replayed from a trace says that it has a far end."""
    spec = decode({"kind": kind, **FAR_ENDS[kind]}, AnyActor, source="x", folder=Path())
    assert spec.traits().remote
