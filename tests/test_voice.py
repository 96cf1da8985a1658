"""Voices say exactly what they account for."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simulator.engines.activity import active_level_dbfs
from simulator.frame import silence
from simulator.speaking.voice import Pause, PreparedSpeech, Voice, at_level, spoken
from simulator.spec import ms
from simulator.testing import burst

RATE = 24_000


class Noted:
    """Collects what a voice emits."""

    def __init__(self) -> None:
        self.events: list[tuple[int, str, dict[str, Any]]] = []

    def __call__(self, at: int, type_: str, **fields: Any) -> None:
        """Take an event."""
        self.events.append((at, type_, fields))

    def of(self, type_: str) -> list[tuple[int, dict[str, Any]]]:
        """The events of a type."""
        return [(at, fields) for at, name, fields in self.events if name == type_]


lines = st.lists(st.integers(1, 2000).map(lambda count: PreparedSpeech(text="x", samples=burst(count))), max_size=6)


@given(lines, st.integers(1, 700))
def test_what_is_queued_is_said_once_in_order_without_a_gap(queue: list[PreparedSpeech], frame: int) -> None:
    """Whatever the frame: the queue end to end, then silence; every line starts and ends where its samples lie."""
    noted = Noted()
    voice = Voice(noted, "v", RATE)
    for line in queue:
        voice.say(line)
    total = sum(len(line.samples) for line in queue)
    said = np.concatenate([voice.take(at, frame) for at in range(0, total + 2 * frame, frame)])
    assert np.array_equal(said[:total], np.concatenate([line.samples for line in queue]) if queue else said[:0])
    assert not said[total:].any()
    starts, ends = noted.of("speech_start"), noted.of("speech_end")
    assert [at for at, _ in starts] == list(np.cumsum([0, *[len(line.samples) for line in queue]])[: len(queue)])
    assert [at for at, _ in ends] == list(np.cumsum([len(line.samples) for line in queue]))
    assert all(not fields["cut"] for _, fields in ends)


@given(st.integers(0, 39), st.integers(50, 600))  # at most 24,000 samples: up to the last of the first utterance
def test_stopping_fades_within_5_ms_and_says_how_much_was_said(frames: int, frame: int) -> None:
    """After a stop at most 5 ms more are said, ending at silence; speech_end tells the exact count and the cut."""
    assume((frames + 1) * frame <= 24_000)  # beyond lies the second line
    noted = Noted()
    voice = Voice(noted, "v", RATE)
    voice.say(PreparedSpeech(text="one two", samples=burst(24_000), words=(("one", 0), ("two", 12_000))))
    voice.say(PreparedSpeech(text="never", samples=burst(24_000)))
    said = [voice.take(index * frame, frame) for index in range(frames + 1)]
    before = (frames + 1) * frame
    text = voice.stop()
    said += [voice.take((frames + 1 + index) * frame, frame) for index in range(4)]
    sound = np.concatenate(said)
    (at, end), *_ = noted.of("speech_end")
    assert end["said_samples"] == at <= before + 120
    assert not sound[at:].any()
    assert end["cut"] == (at < 24_000)
    if end["cut"]:
        assert text == ("one two" if before > 12_000 else "one")
    assert not voice.speaking


def test_silence_of_a_voice_is_the_shared_array() -> None:
    """Ears, mixing and noise recognise it by identity."""
    assert Voice(Noted(), "v", RATE).take(0, 480) is silence(480)


@pytest.mark.parametrize("voice", ["en-gb-x-rp", "en-us+klatt2", "en-us+f3"])
@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_speech_is_at_the_nominal_level_and_on_the_grid(voice: str, rate: int) -> None:
    """-26 dBFS active level by P.56, multiples of 1/32768, words in order inside the sound."""
    line = spoken("Could you tell me more about that, please?", voice, rate)
    assert abs(active_level_dbfs(line.samples, rate) + 26) < 0.2
    assert np.array_equal(line.samples * 32768, np.rint(line.samples * 32768))
    onsets = [onset for _, onset in line.words]
    assert onsets == sorted(onsets)
    assert onsets[0] >= 0
    assert onsets[-1] < len(line.samples)
    assert [word for word, _ in line.words] == ["Could", "you", "tell", "me", "more", "about", "that,", "please?"]


def test_a_pause_inside_a_turn_is_silence_of_its_length() -> None:
    """`say: [a, {pause: d}, b]` is one turn whose pause is exactly so long and known."""
    line = spoken(["Hello there.", Pause(pause=ms(700)), "How are you?"], "en-gb-x-rp", RATE)
    ((start, end),) = line.pauses
    assert end - start == 16_800
    assert not line.samples[start:end].any()
    assert line.text == "Hello there. How are you?"
    assert next(onset for word, onset in line.words if word == "How") >= end


def test_level_keep_leaves_sound_alone_and_silence_stays_silence() -> None:
    """`level: keep` changes nothing that lies on the grid; a silent file is not amplified."""
    quiet = burst(24_000) * np.float32(0.25)
    assert np.array_equal(at_level(quiet, RATE, "keep"), np.rint(quiet * 32768) / 32768)
    assert not at_level(np.zeros(24_000, np.float32), RATE, "nominal").any()
