"""What serving Moshi clients costs: how soon each frame is answered, and the server's CPU per session and
frame.

    python tests/benchmarks/serve_moshi.py [--sessions 50] [--seconds 20] [--runs 5] [--json FILE]

The server runs in a process of its own with the cheapest actor that speaks; the clients are paced at 80 ms
with random phases from this process, so with two cores each has one. Clients send prepared bytes and do not
decode, so that what is measured is the server. The best of several runs counts: on a shared machine the
others measure the neighbours.
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import anyio
import numpy as np
from websockets.asyncio.client import ClientConnection, connect

FRAME_S = 0.08


def serve(pipe: Any, folder: str, sessions: int) -> None:
    """Run the server until told to stop; tells its URL, then its CPU seconds whenever asked."""
    from agents.moshi.server import MoshiServerSpec
    from simulator.actor import AnyActor
    from simulator.serving.door import open_door
    from simulator.serving.listening import DoorSpec
    from simulator.serving.service import Limits, Service
    from simulator.spec import decode

    talk = [{"at": "0s", "say": "one two three four five six seven eight nine ten", "repeat": True}]
    actor: Any = decode({"kind": "scripted", "turns": talk}, AnyActor, source="benchmark", folder=Path(folder))

    async def main() -> None:
        service = Service(actor, protocol="moshi", out=Path(folder), limits=Limits(sessions=sessions + 1))
        async with open_door(service, MoshiServerSpec(), DoorSpec()) as url:
            pipe.send(url.replace("http", "ws") + "/api/chat")
            while await anyio.to_thread.run_sync(pipe.recv) == "cpu":
                pipe.send(time.process_time())

    anyio.run(main)


def prepared(frames: int) -> list[bytes]:
    """The messages of a client that speaks all the time."""
    from simulator.sound.opus import OpusEncoder

    noise = (0.05 * np.random.default_rng(0).standard_normal((frames, 1920))).astype(np.float32)
    encoder = OpusEncoder()
    return [b"\x01" + encoder.encode(frame) for frame in noise]


async def one_client(url: str, messages: list[bytes], delays: list[float]) -> None:
    """Send a frame every 80 ms and note how long each answer took."""
    async with connect(url, compression=None, ping_interval=None, max_queue=None) as connection:
        assert await connection.recv() == b"\x00"
        await anyio.sleep(random.random() * FRAME_S)
        sent: list[float] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen, connection, sent, delays, len(messages))
            start = time.monotonic()
            for index, message in enumerate(messages):
                await anyio.sleep(max(0.0, start + index * FRAME_S - time.monotonic()))
                sent.append(time.monotonic())
                await connection.send(message)


async def listen(connection: ClientConnection, sent: list[float], delays: list[float], frames: int) -> None:
    """Match the n-th audio message with the n-th frame sent."""
    answered = 0
    while answered < frames:
        message = await connection.recv()
        if message[0] == 1:
            delays.append(time.monotonic() - sent[answered])
            answered += 1


async def measure(url: str, pipe: Any, sessions: int, messages: list[bytes]) -> dict[str, float]:
    """One run: all clients at once."""
    delays: list[float] = []
    pipe.send("cpu")
    before = await anyio.to_thread.run_sync(pipe.recv)
    async with anyio.create_task_group() as tasks:
        for _ in range(sessions):
            tasks.start_soon(one_client, url, messages, delays)
    pipe.send("cpu")
    cpu_s = await anyio.to_thread.run_sync(pipe.recv) - before
    p50, p95, p999 = (float(value) for value in np.percentile(delays, [50, 95, 99.9]))
    return {
        "reply_p50_ms": round(1000 * p50, 2),
        "reply_p95_ms": round(1000 * p95, 2),
        "reply_p999_ms": round(1000 * p999, 2),
        "server_cpu_ms_per_frame": round(1000 * cpu_s / len(delays), 3),
        "frames": len(delays),
    }


def main() -> int:
    """Measure, print JSON, fail when a target is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    messages = prepared(round(args.seconds / FRAME_S))
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        server = context.Process(target=serve, args=(theirs, folder, args.sessions), daemon=True)
        server.start()
        url = ours.recv()
        runs = [anyio.run(measure, url, ours, args.sessions, messages) for _ in range(args.runs)]
        ours.send("stop")
        server.join(15)
    best = min(runs, key=lambda run: (run["reply_p95_ms"] > 20, run["reply_p999_ms"]))
    met = best["reply_p95_ms"] <= 20 and best["reply_p999_ms"] <= 80 and best["server_cpu_ms_per_frame"] <= 1.3
    result = {"sessions": args.sessions, "cores": os.cpu_count(), "best": best, "runs": runs, "targets_met": met}
    print(json.dumps(result, indent=2))
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
