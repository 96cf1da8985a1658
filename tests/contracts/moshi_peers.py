"""Moshi servers for tests, real ones on loopback: ours with an actor behind it, and scripted ones that misbehave."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from anyio.from_thread import start_blocking_portal
from websockets.asyncio.server import ServerConnection, serve

from agents.moshi.protocol import DIALECTS, FRAME, MoshiServer
from agents.moshi.server import MoshiServerSpec
from simulator.actor import AnyActor
from simulator.frame import Samples, freeze
from simulator.serving.door import open_door
from simulator.serving.listening import LOCAL, DoorSpec
from simulator.serving.service import DEFAULT_LIMITS, Limits, Service
from simulator.spec import decode

Talk = Callable[[ServerConnection], Awaitable[None]]


@contextmanager
def served(
    actor: dict[str, Any], out: Path, *, door: DoorSpec = LOCAL, limits: Limits = DEFAULT_LIMITS, **settings: Any
) -> Iterator[str]:
    """Serve an actor (plain data) as a Moshi server in a thread of its own; gives the ws:// URL."""
    spec = decode(actor, AnyActor, source="test", folder=out)
    service = Service(spec, protocol="moshi", out=out, limits=limits)
    with start_blocking_portal() as portal:
        server = open_door(service, MoshiServerSpec(**settings), door)
        with portal.wrap_async_context_manager(server) as url:
            yield url.replace("http", "ws", 1)


@contextmanager
def scripted(talk: Talk, **settings: Any) -> Iterator[str]:
    """Run `talk` for every client of a WebSocket server in a thread of its own; gives the ws:// URL."""

    @asynccontextmanager
    async def server() -> AsyncIterator[str]:
        async with serve(talk, "127.0.0.1", 0, compression=None, **settings) as listening:
            yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}"

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(server()) as url:
        yield url


def ramp(index: int) -> Samples:
    """A frame whose level tells its number after any codec: a tone of constant level in steps of 0.01."""
    tone = np.sin(2 * np.pi * 440 * np.arange(FRAME) / 24_000, dtype=np.float64)
    return freeze((0.01 * (index + 1) * tone).astype(np.float32))


def numbers(samples: Samples) -> list[int]:
    """Tell which frames of `ramp` lie in whole frames of sound: their numbers, -1 for silence."""
    middle = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)[:, 480:]
    levels = np.sqrt(2 * np.mean(np.square(middle, dtype=np.float64), axis=1))
    return [round(100 * level) - 1 for level in levels]


def answering(dialect: str, *, handshake: bytes = b"\x00", stop_after: int | None = None) -> Talk:
    """A server that answers by a dialect's rules with `ramp(n)` as its n-th frame; leaves after `stop_after` frames."""

    async def talk(connection: ServerConnection) -> None:
        core = MoshiServer()
        core.greet()
        await connection.send(handshake)
        heard = said = 0
        async for message in connection:
            heard += len(core.receive(message))
            while said < heard - DIALECTS[dialect].first:
                if said == stop_after:
                    return
                await connection.send(core.say(ramp(said)))
                said += 1
                await connection.send(core.text(f" {said}"))

    return talk
