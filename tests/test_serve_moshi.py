"""Rules of the served Moshi protocol, through real sockets on loopback."""

import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close

from agents.moshi.protocol import FRAME
from agents.serve.text_pieces import TextPieces
from simulator.events import Event
from simulator.frame import silence
from simulator.serving.service import Limits
from simulator.session import read_session
from simulator.sound.ogg import PageReader, PageWriter
from simulator.sound.opus import OpusDecoder, OpusEncoder
from simulator.testing import burst
from tests.contracts.moshi_peers import served
from tests.told_events import assert_events_known

SPEAKING = {"kind": "scripted", "turns": [{"at": "160ms", "say": "good morning"}]}
Talk = Callable[[ClientConnection], Awaitable[None]]


def run(url: str, talk: Talk, path: str = "/api/chat", **settings: Any) -> None:
    """Run one client to the end."""

    async def client() -> None:
        async with connect(url + path, compression=None, ping_interval=None, **settings) as connection:
            await talk(connection)

    anyio.run(client)


async def greeted(connection: ClientConnection) -> None:
    """Wait for the handshake, at most a second."""
    with anyio.fail_after(1):
        assert await connection.recv() == b"\x00"


async def frames_back(connection: ClientConnection, decoder: OpusDecoder, count: int) -> list[bytes]:
    """Receive until so many frames of audio are in; gives the text pieces on the way."""
    samples, texts = 0, []
    with anyio.fail_after(5):
        while samples < count * FRAME:
            message = await connection.recv()
            assert isinstance(message, bytes)
            if message[0] == 1:
                samples += len(decoder.decode(message[1:]))
            else:
                texts.append(message)
    assert samples == count * FRAME
    return texts


def lone_headers(pages: list[bytes]) -> list[bytes]:
    """Header pages in messages of their own, as FDB's client sends them."""
    return pages


def joined(pages: list[bytes]) -> list[bytes]:
    """Everything in one message."""
    return [b"".join(pages)]


def sliced(pages: list[bytes]) -> list[bytes]:
    """Messages of 97 bytes, whatever pages they cut."""
    whole = b"".join(pages)
    return [whole[start : start + 97] for start in range(0, len(whole), 97)]


def one_packet(pages: list[bytes]) -> list[bytes]:
    """Two 40 ms packets on a page: 80 ms, with 24 kHz granules."""
    writer, packets = PageWriter(), [PageReader().feed(page)[0].pieces[0] for page in pages]
    pairs = [list(pair) for pair in zip(packets[2::2], packets[3::2], strict=True)]
    together = [packets[:1], packets[1:2], *pairs]
    return [writer.page(content, granule=1920 * number) for number, content in enumerate(together)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server that lasts for the module, and its folder."""
    folder = tmp_path_factory.mktemp("served")
    with served(SPEAKING, folder) as url:
        yield url, folder
    assert_events_known(folder)


@pytest.mark.parametrize("style", [lone_headers, joined, sliced, one_packet])
def test_n_frames_for_n_frames_whatever_the_pages(server: tuple[str, Path], style: Any) -> None:
    """Ten whole frames and a half one give ten frames, however the client pages and cuts them."""
    coded = OpusEncoder().encode(burst(10 * FRAME + 960 * (style is not one_packet)))
    pages = [page.raw for page in PageReader().feed(coded)]

    async def talk(connection: ClientConnection) -> None:
        await greeted(connection)
        for message in style(pages):
            await connection.send(b"\x01" + message)
        texts = await frames_back(connection, OpusDecoder(), 10)
        assert texts == [b"\x02 good", b"\x02 morning"][: len(texts)]
        with anyio.move_on_after(0.05):
            await connection.recv()
            pytest.fail("more came than was owed")

    run(server[0], talk)


def test_the_reply_to_a_frame_does_not_wait_for_the_next(server: tuple[str, Path]) -> None:
    """Lock-step: frame k is sent when the answer to k-1 is in."""

    async def talk(connection: ClientConnection) -> None:
        await greeted(connection)
        encoder, decoder = OpusEncoder(), OpusDecoder()
        for _ in range(5):
            await connection.send(b"\x01" + encoder.encode(silence(FRAME)))
            await frames_back(connection, decoder, 1)

    run(server[0], talk)


def test_what_is_no_audio_is_ignored(server: tuple[str, Path]) -> None:
    """Control messages, pings, text, empty messages and queries change nothing; early audio is kept."""

    async def talk(connection: ClientConnection) -> None:
        encoder = OpusEncoder()
        await connection.send(b"\x01" + encoder.encode(silence(FRAME)))
        for noise in (b"", b"\x00", b"\x03\x00", b"\x06", b"\xff\xff", "text", b"\x01"):
            await connection.send(noise)
        await greeted(connection)
        await frames_back(connection, OpusDecoder(), 1)

    run(server[0], talk, "/api/chat?text_temperature=0.7&email=a%40b&voice_prompt=x.pt")


def closed_with(url: str, *messages: bytes | str) -> tuple[int, str]:
    """Send messages and give the code and reason of the close frame that comes."""
    end: list[Close | None] = []

    async def talk(connection: ClientConnection) -> None:
        await greeted(connection)
        try:
            for message in messages:
                await connection.send(message)
            with anyio.fail_after(5):
                while True:
                    await connection.recv()
        except ConnectionClosed as closed:
            end.append(closed.rcvd)

    run(url, talk)
    assert end[0] is not None, "the connection broke without a close frame"
    return end[0].code, end[0].reason


def test_garbage_is_answered_with_a_close_frame_that_says_so(server: tuple[str, Path]) -> None:
    """Audio that is none is 1007 with what was found; a message of more than 1 MiB is 1009."""
    code, reason = closed_with(server[0], b"\x01this is no Ogg")
    assert (code, reason) == (1007, "found the bytes 74 68 69 73 where an Ogg page must begin with 4f 67 67 53")
    assert closed_with(server[0], b"\x01" + bytes(2**20))[0] == 1009
    assert closed_with(server[0], bytes(5 * 2**20))[0] == 1009


def test_a_client_that_broke_the_protocol_left_a_failed_session(server: tuple[str, Path]) -> None:
    """The folder says what the client did."""
    closed_with(server[0], b"\x01" + OpusEncoder().encode(silence(FRAME)), b"\x01garbage")
    newest = max(server[1].glob("serve-moshi-*"), key=lambda folder: int(folder.name.rsplit("-", 1)[1]))
    meta = read_session(newest).meta
    assert meta.status == "failed"
    assert "where an Ogg page must begin" in (meta.problem or "")


def test_a_client_may_leave_without_a_goodbye(server: tuple[str, Path]) -> None:
    """The socket is just gone: the session is complete as far as it went."""

    async def talk(connection: ClientConnection) -> None:
        await greeted(connection)
        await connection.send(b"\x01" + OpusEncoder().encode(silence(3 * FRAME)))
        await frames_back(connection, OpusDecoder(), 3)
        connection.transport.abort()

    run(server[0], talk)
    anyio.run(anyio.sleep, 0.1)
    newest = max(server[1].glob("serve-moshi-*"), key=lambda folder: int(folder.name.rsplit("-", 1)[1]))
    session = read_session(newest)
    assert (session.meta.status, session.duration) == ("completed", 4 * FRAME)


def test_one_more_client_than_places_is_refused_before_its_handshake(tmp_path: Path) -> None:
    """503 with a sentence, while the one inside goes on."""
    with served(SPEAKING, tmp_path, limits=Limits(sessions=1)) as url:

        async def talk(connection: ClientConnection) -> None:
            await greeted(connection)
            with pytest.raises(InvalidStatus) as refused:
                async with connect(url + "/api/chat"):
                    pass
            assert refused.value.response.status_code == 503
            assert b"all 1 places are taken" in bytes(refused.value.response.body or b"")
            await connection.send(b"\x01" + OpusEncoder().encode(silence(FRAME)))
            await frames_back(connection, OpusDecoder(), 1)

        run(url, talk)


def test_with_a_queue_one_more_client_waits_for_its_handshake(tmp_path: Path) -> None:
    """As Moshi's own server does it: connected, unanswered, served when the place is free."""
    with served(SPEAKING, tmp_path, limits=Limits(sessions=1), queue=True) as url:

        async def talk(first: ClientConnection) -> None:
            await greeted(first)
            async with connect(url + "/api/chat", ping_interval=None) as second:
                with anyio.move_on_after(0.1):
                    await second.recv()
                    pytest.fail("it was greeted while the place was taken")
                await first.close()
                await greeted(second)

        run(url, talk)


def test_a_silent_client_and_a_stopping_server_say_goodbye(tmp_path: Path) -> None:
    """Idle clients and clients of a stopping server get 1001 with the reason, and their sessions are complete."""
    with served(SPEAKING, tmp_path, limits=Limits(idle_s=0.2)) as url:
        assert closed_with(url) == (1001, "no audio for 0.2 s")
    ends: list[int | None] = []

    async def outlive() -> None:
        async with connect(url + "/api/chat", ping_interval=None) as connection:
            await greeted(connection)
            await connection.send(b"\x01" + OpusEncoder().encode(silence(FRAME)))
            await frames_back(connection, OpusDecoder(), 1)
            shut.set()
            with pytest.raises(ConnectionClosed) as closed:
                await connection.recv()
            ends.append(closed.value.rcvd and closed.value.rcvd.code)

    import threading

    shut = threading.Event()
    with served(SPEAKING, tmp_path / "stopping") as url:
        client = threading.Thread(target=anyio.run, args=(outlive,))
        client.start()
        assert shut.wait(5)
    client.join(5)
    assert ends == [1001]
    assert read_session(tmp_path / "stopping" / "serve-moshi-0").meta.status == "completed"


def test_words_are_told_with_the_frame_in_which_they_begin() -> None:
    """Each word waits for its onset; what a cut speech did not reach is never told; own text pieces pass."""
    pieces = TextPieces()
    words = [["one", 100], ["two", 2000], ["three", 5000]]
    pieces.note([Event(0, "speech_start", "agent", {"id": "a", "text": "one two three", "words": words})])
    assert pieces.due(1920) == [" one"]
    assert pieces.due(3840) == [" two"]
    pieces.note([Event(4000, "speech_end", "agent", {"id": "a", "cut": True, "said_samples": 4000})])
    pieces.note([Event(4100, "text", "agent", {"text": " x"})])
    assert pieces.due(10_000) == [" x"]
    pieces.note([Event(9000, "speech_start", "agent", {"id": "b", "text": "whole", "words": []})])
    assert pieces.due(10_000) == [" whole"]


def malformed(rng: random.Random, coded: bytes) -> bytes | str:
    """A message that is wrong in some way."""
    kind = rng.randrange(7)
    if kind == 0:
        return rng.randbytes(rng.randrange(400))
    if kind == 1:
        return b"\x01" + rng.randbytes(rng.randrange(400))
    if kind == 2:
        cut = rng.randrange(1, len(coded))
        return b"\x01" + coded[:cut]
    if kind == 3:
        spoiled = bytearray(coded)
        for _ in range(rng.randrange(1, 20)):
            spoiled[rng.randrange(len(spoiled))] = rng.randrange(256)
        return b"\x01" + bytes(spoiled)
    if kind == 4:
        return "".join(chr(rng.randrange(32, 1000)) for _ in range(rng.randrange(50)))
    if kind == 5:
        return bytes([rng.randrange(2, 256)]) + rng.randbytes(10)
    writer = PageWriter(rng.randrange(2**32))
    return b"\x01" + writer.page([rng.randbytes(rng.randrange(1, 60)) for _ in range(rng.randrange(1, 5))])


async def bombard(url: str, rng: random.Random, messages: int) -> int:
    """Send malformed messages over as many connections as it takes; gives how many connections that were."""
    coded = OpusEncoder().encode(silence(2 * FRAME))
    connections = sent = 0
    while sent < messages:
        connections += 1
        try:
            async with connect(url + "/api/chat", compression=None, ping_interval=None, max_queue=None) as connection:
                for _ in range(20):
                    sent += 1
                    await connection.send(bytes(5 * 2**20) if rng.random() < 0.001 else malformed(rng, coded))
                    if rng.random() < 0.02:
                        connection.transport.abort()
        except (ConnectionClosed, OSError):
            continue
    return connections


@pytest.mark.parametrize("messages", [300, pytest.param(4_000, marks=pytest.mark.slow)])
def test_malformed_messages_hurt_nobody(tmp_path: Path, messages: int) -> None:
    """The server stands, others are not disturbed, and its memory after a second round is that after the first."""
    resident: list[int] = []

    async def round_of(url: str, seed: int) -> None:
        decoder, encoder = OpusDecoder(), OpusEncoder()
        async with anyio.create_task_group() as tasks, connect(url + "/api/chat", ping_interval=None) as good:
            await greeted(good)
            tasks.start_soon(bombard, url, random.Random(seed), messages)
            for _ in range(20):
                await good.send(b"\x01" + encoder.encode(silence(FRAME)))
                await frames_back(good, decoder, 1)
        resident.append(resident_kib())

    with served({"kind": "silent"}, tmp_path, limits=Limits(sessions=200)) as url:
        for seed in (0, 1, 1):
            anyio.run(round_of, url, seed)
    assert resident[2] < 1.1 * resident[1]
    statuses = {read_session(folder).meta.status for folder in list(tmp_path.glob("serve-*"))[:50]}
    assert statuses <= {"completed", "failed"}


def resident_kib() -> int:
    """This process's resident memory (the server runs in a thread of it)."""
    import gc

    gc.collect()
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("needs /proc to see memory")
    return int(next(line for line in status.read_text().splitlines() if line.startswith("VmRSS")).split()[1])


def test_two_clients_at_once_do_not_hear_each_other(server: tuple[str, Path]) -> None:
    """Each has an actor of its own."""

    async def both() -> None:
        levels: list[float] = []

        async def one() -> None:
            async with connect(server[0] + "/api/chat", ping_interval=None) as connection:
                await greeted(connection)
                encoder, decoder, sound = OpusEncoder(), OpusDecoder(), []
                for _ in range(8):
                    await connection.send(b"\x01" + encoder.encode(silence(FRAME)))
                    while True:
                        message = await connection.recv()
                        assert isinstance(message, bytes)
                        if message[0] == 1:
                            sound.append(decoder.decode(message[1:]))
                            break
                levels.append(float(np.abs(np.concatenate(sound)).sum()))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
            tasks.start_soon(one)
        assert levels[0] == levels[1] > 0

    anyio.run(both)
