"""Rules of the served Realtime protocol: the openai package talks with an actor behind it, on the wall
clock."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from agents.openai.server import OpenAIRealtimeServerSpec
from simulator.actor import AnyActor
from simulator.clock import seconds, sleep
from simulator.serving.door import open_door
from simulator.serving.service import Limits, Service
from simulator.session import read_session
from simulator.speaking.ears import LevelEarsSpec
from simulator.speaking.voice import spoken
from simulator.spec import decode

RATE = 24_000
AGENT = {
    "kind": "turn_based",
    "endpoint": "400ms",
    "responder": {"kind": "rules", "rules": [{"say": [
        "Certainly. Let me look into the book for you, one moment please, while I see what there is tonight.",
        "Of course."]}]},
}  # fmt: skip


@asynccontextmanager
async def serving(out: Path, actor: dict[str, Any] = AGENT, *, sessions: int = 8) -> AsyncIterator[str]:
    """Serve an actor; gives the http address."""
    spec = decode(actor, AnyActor, source="test", folder=out)
    service = Service(spec, protocol="openai_realtime", out=out, limits=Limits(sessions=sessions))
    async with open_door(service, OpenAIRealtimeServerSpec(ears=LevelEarsSpec())) as address:
        yield address


class Visitor:
    """A client of the openai package: says speech in real time, plays what it gets, keeps every event."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.events: list[Any] = []
        self.sound = 0
        self._more = anyio.Event()

    async def listen(self) -> None:
        """Take events until the connection ends."""
        async for event in self.connection:
            self.events.append(event)
            if event.type == "response.output_audio.delta":
                self.sound += len(base64.b64decode(event.delta)) // 2
            self._more.set()
            self._more = anyio.Event()

    async def until(self, type_: str, after: int = 0) -> Any:
        """Wait for an event of a type at or behind place `after` of the list."""
        while True:
            for event in self.events[after:]:
                if event.type == type_:
                    return event
            await self._more.wait()

    async def say(self, text: str, silence_s: float = 0.0) -> None:
        """Say a text in real time, then silence."""
        samples = np.concatenate(
            [spoken(text, "en-gb-x-rp", RATE).samples, np.zeros(int(silence_s * RATE), np.float32)]
        )
        pcm = (samples * 32767).astype("<i2")
        began = seconds()
        for start in range(0, len(pcm), 480):
            audio = base64.b64encode(pcm[start : start + 480].tobytes()).decode()
            await self.connection.input_audio_buffer.append(audio=audio)
            await sleep(max(0.0, began + start / RATE - seconds()))


def visit(out: Path, talk: Callable[[Visitor], Awaitable[None]], **settings: Any) -> None:
    """Serve, connect with the openai package, talk."""

    async def run() -> None:
        from openai import AsyncOpenAI

        async with (
            serving(out) as address,
            AsyncOpenAI(base_url=f"{address}/v1", api_key="none") as client,
            client.realtime.connect(model="any") as connection,
            anyio.create_task_group() as tasks,
        ):
            visitor = Visitor(connection)
            tasks.start_soon(visitor.listen)
            with anyio.fail_after(30):
                await visitor.until("session.created")
                await talk(visitor)
            tasks.cancel_scope.cancel()

    anyio.run(run)


def test_a_spoken_conversation_with_barge_in_and_truncation(tmp_path: Path) -> None:
    """A turn is heard and answered; speech cancels the answer; the client's truncation is taken and written
    down."""

    async def talk(visitor: Visitor) -> None:
        await visitor.connection.session.update(session={"type": "realtime", "audio": {"input": {
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 300}}}})  # fmt: skip
        await visitor.until("session.updated")
        await visitor.say("Hi there, a table please.", 0.5)
        first = await visitor.until("response.output_item.added")
        while visitor.sound < 0.8 * RATE:
            await visitor.say("", 0.1)
        mark = len(visitor.events)
        await visitor.say("Wait, stop that please.", 0.3)
        await visitor.until("input_audio_buffer.speech_started", mark)
        done = await visitor.until("response.done", mark)
        assert (done.response.status, done.response.status_details.reason) == ("cancelled", "turn_detected")
        await visitor.connection.conversation.item.truncate(item_id=first.item.id, content_index=0, audio_end_ms=500)
        truncated = await visitor.until("conversation.item.truncated", mark)
        assert (truncated.item_id, truncated.audio_end_ms) == (first.item.id, 500)
        await visitor.say("", 0.8)
        await visitor.until("response.output_audio_transcript.done", len(visitor.events) - 1)

    visit(tmp_path, talk)
    session = read_session(tmp_path / "serve-openai-realtime-0")
    assert session.meta.status == "completed"
    assert [event.data["audio_end_ms"] for event in session.by_type["client_truncated"]] == [500]
    assert np.abs(session.said("user")).max() > 0.1
    assert len(session.by_type["speech_start"]) == 2


def test_a_client_that_commits_by_itself(tmp_path: Path) -> None:
    """Without turn detection all sound may come at once; committed and asked for, it is answered with
    words."""

    async def talk(visitor: Visitor) -> None:
        await visitor.connection.session.update(session={"type": "realtime", "audio": {"input": {
            "turn_detection": None}}})  # fmt: skip
        pcm = (spoken("A table please.", "en-gb-x-rp", RATE).samples * 32767).astype("<i2").tobytes()
        await visitor.connection.input_audio_buffer.append(audio=base64.b64encode(pcm).decode())
        await visitor.connection.input_audio_buffer.commit()
        await visitor.connection.response.create()
        await visitor.until("input_audio_buffer.committed")
        await visitor.until("response.created")
        delta = await visitor.until("response.output_audio_transcript.delta")
        assert "Certainly" in delta.delta
        await visitor.connection.response.cancel()
        done = await visitor.until("response.done")
        assert (done.response.status, done.response.status_details.reason) == (
            "cancelled",
            "client_cancelled",
        )

    visit(tmp_path, talk)


def test_what_cannot_be_done_is_an_error_and_the_session_goes_on(tmp_path: Path) -> None:
    """Each bad event is answered with an error that names the event; the connection stays."""

    async def talk(visitor: Visitor) -> None:
        bad: list[tuple[dict[str, Any], str]] = [
            ({"type": "no.such"}, "unknown_event"),
            ({"type": "input_audio_buffer.append", "audio": "!!"}, "invalid_value"),
            ({"type": "input_audio_buffer.append", "audio": 7}, "invalid_value"),
            ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
            ({"type": "response.cancel"}, "response_cancel_not_active"),
            ({"type": "conversation.item.truncate", "item_id": "x", "audio_end_ms": 1},
             "item_truncate_invalid_item_id"),
            ({"type": "conversation.item.truncate", "item_id": "x", "audio_end_ms": "1"}, "invalid_value"),
            ({"type": "session.update", "session": {"audio": {"input": {"format": {"type": "audio/mp3"}}}}},
             "invalid_value"),
            ({"type": "session.update", "session": [1]}, "invalid_type"),
            ({"type": "session.update", "session": {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}},
             "format_fixed"),
            ({"type": "conversation.item.create", "item": {}}, "invalid_value"),
        ]  # fmt: skip
        await visitor.connection.input_audio_buffer.append(audio="AAAA")
        for number, (event, _) in enumerate(bad):
            await visitor.connection.send({**event, "event_id": f"bad_{number}"})
        await visitor.connection.send_raw(b"\x00\x01")
        await visitor.connection.send_raw("[]")
        await visitor.connection.send_raw('{"a": "\xff"}'.encode("latin-1"))
        await visitor.connection.send_raw('{"a":' * 5000 + "1" + "}" * 5000)
        while sum(event.type == "error" for event in visitor.events) < len(bad) + 4:
            await sleep(0.01)
        errors = [event.error for event in visitor.events if event.type == "error"]
        assert [error.code for error in errors] == [code for _, code in bad] + ["invalid_json"] * 4
        assert [error.event_id for error in errors[:-4]] == [f"bad_{number}" for number in range(len(bad))]

    visit(tmp_path, talk)


def test_a_server_that_stops_says_goodbye(tmp_path: Path) -> None:
    """A client inside is sent a close frame with 1001, its session is kept; one too many is refused with
    503."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import InvalidStatus

    async def run() -> tuple[int | None, int]:
        async with anyio.create_task_group() as tasks:
            stop = anyio.Event()
            address: list[str] = []

            async def serve() -> None:
                async with serving(tmp_path, sessions=1) as url:
                    address.append(url.replace("http", "ws") + "/v1/realtime?model=x")
                    await stop.wait()

            tasks.start_soon(serve)
            while not address:
                await sleep(0.01)
            async with connect(address[0]) as websocket:
                await websocket.recv()
                await websocket.send(json.dumps({"type": "input_audio_buffer.append", "audio": "AAAA"}))
                with pytest.raises(InvalidStatus) as refused:
                    await connect(address[0])
                await sleep(0.3)
                stop.set()
                async for _ in websocket:
                    pass
                code = websocket.close_code
        return code, refused.value.response.status_code

    assert anyio.run(run) == (1001, 503)
    assert read_session(tmp_path / "serve-openai-realtime-0").meta.status == "completed"


def test_a_long_append_is_taken_and_a_longer_message_is_told(tmp_path: Path) -> None:
    """15 MiB of sound in one event keep the connection; beyond what a message may be, the close frame says 1009."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    async def go() -> int | None:
        async with (
            serving(tmp_path, {"kind": "silent"}) as address,
            connect(address.replace("http", "ws") + "/v1/realtime", compression=None) as client,
        ):
            largest = base64.b64encode(bytes(15 * 2**20)).decode()
            await client.send(json.dumps({"type": "input_audio_buffer.append", "audio": largest}))
            await client.send("{}")
            while json.loads(await client.recv())["type"] != "error":
                pass
            with suppress(ConnectionClosed):
                await client.send("x" * (40 * 2**20))
            with pytest.raises(ConnectionClosed):
                await client.recv()
            return client.close_code

    assert anyio.run(go) == 1009


@pytest.mark.slow
def test_ten_thousand_malformed_messages(tmp_path: Path) -> None:
    """Random bytes and events of the wrong shape do no harm: the server still answers."""
    from websockets.asyncio.client import connect

    rng = np.random.default_rng(1)
    types = [
        "session.update",
        "input_audio_buffer.append",
        "conversation.item.truncate",
        "response.create",
        "x",
        None,
    ]
    values: list[Any] = [
        None,
        1,
        -1.5,
        "a",
        [],
        {},
        [{}],
        {"audio": 3},
        {"audio": {"input": []}},
        True,
        {"audio": {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": -4}}}},
    ]
    keys = ["session", "audio", "item_id", "audio_end_ms", "content_index", "event_id"]

    def rubbish() -> str | bytes:
        if rng.random() < 0.2:
            return bytes(rng.integers(0, 256, int(rng.integers(0, 200)), np.uint8))
        event = {key: values[rng.integers(len(values))] for key in keys if rng.random() < 0.5}
        return json.dumps({"type": types[rng.integers(len(types))], **event})

    async def run() -> None:
        async with serving(tmp_path) as address:
            url = address.replace("http", "ws") + "/v1/realtime"
            async with connect(url) as websocket:

                async def drain() -> None:
                    async for _ in websocket:
                        pass

                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(drain)
                    for _ in range(10_000):
                        await websocket.send(rubbish())
                    tasks.cancel_scope.cancel()
            async with connect(url) as websocket:
                assert json.loads(await websocket.recv())["type"] == "session.created"

    anyio.run(run)


def test_a_client_that_cuts_the_connection_fills_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What still waits for it is dropped, and nobody writes to a dead connection."""

    async def go() -> None:
        from websockets.asyncio.client import connect

        async with serving(tmp_path, {"kind": "silent"}) as address:
            client = await connect(address.replace("http", "ws") + "/v1/realtime", compression=None)
            await client.recv()
            for _ in range(300):  # each is answered with an error
                await client.send("{}")
            client.transport.abort()
            async with connect(address.replace("http", "ws") + "/v1/realtime", compression=None) as other:
                await other.recv()
                await other.send("{}")
                while json.loads(await other.recv())["type"] != "error":
                    pass

    anyio.run(go)
    assert "socket.send" not in caplog.text
