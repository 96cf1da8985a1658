"""Languages: what `language:` fills in, what is refused or told before a run, and that nothing English is left over."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from agents.caller.brief import make_brief
from agents.caller.instructions import instructions_for
from agents.caller.manner import PRESETS
from agents.caller.timing import HumanTiming
from agents.caller.wording import worded
from metrics.content import ContentSpec
from simulator.annotation.annotate import annotate
from simulator.cli import main
from simulator.engines.espeak import Espeak, voices
from simulator.engines.kinds import recognizer_of
from simulator.errors import ScenarioError
from simulator.languages.lookup import plain, tongue, tongues
from simulator.languages.spread import spread
from simulator.planning.plan import plan_of
from simulator.scenario import Scenario, load, resolved, to_yaml
from simulator.session import Session
from simulator.spec import encode
from simulator.testing.sessions import play_session, scenario_of
from tests.contracts.http_peers import scripted
from tests.languages_page import PAGE, page
from tests.speech_servers import hearing

SAYS: dict[str, Any] = {"kind": "scripted", "turns": ["Hallo."]}
HUM: dict[str, Any] = {"kind": "backchannel", "cue": {"agent_speaking": "1s"}}


def of(tmp_path: Path, **data: Any) -> Scenario:
    """A scenario of two scripts, with what is different."""
    return scenario_of({"user": dict(SAYS), "agent": dict(SAYS), **data}, tmp_path)


def test_the_page_is_written_from_the_table() -> None:
    """docs/languages.md is stale? `python -m tests.languages_page` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_a_language_brings_voices_backchannels_and_recognisers(tmp_path: Path) -> None:
    """Both parties speak it, differently; each hears the other; a backchannel without words has the language's own."""
    found = encode(of(tmp_path, language="ja", injectors=[dict(HUM)]))
    assert (found["user"]["voice"], found["agent"]["voice"]) == ("ja", "ja+f2")
    assert found["agent"]["recognizer"] == {"kind": "whisper", "model": "small", "language": "ja"}
    assert "うん" in found["injectors"][0]["choose"] and found["injectors"][0]["voice"] == "ja"


def test_parties_may_speak_different_languages(tmp_path: Path) -> None:
    """Each hears the other's, not its own; a party's own word stands against the scenario's."""
    found = encode(of(tmp_path, language="de", agent={**SAYS, "language": "es"}))
    assert (found["user"]["language"], found["agent"]["language"]) == ("de", "es")
    assert (found["user"]["voice"], found["agent"]["voice"]) == ("de", "es+f2")
    assert (found["user"]["recognizer"]["language"], found["agent"]["recognizer"]["language"]) == ("es", "de")


def test_what_is_named_stays_and_english_changes_nothing(tmp_path: Path) -> None:
    """A voice, a recogniser, words of a backchannel; without a language and with English the defaults are as ever."""
    said = {**SAYS, "voice": "de+m3", "recognizer": "moonshine"}
    found = encode(of(tmp_path, language="de", user=said, injectors=[{**HUM, "say": "so so"}]))
    assert found["user"]["voice"] == "de+m3" and found["user"]["recognizer"] == "moonshine"
    assert found["injectors"][0]["say"] == "so so" and found["injectors"][0]["voice"] == "de+m3"
    english, plain_one = encode(of(tmp_path, language="en")), encode(of(tmp_path))
    for party in ("user", "agent"):
        assert english[party] == plain_one[party] | {"language": "en"}


def test_a_region_has_its_own_voice(tmp_path: Path) -> None:
    """Brazilian, not European, Portuguese; the language is the same."""
    found = encode(of(tmp_path, language="pt-BR"))
    assert (found["user"]["voice"], found["agent"]["voice"]) == ("pt-br", "pt-br+f2")
    assert plain("pt-BR") == "pt" and plain("cmn") == "zh"


def test_a_resolved_scenario_is_the_same_again(tmp_path: Path) -> None:
    """What was filled in is written down, and filling in changes nothing of it."""
    first = resolved(of(tmp_path, language="zh", agent={"kind": "scripted", "turns": ["您好。"]}), 0)
    path = tmp_path / "again.yaml"
    path.write_text(to_yaml(first), encoding="utf-8")
    assert load(path) == first


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"language": "xx"}, r"\$\.language: the language 'xx' is not known here; known are en, de"),
        ({"user": {**SAYS, "language": "tlh"}}, r"\$\.user\.language: the language 'tlh' is not known"),
        ({"user": {**SAYS, "accent": "scottish"}, "language": "de"}, "German has no accent 'scottish'"),
        ({"user": {**SAYS, "accent": ["en-us"], "voice": "de"}}, r"\$\.user\.accent: .*`voice` beside it"),
        ({"user": {**SAYS, "accent": ["nobody"]}}, r"\$\.user\.accent\[0\]: espeak has no voice 'nobody'"),
        ({"user": {"kind": "caller", "goal": "Einen Tisch", "llm": "rules"}, "agent": {**SAYS, "language": "en"},
          "language": "de"}, r"\$\.user\.llm: the patterns of `rules` are English, and the caller speaks German"),
    ],
)  # fmt: skip
def test_what_cannot_be_spoken_is_refused(tmp_path: Path, data: dict[str, Any], why: str) -> None:
    """A code that is none, an accent that the language has not, a mind that knows English alone."""
    with pytest.raises(ScenarioError, match=why):
        of(tmp_path, **data)


def test_whoever_would_not_understand_is_refused_with_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that hears English, of a caller who is said to speak German; and one whose model is not here."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    path = tmp_path / "a.yaml"
    head = 'name: a\nlanguage: de\nduration: 5s\nuser: {kind: scripted, turns: ["Hallo."]}\n'
    path.write_text(head + "agent: {kind: cascade, recognizer: moonshine}\n")
    assert main(["check", str(path)]) == 2
    told = capsys.readouterr().err
    assert "moonshine does not hear German (de), which the user speaks; {kind: whisper, model: small" in told
    path.write_text(head + "agent: cascade\n")
    assert main(["check", str(path)]) == 2
    told = capsys.readouterr().err
    assert "$.agent.recognizer: the" in told and ("fetch it once" in told or "pip install" in told)


def test_a_foreign_voice_is_told_and_so_are_words_that_nobody_finds(tmp_path: Path) -> None:
    """Where the voice alone tells the language the run goes on; both recognisers are named."""
    scenario = of(tmp_path, user={**SAYS, "voice": "fr"}, agent="cascade", duration="5s")
    told = plan_of({"a": scenario}).remarks
    assert any("$.agent.recognizer: moonshine does not hear French (fr)" in remark for remark in told)
    assert any("$.recognizer: moonshine does not hear French (fr), so the words" in remark for remark in told)
    assert not [remark for remark in plan_of({"a": of(tmp_path)}).remarks if "hear" in remark]


@pytest.mark.parametrize("code", list(tongues()))
def test_every_language_can_be_spoken_and_answered_in(code: str) -> None:
    """Its voices are espeak's, its short words have sound, its replies are patterns of which the last answers all."""
    one = tongue(code)
    names = {voice.partition("+")[0] for voice in (one.voice, one.second, *sum(one.accents.values(), ()))}
    assert names <= set(voices()) and one.voice != one.second
    assert len(Espeak(one.voice).synthesize(one.backchannels[0]).samples) > 2_000
    assert all(re.compile(match) for match, _ in one.replies) and (not one.replies or one.replies[-1][0] == "")
    assert code == "en" or len(one.replies) >= 3


def test_a_voice_of_another_language_than_its_partys_is_told(tmp_path: Path) -> None:
    """It may be meant, so the run goes on; Cantonese is Chinese, and a voice that tells no language is left alone."""
    for language, voice, remarks in (
        ("de", "en-us", ["test: $.user.voice: espeak en-us speaks English (en), and the user German (de)"]),
        ("zh", "yue", []),
        ("de", {"kind": "openai", "model": "m", "name": "n", "base_url": "http://127.0.0.1:9"}, []),
    ):
        scenario = of(tmp_path, language=language, user={**SAYS, "voice": voice}, agent={**SAYS}, duration="5s")
        found = plan_of({"a": scenario}).remarks
        assert [remark for remark in found if " speaks " in remark and "$.user." in remark] == remarks
    lists = of(tmp_path, language="de", user={**SAYS, "accent": ["de", "fr"]}, agent={**SAYS}, duration="5s")
    assert (
        "test: $.user.accent: espeak fr speaks French (fr), and the user German (de)" in plan_of({"a": lists}).remarks
    )


def test_trials_speak_with_the_voices_of_an_accent_in_turn(tmp_path: Path) -> None:
    """Four trials of three voices: the fourth has the first again; each session's scenario names its own alone."""
    scenario = of(tmp_path, user={**SAYS, "accent": ["en-us", "en-gb", "en-029"]}, repeat=4)
    found = [encode(resolved(scenario, trial))["user"] for trial in range(4)]
    assert [user["voice"] for user in found] == ["en-us", "en-gb", "en-029", "en-us"]
    assert all(user["accent"] == [] for user in found)
    word: dict[str, Any] = {"user": {**SAYS, "accent": "scottish"}, "agent": "silent"}
    spread(word)
    assert word["user"]["accent"] == ["en-gb-scotland", "en-gb-scotland+f2"]


@pytest.mark.parametrize("path", ["language", "user.language"])
def test_a_sweep_over_languages_is_refused(tmp_path: Path, path: str) -> None:
    """Its points would keep what was filled in for the first."""
    sweep = {"tongue": {"path": path, "values": ["de", "es"]}, "trials": 1}
    with pytest.raises(ScenarioError, match=r"\$\.sweep\.tongue\.path: what follows a language is filled in before"):
        of(tmp_path, sweep=sweep, language="de")


def test_a_caller_stumbles_in_its_own_language() -> None:
    """Never an English filler in German."""
    timing = HumanTiming(PRESETS["rambling"], np.random.default_rng(0))
    said = [worded("Ich hätte gern einen Tisch für zwei.", PRESETS["rambling"], timing, "de") for _ in range(60)]
    slips = {part.say for one in said if isinstance(one, list) for part in one if getattr(part, "disfluency", "")}
    assert slips == {*tongue("de").fillers, "Ich,"}


def test_a_model_that_calls_is_told_what_to_speak() -> None:
    """In English, as all of its instructions; an English caller is told nothing of it."""
    brief = make_brief(persona="", who="", goal="Einen Tisch reservieren", facts={}, stages=[])
    assert "Speak German, and nothing else" in instructions_for(brief, PRESETS["impatient"], language="de")
    assert "Speak" not in instructions_for(brief, PRESETS["impatient"])


def german_call(tmp_path: Path, url: str) -> Session:
    """A German caller, and the built-in agent with a recogniser behind HTTP."""
    ears = {"kind": "openai", "base_url": f"{url}/v1", "model": "stand-in", "language": "de"}
    user = {"kind": "scripted", "turns": [{"at": "300ms", "say": "Guten Tag, um zehn Uhr."}]}
    data = {"user": user, "agent": {"kind": "cascade", "recognizer": ears}, "language": "de", "duration": "7s"}
    return play_session(data, tmp_path, annotate=True)


def test_the_agent_answers_in_german_what_it_hears_in_german(tmp_path: Path, own_cache: None) -> None:
    """A stand-in recogniser that writes numbers in digits: understood without an error, answered by German replies."""
    with scripted(hearing({"text": "Guten Tag, um 10 Uhr."})) as (url, _):
        session = german_call(tmp_path, url)
    (answer,) = [event for event in session.by_type["speech_start"] if event.party == "agent"]
    assert answer.data["text"] == "Hallo! Wie kann ich Ihnen helfen?"
    (score,) = [score for score in ContentSpec().build().score(session) if score.id == "content.user_wer"]
    assert score.parts == {"count": 0, "of": 5}


def test_a_folder_alone_tells_the_language(tmp_path: Path, own_cache: None) -> None:
    """Truth of the words needs no recogniser: German is scored as German from what the session says of its parties."""
    with scripted(hearing({"text": "Guten Tag, zehn Uhr."})) as (url, _):
        session = german_call(tmp_path, url)
    scores = {score.id: score for score in ContentSpec().build().score(session)}
    assert scores["content.user_wer"].parts == {"count": 1, "of": 5}, "um is a word"


def takes_in_german(tmp_path: Path) -> Session:
    """A user whose voice, a folder of takes, tells no word times."""
    said = Espeak("de").synthesize("eins zwei drei")
    (tmp_path / "takes").mkdir()
    soundfile.write(tmp_path / "takes" / "eins-zwei-drei.wav", said.samples, said.sample_rate)
    voice = {"kind": "file", "folder": str(tmp_path / "takes")}
    user = {"kind": "scripted", "turns": [{"at": "1s", "say": "Eins zwei drei."}], "voice": voice}
    return play_session({"user": user, "agent": "silent", "language": "de", "duration": "4s"}, tmp_path / "s")


def test_words_of_other_languages_are_timed_by_ear(tmp_path: Path, own_cache: None) -> None:
    """Where the recogniser hears as many words theirs are the times, and who told them is said; English is aligned."""
    session = takes_in_german(tmp_path)
    timed = [{"word": word, "start": 0.3 + 0.2 * place, "end": 0.4 + 0.2 * place} for place, word in enumerate("123")]
    with scripted(hearing({"text": "1 2 3", "words": timed})) as (url, _):
        ears = {"kind": "openai", "base_url": f"{url}/v1", "model": "m", "language": "de", "word_times": True}
        words = annotate(session, recognizer=recognizer_of(ears)).user.words
    assert [word.text for word in words] == ["Eins", "zwei", "drei."]
    assert {word.timed_by for word in words} == {"openai m de"} and {word.source for word in words} == {"model"}
    apart = [after.start - before.start for before, after in pairwise(words)]
    assert all(abs(gap - 0.2 * session.sample_rate) < 3 for gap in apart)


def test_words_that_nobody_times_share_the_sound(tmp_path: Path, own_cache: None) -> None:
    """A recogniser without times, or of another number of words: no English aligner is asked about German."""
    session = takes_in_german(tmp_path)
    with scripted(hearing({"text": "eins zwei"})) as (url, _):
        ears = {"kind": "openai", "base_url": f"{url}/v1", "model": "m", "language": "de"}
        words = annotate(session, recognizer=recognizer_of(ears)).user.words
    assert [word.text for word in words] == ["Eins", "zwei", "drei."] and {word.timed_by for word in words} == {""}
    assert words[0].end == words[1].start and words[1].end == words[2].start
