"""Asks a Moshi server whether it works, before a run depends on it: reachable, key accepted, first frame back."""

import anyio

from agents.moshi.link import Patience
from agents.moshi.protocol import FRAME, MoshiClient
from agents.moshi.wire import Closed, MoshiAddress, MoshiWire, dial
from simulator.clock import seconds
from simulator.errors import RemoteError
from simulator.frame import silence

FRAMES = 5
"""Sent at once: more than any server keeps before its first answer."""


async def probe(address: MoshiAddress, core: MoshiClient, patience: Patience) -> str:
    """Connect, wait for the handshake and for a first frame, leave; gives what was found, in a sentence.

    RemoteError, a predicate, for what is wrong.
    """
    began = seconds()
    wire = await dial(address, lambda: 0)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wire.read)
            await _until(wire, core, patience.handshake_s, "handshake (0x00)")
            greeted = seconds()
            for _ in range(FRAMES):
                await wire.send(core.send(silence(FRAME)))
            await _until(wire, core, patience.stall_s, "audio")
            tasks.cancel_scope.cancel()
    finally:
        await wire.close()
    return (f"shook hands after {greeted - began:.2f} s, answered the first frames after "
            f"{1000 * (seconds() - greeted):.0f} ms")  # fmt: skip


async def _until(wire: MoshiWire, core: MoshiClient, timeout_s: float, what: str) -> None:
    try:
        with anyio.fail_after(timeout_s):
            while core.state == "waiting" or (core.sent and not core.received):
                message = (await wire.receive()).message
                if isinstance(message, Closed):
                    core.lost(message.code, message.reason)
                else:
                    core.receive(message)
    except TimeoutError:
        busy = "" if core.sent else ": it is busy with another client, or still loading"
        raise RemoteError(f"sent no {what} within {timeout_s:g} s{busy}") from None
