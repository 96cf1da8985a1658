"""What other people's clients talk to: a server of ours in a process of its own, and a wire tap in between.

SIMULATOR_PYTHON names the Python that has the simulator: in the clients' environment `agents` is another package.
SIMULATOR_RECORD names a folder that a record of each conversation goes to (tests/data/clients holds such records).
"""

import asyncio
import base64
import json
import os
import subprocess
import time
import wave
from array import array
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import websockets

HERE = Path(__file__).parent
PYTHON = os.environ.get("SIMULATOR_PYTHON", str(HERE.parents[1] / ".venv/bin/python"))
LINES = ["Hi there, a table for tonight please.", "Wait, stop that please.", "By the window would be nice."]
RATE, FRAME = 24_000, 2400
LOUD = 500

SPEAK = """
import sys, soundfile
from simulator.speaking.voice import spoken
for number, line in enumerate(sys.argv[2:]):
    soundfile.write(f"{sys.argv[1]}/{number}.wav", spoken(line, "en-gb-x-rp", 24000).samples, 24000)
"""


def speech(folder: Path) -> list[bytes]:
    """The caller's lines as PCM16 at 24 kHz."""
    subprocess.run([PYTHON, "-P", "-c", SPEAK, str(folder), *LINES], check=True)
    return [wave.open(str(folder / f"{number}.wav")).readframes(10**9) for number in range(len(LINES))]


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Serve the agent; gives the WebSocket's base URL."""
    command = ["serve", str(HERE / "agent.yaml"), "--protocol", "openai_realtime", "--port", "0", "--out", str(folder)]
    with subprocess.Popen([PYTHON, "-P", "-m", "simulator", *command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if "serving" in line)
            yield line.split(" at ")[1].split(";")[0].replace("http", "ws", 1)
        finally:
            process.terminate()


class Tap:
    """A wire tap: all events that went over a connection, each way, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[float, str, Any]] = []
        self.began = time.monotonic()
        self.url = ""

    def note(self, way: str, text: str | bytes) -> None:
        """Keep an event."""
        self.events.append((time.monotonic() - self.began, way, json.loads(text)))

    def got(self, type_: str) -> list[Any]:
        """What the server sent of a type."""
        return [event for _, way, event in self.events if way == "got" and event["type"] == type_]

    def sent(self, type_: str) -> list[Any]:
        """What the client sent of a type."""
        return [event for _, way, event in self.events if way == "sent" and event["type"] == type_]

    async def until(self, type_: str, count: int = 1, seconds: float = 40.0) -> Any:
        """Wait for the server's n-th event of a type."""
        async with asyncio.timeout(seconds):
            while len(self.got(type_)) < count:
                await asyncio.sleep(0.02)
        return self.got(type_)[count - 1]

    def order(self) -> list[str]:
        """The items in the order that `previous_item_id` tells."""
        order: list[str] = []
        for _, way, event in self.events:
            if way == "got" and event["type"] == "conversation.item.added":
                before = event["previous_item_id"]
                order.insert(order.index(before) + 1 if before else 0, event["item"]["id"])
            elif way == "got" and event["type"] == "conversation.item.deleted":
                order.remove(event["item_id"])
        return order

    def record(self, name: str) -> None:
        """Write what was sent, and when sound went which way, for a replay without the client."""
        folder = os.environ.get("SIMULATOR_RECORD")
        if not folder:
            return
        lines = []
        for at, way, event in self.events:
            if event["type"] == "input_audio_buffer.append":
                pcm = array("h", base64.b64decode(event["audio"]))
                lines.append(
                    {"at": round(at, 2), "sound_s": len(pcm) / RATE, "loud": max(map(abs, pcm), default=0) > LOUD}
                )
            elif event["type"] == "response.output_audio.delta":
                lines.append({"at": round(at, 2), "said_s": len(base64.b64decode(event["delta"])) / 2 / RATE})
            elif way == "sent":
                lines.append({"at": round(at, 2), "sent": event})
        Path(folder, f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in _joined(lines)))


def _joined(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs of sound of one kind are one line."""
    joined: list[dict[str, Any]] = []
    open_: dict[str, dict[str, Any]] = {}
    ends: dict[str, float] = {}
    for line in lines:
        kind = next((name for name in ("sound_s", "said_s") if name in line), "")
        last = open_.get(kind)
        if kind and last and last.get("loud") == line.get("loud") and line["at"] - ends[kind] < 0.3:
            last[kind] = round(last[kind] + line[kind], 3)
        else:
            joined.append(line)
            open_[kind] = line
        ends[kind] = line["at"]
    return joined


@asynccontextmanager
async def tapped(address: str) -> AsyncIterator[Tap]:
    """Relay connections to the server and listen in; the tap's `url` is where to connect."""
    tap = Tap()

    async def relay(client: Any) -> None:
        async with websockets.connect(address.removesuffix("/v1") + client.request.path, max_size=None) as far:

            async def down() -> None:
                async for text in far:
                    tap.note("got", text)
                    await client.send(text)
                await client.close(far.close_code or 1000)

            task = asyncio.create_task(down())
            async for text in client:
                tap.note("sent", text)
                await far.send(text)
            task.cancel()

    async with websockets.serve(relay, "127.0.0.1", 0, max_size=None) as relaying:
        port = relaying.sockets[0].getsockname()[1]
        tap.url = f"ws://127.0.0.1:{port}/v1"
        yield tap


class Mouth:
    """A caller's microphone: silence all the time, and a line when it is told to say one."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._waiting = b""

    def say(self, number: int) -> None:
        """Say a line."""
        self._waiting = self._lines[number]

    async def frames(self) -> AsyncIterator[bytes]:
        """Frames of 100 ms in real time, for ever."""
        began = time.monotonic()
        for count in range(10**6):
            frame, self._waiting = self._waiting[: 2 * FRAME], self._waiting[2 * FRAME :]
            yield frame.ljust(2 * FRAME, b"\0")
            await asyncio.sleep(max(0.0, began + (count + 1) * FRAME / RATE - time.monotonic()))


async def converse(mouth: Mouth, tap: Tap) -> None:
    """Three spoken turns, the first answer interrupted by the second turn; what clients do beside it is theirs."""
    mouth.say(0)
    await tap.until("response.output_audio.delta", 60)
    mouth.say(1)
    await tap.until("response.done", 1)
    await tap.until("input_audio_buffer.committed", 2)
    done = len(tap.got("response.done"))
    await tap.until("response.done", done + 1)
    mouth.say(2)
    await tap.until("input_audio_buffer.committed", 3)
    await tap.until("response.done", done + 2)


def held_well(tap: Tap) -> None:
    """What every client's conversation comes to: no error, one chain, a turn cut off, three turns of each side."""
    assert tap.got("error") == []
    added = [event["item"] for event in tap.got("conversation.item.added")]
    deleted = {event["item_id"] for event in tap.got("conversation.item.deleted")}
    assert tap.order() == [item["id"] for item in added if item["id"] not in deleted]
    assert "cancelled" in [event["response"]["status"] for event in tap.got("response.done")]
    spoken = [item for item in added if item.get("role") == "user" and item["content"][0]["type"] == "input_audio"]
    assert len(spoken) >= 3 and len([item for item in added if item.get("role") == "assistant"]) >= 3
