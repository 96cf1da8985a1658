"""Rules of the moshi kind: sessions with real servers on loopback, well-behaved and not, on both clocks."""

import base64
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from agents.moshi.actor import MoshiSpec
from agents.moshi.protocol import FRAME, MoshiServer
from simulator.clock import sleep
from simulator.errors import RemoteError, ScenarioError
from simulator.serving.listening import DoorSpec
from simulator.session import Session
from simulator.spec import Duration
from simulator.testing import play_scenario, play_session, scenario_of
from tests.contracts.moshi_peers import Talk, answering, numbers, ramp, scripted, served

LOGS = Path(__file__).parent / "data" / "moshi"
SPEAKING = {"kind": "scripted", "turns": [{"at": "300ms", "say": "good morning"}]}


def session_with(url: str, folder: Path, *, duration: str = "800ms", clock: str = "virtual", **agent: Any) -> Session:
    """A session of a silent user with the server at `url`."""
    spec = {"kind": "moshi", "url": url, "drain": "10ms", **agent}
    return play_session({"user": "silent", "agent": spec, "duration": duration, "clock": clock}, folder)


def texts(session: Session) -> list[tuple[int, int, str]]:
    """The text events: (at, model_at, text), times in frames of 80 ms."""
    told = [event for event in session.events if event.type == "text"]
    return [(event.at // FRAME, event.model_at // FRAME, event.text) for event in told]


def test_frames_lie_where_their_count_puts_them(tmp_path: Path) -> None:
    """contiguous: a Python server's first frame answers input frame 1, so it is said in frame 2, the next one in 3."""
    with scripted(answering("moshi")) as url:
        session = session_with(url, tmp_path)
    assert session.meta.status == "completed"
    assert numbers(session.said("agent")) == [-1, -1, 0, 1, 2, 3, 4, 5, 6, 7]
    assert texts(session)[:2] == [(3, 1, " 1"), (4, 2, " 2")]


def test_personaplex_is_counted_like_moshi_when_nobody_says_otherwise(tmp_path: Path) -> None:
    """auto keeps one frame in flight: the frame that answers input frame 0 is said in frame 2."""
    with scripted(answering("personaplex")) as url:
        session = session_with(url, tmp_path)
    assert numbers(session.said("agent")) == [-1, -1, 0, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("handshake", [b"\x00" + bytes(8), b"\x00"])
def test_two_frames_stay_in_flight_with_a_rust_server(tmp_path: Path, handshake: bytes) -> None:
    """Nine bytes of handshake, or `server: rust`, and the session does not wait for a frame that never comes."""
    with scripted(answering("rust", handshake=handshake)) as url:
        server = "auto" if len(handshake) == 9 else "rust"
        session = session_with(url, tmp_path, server=server, stall_timeout="5s")
    assert session.meta.status == "completed"
    assert numbers(session.said("agent")) == [-1, -1, -1, 0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("dialect", ["moshi", "personaplex", "rust"])
def test_fdb_lays_one_zero_frame_and_then_the_server_end_to_end(tmp_path: Path, dialect: str) -> None:
    """As Full-Duplex-Bench's client writes its file; the session's length cuts it."""
    with scripted(answering(dialect)) as url:
        prompts = {"voice_prompt": "NATF2.pt", "text_prompt": "You talk."} if dialect == "personaplex" else {}
        session = session_with(url, tmp_path, server=dialect, placement="fdb", stall_timeout="5s", **prompts)
    assert numbers(session.said("agent")) == [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8]


def test_a_session_with_a_server_is_the_same_twice(tmp_path: Path) -> None:
    """In lock-step every byte of sound, events and trace depends on the server's bytes alone."""
    with served(SPEAKING, tmp_path / "server") as url:
        for name in ("a", "b"):
            session_with(url, tmp_path / name, duration="1.2s")
    for file in ("conversation.wav", "events.jsonl"):
        first, second = ((tmp_path / name / "test-0" / file).read_bytes() for name in ("a", "b"))
        assert first == second


def test_both_ends_record_the_same_conversation(tmp_path: Path) -> None:
    """What the client's folder holds as the agent is what the server's folder holds, two frames and the codec later."""
    with served(SPEAKING, tmp_path / "server") as url:
        session = session_with(url, tmp_path / "client", duration="2s")
    from simulator.session import read_session

    there = read_session(tmp_path / "server" / "serve-moshi-0")
    assert (session.meta.status, there.meta.status) == ("completed", "completed")
    assert there.meta.parties["user"].kind == "client"
    here_said, there_said = session.said("agent"), there.said("agent")
    lag = np.argmax(np.correlate(here_said[:24_000], there_said[: 24_000 - 4000], "valid"))
    assert lag == pytest.approx(FRAME + 156, abs=2)
    assert [text for _, _, text in texts(session)] == [" good", " morning"]
    planned = next(event for event in there.events if event.type == "speech_start")
    assert [model_at * FRAME for _, model_at, _ in texts(session)] == [
        onset // FRAME * FRAME for _, onset in planned.words
    ]


@pytest.mark.slow
def test_paced_on_the_wall_clock_a_server_is_heard_as_it_comes(tmp_path: Path) -> None:
    """placement heard: nothing is waited for, and a server on the same machine is heard without a gap."""
    with scripted(answering("moshi")) as url:
        session = session_with(url, tmp_path, duration="1.6s", clock="wall")
    said = numbers(session.said("agent"))
    assert session.meta.status == "completed"
    assert said[:2] == [-1, -1]
    assert [number for number in said if number >= 0] == list(range(len([number for number in said if number >= 0])))
    assert said[-1] >= 14


@pytest.mark.slow
def test_a_late_frame_is_heard_late_or_not_at_all(tmp_path: Path) -> None:
    """A server that holds frame 3 back by 250 ms: `heard` moves what follows, `contiguous` drops what came too late."""

    async def slow(connection: ServerConnection) -> None:
        core, heard = MoshiServer(), 0
        await connection.send(core.greet())
        async for message in connection:
            for _ in core.receive(message):
                if heard == 3:
                    await anyio.sleep(0.25)
                await connection.send(core.say(ramp(heard)))
                heard += 1

    with scripted(slow) as url:
        heard = session_with(url, tmp_path / "heard", duration="1.6s", clock="wall", placement="heard")
        count = session_with(url, tmp_path / "count", duration="1.6s", clock="wall", placement="contiguous")
    numbers_heard, numbers_count = numbers(heard.said("agent")), numbers(count.said("agent"))
    assert [number for number in numbers_heard if number >= 0] == list(range(max(numbers_heard) + 1))
    assert any(event.type == "starved" for event in heard.events)
    assert 3 not in numbers_count
    assert all(number in (-1, place - 3) for place, number in enumerate(numbers_count))
    assert numbers_count[-1] == 16


def failing(url: str, folder: Path, *, duration: str = "2s", clock: str = "virtual", **agent: Any) -> str:
    """Run a session that must fail, readably, and give the sentence that says why."""
    data = {"user": "silent", "agent": {"kind": "moshi", "url": url, **agent}, "duration": duration,
            "clock": clock}  # fmt: skip
    session, played = play_scenario(scenario_of(data, folder), folder)
    assert (session.meta.status, played.status) == ("failed", "failed")
    assert session.meta.problem == played.problem
    assert played.problem is not None
    return played.problem


def test_a_server_that_is_killed_mid_session(tmp_path: Path) -> None:
    """1006 after some frames: what was heard until then is kept, the sentence says how far it went."""

    async def die(connection: ServerConnection) -> None:
        core = MoshiServer()
        await connection.send(core.greet())
        for number in range(4):
            await connection.recv()
            await connection.send(core.say(ramp(number)))
        connection.transport.abort()

    with scripted(die) as url:
        problem = failing(url, tmp_path)
    assert "dropped the connection after 4 of" in problem
    assert "at t=0." in problem


def test_a_close_before_the_session_is_done(tmp_path: Path) -> None:
    """1000 before done is a failed session."""
    with scripted(answering("moshi", stop_after=5)) as url:
        assert "ended the session after 5 of" in failing(url, tmp_path)


def test_a_server_that_stalls(tmp_path: Path) -> None:
    """Frames that do not come end the session after stall_timeout."""

    async def stall(connection: ServerConnection) -> None:
        await connection.send(b"\x00")
        await connection.wait_closed()

    with scripted(stall) as url:
        problem = failing(url, tmp_path, stall_timeout="200ms")
    assert "sent no audio for 0.2 s (0 of 1 frames owed) at t=0.16 s" in problem


def test_a_server_that_sends_frames_nobody_asked_for(tmp_path: Path) -> None:
    """Frames that nothing was sent for have no place."""

    async def send_thirty(connection: ServerConnection) -> None:
        core = MoshiServer()
        await connection.send(core.greet())
        await connection.send(core.say(np.concatenate([ramp(0)] * 30)))
        await connection.wait_closed()

    with scripted(send_thirty) as url:
        assert re.search(r"sent \d+ frames for \d+", failing(url, tmp_path))


def test_a_server_that_sends_without_end(tmp_path: Path) -> None:
    """A flood is cut off before it fills the memory, however fast the machine takes it in."""

    async def flood(connection: ServerConnection) -> None:
        core = MoshiServer()
        await connection.send(core.greet())
        message = core.say(ramp(0))
        with suppress(ConnectionClosed):
            while True:
                await connection.send(message)

    with scripted(flood) as url:
        problem = failing(url, tmp_path, duration="30s")
    assert "sends too fast: 256 messages" in problem or re.search(r"sent \d+ frames for \d+", problem)


def test_a_server_that_quotes_the_key_in_its_messages_gives_it_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its words nor its errors bring the key into events or trace; and the key arrives as it is written."""
    monkeypatch.setenv("MOSHI_KEY", "ab+cd/ef==%41&x#0123456789")
    seen: list[str] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.extend(parse_qs(urlsplit(connection.request.path).query)["auth_id"])
        await connection.send(b"\x00")
        for kind in (b"\x02", b"\x05"):
            await connection.send(kind + f"your key is {seen[0]}.".encode())
        await answering("moshi", handshake=b"")(connection)

    with scripted(talk) as url:
        session = session_with(f"{url}/api/chat?auth_id=${{MOSHI_KEY}}", tmp_path)
    assert seen == ["ab+cd/ef==%41&x#0123456789"]
    (error,) = session.by_type["remote_error"]
    assert error.message == "your key is ${MOSHI_KEY}."
    for file in tmp_path.rglob("*.*"):
        assert b"ab+cd/ef" not in file.read_bytes(), file
    for line in (session.folder / "trace.jsonl").read_text().splitlines():
        assert b"ab+cd/ef" not in base64.b64decode(json.loads(line).get("data") or "")


def test_a_message_that_is_too_long_is_the_servers_fault(tmp_path: Path) -> None:
    """What closed the connection is told, not that it is closed."""

    async def talk(connection: ServerConnection) -> None:
        await connection.send(b"\x00")
        await connection.send(b"\x05" + bytes(2**20))
        await connection.wait_closed()

    with scripted(talk) as url:
        assert "sent a message of more than 1 MiB" in failing(url, tmp_path)


def test_a_server_that_never_shakes_hands(tmp_path: Path) -> None:
    """The handshake may take minutes; handshake_timeout says how many."""

    async def silent(connection: ServerConnection) -> None:
        await connection.wait_closed()

    with scripted(silent) as url:
        problem = failing(url, tmp_path, handshake_timeout="200ms")
    assert "sent no handshake (0x00) within 0.2 s: it is busy with another client" in problem


def slowly(gap_s: float, most: int) -> Talk:
    """A server that echoes a frame every `gap_s`, `most` of them."""

    async def talk(connection: ServerConnection) -> None:
        await connection.send(b"\x00")
        for _ in range(most):
            message = await connection.recv()
            await anyio.sleep(gap_s)
            await connection.send(message)
        await connection.wait_closed()

    return talk


@pytest.mark.slow
def test_a_server_slower_than_real_time_is_waited_for_and_said_to_be_so(tmp_path: Path) -> None:
    """As long as frames come, each in its time; the session then says how slow the server was."""
    with scripted(slowly(0.2, 10**6)) as url:
        session = session_with(url, tmp_path, clock="wall", duration="2500ms", stall_timeout="2s")
    assert (session.meta.status, session.meta.problem) == ("completed", None)
    (error,) = session.by_type["remote_error"]
    assert error.code == "slower_than_real_time" and "times real time" in error.message


def test_a_slow_server_that_stops_is_a_stalled_one(tmp_path: Path) -> None:
    """No frame for stall_timeout, whatever came before."""
    with scripted(slowly(0.1, 10)) as url:
        assert "sent no audio for 1 s" in failing(url, tmp_path, clock="wall", duration="1500ms", stall_timeout="1s")


def test_a_late_handshake_with_metadata_first_is_waited_for(tmp_path: Path) -> None:
    """Nothing is sent before 0x00, however late it is and whatever comes before it."""
    early: list[bytes | str] = []

    async def late(connection: ServerConnection) -> None:
        await connection.send(b"\x04{}")
        with anyio.move_on_after(0.3):
            early.append(await connection.recv())
        await answering("rust")(connection)

    with scripted(late) as url:
        session = session_with(url, tmp_path)
    assert (early, session.meta.status) == ([], "completed")
    assert session.events[0].data == {"server": "rust"}


def test_a_refused_handshake_and_a_wrong_key(tmp_path: Path) -> None:
    """HTTP refusals are told with what to check, and no secret is in the sentence or the folder."""
    with served(SPEAKING, tmp_path / "server", door=DoorSpec(token="right-token-0123")) as url:
        problem = failing(url + "?worker_auth_id=wrong-token-4567", tmp_path / "wrong")
        assert "refused the key (HTTP 401: a valid token is needed" in problem
        assert "has no Moshi protocol at that path (HTTP 404)" in failing(
            url + "/elsewhere?token=right-token-0123", tmp_path / "path"
        )
        session = session_with(url + "?token=right-token-0123", tmp_path / "right", duration="400ms")
    assert session.meta.status == "completed"


def test_secrets_stay_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token taken from the environment reaches the server, and no file of the session folder."""
    monkeypatch.setenv("MOSHI_TEST_TOKEN", "s3cr3t-0123456789")
    with served(SPEAKING, tmp_path / "server", door=DoorSpec(token="s3cr3t-0123456789")) as url:
        session = session_with(url, tmp_path / "a", token="${MOSHI_TEST_TOKEN}", duration="400ms")
        session_with(url + "?token=${MOSHI_TEST_TOKEN}", tmp_path / "b", duration="400ms")
        failing(url + "?token=${MOSHI_TEST_TOKEN}x", tmp_path / "c")
    assert session.meta.status == "completed"
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or b"s3cr3t" not in file.read_bytes(), file


def test_a_server_that_quotes_what_it_was_sent_gives_no_secret_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal is told with the variable's name, whether the secret came in the query or in a header."""
    monkeypatch.setenv("MOSHI_KEY", "k-0123456789abcdef")

    async def quote(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(401, f"no: {request.path} {request.headers['Authorization']}")

    with scripted(answering("moshi"), process_request=quote) as url:
        session = session_with(f"{url}/api/chat?auth_id=${{MOSHI_KEY}}", tmp_path, token="${MOSHI_KEY}")
    assert "no: /api/chat?auth_id=${MOSHI_KEY} Bearer" in (session.meta.problem or "")
    for file in tmp_path.rglob("*.*"):
        assert b"k-0123456789" not in file.read_bytes(), file


def test_nobody_there(tmp_path: Path) -> None:
    """An address nobody listens on, and a port that speaks something else."""
    assert "cannot be reached" in failing("ws://127.0.0.1:9", tmp_path)


def test_garbage_from_the_server(tmp_path: Path) -> None:
    """Audio that is none ends the session with what was found."""

    async def garbage(connection: ServerConnection) -> None:
        await connection.send(b"\x00")
        await connection.recv()
        await connection.send(b"\x01this is no Ogg page at all")
        await connection.wait_closed()

    with scripted(garbage) as url:
        assert "found the bytes 74 68 69 73 where an Ogg page must begin" in failing(url, tmp_path)


@pytest.mark.parametrize(
    ("agent", "complaint"),
    [
        ({"url": "http://host:8998"}, r"\$\.agent\.url: expected ws://host:port or wss://host:port"),
        ({"url": "ws://h:port"}, r"\$\.agent\.url: expected ws://host:port"),
        ({"url": "ws://h", "server": "personaplex"}, "needs both a voice_prompt and a text_prompt"),
        ({"url": "ws://h", "voice_prompt": "NATF2.pt"}, "go together"),
        ({"url": "ws://h", "voice_prompt": "NATF2.pt", "text_prompt": ""}, "neither may be empty"),
        ({"url": "ws://h", "token": "s3cr3t"}, r"\$\.agent\.token: write it as \$\{NAME\}"),
        ({"url": "ws://h", "server": "perl"}, r"\$\.agent\.server"),
        ({"url": "ws://h", "placement": "fdb", "clock": "wall"}, "fdb lays frames by count"),
        ({}, "url"),
    ],
)
def test_a_spec_that_cannot_work_is_refused(tmp_path: Path, agent: dict[str, str], complaint: str) -> None:
    """Before anything connects, with the place in the file."""
    clock = agent.pop("clock", "virtual") if "clock" in agent else "virtual"
    with pytest.raises(ScenarioError, match=complaint):
        scenario_of({"user": "silent", "agent": {"kind": "moshi", **agent}, "clock": clock}, tmp_path)


def test_prompts_reach_the_server_in_the_query(tmp_path: Path) -> None:
    """voice_prompt and text_prompt are percent-encoded beside what the url holds already."""
    seen: list[str] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request.path)
        await answering("personaplex")(connection)

    with scripted(talk) as url:
        prompts = {"voice_prompt": "NATF2.pt", "text_prompt": "You enjoy talking & more."}
        session_with(url + "?a=1", tmp_path, duration="160ms", **prompts)
    assert seen == ["/api/chat?a=1&voice_prompt=NATF2.pt&text_prompt=You%20enjoy%20talking%20%26%20more."]


def test_a_probe_says_whether_a_server_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reachable, key accepted, first frame back; or what is wrong, without the key."""
    monkeypatch.setenv("MOSHI_TEST_TOKEN", "s3cr3t-0123456789")
    with served(SPEAKING, tmp_path, door=DoorSpec(token="s3cr3t-0123456789")) as url:
        good, bad = (MoshiSpec(url=url, token=token) for token in ("${MOSHI_TEST_TOKEN}", "wrong-0123456789"))
        assert "shook hands after" in anyio.run(good.probe)
        with pytest.raises(RemoteError, match="refused the key"):
            anyio.run(bad.probe)
    with pytest.raises(RemoteError, match="cannot be reached"):
        anyio.run(MoshiSpec(url="ws://127.0.0.1:9").probe)


def test_a_probe_waits_for_a_slow_handshake(tmp_path: Path) -> None:
    """A prompt is read before it, and that takes longer than a frame may."""

    async def slow(connection: ServerConnection) -> None:
        await sleep(0.6)
        await answering("moshi")(connection)

    with scripted(slow) as url:
        spec = MoshiSpec(url=url, stall_timeout=Duration(0.4), handshake_timeout=Duration(5.0))
        assert "shook hands after" in anyio.run(spec.probe)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate for 127.0.0.1 and its key."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    day = datetime(2024, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(day).not_valid_after(day + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


def test_a_self_signed_server_is_taken_when_the_scenario_says_so(tmp_path: Path) -> None:
    """The Rust server makes its own certificate: `verify: false` takes it, anything else refuses it with a hint."""
    cert, key = certificate(tmp_path)
    with served(SPEAKING, tmp_path / "server", door=DoorSpec(cert=cert, key=key)) as url:
        assert url.startswith("wss://")
        assert "`verify: false` takes a self-signed one" in failing(url, tmp_path / "strict")
        session = session_with(url, tmp_path / "lenient", verify=False, duration="400ms")
    assert session.meta.status == "completed"


@pytest.mark.slow
def test_a_server_that_dies_in_a_paced_session(tmp_path: Path) -> None:
    """On the wall clock too the session fails with the sentence, and what was heard is kept."""
    with scripted(answering("moshi", stop_after=5)) as url:
        session = session_with(url, tmp_path, duration="2s", clock="wall")
    assert session.meta.status == "failed"
    assert "ended the session after 5 of" in (session.meta.problem or "")
    assert 4 in numbers(session.said("agent"))


@pytest.mark.parametrize(
    ("leaves", "complaint"),
    [
        (True, r"ended the session after 8 of 9 frames owed (code 1000)"),
        (False, "sent no audio for 0.3 s (8 of 9 frames owed)"),
    ],
)
def test_the_last_frames_owed_are_waited_for(tmp_path: Path, leaves: bool, complaint: str) -> None:
    """A server that owes a frame at the session's end and leaves, or goes silent, has failed it."""

    async def one_short(connection: ServerConnection) -> None:
        core, heard = MoshiServer(), 0
        await connection.send(core.greet())
        async for message in connection:
            for _ in core.receive(message):
                if heard:
                    await connection.send(core.say(ramp(heard - 1)))
                heard += 1
            if leaves and heard == 9:  # of ten frames; what answers the tenth would be said after the end
                return

    personaplex = {"server": "personaplex", "voice_prompt": "a", "text_prompt": "b"}
    with scripted(one_short) as url:
        forgiving = session_with(url, tmp_path / "auto")
        problem = failing(url, tmp_path / "strict", duration="800ms", stall_timeout="300ms", **personaplex)
    assert forgiving.meta.status == "completed"
    assert complaint in problem
