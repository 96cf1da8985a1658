"""The built-in voice: what it says, when every word begins, and that nothing it said before can be heard."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engines import Utterance
from simulator.engines.cache import UtteranceCache
from simulator.engines.espeak import Espeak, EspeakSpec, voices
from simulator.errors import ScenarioError

VOICE = "en-gb-x-rp"


def say(text: str, voice: str, words_per_minute: int = 160) -> Utterance:
    """A text in a voice."""
    return Espeak(voice).synthesize(text, words_per_minute)


def seconds(utterance: Utterance) -> float:
    """The length of what was said."""
    return len(utterance.samples) / utterance.sample_rate


def first_sound_after(utterance: Utterance, sample: int) -> int:
    """The first sample from `sample` on that is louder than -50 dB below the peak."""
    level = np.abs(utterance.samples[sample:])
    return sample + int(np.flatnonzero(level > 0.003 * np.abs(utterance.samples).max())[0])


@pytest.mark.parametrize("voice", [VOICE, "en-us+f3", "en-us+klatt2", "en-us+whisper"])
def test_same_text_and_voice_give_same_bits_whatever_was_said_before(voice: str) -> None:
    """The same text and voice give the same bits, also for voices with breath, after anything else was said."""
    text = "She sells sea shells, at the end of the day."
    first = say(text, voice)
    for other in ("en-us+f3", "de", voice):
        say("Something else entirely!", other, 210)
        again = say(text, voice)
        assert np.array_equal(first.samples, again.samples)
        assert first.words == again.words


def test_another_process_gives_the_same_bits() -> None:
    """Two processes give the same bits, whatever their hash seed."""
    program = (
        "import hashlib; from simulator.engines.espeak import Espeak; "
        "print(hashlib.sha256(Espeak('en-us+f3').synthesize('Of the room.').samples.tobytes()).hexdigest())"
    )
    run = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, text=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert run[0] == run[1]


def test_threads_do_not_mix_their_utterances() -> None:
    """Several threads may speak at once: each gets what it asked for."""
    texts, voices = ("Yes, please.", "No.", "Wait!"), (VOICE, "en-us+f3", "fr-fr")
    jobs = [(text, voice) for text in texts for voice in voices] * 3
    alone = [say(*job).samples for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = [utterance.samples for utterance in pool.map(lambda job: say(*job), jobs)]
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_silence_at_both_ends_is_trimmed_and_kept_inside() -> None:
    """No silence before the first and after the last sound; the pause between two clauses stays."""
    utterance = say("Hello. Right.", VOICE)
    level = np.abs(utterance.samples)
    assert level[0] > 0
    assert level[-1] > 0
    quiet = np.flatnonzero(level > 0.001 * level.max())
    assert 0.2 < np.diff(quiet).max() / utterance.sample_rate < 0.6
    assert seconds(say("Hi.", VOICE)) < 0.45


def test_word_onsets_are_where_words_begin() -> None:
    """The onset of a word after a pause is its first audible sample, to 60 ms: a stop's closure is the word's."""
    utterance = say("Hello. Good evening. Sunday. Two. Yes.", VOICE)
    for word in [word for word in utterance.words if word.text != "evening."]:
        late = (first_sound_after(utterance, word.start) - word.start) / utterance.sample_rate
        assert 0 <= late < 0.06, word


def test_fused_words_are_filled_in() -> None:
    """espeak speaks `of the` and `at the` as one word; each still has a place of its own, in order."""
    utterance = say("I'll be there at the end of the day, in the morning.", VOICE)
    onsets = [word.start for word in utterance.words]
    assert len(onsets) == 12
    assert all(a < b for a, b in pairwise(onsets))
    assert all(word.end is not None and word.start < word.end for word in utterance.words)


def test_words_end_at_pauses() -> None:
    """A word before a comma ends where the pause begins, not where the next word does."""
    before, after = say("Wait, stop.", VOICE).words
    assert before.end is not None
    assert after.start - before.end > 0.1 * 22050


@settings(deadline=None, max_examples=40)
@given(st.text(alphabet=st.sampled_from("abez '’,.?!-—:[]<>&5£é🙂\n\t\x00"), max_size=30))
def test_every_token_gets_one_word(text: str) -> None:
    """Whatever the text, there is one word per token, spelled as in the text, in order and inside the sound."""
    utterance = say(text, VOICE)
    assert [word.text for word in utterance.words] == text.split()
    places = [place for word in utterance.words for place in (word.start, word.end) if place is not None]
    assert places == sorted(places)
    assert all(0 <= place <= len(utterance.samples) for place in places)


def test_hesitations_are_sounds_and_not_letters() -> None:
    """`mm-hm` is a hum of a third of a second; espeak by itself would spell four letters in over a second."""
    hum = say("Mm-hm.", VOICE)
    assert seconds(hum) < 0.5
    assert [word.text for word in hum.words] == ["Mm-hm."]


def test_text_without_sound_gives_no_samples() -> None:
    """A text of mere signs gives an utterance of no samples."""
    assert len(say("…", VOICE).samples) == 0
    assert len(say("", VOICE).samples) == 0


@pytest.mark.parametrize(
    ("voice", "close"),
    [
        ("en-gb-x-rpp", "en-gb-x-rp"),
        ("en-uk", "en-us"),
        ("en-us+belind", "belinda"),
        ("zz9", "en-us"),
        ("", "en-us"),
        ("en-us+", "alex"),
        ("en-us+zq9", "alex"),
    ],
)
def test_unknown_voice_is_refused_with_names_like_it(voice: str, close: str) -> None:
    """An unknown voice or variant is an error that names others: espeak itself would keep the last one."""
    with pytest.raises(ScenarioError) as error:
        EspeakSpec(name=voice).check()
    assert close in str(error.value)


@pytest.mark.parametrize("voice", ["en-gb", "EN-GB-X-RP", "en-us+F3", "fr-fr", "de"])
def test_known_voices_pass(voice: str) -> None:
    """A voice may be named by its file, its language's code, in any case, with a variant."""
    EspeakSpec(name=voice).check()


def test_every_listed_voice_speaks() -> None:
    """Each voice that is listed can be used."""
    for voice in voices()[::12]:
        assert len(say("1 2 3", voice).samples) > 2000, voice


def test_speed_changes_length_and_has_limits() -> None:
    """Fewer words per minute take longer; speeds that espeak does not have are refused."""
    slow, fast = (seconds(say("How can I help you today?", VOICE, speed)) for speed in (120, 240))
    assert slow > 1.5 * fast
    with pytest.raises(ScenarioError, match="80 to 450"):
        say("Hi.", VOICE, 20)


def test_cache_gives_what_the_engine_says_from_a_new_process_too(tmp_path: Path) -> None:
    """A second cache over the same folder gives the same utterance, bit for bit."""
    said = say("Wait, stop.", VOICE, 150)
    for cache in (UtteranceCache(tmp_path), UtteranceCache(tmp_path), UtteranceCache(None)):
        found = cache.get(EspeakSpec(name=VOICE), "Wait, stop.", 150)
        assert np.array_equal(found.samples, said.samples)
        assert (found.text, found.sample_rate, found.words) == (said.text, said.sample_rate, said.words)
        assert not found.samples.flags.writeable


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_damaged_cache_entry_is_ignored_and_rewritten(tmp_path: Path, damage: bytes | None) -> None:
    """An entry that was cut short, overwritten or altered is synthesised again and stored whole."""
    said = UtteranceCache(tmp_path).get(EspeakSpec(name=VOICE), "Right.", 160)
    (file,) = tmp_path.rglob("*.utterance")
    whole = file.read_bytes()
    altered = whole[:200] + bytes([whole[200] ^ 1]) + whole[201:]
    file.write_bytes(altered if damage is None else damage)
    assert np.array_equal(UtteranceCache(tmp_path).get(EspeakSpec(name=VOICE), "Right.", 160).samples, said.samples)
    assert file.read_bytes() == whole
    assert not list(tmp_path.rglob(".writing-*"))


def test_cache_tells_requests_apart(tmp_path: Path) -> None:
    """Text, voice and speed each make an entry of their own."""
    cache = UtteranceCache(tmp_path)
    asked = [("Yes.", VOICE, 160), ("No.", VOICE, 160), ("Yes.", "en-us", 160), ("Yes.", VOICE, 170)]
    said = {cache.get(EspeakSpec(name=voice), text, speed).samples.tobytes() for text, voice, speed in asked}
    assert len(said) == len(asked) == len(list(tmp_path.rglob("*.utterance")))


def test_cache_works_without_a_folder_to_write(tmp_path: Path) -> None:
    """A cache folder that cannot be made costs time, not the run."""
    (tmp_path / "file").write_text("in the way")
    cache = UtteranceCache(tmp_path / "file" / "voices")
    assert len(cache.get(EspeakSpec(name=VOICE), "Right.", 160).samples) > 0
