"""Rules of the live page's server: who gets in, what a line may carry, and that a conversation ends cleanly."""

import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import numpy as np
import pytest

from simulator.actor import AnyActor
from simulator.live.browser.passes import WATCH, Passes
from simulator.live.rivals import Rival
from simulator.session import read_session
from simulator.spec import decode
from simulator.testing import burst
from tests.live_browser import talk
from tests.live_page import BLOCK, cookie_for, get, hosted, job_of, page

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


def test_a_seats_pass_works_once_and_the_watchers_more_often() -> None:
    """The first page load takes the seat's pass; spectators share theirs and get a cookie each."""
    passes = Passes(["talk-user"])
    cookie = passes.exchange("talk-user", passes.token("talk-user"))
    assert cookie is not None
    assert passes.exchange("talk-user", passes.token("talk-user")) is None
    first, second = (passes.exchange(WATCH, passes.token(WATCH)) for _ in range(2))
    assert first != second
    assert passes.holds("talk-user", {"simulate-talk-user": cookie})
    assert not passes.holds("talk-user", {"simulate-talk-user": str(first), "simulate-watch": str(first)})


async def refused(address: str, **headers: str) -> int:
    """Try to open a line and give the HTTP status of the refusal."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import InvalidStatus

    parts = urlsplit(address)
    with pytest.raises(InvalidStatus) as caught:
        async with connect(f"ws://{parts.netloc}{parts.path}/line", additional_headers=headers):
            pass
    return caught.value.response.status_code


def test_nobody_gets_in_without_a_pass_an_origin_and_a_free_seat(tmp_path: Path) -> None:
    """401 without a pass, 403 from elsewhere or without an Origin, 409 at a taken seat; a reload is let in."""

    async def go() -> None:
        async with hosted(job_of(tmp_path), tmp_path / "run") as host:
            address = host.addresses["talk/user"]
            plain, origin = address.partition("?")[0], "http://" + urlsplit(address).netloc

            async def status(url: str, **headers: str) -> int:
                return (await anyio.to_thread.run_sync(get, url, headers))[0]

            assert await status(plain) == 401
            assert await status(plain + "?pass=wrong") == 403
            assert await status(plain.replace("/user", "/agent")) == 404
            assert await status(plain, Host="evil.example") == 403
            cookie = await cookie_for(address)
            assert await status(address) == 403, "the pass is spent"
            assert await status(plain, Cookie=cookie) == 200
            assert await status(address, Cookie=cookie) == 303, "who holds the cookie is let in again"
            assert await status(origin + "/report", Cookie=cookie) == 404
            assert await status(origin + "/report") == 401
            assert await status(origin + "/assets/live.js") == 200
            assert await status(origin + "/assets/..%2fpage.py") == 404
            assert await refused(plain, Origin=origin) == 401
            assert await refused(plain, Cookie=cookie) == 403
            assert await refused(plain, Cookie=cookie, Origin="http://127.0.0.1:1") == 403
            assert await refused(plain, Cookie=cookie, Origin="http://evil.example") == 403
            async with page(address, cookie) as own:
                await own.wait_for(lambda message: message["type"] == "loop")
                assert await refused(plain, Cookie=cookie, Origin=origin) == 409
            watcher = await cookie_for(host.addresses["watch"])
            assert await refused(plain, Cookie=watcher, Origin=origin) == 401

    anyio.run(go)


@pytest.mark.parametrize("said", [
    b"", b"\x01\0\0\0" + bytes(8) + b"\0", b"\x09\0\0\0" + bytes(10), b"\x01\0\0\0" + bytes(70_000), "{",
    '{"type": "fly"}', '{"type": "press"}', "x" * 70_000, '{"type": "hello", "rate": 0}',
])  # fmt: skip
def test_a_line_that_breaks_a_rule_is_closed_with_the_reason(tmp_path: Path, said: Any) -> None:
    """Nonsense, oversize messages and impossible rates close the line (1008) and nothing else."""
    from websockets.exceptions import ConnectionClosed

    async def go() -> None:
        async with hosted(job_of(tmp_path), tmp_path / "run") as host:
            address = host.addresses["talk/user"]
            cookie = await cookie_for(address)
            async with page(address, cookie, hello=False) as own:
                if "hello" not in str(said):
                    await own.tell("hello", rate=48_000)
                await own.socket.send(said)
                with pytest.raises(ConnectionClosed) as closed:
                    await own.receive_for_ever()
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
            assert closed.value.rcvd.reason
            async with page(address, cookie) as again:
                await again.wait_for(lambda message: message["type"] == "loop")

    anyio.run(go)


def test_a_conversation_is_heard_seen_recorded_and_ends_with_its_page(tmp_path: Path) -> None:
    """The human's bursts lie in the said track, the agent's sound comes to the page, buttons fire."""
    said = burst(24 * BLOCK, seed=3)

    def samples(number: int) -> np.ndarray:
        place = number % 150
        return said[place * BLOCK : (place + 1) * BLOCK] if place < 24 else np.zeros(BLOCK, np.float32)

    data = {
        "agent": {"kind": "scripted", "turns": [{"at": "500ms", "say": "Hello there."}]},
        "injectors": [{"kind": "backchannel", "cue": {"button": "m", "over_self": True}, "say": "mm-hm"}],
    }

    async def go() -> None:
        async with hosted(job_of(tmp_path, **data), tmp_path / "run") as host:
            address = host.addresses["talk/user"]
            cookie = await cookie_for(address)
            async with page(address, cookie, samples=samples) as own:
                tried = await own.wait_for(lambda message: message["type"] == "tried")
                assert tried["measured"] is None, "these ends are not joined"
                await own.tell("ready")
                await own.state("talking")
                before = len(own.sound)
                await own.tell("press", key="m")
                await own.wait_for(lambda message: message["type"] == "words" and message["role"] == "backchannel")
                await own.wait_for(lambda message: message["type"] == "lanes" and message["at"] >= 3.0)
                await own.tell("hang_up")
                await own.state("over")
                report = f"http://{urlsplit(address).netloc}/report"
                status, _, text = await anyio.to_thread.run_sync(get, report, {"Cookie": cookie})
                assert status == 200 and "<html" in text
            heard = np.concatenate(own.sound[before:]).astype(np.float32) / 32768
            assert np.abs(heard).max() > 0.05
            assert (await host.over())[0].status == "completed"

    anyio.run(go)
    session = read_session(tmp_path / "run" / "live-0")
    assert session.meta.status == "completed"
    user = session.said("user")
    assert np.sqrt(np.mean(user[24_000:72_000] ** 2)) > 0.003
    types = {event.type for event in session.events}
    assert {"mouth_to_ear", "microphone", "button", "speech_start"} <= types


def test_the_same_take_is_put_before_another_agent(tmp_path: Path) -> None:
    """Asked for on the page: the rival hears what was said, sample for sample; its page is there, others are not."""
    said = burst(40 * BLOCK, seed=3)
    scripted = decode(
        {"kind": "scripted", "turns": [{"at": "1s", "say": "Good evening."}]}, AnyActor, source="rival", folder=tmp_path
    )
    rivals = (Rival("polite", scripted), Rival("other", scripted))

    def samples(number: int) -> np.ndarray:
        return said[number % 40 * BLOCK : (number % 40 + 1) * BLOCK]

    async def go() -> None:
        async with hosted(job_of(tmp_path, scorers=["latency"]), tmp_path / "run", *rivals) as host:
            address = host.addresses["talk/user"]
            cookie = await cookie_for(address)

            async def status(path: str, cookie: str = cookie) -> int:
                url = f"http://{urlsplit(address).netloc}{path}"
                return (await anyio.to_thread.run_sync(get, url, {"Cookie": cookie}))[0]

            async with page(address, cookie, samples=samples) as own:
                await own.tell("ready")
                await own.tell("rival", number=0)  # before there is a take
                await own.wait_for(lambda message: message["type"] == "lanes" and message["at"] >= 2.0)
                await own.tell("hang_up")
                over = await own.wait_for(lambda message: message.get("state") == "over")
                assert over["rivals"] == ["polite", "other"] and await status("/rival/0") == 404
                for number in (7, 0, 0):
                    await own.tell("rival", number=number)
                found = await own.wait_for(lambda message: message["type"] == "rival")
                assert found["number"] == 0 and found["problem"] is None and len(found["scorecard"]) == 5
                assert await status(found["report"]) == 200 and await status(found["report"], "") == 401
                assert await status("/rival/1") == 404 and await status("/report") == 200
            await host.over()
            assert [row.id for row, _ in host.rivals] == ["before-polite"]

    anyio.run(go)
    take, again = (read_session(tmp_path / "run" / name) for name in ("live-0", "before-polite"))
    length = again.duration
    assert np.array_equal(take.said("user")[:length], again.said("user")) and abs(take.duration - length) <= BLOCK
    assert np.abs(again.said("agent")[24_000:]).max() > 0.05 and not take.said("agent").any()


def test_a_page_that_goes_away_ends_the_session_and_the_recording_is_kept(tmp_path: Path) -> None:
    """Nobody comes back within seconds: completed, not failed, with all that was said."""

    async def go() -> None:
        async with hosted(job_of(tmp_path), tmp_path / "run") as host:
            address = host.addresses["talk/user"]
            cookie = await cookie_for(address)
            async with page(address, cookie) as own:
                await own.wait_for(lambda message: message["type"] == "tried")
                await own.tell("ready")
                await own.state("talking")
                await own.wait_for(lambda message: message["type"] == "lanes" and message["at"] >= 1.0)
            watcher = await cookie_for(host.addresses["watch"])
            async with page(host.addresses["watch"], watcher) as seen:
                await seen.state("over")
            await host.over()

    anyio.run(go)
    session = read_session(tmp_path / "run" / "live-0")
    assert session.meta.status == "completed"
    assert session.duration > 24_000


def test_a_page_that_is_loaded_again_goes_on(tmp_path: Path) -> None:
    """Back within seconds: the same session, its absence an underrun with its size."""

    async def go() -> None:
        async with hosted(job_of(tmp_path), tmp_path / "run") as host:
            address = host.addresses["talk/user"]
            cookie = await cookie_for(address)
            async with page(address, cookie) as own:
                await own.wait_for(lambda message: message["type"] == "tried")
                await own.tell("ready")
                await own.state("talking")
            async with page(address, cookie, rate=44_100) as again:
                await again.state("talking")
                await again.wait_for(lambda message: message["type"] == "lanes")
                await again.wait_for(lambda message: message["type"] == "lanes" and message["at"] >= 2.0)
                await again.tell("hang_up")
                await again.state("over")

    anyio.run(go)
    session = read_session(tmp_path / "run" / "live-0")
    assert session.meta.status == "completed"
    assert {event.data["rate"] for event in session.by_type["microphone"]} == {48_000, 44_100}
    assert any(event.party == "user" for event in session.by_type["underrun"])


def test_two_humans_talk_to_each_other_and_somebody_watches(tmp_path: Path) -> None:
    """Each has a seat of their own; it begins when both are ready; a spectator sees it and changes nothing."""
    spoken = burst(BLOCK, seed=5)

    async def go() -> None:
        async with hosted(job_of(tmp_path, agent="human"), tmp_path / "run") as host:
            users, agents = host.addresses["talk/user"], host.addresses["talk/agent"]
            seats = {"user": (users, await cookie_for(users)), "agent": (agents, await cookie_for(agents))}
            watcher = await cookie_for(host.addresses["watch"])
            async with (
                page(*seats["user"], samples=lambda number: spoken) as user,
                page(*seats["agent"], rate=44_100) as agent,
                page(host.addresses["watch"], watcher) as seen,
            ):
                for own in (user, agent):
                    await own.wait_for(lambda message: message["type"] == "tried")
                await user.tell("ready")
                await user.wait_for(lambda message: message["type"] == "ready")
                assert not [message for message in user.messages if message.get("state") == "talking"]
                await agent.tell("ready")
                await seen.tell("hang_up")
                await seen.wait_for(lambda message: message["type"] == "lanes" and message["at"] >= 2.0)
                await agent.tell("hang_up")
                await user.state("over")
            assert np.abs(np.concatenate(agent.sound)).max() > 1000
            await host.over()

    anyio.run(go)
    session = read_session(tmp_path / "run" / "live-0")
    assert session.meta.status == "completed"
    assert np.abs(session.said("user")[24_000:]).max() > 0.05
    assert np.abs(session.said("agent")).max() < 0.01


def test_a_conversation_that_nobody_joins_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the lobby: exit code 130, and no run folder without a session."""
    with talk(tmp_path, "--no-open") as process:
        process.address()
        process.process.send_signal(signal.SIGINT)
        assert process.process.wait(20) == 130
        assert "nobody talked" in process.lines
    assert not (tmp_path / "run").exists()
