"""Engines behind HTTP: what they send, what they make of the answers, and that no lie of a server goes unnoticed."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from simulator.cli import main
from simulator.engines.kinds import languages_heard, recognizer_of, voice_of
from simulator.engines.openai_speech import OpenAISpeechSpec
from simulator.errors import RemoteError, ScenarioError
from simulator.frame import Samples
from simulator.session import read_session
from simulator.speaking.voice import spoken
from tests.contracts.http_peers import Got, scripted
from tests.speech_servers import answering, fields_of, hearing, pcm, streamed, text_of, told_rate, wav

TEXT = "I would like the soup, please."
PCM = {"format": "pcm", "self_test": False}


@contextmanager
def voice(make: Any, **keys: Any) -> Iterator[Any]:
    """A voice of a scripted server that makes sound of texts, and what was asked."""
    with scripted(answering(make)) as (url, seen):
        spec = {"kind": "openai", "model": "tts", "name": "ann", "base_url": f"{url}/v1", "self_test": False, **keys}
        yield voice_of(spec).build(), seen


def length(samples: Samples, rate: int) -> float:
    """Seconds."""
    return len(samples) / rate


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100])
def test_a_wav_has_the_rate_of_its_header_and_pcm_the_one_that_is_stated(rate: int) -> None:
    """Either way the sound is as long as it was made, trimmed at both ends."""
    made = len(spoken(TEXT, "en-us", rate, words_per_minute=160).samples) / rate
    for make, keys in ((wav, {}), (pcm, {**PCM, "sample_rate": rate})):
        with voice(lambda text, make=make: make(text, rate), **keys) as (engine, _):
            said = engine.synthesize(TEXT)
        assert said.sample_rate == rate and said.words == ()
        assert abs(len(said.samples) / rate - made) < 0.1


def test_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Model, text, voice and form; a speed and instructions where they say something; the key as a Bearer."""
    monkeypatch.setenv("SPEECH_KEY", "sk-very-secret-0001")
    with voice(lambda text: wav(text, 24_000), key="${SPEECH_KEY}", instructions="Whisper.") as (engine, seen):
        engine.synthesize(TEXT)
        engine.synthesize(TEXT, 240)
    assert seen[0].path == "/v1/audio/speech" and seen[0].headers["authorization"] == "Bearer sk-very-secret-0001"
    asked = {"model": "tts", "input": TEXT, "voice": "ann", "response_format": "wav", "instructions": "Whisper."}
    assert [got.json for got in seen] == [asked, asked | {"speed": 1.5}]


def test_a_text_without_a_letter_is_not_sent() -> None:
    """It has no sound."""
    with voice(lambda text: wav(text, 24_000)) as (engine, seen):
        assert len(engine.synthesize("…").samples) == 0
    assert not seen


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda text: wav(text, 24_000, kind="MP3"), "sent MP3 where wav was asked for"),
        (lambda text: wav(text, 24_000, kind="OGG"), "sent Ogg where wav was asked for"),
        (lambda text: b"ID3\x04" + wav(text, 24_000, kind="MP3"), "sent MP3 where wav was asked for"),
        (lambda text: pcm(text, 24_000), "sent something that is no WAV"),
        (lambda text: b"", "sent no sound"),
        (lambda text: b'{"error": "no such voice"}', "sent a text where wav was asked for: .*no such voice"),
        (lambda text: wav(text, 24_000)[:44], "sent a WAV without sound"),
        (lambda text: wav(text, 24_000)[:20], "sent a WAV that cannot be read"),
        (lambda text: told_rate(wav(text, 24_000), 2_000), "sent a WAV of 2000 Hz; 4000 to 192000 are read"),
        (lambda text: wav("…", 24_000), "sent silence for 'I would like the soup, please.'"),
    ],
)
def test_sound_that_is_none_is_refused_in_a_sentence(make: Any, why: str) -> None:
    """Whatever was asked for, the answer is looked at; the server is named."""
    with voice(make) as (engine, _), pytest.raises(RemoteError, match=rf"openai at http://127.0.0.1:\d+/v1 {why}"):
        engine.synthesize(TEXT)


@pytest.mark.parametrize(
    ("make", "why"),
    [(lambda text: wav(text, 24_000, kind="MP3"), "sent MP3 where pcm was asked for"),
     (lambda text: pcm(text, 24_000)[:-1], r"sent \d+ bytes, which are no whole samples")],
)  # fmt: skip
def test_headerless_sound_that_is_none_is_refused(make: Any, why: str) -> None:
    """MP3 begins otherwise than any sound; half a sample is a broken stream."""
    with voice(make, **PCM) as (engine, _), pytest.raises(RemoteError, match=why):
        engine.synthesize(TEXT)


def test_a_wav_is_read_whatever_its_header_promises_and_whatever_was_asked() -> None:
    """A streamed one promises no length; a server may send one where headerless sound was asked for."""
    with voice(lambda text: streamed(wav(text, 16_000)), **PCM) as (engine, _):
        said = engine.synthesize(TEXT)
    assert said.sample_rate == 16_000 and abs(length(said.samples, 16_000) - 1.7) < 0.6


@pytest.mark.parametrize(("really", "stated"), [(16_000, 24_000), (24_000, 44_100), (44_100, 24_000), (48_000, 24_000)])
def test_a_wrong_rate_is_heard_in_the_test_sentence(really: int, stated: int) -> None:
    """Speech at 1.5 times its speed, or at half, is nobody's; the text itself is not asked for."""
    with (
        voice(lambda text: pcm(text, really, 190), format="pcm", sample_rate=stated, self_test=True) as (engine, seen),
        pytest.raises(RemoteError, match=f"syllables a second if its sound is of {stated} Hz"),
    ):
        engine.synthesize(TEXT)
    assert len(seen) == 1


def test_a_header_may_lie_of_the_rate_too() -> None:
    """The same test holds a WAV."""
    lying = voice(lambda text: told_rate(wav(text, 24_000), 48_000), self_test=True)
    with lying as (engine, _), pytest.raises(RemoteError, match="if its sound is of 48000 Hz"):
        engine.synthesize(TEXT)


@pytest.mark.parametrize("kind", ["audio/L16; rate=22050", 'audio/pcm;channels=1;Rate="22050"'])
def test_a_rate_that_is_too_near_to_be_heard_is_told_by_the_content_type(kind: str) -> None:
    """22,050 Hz taken for 24,000 sounds like a faster voice; a server that tells its rate is believed."""

    def script(got: Got) -> None:
        got.answer(pcm(text_of(got), 22_050), kind=kind)

    with scripted(script) as (url, _):
        keys = {"kind": "openai", "model": "tts", "name": "ann", "base_url": f"{url}/v1", "format": "pcm"}
        with pytest.raises(RemoteError, match=r"says that its sound is of 22050 Hz .*, which is read at 24000 Hz"):
            voice_of(keys).build().synthesize(TEXT)
        for proven in ({"sample_rate": 22_050}, {"self_test": False}):
            assert len(voice_of({**keys, **proven}).build().synthesize(TEXT).samples)


def test_the_right_rate_is_proven_once() -> None:
    """One sentence more for a process, however much is said."""
    with voice(lambda text: pcm(text, 16_000), format="pcm", sample_rate=16_000, self_test=True) as (engine, seen):
        engine.synthesize(TEXT)
        engine.synthesize("Yes.")
    assert [got.json["input"] for got in seen][1:] == [TEXT, "Yes."] and len(seen) == 3


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (lambda got: got.answer({"error": {"message": "no such voice"}}, 404), "answered 404: .*no such voice"),
        (lambda got: got.answer(b"", 500), "answered 500$"),
        (lambda got: got.answer(b"", 302), "answered 302$"),
        (lambda got: got.vanish(), "closed the connection without an answer"),
        (lambda got: got.begin(), "broke off its answer after 10 bytes"),
    ],
)
def test_a_server_that_fails_is_named(script: Any, why: str) -> None:
    """With what it says; redirects are not followed, since a key must not go elsewhere."""
    with scripted(script) as (url, _):
        spec = OpenAISpeechSpec(model="tts", name="ann", base_url=url, self_test=False)
        with pytest.raises(RemoteError, match=f"openai at {url} {why}"):
            spec.build().synthesize(TEXT)


def test_a_server_that_is_not_there_and_a_key_that_it_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens; somebody repeats the key, and it does not come back out."""
    dead = OpenAISpeechSpec(model="tts", name="ann", base_url="http://127.0.0.1:9", self_test=False)
    with pytest.raises(RemoteError, match=r"cannot be reached at 127\.0\.0\.1:9: Connection refused"):
        dead.build().synthesize(TEXT)
    monkeypatch.setenv("SPEECH_KEY", "sk-very-secret-0001")
    with scripted(hearing({"error": "bad key sk-very-secret-0001"}, status=401)) as (url, _):
        spec = OpenAISpeechSpec(model="tts", name="ann", base_url=url, key="${SPEECH_KEY}", self_test=False)
        with pytest.raises(RemoteError, match=r"bad key \$\{SPEECH_KEY\}"):
            spec.build().synthesize(TEXT)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"base_url": "127.0.0.1:80"}, "expected http://host:port or https://host, found '127.0.0.1:80'"),
        ({"key": "sk-1234567890"}, r"key: write it as \$\{NAME\}"),
    ],
)
def test_what_can_be_seen_before_is_refused_before(keys: dict[str, str], why: str) -> None:
    """An address that is none, a key that is written out."""
    far = {"base_url": "http://h", **keys}
    cosyvoice = {"kind": "cosyvoice", "speaker": "a", "sample_rate": 24_000, **far}
    for spec in (
        voice_of({"kind": "openai", "model": "m", "name": "n", **far}),
        recognizer_of({"kind": "openai", "model": "m", **far}),
        recognizer_of({"kind": "sensevoice", **far}),
        voice_of(cosyvoice),
    ):
        with pytest.raises(ScenarioError, match=why):
            spec.check()


def test_openai_gets_its_own_key_and_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unasked."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-00000001")
    with voice(lambda text: wav(text, 24_000)) as (engine, seen):
        engine.synthesize("Yes.")
    assert "authorization" not in seen[0].headers


def test_cosyvoice_is_asked_by_forms(tmp_path: Path) -> None:
    """One path for each way to name a voice, and what each of them takes."""
    prompt = tmp_path / "me.wav"
    prompt.write_bytes(wav("This is me.", 16_000))
    ways = {
        "/inference_sft": {"speaker": "英文女"},
        "/inference_instruct": {"speaker": "ann", "instruct": "Be brief."},
        "/inference_zero_shot": {"prompt": str(prompt), "prompt_text": "This is me."},
        "/inference_cross_lingual": {"prompt": str(prompt)},
        "/inference_instruct2": {"prompt": str(prompt), "instruct": "Be brief."},
    }
    names = {"speaker": "spk_id", "instruct": "instruct_text", "prompt_text": "prompt_text"}
    with scripted(answering(lambda text: pcm(text, 22_050))) as (url, seen):
        for keys in ways.values():
            spec = voice_of({"kind": "cosyvoice", "base_url": url, "sample_rate": 22_050, "self_test": False, **keys})
            said = spec.build().synthesize(TEXT)
            assert said.sample_rate == 22_050 and 1 < length(said.samples, 22_050) < 2.5
    assert [got.path for got in seen] == list(ways)
    for got, keys in zip(seen, ways.values(), strict=True):
        fields = fields_of(got)
        assert fields.pop("tts_text") == TEXT
        sent = fields.pop("prompt_wav", "").encode("latin-1")
        assert sent == (prompt.read_bytes() if "prompt" in keys else b"")
        assert fields == {names[key]: value for key, value in keys.items() if key in names}


@pytest.mark.parametrize("keys", [{}, {"speaker": "a", "prompt": "p.wav"}, {"speaker": "a", "prompt_text": "Hello."}])
def test_cosyvoice_needs_one_voice(keys: dict[str, str]) -> None:
    """A speaker or a prompt; its rate is not optional, as nothing tells it."""
    with pytest.raises(ScenarioError):
        voice_of({"kind": "cosyvoice", "base_url": "http://h", "sample_rate": 24_000, **keys})
    with pytest.raises(ScenarioError, match="sample_rate"):
        voice_of({"kind": "cosyvoice", "base_url": "http://h", "speaker": "a"})


def heard_by(kind: str, answer: Any, **keys: Any) -> tuple[Any, list[Got]]:
    """What a scripted recogniser makes of a sentence behind a second of silence, and what it was asked."""
    sound = np.pad(spoken(TEXT, "en-us", 24_000).samples, 24_000)
    with scripted(hearing(answer)) as (url, seen):
        model = {"model": "ears"} if kind == "openai" else {}
        heard = recognizer_of({"kind": kind, "base_url": url, **model, **keys}).build().recognize(sound, 24_000)
    return heard, seen


def test_transcriptions_are_asked_with_speech_alone_at_16_khz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form with a WAV; the silence around the speech is not sent, and silence alone not at all."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    heard, seen = heard_by("openai", {"text": " I would like the soup. "}, language="en", prompt="Menu")
    fields = fields_of(seen[0])
    samples, rate = soundfile.read(io.BytesIO(fields.pop("file").encode("latin-1")))
    assert rate == 16_000 and 1.4 < len(samples) / rate < 2.8
    assert fields == {"model": "ears", "response_format": "json", "language": "en", "prompt": "Menu"}
    assert (seen[0].path, heard.text, heard.words, heard.language) == (
        "/audio/transcriptions", "I would like the soup.", (), "en")  # fmt: skip
    with scripted(hearing({"text": "You"})) as (url, asked):
        spec = recognizer_of({"kind": "openai", "model": "ears", "base_url": url})
        assert spec.build().recognize(np.zeros(48_000, np.float32), 24_000).text == ""
    assert not asked


def test_word_times_are_of_the_whole_recording_and_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server counts from what it was sent; what it puts behind the end is put at the end."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    words = [{"word": "I", "start": 0.25, "end": 0.5}, {"word": " soup", "start": 1.0, "end": 99.0}]
    heard, seen = heard_by("openai", {"text": "I soup", "language": "english", "words": words}, word_times=True)
    assert fields_of(seen[0])["response_format"] == "verbose_json"
    assert fields_of(seen[0])["timestamp_granularities[]"] == "word"
    assert heard.language == "en" and [word.text for word in heard.words] == ["I", "soup"]
    assert 0.85 < heard.words[0].start / 24_000 < 1.25
    assert heard.words[1].end == 24_000 * 2 + len(spoken(TEXT, "en-us", 24_000).samples)


def test_the_same_sound_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is kept on disk for other processes; a failure is not kept, and what is no answer neither."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    sound = spoken(TEXT, "en-us", 24_000).samples
    answers = [b"<html>", b'{"text": null}', b'{"text": "soup"}']
    with scripted(lambda got: got.answer(answers[got.number])) as (url, seen):
        spec = recognizer_of({"kind": "openai", "model": "ears", "base_url": url})
        for _ in range(2):
            with pytest.raises(RemoteError, match="sent no transcription"):
                spec.build().recognize(sound, 24_000)
        assert {spec.build().recognize(sound, 24_000).text for _ in range(3)} == {"soup"}
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("raw", "text", "language"),
    [
        ("<|en|><|NEUTRAL|><|Speech|><|woitn|>i would like <|HAPPY|>the soup<|BGM|>", "i would like the soup", "en"),
        ("<|zh|><|NEUTRAL|><|Speech|><|withitn|>你好。", "你好。", "zh"),
        ("<|nospeech|><|EMO_UNKNOWN|><|Event_UNK|><|woitn|>", "", ""),
    ],
)
def test_sensevoice_loses_no_word_between_tags(
    raw: str, text: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server itself makes of it is not read."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    answer = {"result": [{"key": "speech", "text": "", "raw_text": raw, "clean_text": "lost"}]}
    heard, seen = heard_by("sensevoice", answer, language="auto")
    assert (heard.text, heard.language, seen[0].path) == (text, language, "/api/v1/asr")
    fields = fields_of(seen[0])
    assert fields.pop("files").startswith("RIFF") and fields == {"keys": "speech", "lang": "auto"}
    assert languages_heard("sensevoice zh") == ("zh",) and "en" in languages_heard("sensevoice auto")


CALL = """
name: paid
duration: 9s
user: {kind: scripted, voice: VOICE, turns: ["Good morning.", {at: 3s, say: "Two, please."}]}
agent: {kind: cascade, voice: VOICE, recognizer: EARS, replies: [{say: "Certainly."}]}
injectors: [{kind: aside, cue: {at: 7s}, say: Not now., voice: VOICE}]
lines: {user_to_agent: [{kind: talker, say: [Dinner!], voice: VOICE}]}
scorers: [turns]
prices: {tts: {output_minute: 60}, ears: {input_minute: 60}}
"""


def test_what_voices_and_ears_cost_is_told_and_kept_within(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A price of 1 a second: a run costs the seconds that were made and heard; a second run is free, as all is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def serve(got: Got) -> None:
        if got.path.endswith("speech"):
            got.answer(wav(got.json["input"], 24_000))
        else:
            got.answer({"text": "Two please"})

    with scripted(serve) as (url, seen):
        spec = f"kind: openai, base_url: '{url}'"
        text = CALL.replace("VOICE", f"{{{spec}, model: tts, name: ann}}").replace("EARS", f"{{{spec}, model: ears}}")
        path = tmp_path / "paid.yaml"
        path.write_text(text + "max_cost: 1000\n")
        assert main([str(path), "--out", str(tmp_path / "first")]) == 0
        asked = len(seen)
        assert main([str(path), "--out", str(tmp_path / "second")]) == 0
        assert len(seen) == asked
    used = [event.data for event in read_session(tmp_path / "first" / "paid-0").by_type["usage"]]
    spent = {model: sum(event.get(field, 0) for event in used if event["model"] == model)
             for model, field in (("tts", "output_s"), ("ears", "input_s"))}  # fmt: skip
    assert spent["tts"] > 4 and spent["ears"] > 1
    assert "usage" not in read_session(tmp_path / "second" / "paid-0").by_type
    first, second = (tmp_path / name / "paid-0" / "conversation.wav" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("place", ["injector", "line"])
def test_a_budget_needs_prices_of_voices_too(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of injectors and lines as of parties; refused before anything is asked."""
    spec = "{kind: openai, base_url: 'http://127.0.0.1:9', model: other, name: ann}"
    injector, line = (spec if place == here else "de" for here in ("injector", "line"))
    path = tmp_path / "budget.yaml"
    path.write_text(f"""
name: budget
duration: 1s
user: silent
agent: silent
injectors: [{{kind: aside, cue: {{at: 7s}}, say: Not now., voice: {injector}}}]
lines: {{user_to_agent: [{{kind: talker, say: [Dinner!], voice: {line}}}]}}
max_cost: 1
""")
    assert main([str(path), "--out", str(tmp_path / "out")]) == 2
    assert "$.prices has none for other" in capsys.readouterr().err
