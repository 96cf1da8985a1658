"""Words during a talk: who recognises them, and that nobody does who does not hear the language."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from simulator.live.live_words import LiveWords, hearing_live
from simulator.scenario import Scenario
from simulator.speaking.voice import spoken
from simulator.testing.sessions import scenario_of

TALK: dict[str, Any] = {"user": "human", "agent": "silent", "clock": "wall"}
FAR = {"kind": "openai", "model": "m", "base_url": "http://127.0.0.1:9"}


def talk(folder: Path, **data: Any) -> Scenario:
    """A scenario with a human."""
    return scenario_of({**TALK, **data}, folder)


async def words_of(scenario: Scenario) -> list[tuple[str, float, str]]:
    """What is told of a user who says a sentence and is silent then."""
    told: list[tuple[str, float, str]] = []
    heard = anyio.Event()

    def tell(party: str, start: float, end: float, text: str) -> None:
        told.append((party, end, text))
        heard.set()

    words = LiveWords(scenario, ["user"], tell)
    words.warm()
    size, now = scenario.frame_samples, 0
    said = spoken("What time do you open on Sunday?", "en-us", scenario.sample_rate).samples
    for start in range(0, len(said), size):
        now += size
        words.hear("user", said[start : start + size], speaking=True, now=now)
    words.hear("user", np.zeros(size, np.float32), speaking=False, now=now + size)
    with anyio.move_on_after(20 if words.listens else 0):
        await heard.wait()
    words.close()
    return told


def test_a_stretch_is_told_when_it_has_ended(tmp_path: Path) -> None:
    """By the default recogniser, whose party said no language."""
    ((party, _, text),) = anyio.run(words_of, talk(tmp_path))
    assert party == "user" and "open on sunday" in text.lower()


def test_nothing_is_told_of_a_language_that_is_not_heard(tmp_path: Path) -> None:
    """English words made of German would be worse than none."""
    german = talk(tmp_path, user={"kind": "human", "language": "de"}, recognizer="moonshine")
    assert anyio.run(words_of, german) == []


@pytest.mark.parametrize(
    ("recognizer", "asked"),
    [
        ("moonshine", "moonshine"),
        pytest.param(
            {"kind": "whisper", "language": "en"},
            "whisper tiny.en en",
            marks=pytest.mark.skipif(find_spec("faster_whisper") is None, reason="needs the extra voices"),
        ),
        (FAR, "moonshine"),
        (["moonshine", FAR], "moonshine"),
    ],
)
def test_the_scenarios_recogniser_is_asked_unless_that_would_be_paid_for(
    tmp_path: Path, recognizer: Any, asked: str
) -> None:
    """A server's is asked once, for the scores."""
    assert hearing_live(talk(tmp_path, recognizer=recognizer)).label == asked
