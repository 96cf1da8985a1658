"""Disfluent scripts: what is put in is marked, what was meant stays, and no scorer takes one for the other."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from metrics.content import ContentSpec
from simulator.errors import ScenarioError
from simulator.frame import Samples
from simulator.score import Score
from simulator.sound.loudness import active_level_dbfs
from simulator.speaking.body_sounds import breath, laugh
from simulator.speaking.disfluency import KINDS, Disfluency, stumbled
from simulator.speaking.saying import Pause, SaidPart, SayPart, SoundPart, spoken
from simulator.speech import SpokenWord
from simulator.testing.sessions import play_session, scenario_of
from simulator.testing.take import Take, scored

RATE = 24_000
TEXT = "I would like a table for two people on Friday, please."
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def parts_of(kind: Any, seed: int, text: str = TEXT, language: str = "en") -> list[SayPart]:
    """A text with one disfluency."""
    said = stumbled(text, [kind], language, (seed,))
    return said if isinstance(said, list) else [said]


def slips_of(parts: list[SayPart]) -> list[SaidPart]:
    """What was put in."""
    return [part for part in parts if isinstance(part, SaidPart)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_meant_is_the_text_and_the_rest_is_marked(kind: Any) -> None:
    """Without what was put in, the text is there word for word, whatever the seed; the same seed gives the same."""
    for seed in range(20):
        parts = parts_of(kind, seed)
        assert " ".join(part for part in parts if isinstance(part, str)) == TEXT
        assert all(part.disfluency == kind for part in slips_of(parts))
        assert any(isinstance(part, Pause) for part in parts) == (kind in ("pause", "hesitation"))
        assert len(slips_of(parts)) == (kind != "pause")
        assert parts == parts_of(kind, seed)
    assert len({str(parts_of(kind, seed)) for seed in range(20)}) > 2


def test_each_kind_is_what_its_name_says() -> None:
    """A repeat is the next word; a false start the first ones; a correction another of the same row, taken back."""
    for seed in range(20):
        repeated = parts_of("repeat", seed)
        at = next(index for index, part in enumerate(repeated) if isinstance(part, SaidPart))
        assert str(repeated[at + 1]).split()[0].strip(",.") == slips_of(repeated)[0].say.strip(",")
        begun = slips_of(parts_of("false_start", seed))[0].say.strip(",")
        assert TEXT.startswith(begun)
        wrong = slips_of(parts_of("self_correction", seed))[0].say
        slip, _, taken_back = wrong.partition(", ")
        assert (slip in DAYS and slip != "Friday") or slip in "three four five six seven eight nine ten eleven twelve"
        assert any(word in taken_back for word in ("no", "mean"))


def test_what_has_no_place_is_not_put_in() -> None:
    """Two words come out in one breath; no day and no number, no correction; no repeats without spaces."""
    assert stumbled("Yes, please.", 1.0, "en", (1,)) == "Yes, please."
    assert stumbled("I would like the soup.", ["self_correction"], "en", (1,)) == "I would like the soup."
    assert stumbled("我想订一张桌子。", ["repeat"], "zh", (1,)) == "我想订一张桌子。"


def test_chinese_is_corrected_inside_a_sentence() -> None:
    """Another day, taken back, where the day stands; the text around is as it was."""
    parts = parts_of("self_correction", 3, "我想星期五来。", "zh")
    assert "".join(part for part in parts if isinstance(part, str)) == "我想星期五来。"
    (slip,) = slips_of(parts)
    assert slip.say.startswith("星期") and not slip.say.startswith("星期五") and parts.index(slip) == 1


def test_a_share_of_the_turns_is_disfluent() -> None:
    """Three of ten, of the kinds that were named; none at 0."""
    keys = Disfluency(share=0.3, kinds=("filler",))
    found = [stumbled(TEXT, keys, "en", (seed, 7)) for seed in range(600)]
    assert abs(sum(isinstance(one, list) for one in found) / 600 - 0.3) < 0.06
    assert all(stumbled(TEXT, 0.0, "en", (seed,)) == TEXT for seed in range(20))


def test_a_slip_is_said_in_one_breath_with_what_is_meant() -> None:
    """The sound is that of the whole text; words and marks are counted in it."""
    said = spoken(["A table for", SaidPart(say="three, no,", disfluency="self_correction"), "two."], "en-us", RATE)
    whole = spoken("A table for three, no, two.", "en-us", RATE)
    assert np.array_equal(said.samples, whole.samples) and said.words == whole.words
    assert said.disfluent == ((3, 5, "self_correction"),) and said.meant == "A table for two."


def test_another_language_is_said_by_the_same_speaker() -> None:
    """Its sound lies behind the first part's, by espeak's German with the speaker's variant; words go on counting."""
    said = spoken(["Yes.", SaidPart(say="Guten Morgen", language="de"), SoundPart(sound="laugh")], "en-us+f3", RATE)
    yes, german = spoken("Yes.", "en-us+f3", RATE), spoken("Guten Morgen", "de+f3", RATE)
    assert np.array_equal(said.samples[: len(yes.samples)], yes.samples)
    assert np.array_equal(said.samples[len(yes.samples) :][: len(german.samples)], german.samples)
    assert np.array_equal(said.samples[len(yes.samples) + len(german.samples) :], laugh(RATE))
    assert [text for text, _ in said.words] == ["Yes.", "Guten", "Morgen"]


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_mouths_make_sounds_that_are_no_words(rate: int) -> None:
    """A breath is far under speech and steady, a laugh nearly as loud as it, in five bursts; the same at every rate."""
    air, fun = breath(rate), laugh(rate)
    assert abs(len(air) / rate - 0.45) < 0.01 and abs(len(fun) / rate - 1.15) < 0.01
    assert level(air) < -44 and -38 < level(fun) < -24
    frames = np.abs(fun[: len(fun) // 10 * 10]).reshape(-1, max(1, rate // 100 // 10 * 10))[:, :].max(axis=1)
    loud = frames > 0.2 * frames.max()
    assert int(np.sum(loud[1:] & ~loud[:-1]) + loud[0]) == 5


def level(samples: Samples) -> float:
    """dBFS over all of it."""
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def play(tmp_path: Path, turns: list[Any], **keys: Any) -> Any:
    """A session of a user alone, with its truth."""
    user = {"kind": "scripted", "turns": turns, **keys}
    return play_session({"user": user, "agent": "silent", "duration": "9s", "seed": 3}, tmp_path, annotate=True)


def test_a_session_tells_what_was_meant(tmp_path: Path) -> None:
    """The event has the text that was said and the one that was meant; words of the slip are marked in the truth."""
    session = play(tmp_path, [{"at": "100ms", "say": TEXT, "disfluent": ["self_correction"]}])
    (said,) = session.by_type["speech_start"]
    assert said.data["meant"] == TEXT and said.data["text"] != TEXT
    marked = [word.text for word in session.speech.user.words if word.disfluency == "self_correction"]
    ((first, last, kind),) = said.data["disfluent"]
    assert marked == said.data["text"].split()[first:last] and kind == "self_correction"
    assert " ".join(word.text for word in session.speech.user.words if not word.disfluency) == TEXT


def test_a_turn_has_a_pace_and_an_effort_of_its_own(tmp_path: Path) -> None:
    """Twice the pace, nearly half the time; a whisper is 15 dB quieter, a shout louder without a clipped sample."""
    turns = [{"at": "100ms", "say": "Hello out there."},
             {"at": "2s", "say": "Hello out there.", "words_per_minute": 300},
             {"at": "4s", "say": "Hello out there.", "effort": "whisper"},
             {"at": "6s", "say": "Hello out there.", "effort": "shout"}]  # fmt: skip
    session = play(tmp_path, turns)
    first, fast, whisper, shout = session.speech.user.utterances
    sounds = [session.said("user", one.start, one.end) for one in (first, fast, whisper, shout)]
    assert 0.4 < len(sounds[1]) / len(sounds[0]) < 0.65
    levels = [active_level_dbfs(sound, RATE) for sound in sounds]
    assert abs(levels[2] - levels[0] + 15) < 1 and 3 < levels[3] - levels[0] < 12.1
    assert np.max(np.abs(sounds[3])) < 1


@pytest.mark.parametrize(
    ("turn", "why"),
    [
        ({"say": [{"sound": "sneeze"}, "Hello."]}, "invalid enum value 'sneeze'|expected one of"),
        ({"say": [{"shout": "Hello."}]}, "expected a text or a mapping with one of pause, sound, say"),
        ({"say": [{"sound": "breath"}]}, "there is nothing to say"),
        ({"say": [{"say": "Hello", "language": "xx"}]}, "the language 'xx' is not known here"),
        ({"say": "Hello.", "disfluent": ["stutter"]}, "stutter"),
        ({"say": "Hello.", "disfluent": 1.5}, "<= 1"),
        ({"say": "Hello.", "effort": "scream"}, "scream"),
    ],
)
def test_what_nobody_can_say_is_refused(tmp_path: Path, turn: dict[str, Any], why: str) -> None:
    """With the place in the file."""
    with pytest.raises(ScenarioError, match=rf"\$\.user\.turns\[0\].*({why})|({why}).*"):
        scenario_of({"user": {"kind": "scripted", "turns": [turn]}, "agent": "silent"}, tmp_path)


def understood(tmp_path: Path, text: str) -> Score:
    """The errors of an agent that understood a text where "a table for three, no, two, um, please" was said."""
    take = Take(tmp_path / "t")
    words = [("a", 1.0), ("table", 1.2), ("for", 1.6), ("three,", 1.9), ("no,", 2.4), ("two", 2.8), ("um,", 3.1)]
    said = " ".join(word for word, _ in [*words, ("please", 3.5)])
    take.say("user", 1.0, 4.0, text=said, words=[*words, ("please", 3.5)])
    take.note(4.6, "recognised", "agent", text=text, heard_since=take.at(1.0), heard_until=take.at(4.0))
    session = take.annotated()
    marks = {"three,": "self_correction", "no,": "self_correction", "um,": "filler"}
    user = session.speech.user
    marked = tuple(marked_word(word, marks.get(word.text, "")) for word in user.words)
    speech = msgspec.structs.replace(session.speech, user=msgspec.structs.replace(user, words=marked))
    return scored(ContentSpec(), session.with_speech(speech))["user_wer"]


def marked_word(word: SpokenWord, kind: str) -> SpokenWord:
    """A word of the truth with its mark."""
    return msgspec.structs.replace(word, disfluency=kind)


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("a table for two please", 0),
        ("a table for three, no, two, um, please", 0),
        ("a table for three, no, two please", 0),
        ("a table for three please", 1),
        ("a table for four, no, two please", 1),
        ("a cable for two please", 1),
    ],
)
def test_slips_are_no_errors_and_taking_one_for_what_was_meant_is(tmp_path: Path, text: str, errors: int) -> None:
    """Whether it is passed over or written down, wholly or in part; of five words that were meant, or more."""
    score = understood(tmp_path, text)
    assert score.parts["count"] == errors and score.parts["of"] >= 5


def test_a_script_stumbles_by_its_seed_alone(tmp_path: Path) -> None:
    """Two sessions of a seed are the same; what is drawn for stumbling moves nothing else that is drawn."""
    turns = [
        {"at": "100ms", "choose": ["I would like a table for two people.", "Could I have a table for two people?"]}
    ]
    found = [play(tmp_path / name, turns, disfluent=share) for name, share in (("a", 1.0), ("b", 1.0), ("c", 0.0))]
    one, two, fluent = [session.by_type["speech_start"][0].data for session in found]
    assert json.dumps(one) == json.dumps(two)
    assert one.get("meant", one["text"]) == fluent["text"]
