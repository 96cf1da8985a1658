"""Requests that are wrong in some way, for the served HTTP protocols; and a crowd that sends them."""

import base64
import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import anyio
import numpy as np

from agents.http_voice.npy_wire import encode_npy
from tests.contracts.http_peers import wav

SINE = (0.1 * np.sin(np.arange(800) / 6)).astype(np.float32)
VALID: dict[str, tuple[str, dict[str, Any]]] = {
    "http_voice": ("/api/v1/v2v", {"audio_data": encode_npy(SINE), "sample_rate": 16_000}),
    "chat_audio": ("/v1/chat/completions", {"max_tokens": 5, "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "hi"},
                                     {"type": "input_audio", "input_audio": {"data": wav(SINE), "format": "wav"}}]},
    ]}),
}  # fmt: skip
"""Where each protocol's requests go, and one that is right."""

BIG = 5 * 2**20
ODD: tuple[Any, ...] = (None, True, -1, 0, 1e308, "", "x" * 300, [], {}, [[]], {"data": 5}, "\ud83d\ude00", 10**30)


def malformed(protocol: str, rng: random.Random) -> bytes:
    """One request, as bytes for a socket of its own."""
    path, valid = VALID[protocol]
    kind = rng.randrange(10)
    if kind == 0:
        return rng.randbytes(rng.randrange(400))
    if kind == 1:
        return post(path, rng.randbytes(rng.randrange(2000)))
    if kind == 2:
        return post(path, spoiled(json.dumps(valid).encode(), rng))
    if kind == 3:
        whole = post(path, json.dumps(valid).encode())
        return whole[: rng.randrange(len(whole))]
    if kind == 4:
        return post(path, b"{" * rng.randrange(1, 4000))
    if kind == 5:
        return post(path, json.dumps(with_sound(protocol, rng)).encode())
    if kind == 6:
        host = rng.choice(["127.0.0.1", "evil", ""])
        return f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: -5\r\n\r\n".encode()
    if kind == 7:
        method = rng.choice(["GET", "DELETE", "PUT", "BREW", "OPTIONS"])
        place = rng.choice(["v1/sessions/../..", "%00", "v1/sessions", "x" * 3000])
        return f"{method} /{place} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    return post(path, json.dumps(changed(valid, rng)).encode())


def post(path: str, body: bytes) -> bytes:
    """A whole request, the connection closed behind its answer."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def spoiled(data: bytes, rng: random.Random) -> bytes:
    """The same bytes with some of them changed."""
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 30)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def with_sound(protocol: str, rng: random.Random) -> Any:
    """A right request whose sound is spoiled, below its base64."""
    _, valid = VALID[protocol]
    request = json.loads(json.dumps(valid))
    place, key = (request, "audio_data") if protocol == "http_voice" else (
        request["messages"][1]["content"][1]["input_audio"], "data")  # fmt: skip
    place[key] = base64.b64encode(spoiled(base64.b64decode(place[key]), rng)).decode()
    return request


def changed(value: Any, rng: random.Random) -> Any:
    """The same data with something odd in one place, or something missing."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.2:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        index = rng.randrange(len(value))
        return [*value[:index], changed(value[index], rng), *value[index + 1 :]]
    return rng.choice(ODD)


async def one(url: str, data: bytes, rng: random.Random) -> bytes:
    """Send a request over a connection of its own, some of them badly; gives the answer as far as it came."""
    parts = urlsplit(url)
    answer = b""
    try:
        async with await anyio.connect_tcp(parts.hostname or "", parts.port or 80) as stream:
            manner = rng.random()
            if manner < 0.02:  # a half-open socket: never finished, left to the server to close
                await stream.send(data[: len(data) // 2])
                return b""
            await stream.send(data)
            if manner < 0.04:  # leaves without reading
                return b""
            # Half of them lose patience; the others wait for their answer however busy the machine is.
            with anyio.move_on_after(0.2 if manner < 0.5 else 20.0):
                while True:
                    answer += await stream.receive()
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
        pass
    return answer


async def bombard(url: str, protocol: str, requests: int, seed: int, seen: Callable[[bytes], None]) -> None:
    """Send so many malformed requests, twenty at a time; seen(answer) for each."""

    async def some(seed: int, count: int) -> None:
        rng = random.Random(seed)
        for number in range(count):
            data = post(VALID[protocol][0], bytes(BIG)) if number % 500 == 250 else malformed(protocol, rng)
            seen(await one(url, data, rng))

    async with anyio.create_task_group() as crowd:
        for index in range(20):
            crowd.start_soon(some, 1000 * seed + index, requests // 20)
