"""Recognition and alignment: what is heard, when each word was, and that nothing depends on what was heard before."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from simulator.engines import Word, engine
from simulator.engines.arpabet import pronounce
from simulator.engines.cache import cached
from simulator.engines.espeak import EspeakSpec
from simulator.engines.moonshine import Moonshine, MoonshineSpec
from simulator.engines.pocketsphinx import PocketSphinx
from simulator.frame import Samples
from simulator.sound import recordings
from simulator.speaking.voice import spoken
from tests.programs import printed

RATE = 24_000
VOICES = ("en-gb-x-rp", "en-us+f2")
PHRASES = (
    "Wait, stop.",
    "Thank you very much.",
    "What time do you open?",
    "My name is John Smith.",
    "I would like the soup, please.",
    "How much does it cost?",
    "No, on Sunday, please.",
)


def said(text: str, voice: str = VOICES[0], rate: int = RATE) -> Samples:
    """A text as a party says it: at the nominal level, on the grid."""
    return spoken(text, voice, rate, words_per_minute=150).samples


def plain(text: str) -> str:
    """The words alone, in lower case."""
    return "".join(letter for letter in text.lower() if letter.isalpha() or letter == " ").strip()


@pytest.fixture(scope="module")
def moonshine() -> Moonshine:
    """The recogniser of this process, loaded."""
    found: Moonshine = MoonshineSpec().build()
    found.warm().join()
    return found


@pytest.fixture(scope="module")
def aligner() -> PocketSphinx:
    """The aligner of this process."""
    found: PocketSphinx = engine("pocketsphinx")
    return found


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("text", PHRASES)
def test_clear_phrases_are_recognised_word_for_word(moonshine: Moonshine, text: str, voice: str) -> None:
    """Phrases chosen for the examples are understood to the word, in both default voices."""
    assert plain(moonshine.recognize(said(text, voice), RATE).text) == plain(text)


@pytest.mark.parametrize("seconds", [0, 0.01, 1, 3, 12])
def test_silence_is_not_text(moonshine: Moonshine, seconds: float) -> None:
    """Silence and steady noise give no text: the model alone would hear "You"."""
    count = round(seconds * RATE)
    noise = (0.005 * np.random.default_rng(0).standard_normal(count)).astype(np.float32)
    assert moonshine.recognize(np.zeros(count, np.float32), RATE).text == ""
    assert moonshine.recognize(noise, RATE).text == ""


def test_recognition_does_not_depend_on_what_came_before(moonshine: Moonshine) -> None:
    """Results are the same in another order, from several threads, and from a model loaded afresh."""
    sounds = [said(text, voice) for text in (*PHRASES, "mm-hm", "right") for voice in VOICES]
    first = [moonshine.recognize(samples, RATE) for samples in sounds]
    order = random.Random(1).sample(range(len(sounds)), len(sounds))
    with ThreadPoolExecutor(3) as pool:
        again = dict(zip(order, pool.map(lambda at: moonshine.recognize(sounds[at], RATE), order), strict=True))
    assert [again[at] for at in range(len(sounds))] == first
    assert Moonshine().recognize(sounds[-1], RATE) == first[-1]


def test_silence_around_speech_is_no_part_of_it(moonshine: Moonshine) -> None:
    """Seconds of silence before and after do not change a clear phrase."""
    padded = np.pad(said("Thank you very much."), (3 * RATE, 6 * RATE))
    assert plain(moonshine.recognize(padded, RATE).text) == "thank you very much"


def test_long_recordings_are_recognised_to_the_end(moonshine: Moonshine) -> None:
    """A minute of phrases with pauses keeps its first and last words, and nearly all between."""
    gap = np.zeros(RATE, np.float32)
    long = np.concatenate([part for text in PHRASES * 3 for part in (said(text), gap)])
    heard = plain(moonshine.recognize(long, RATE).text)
    assert heard.startswith("wait stop")
    assert heard.endswith("sunday please")
    assert 0.9 < len(heard.split()) / len(plain(" ".join(PHRASES * 3)).split()) < 1.1


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_any_rate_is_recognised(moonshine: Moonshine, rate: int) -> None:
    """Recordings of telephone to studio rates are understood."""
    assert plain(moonshine.recognize(said("Yes, please.", rate=rate), rate).text) == "yes please"


def test_recorded_speech(moonshine: Moonshine, real_audio: Path) -> None:
    """Real recordings are understood: questions of a caller, some among long silences."""
    expected = {
        "hello": "hello",
        "yes": "yes",
        "thank_you": "thank you very much",
        "hi_how_are_you": "hi how are you",
        "service_call_user": "can you guarantee that the replacement part will be shipped tomorrow",
    }
    for name, text in expected.items():
        assert (
            plain(moonshine.recognize(recordings.load(real_audio / "speech" / f"{name}.wav", RATE), RATE).text) == text
        )


@pytest.mark.parametrize("voice", [*VOICES, "en-us+m3"])
def test_word_times_agree_with_the_truth(aligner: PocketSphinx, voice: str) -> None:
    """Aligned onsets are those the synthesiser states: 20 ms in the median, 80 ms in nine of ten."""
    errors: list[float] = []
    for text in (*PHRASES, "I'll be there at the end of the day.", "Put me through to the manager, please."):
        utterance = cached(EspeakSpec(name=voice), text, 150)
        words = aligner.align(utterance.samples, utterance.sample_rate, text)
        assert words is not None, text
        assert [word.text for word in words] == text.split()
        truth = [word.start for word in utterance.words]
        errors += [abs(word.start - start) / 22.05 for word, start in zip(words, truth, strict=True)]
    assert np.median(errors) < 20
    assert np.percentile(errors, 90) < 80


@pytest.mark.parametrize(
    "text",
    [
        "It's £20 at 5:30, o’clock — don't you think?",
        "Guillermo lives at 42 Nguyen Street.",
        "Mm-hm, right.",
        "My order number is 12345!",
        '«Check-in» (for two) … hello[2] "quoted"',
    ],
)
def test_numbers_names_and_signs_are_aligned(aligner: PocketSphinx, text: str) -> None:
    """Every token keeps its spelling and gets a place in order, in the dictionary or not; signs have no length."""
    utterance = cached(EspeakSpec(name="en-us"), text, 150)
    words = aligner.align(utterance.samples, utterance.sample_rate, text)
    assert words is not None
    assert [word.text for word in words] == text.split()
    places = [place for word in words for place in (word.start, word.end or 0)]
    assert places == sorted(places)
    assert all(0 <= place <= len(utterance.samples) for place in places)
    sounded = [word for word in words if any(letter.isalnum() for letter in word.text)]
    assert all((word.end or 0) > word.start for word in sounded)


def test_alignment_does_not_depend_on_what_came_before(aligner: PocketSphinx) -> None:
    """Word times are the same in another order and from a fresh aligner."""
    jobs = [(text, voice) for text in (*PHRASES, "Call Szymborska at 8:45.") for voice in VOICES]

    def align(at: int, by: PocketSphinx) -> list[Word] | None:
        return by.align(said(*jobs[at]), RATE, jobs[at][0])

    first = [align(at, aligner) for at in range(len(jobs))]
    order = random.Random(2).sample(range(len(jobs)), len(jobs))
    again = {at: align(at, aligner) for at in order}
    assert [again[at] for at in range(len(jobs))] == first
    assert align(order[0], PocketSphinx()) == first[order[0]]


def test_text_that_does_not_fit_is_not_aligned(aligner: PocketSphinx) -> None:
    """Silence, noise, too little sound for so many words, and no words at all give no alignment."""
    noise = (0.05 * np.random.default_rng(0).standard_normal(2 * RATE)).astype(np.float32)
    assert aligner.align(np.zeros(2 * RATE, np.float32), RATE, "hello there") is None
    assert aligner.align(np.zeros(0, np.float32), RATE, "hello") is None
    assert aligner.align(noise, RATE, "hello there") is None
    assert aligner.align(said("No."), RATE, " ".join(PHRASES)) is None
    assert aligner.align(said("No."), RATE, "") is None
    assert aligner.align(said("No."), RATE, "— …") is None


def test_a_minute_is_aligned_across_its_pauses(aligner: PocketSphinx) -> None:
    """Phrases with seconds between them are each found where they are."""
    texts, parts, starts, at = PHRASES * 2, list[Samples](), list[int](), 0
    for index, text in enumerate(texts):
        speech = said(text, VOICES[0])
        gap = np.zeros((index % 4 + 1) * RATE, np.float32)
        starts.append(at)
        parts += [speech, gap]
        at += len(speech) + len(gap)
    words = aligner.align(np.concatenate(parts), RATE, " ".join(texts))
    assert words is not None
    index = 0
    for text, start in zip(texts, starts, strict=True):
        assert abs(words[index].start - start) / RATE < 0.1, text
        index += len(text.split())


@pytest.mark.parametrize(
    ("word", "phones"),
    [("cat", "K AE T"), ("42", "F AO R T IY T UW"), ("Thursday", "TH ER Z D EY"), ("mm-hm", "M M HH M"), ("—", "")],
)
def test_pronunciations(word: str, phones: str) -> None:
    """Words, numbers and hums have the phones that espeak says; signs have none."""
    assert pronounce(word) == phones.split()


def test_unusable_package_names_the_install_line(tmp_path: Path) -> None:
    """With a package that carries no recogniser, the error is one sentence that says how to get it."""
    (tmp_path / "moonshine_voice").mkdir()
    (tmp_path / "moonshine_voice" / "__init__.py").write_text("")
    program = (
        "from simulator.engines.moonshine import MoonshineSpec; from simulator.speaking.voice import spoken\n"
        "try: MoonshineSpec().build().recognize(spoken('Yes, please.', 'en-us', 16000).samples, 16000)\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    told = printed(program, tmp_path)
    assert told.startswith("ScenarioError the recogniser moonshine does not load here")
    assert "pip install moonshine-voice==0.1.0" in told


def test_recorded_answer_has_the_times_of_another_aligner(aligner: PocketSphinx, real_audio: Path) -> None:
    """On a recorded answer, onsets are within 150 ms of those a large recogniser gave, for nine words of ten."""
    folder = real_audio / "fdb_examples" / "smooth_turn_taking_example" / "1"
    answer = json.loads((folder / "output.json").read_text("utf-8"))
    words = aligner.align(recordings.load(folder / "output.wav", RATE), RATE, answer["text"])
    assert words is not None
    assert [word.text for word in words] == answer["text"].split()
    far = [
        word
        for word, chunk in zip(words, answer["chunks"], strict=True)
        if abs(word.start / RATE - chunk["timestamp"][0]) > 0.15
    ]
    assert len(far) <= len(words) // 10
