"""Rules of what a request may cost: known before it is decoded, linear in what was sent, given up with the client."""

import base64
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
import soundfile

from agents.chat_audio.server import ChatAudioServerSpec
from agents.chat_audio.server_request import read_request
from agents.remote.base64_bytes import PIECE, base64_bytes, base64_text
from agents.remote.foreign_json import MOST_VALUES, decode_foreign
from agents.serve.http_json import RefusedError
from agents.serve.presence import ClientLeftError
from agents.serve.sound_in import SoundBudget, joined_sound
from simulator.serving.door import open_door
from simulator.serving.service import Service
from simulator.session import read_session
from tests.served import service

BUDGET = SoundBudget(longest_s=600)


def flac(seconds: float, rate: int = 24_000, channels: int = 1) -> bytes:
    """Silence, which takes next to nothing."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros((int(seconds * rate), channels), np.int16), rate, format="FLAC")
    return file.getvalue()


def stay() -> None:
    """The client is there."""


@pytest.fixture
def peak() -> Iterator[Any]:
    """How many bytes were held at most, numpy's included, since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.mark.parametrize("files", [[flac(500)] * 2, [flac(100, 96_000, 8)], [flac(1.0)] * 601])
def test_too_much_sound_is_refused_undecoded(files: list[bytes], peak: Any) -> None:
    """Seconds, and frames times channels, of all files together, from their headers: no sample is read."""
    with pytest.raises(RefusedError, match="allowed"):
        joined_sound(files, 24_000, BUDGET, stay)
    assert peak() < 2**20


def test_sound_is_decoded_in_blocks(peak: Any) -> None:
    """Ten minutes in two channels at 48 kHz need what comes out of them, and a few blocks."""
    data = flac(600, 48_000, 2)
    samples = joined_sound([data], 24_000, BUDGET, stay)
    assert len(samples) == 600 * 24_000
    assert peak() < 3 * samples.nbytes


def test_files_are_joined_at_one_rate() -> None:
    """A tone in two files of different rates and widths goes on as one."""
    parts = []
    for rate, channels in ((16_000, 2), (24_000, 1)):
        tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(rate) / rate)
        file = io.BytesIO()
        soundfile.write(file, np.tile(tone[:, None], channels), rate, format="WAV", subtype="FLOAT")
        parts.append(file.getvalue())
    samples = joined_sound(parts, 24_000, BUDGET, stay)
    expected = np.tile(0.3 * np.sin(2 * np.pi * 200 * np.arange(24_000) / 24_000), 2)
    assert len(samples) == 48_000
    assert np.abs(samples - expected)[500:23_500].max() < 1e-3


def test_decoding_stops_when_the_client_has_left() -> None:
    """At the next block."""
    looks = []

    def leave() -> None:
        looks.append(1)
        if len(looks) == 3:
            raise ClientLeftError("the client left")

    with pytest.raises(ClientLeftError):
        joined_sound([flac(600)], 24_000, BUDGET, leave)
    assert len(looks) == 3


def messages(count: int, parts: int = 0) -> bytes:
    """A request of so many messages, each of so many parts."""
    content: Any = [{"type": "text", "text": "a"}] * parts if parts else "a"
    return json.dumps({"messages": [{"role": "user", "content": content}] * count}).encode()


@pytest.mark.parametrize("body", [messages(10_001), messages(100, 21), messages(1, 2001), b"[" + b"{}," * 10**6])
def test_too_many_of_anything_are_refused(body: bytes) -> None:
    """Messages, parts over all messages, values of the JSON."""
    with pytest.raises(RefusedError, match=r"allowed|more than"):
        read_request(body)


def test_every_message_is_looked_at_once() -> None:
    """The cost of a request is linear in its messages: 10,000 are read at once, the last one's turn is asked."""
    asked = read_request(messages(9_999)[:-2] + b', {"role": "user", "content": "now"}]}')
    assert asked.turn.text == "now"


def test_values_are_counted_before_they_are_made(peak: Any) -> None:
    """A body that would be many times its size in memory is refused."""
    body = b"[" + b",".join([b"[]"] * MOST_VALUES) + b"]"
    before = peak()
    with pytest.raises(ValueError, match="more than"):
        decode_foreign(body)
    assert peak() - before < 2**20


@pytest.mark.parametrize("size", [0, 1, 2, 3, PIECE // 4 * 3 - 1, PIECE // 4 * 3, PIECE // 4 * 3 + 1, PIECE * 2 + 5])
def test_base64_in_pieces_is_base64(size: int) -> None:
    """Whatever the length, and with blanks in it, as the standard library has it."""
    data = np.random.default_rng(1).bytes(size)
    text = base64.b64encode(data).decode()
    assert base64_text(data) == text
    assert base64_bytes(text) == base64_bytes("\n".join(text[at : at + 77] for at in range(0, len(text), 77))) == data


@pytest.mark.parametrize("text", ["A", "AAA", "AA=A", "AA==AAAA", "é", "A" * PIECE + "=", "A" * (PIECE - 2) + "==AAAA"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    """Also where a piece ends."""
    with pytest.raises(ValueError):
        base64_bytes(text)


def test_a_refused_request_leaves_no_memory_behind(tmp_path: Path) -> None:
    """An error that comes out of a thread holds on to nothing that was worked on."""

    def work(body: bytearray) -> None:
        raise RefusedError(400, str(len(body)))

    async def go() -> int:
        offered = service(tmp_path)
        body = bytearray(2**24)
        kept: list[Exception] = []
        tracemalloc.start()
        try:
            await offered.in_thread(lambda: work(bytearray(body)))
        except RefusedError as error:
            kept.append(error)
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return held

    assert anyio.run(go) < 2**20


def test_work_ends_when_the_client_leaves(tmp_path: Path) -> None:
    """A turn that would take ten minutes is given up, and its place is free again."""
    content = [{"type": "input_audio", "input_audio": {"data": base64.b64encode(flac(590)).decode(), "format": "flac"}}]
    body = json.dumps({"messages": [{"role": "user", "content": content}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def go(offered: Service) -> None:
        async with open_door(offered, ChatAudioServerSpec(sessions=False)) as url:
            async with await anyio.connect_tcp("127.0.0.1", int(url.rsplit(":", 1)[1])) as stream:
                await stream.send(head + body)
                with anyio.fail_after(20):
                    while not offered.taken:  # noqa: ASYNC110 - the server runs in this loop and tells nobody
                        await anyio.sleep(0.005)
            with anyio.fail_after(5):
                while offered.taken:  # noqa: ASYNC110
                    await anyio.sleep(0.005)

    anyio.run(go, service(tmp_path))
    meta = read_session(tmp_path / "runs" / "serve-test-0").meta
    assert meta.status == "failed" and meta.duration_samples < 590 * 24_000
