"""Voices and recognisers as kinds: a word and the mapping it is short for are one and the same thing."""

from pathlib import Path

import pytest

from simulator.engines.espeak import EspeakSpec
from simulator.engines.kinds import languages_heard, recognizer_of, voice_of
from simulator.engines.moonshine import MoonshineSpec
from simulator.errors import ScenarioError
from simulator.scenario import load, to_yaml
from simulator.spec import encode

CALL = """
name: call
duration: 4s
user: {kind: scripted, voice: USER, turns: ["Hello there."]}
agent: {kind: cascade, voice: en-us+f3, recognizer: RECOGNIZER}
injectors: [{kind: aside, cue: {at: 1s}, say: Not now., voice: USER}]
lines: {user_to_agent: [{kind: talker, say: [Dinner!], voice: USER}]}
"""


def written(tmp_path: Path, **words: str) -> str:
    """A call with words put in, loaded and written back."""
    text = CALL
    for name, word in words.items():
        text = text.replace(name.upper(), word)
    path = tmp_path / "call.yaml"
    path.write_text(text)
    return to_yaml(load(path))


def test_a_word_is_short_for_a_mapping_wherever_one_is_named(tmp_path: Path) -> None:
    """In parties, injectors and talkers; written back, both are the word."""
    word = written(tmp_path, user="en-us+f3", recognizer="moonshine")
    mapping = written(tmp_path, user="{kind: espeak, name: en-us+f3}", recognizer="{kind: moonshine}")
    assert word == mapping
    assert word.count("voice: en-us+f3") == 4
    assert "recognizer: moonshine" in word


def test_words_are_espeak_voices_unless_they_are_kinds() -> None:
    """`espeak` is the kind with its default voice, `de` a voice of it."""
    assert voice_of("espeak") == EspeakSpec()
    assert voice_of("de") == EspeakSpec(name="de")
    assert recognizer_of("moonshine") == MoonshineSpec()


@pytest.mark.parametrize("voice", [EspeakSpec(), EspeakSpec(name="en-us+f3"), EspeakSpec(name="fr-fr")])
def test_a_spec_written_back_is_read_as_the_same_spec(voice: EspeakSpec) -> None:
    """Whatever short form it is written in."""
    assert voice_of(encode(voice)) == voice


def test_engines_are_shared_by_spec() -> None:
    """Two specs of the same content have one engine in a process, others have their own."""
    assert EspeakSpec(name="de").shared() is voice_of("de").shared()
    assert EspeakSpec(name="de").shared() is not EspeakSpec(name="fr-fr").shared()
    assert MoonshineSpec().shared() is recognizer_of({"kind": "moonshine"}).shared()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"user": "en-uk"}, r"\$\.user\.voice: espeak has no voice 'en-uk'"),
        (
            {"user": "{kind: espeke}"},
            r"\$\.user\.voice\.kind: 'espeke' is not installed; choose one of cosyvoice",
        ),
        ({"user": "{kind: espeak, nmae: de}"}, r"\$\.user\.voice: .*unknown field `nmae`; did you mean name"),
        ({"user": "[de]"}, r"\$\.user\.voice: expected a mapping with a kind, found \['de'\]"),
        ({"recognizer": "silero"}, r"\$\.agent\.recognizer\.kind: 'silero' is not installed; choose one of moonshine"),
    ],
)
def test_what_names_no_engine_is_refused_with_its_place(tmp_path: Path, words: dict[str, str], complaint: str) -> None:
    """One sentence: where, what was found, what there is."""
    with pytest.raises(ScenarioError, match=complaint):
        written(tmp_path, **{"user": "de", "recognizer": "moonshine", **words})


def test_languages_by_label() -> None:
    """Moonshine hears English; of what is unknown here nobody says."""
    assert languages_heard("moonshine") == ("en",)
    assert languages_heard("no-such-thing at all") == ()
