"""Rules of telephone keys: tones by ITU-T Q.23, a receiver by ITU-T Q.24, and keys in whole sessions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metrics.keys import KeysScorerSpec
from simulator.engines.espeak import Espeak
from simulator.errors import ScenarioError
from simulator.session import Session
from simulator.sound.dtmf import KEYS, KeyEars, find_keys, tones
from simulator.testing import play_session, scenario_of
from simulator.testing.take import scored

RATE = 8000
RECOMMENDED = {
    "1": (697, 1209),
    "5": (770, 1336),
    "9": (852, 1477),
    "0": (941, 1336),
    "#": (941, 1477),
    "D": (941, 1633),
}
"""ITU-T Q.23, table 1: some of each row and column, in Hz."""


def pair(low: float, high: float, ms: float, *, twist_db: float = 0.0) -> np.ndarray:
    """Two tones of the same level but for the twist, for so long, between silences of 0.1 s."""
    times = np.arange(round(ms * RATE / 1000)) / RATE
    tone = 0.2 * np.sin(2 * np.pi * low * times) + 0.2 * 10 ** (twist_db / 20) * np.sin(2 * np.pi * high * times)
    quiet = np.zeros(RATE // 10)
    return np.concatenate([quiet, tone, quiet]).astype(np.float32)


def heard(samples: np.ndarray, rate: int = RATE) -> str:
    """The keys that the receiver gives."""
    return "".join(key.digit for key in find_keys(samples, rate))


@pytest.mark.parametrize("digit", RECOMMENDED)
def test_a_key_is_the_two_tones_that_are_recommended(digit: str) -> None:
    """The two strongest lines of its spectrum lie within 0.5 Hz of the table's."""
    spectrum = np.abs(np.fft.rfft(tones(digit, RATE)[:800], 16 * RATE))
    frequencies = np.arange(len(spectrum)) / 16
    found = [frequencies[np.argmax(np.where(band, spectrum, 0))] for band in (frequencies < 1075, frequencies > 1075)]
    assert np.allclose(found, RECOMMENDED[digit], atol=0.5)


@pytest.mark.parametrize("rate", [8000, 16_000, 24_000, 48_000])
def test_every_key_is_heard_at_every_rate_whatever_the_frames(rate: int) -> None:
    """All sixteen in order; frame by frame as in one piece, each where it was pressed to 5 ms."""
    samples = np.concatenate([tones(KEYS, rate), np.zeros(rate // 2, np.float32)])
    ears, frame = KeyEars(rate), rate // 50
    found = [key for at in range(0, len(samples), frame) for key in ears.hear(samples[at : at + frame], at)]
    assert "".join(key.digit for key in found) == KEYS == heard(samples, rate)
    assert all(abs(key.start - index * 0.2 * rate) <= 0.0051 * rate for index, key in enumerate(found))


@pytest.mark.parametrize(
    ("what", "sound", "expected"),
    [
        ("40 ms must be heard", pair(697, 1209, 40), "1"),
        ("23 ms must not", pair(697, 1209, 23), ""),
        ("1.5 % high must be heard", pair(941 * 1.015, 1633 * 1.015, 60), "D"),
        ("1.5 % low must be heard", pair(941 * 0.985, 1633 * 0.985, 60), "D"),
        ("3.5 % high must not", pair(697 * 1.035, 1209, 60), ""),
        ("3.5 % low must not", pair(697, 1209 * 0.965, 60), ""),
        ("a high tone 8 dB below must be heard", pair(770, 1336, 60, twist_db=-7.5), "5"),
        ("a high tone 4 dB above must be heard", pair(770, 1336, 60, twist_db=3.5), "5"),
        ("12 dB above must not", pair(770, 1336, 60, twist_db=12), ""),
        ("a pause of 40 ms divides two", np.concatenate([pair(697, 1209, 60)[:-640], pair(697, 1209, 60)[640:]]), "11"),
        ("one tone is no key", pair(697, 697, 100), ""),
    ],
)  # fmt: skip
def test_the_receiver_keeps_to_what_is_asked_of_one(what: str, sound: np.ndarray, expected: str) -> None:
    """ITU-T Q.24: what must be taken for a key, and what must not."""
    assert heard(sound) == expected, what


def test_speech_is_no_key() -> None:
    """Sentences of two voices, and noise, are not taken for one."""
    text = "We have a table by the window, and one near the bar, and another one outside if it is warm."
    for voice in ("en-gb-x-rp", "en-us+f2"):
        said = Espeak(voice).synthesize(text)
        assert heard(said.samples, said.sample_rate) == ""
    assert heard(np.random.default_rng(0).standard_normal(5 * RATE).astype(np.float32) * np.float32(0.1)) == ""


def session_of(folder: Path, **more: Any) -> Session:
    """A user who presses 1, 2 and # as a turn, and 0 by an injector."""
    return play_session(
        {
            "user": {"kind": "scripted", "turns": [{"at": "200ms", "press": "12#"}]},
            "agent": "silent",
            "injectors": [{"kind": "keys", "cue": {"at": "1200ms"}, "press": "0"}],
            "duration": "2s",
            "scorers": [],
            **more,
        },
        folder,
    )


def test_keys_are_events_at_their_moment_and_tones_in_the_sound(tmp_path: Path) -> None:
    """A turn's and an injector's: each 200 ms after the one before it; the agent hears them behind G.711."""
    session = session_of(tmp_path, lines={"user_to_agent": [{"kind": "codec", "name": "mulaw"}]})
    told = [(event.at, event.data["digits"], event.data["band"]) for event in session.by_type["keys_pressed"]]
    assert told == [(4800, "1", "in"), (9600, "2", "in"), (14_400, "#", "in"), (28_800, "0", "in")]
    assert heard(session.heard("agent"), 24_000) == "12#0"
    assert scored(KeysScorerSpec(), session)["heard_rate"].value == 1


def test_keys_that_nobody_can_hear_are_not_scored_as_heard(tmp_path: Path) -> None:
    """Noise above the tones buries them all; without any keys there is nothing to score."""
    session = session_of(
        tmp_path / "noisy", lines={"user_to_agent": [{"kind": "noise", "color": "white", "snr_db": -20}]}
    )
    assert scored(KeysScorerSpec(), session)["heard_rate"].value == 0
    silent = session_of(tmp_path / "silent", user="silent", injectors=[])
    assert scored(KeysScorerSpec(), silent)["heard_rate"].value is None


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        ({"press": "12x"}, "turns[0]: keys are 0 to 9, *, # and A to D; found x"),
        ({"press": "1", "say": "one"}, "turns[0]: a turn has exactly one of say, choose and wait, or press"),
        ({"say": "one", "band": "in"}, "turns[0]: band goes with press"),
        ({"press": "1", "band": "out"}, "turns[0].band: the other party takes no keys beside the sound"),
    ],
)
def test_keys_that_cannot_be_pressed_are_refused_with_their_place(
    user: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """One sentence each, with the turn."""
    with pytest.raises(ScenarioError) as refused:
        scenario_of({"user": {"kind": "scripted", "turns": [user]}, "agent": "silent"}, tmp_path)
    assert sentence in str(refused.value)


def test_an_injectors_keys_that_nobody_takes_are_refused_before_the_session(tmp_path: Path) -> None:
    """As a script's are, with their place."""
    keys = {"kind": "keys", "press": "1", "band": "out", "cue": {"at": "1s"}}
    with pytest.raises(ScenarioError, match=r"\$.injectors\[0\].band: the other party takes no keys beside the sound"):
        scenario_of({"user": "silent", "agent": "silent", "injectors": [keys]}, tmp_path)
