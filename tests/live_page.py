"""A live page without a browser, for tests: fetches its cookie, says hello, sends sound with frame numbers, listens."""

import http.client
import re
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import msgspec
import numpy as np

from simulator import clock
from simulator.batch.job import Played
from simulator.frame import to_pcm16
from simulator.live.rivals import Rival
from simulator.live.talk import Way, talk_in_browser
from simulator.planning.job import Job
from simulator.results.row import Row
from simulator.scenario import resolved
from simulator.testing import scenario_of

BLOCK = 480


def job_of(folder: Path, **data: Any) -> Job:
    """A job of a short scenario with a human user, whose agent says nothing unless told otherwise."""
    scenario = scenario_of({"user": "human", "agent": "silent", "scorers": [], "duration": "60s", **data}, folder)
    return Job(id="live-0", group="live", scenario=resolved(scenario, 0))


class Hosted:
    """A conversation that is being hosted. addresses: what was printed, by role. result, rivals: when it is over."""

    def __init__(self) -> None:
        self.addresses: dict[str, str] = {}
        self.result: tuple[Row, Played] | None = None
        self.rivals: list[tuple[Row, Played]] = []

    def tell(self, sentence: str) -> None:
        """Take what is printed."""
        found = re.search(r"http://\S+/(talk/\w+|watch)\?pass=\S+", sentence)
        if found:
            self.addresses[found[1]] = found[0]

    async def over(self) -> tuple[Row, Played]:
        """Wait for the result."""
        with anyio.fail_after(20):
            while self.result is None:
                await clock.sleep(0.02)
        return self.result


@asynccontextmanager
async def hosted(job: Job, run_folder: Path, *rivals: Rival) -> AsyncIterator[Hosted]:
    """Host a conversation while the block runs; the block ends early when it is over."""
    host = Hosted()

    async def run() -> None:
        await anyio.Path(run_folder).mkdir(exist_ok=True)
        way = Way(open_page=False, rivals=rivals)
        host.result, *host.rivals = await talk_in_browser(job, run_folder, way, host.tell)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        with anyio.fail_after(10):
            while len(host.addresses) < 2 or not await anyio.to_thread.run_sync(_answers, host.addresses["watch"]):
                await clock.sleep(0.02)
        yield host
        tasks.cancel_scope.cancel()


def _answers(address: str) -> bool:
    try:
        return get(address.partition("?")[0])[0] == 401
    except OSError:
        return False


def get(address: str, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
    """GET without following redirects: the status, the cookie that was set, the text."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", f"{parts.path}{'?' * bool(parts.query)}{parts.query}", headers=headers or {})
        answer = connection.getresponse()
        return answer.status, (answer.getheader("set-cookie") or "").partition(";")[0], answer.read().decode()
    finally:
        connection.close()


async def cookie_for(address: str) -> str:
    """Exchange an address's pass for its cookie."""
    status, cookie, _ = await anyio.to_thread.run_sync(get, address)
    assert status == 303, status
    return cookie


class Page:
    """An open line. messages: what the server told, as dicts. sound: what it played, samples at the page's rate."""

    def __init__(self, socket: Any, rate: int) -> None:
        self.socket = socket
        self.rate = rate
        self.frame = 0
        self.messages: list[dict[str, Any]] = []
        self.sound: list[np.ndarray] = []

    async def tell(self, type_: str, **fields: Any) -> None:
        """Send a message."""
        await self.socket.send(msgspec.json.encode({"type": type_, **fields}).decode())

    async def speak(self, samples: np.ndarray) -> None:
        """Send one block of sound with its frame number."""
        head = struct.pack("<B3xQ", 1, self.frame)
        await self.socket.send(head + to_pcm16(samples).tobytes())
        self.frame += len(samples)

    async def wait_for(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a message."""
        with anyio.fail_after(20):
            while not (found := [message for message in self.messages if fits(message)]):
                await clock.sleep(0.01)
        return found[0]

    async def state(self, state: str) -> None:
        """Wait until the room is in a state."""
        await self.wait_for(lambda message: message["type"] == "state" and message["state"] == state)

    async def listen(self) -> None:
        """Take what comes; a request to join both ends is answered at once."""
        async for message in self.socket:
            if isinstance(message, bytes):
                self.sound.append(np.frombuffer(message, "<i2", offset=12))
                continue
            told = msgspec.json.decode(message)
            self.messages.append(told)
            if told["type"] == "loop":
                await self.tell("looped", on=told["on"])

    async def receive_for_ever(self) -> None:
        """Read until the line is closed."""
        with anyio.fail_after(10):
            while True:
                await self.socket.recv()

    async def babble(self, samples: Callable[[int], np.ndarray]) -> None:
        """Send `samples(block number)` in real time, for ever."""
        begin, number = clock.seconds(), 0
        while True:
            await clock.sleep(max(0.0, begin + number * BLOCK / self.rate - clock.seconds()))
            await self.speak(samples(number))
            number += 1


def quiet(number: int) -> np.ndarray:
    """A block of silence."""
    return np.zeros(BLOCK, np.float32)


@asynccontextmanager
async def page(
    address: str, cookie: str, *, rate: int = 48_000, hello: bool = True, samples: Callable[[int], np.ndarray] = quiet
) -> AsyncIterator[Page]:
    """Open a line to a seat, say hello, and keep speaking while the block runs."""
    from websockets.asyncio.client import connect

    parts = urlsplit(address)
    async with connect(
        f"ws://{parts.netloc}{parts.path}/line",
        origin=f"http://{parts.netloc}",  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie},
        compression=None,
    ) as socket:
        made = Page(socket, rate)
        async with anyio.create_task_group() as tasks:
            if hello:
                await made.tell("hello", rate=rate, block_ms=10, microphone_ms=5, loudspeaker_ms=15)
                tasks.start_soon(_until_closed, made.listen)
                tasks.start_soon(_until_closed, made.babble, samples)
            yield made
            tasks.cancel_scope.cancel()


async def _until_closed(do: Callable[..., Any], *arguments: Any) -> None:
    from websockets.exceptions import ConnectionClosed

    try:
        await do(*arguments)
    except ConnectionClosed:
        return
