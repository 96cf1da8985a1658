"""A live conversation in a real browser: heard, answered, drawn, recorded where the frame counter says."""

from pathlib import Path

import numpy as np
import pytest

from simulator.session import read_session
from tests.live_browser import caller, chromium, errors, hang_up, join, seconds_talked, start, talk, wait_until
from tests.live_counter import caught, misplaced_s
from tests.live_tap import captured
from tests.report_browser import missing

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=str(missing()))]

TALKED_S = 120.0


def test_a_conversation_in_a_browser_is_heard_answered_and_placed(tmp_path: Path) -> None:
    """What the microphone holds is understood, the reply reaches the page, and every utterance lies within 40 ms."""
    said = caller(tmp_path / "caller.wav", TALKED_S + 15, 24_000)
    with talk(tmp_path, "--no-open") as process, chromium(tmp_path / "caller.wav") as page:
        join(page, process.address())
        start(page)
        wait_until(lambda: seconds_talked(page) >= 30, 60)
        page.find_element("css selector", ".say[data-key=m]").click()
        wait_until(lambda: seconds_talked(page) >= TALKED_S, 180)
        turns = [turn.text for turn in page.find_elements("css selector", ".turn.agent")]
        heard = page.execute_script("return document.getElementById('last').textContent")
        width = page.execute_script("return document.documentElement.scrollWidth - innerWidth")
        assert not errors(page)
        hang_up(page)
        assert page.find_elements("id", "timeline"), "the session page is there"
        assert process.process.wait(60) == 0, process.lines
    assert any("How can I help you" in turn for turn in turns)
    assert heard.endswith(" ms") and width <= 0
    session = read_session(tmp_path / "run" / "talk-to-the-cascade-0")
    understood = " ".join(event.data["text"].lower() for event in session.by_type["recognised"])
    assert "good evening" in understood and "window" in understood
    assert np.abs(session.said("agent")).max() > 0.05
    assert "button" in session.by_type
    off = misplaced_s(session, caught(said, captured(process.microphone), session.sample_rate))
    assert len(off) >= 3 and max(map(abs, off)) < 0.04, off
    assert {event.data["lost"] for event in session.by_type["microphone"]} == {0}
    steps = sum({"underrun": 1, "late": -1}[event.type] * event.data["size"] for event in session.events
                if event.party == "user" and event.type in ("underrun", "late"))  # fmt: skip
    last = session.by_type["microphone"][-1].data
    assert abs(last["offset"] - last["resampled"] - steps) < 0.02 * 24_000
    (delay,) = session.by_type["mouth_to_ear"]
    assert 20 < delay.data["round_trip_ms"] < 600


def test_the_browsers_canceller_is_on_by_default_and_the_tone_does_not_leak_into_a_file(tmp_path: Path) -> None:
    """With all defaults the conversation works, and the echo test says that a file hears no loudspeaker."""
    caller(tmp_path / "caller.wav", 30, 24_000, first_s=25)
    with talk(tmp_path, "--no-open", "--set", "agent=silent", "--set", "scorers=[]") as process, \
            chromium(tmp_path / "caller.wav") as page:  # fmt: skip
        page.get(process.address())
        assert page.find_element("id", "canceller").is_selected()
        join(page, process.address().partition("?")[0], canceller=True)
        page.find_element("id", "echo").click()
        wait_until(lambda: "no echo" in page.find_element("id", "tried").text, 20)
        start(page)
        wait_until(lambda: seconds_talked(page) >= 2, 20)
        page.get("about:blank")
        assert process.process.wait(60) == 0, process.lines
    session = read_session(tmp_path / "run" / "talk-to-the-cascade-0")
    assert session.meta.status == "completed"


def test_a_page_that_sends_opus_is_heard_and_placed_as_well(tmp_path: Path) -> None:
    """Packets of WebCodecs: understood, no frame number lost, every utterance within 40 ms of its place."""
    pytest.importorskip("sphn")
    said = caller(tmp_path / "caller.wav", 50, 24_000)
    with talk(tmp_path, "--no-open") as process, chromium(tmp_path / "caller.wav") as page:
        page.get(process.address())
        wait_until(page.find_element("id", "opus").is_displayed, 10)
        page.find_element("id", "opus").click()
        join(page, "")
        assert "Opus" in page.find_element("id", "rates").text
        start(page)
        wait_until(lambda: seconds_talked(page) >= 35, 80)
        assert not errors(page)
        hang_up(page)
        assert not errors(page)
        assert process.process.wait(60) == 0, process.lines
    session = read_session(tmp_path / "run" / "talk-to-the-cascade-0")
    understood = " ".join(event.data["text"].lower() for event in session.by_type["recognised"])
    assert "good evening" in understood
    capture = captured(process.microphone)
    assert capture[0] == 48_000, "Opus counts at its own rate"
    off = misplaced_s(session, caught(said, capture, session.sample_rate))
    assert len(off) >= 2 and max(map(abs, off)) < 0.04, off
    assert {event.data["lost"] for event in session.by_type["microphone"]} == {0}
