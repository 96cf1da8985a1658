"""Rules of the chat protocol's core: bodies out, answers in. No socket."""

import base64
import io
import tracemalloc
from typing import Any

import numpy as np
import pytest
import soundfile

from agents.chat_audio.answer import counts, decode_sound, laid_after, read_answer, split_debug, stamps_of
from agents.chat_audio.protocol import AskRules, ChatAudioCore
from simulator.errors import RemoteError
from simulator.sound.wav import encode_wav
from tests.contracts.http_peers import sound_in, wav

TONE = (0.2 * np.sign(np.sin(np.arange(16_000) / 8))).astype(np.float32)
ALIGNMENT = {"frame_idx": [0, 1], "agent_stream_token": [12, 7], "agent_stream_decoded": ["<SPECIAL_12>", " hi"],
             "asr_stream_token": [3, 12], "asr_stream_decoded": [" yo", "<SPECIAL_12>"]}  # fmt: skip


def completion(content: Any = "of course", *, audio: Any = None, **fields: Any) -> dict[str, Any]:
    """A chat.completion."""
    message = {"role": "assistant", "content": content, **({"audio": audio} if audio else {})}
    return {"id": "chatcmpl-1", "choices": [{"index": 0, "message": message}], **fields}


def sounding(samples: Any, rate: int = 16_000, **audio: Any) -> dict[str, Any]:
    """A chat.completion with sound."""
    return completion(audio={"data": wav(samples, rate), **audio})


def test_a_turn_is_asked_with_its_sound_as_wav() -> None:
    """System text first, the prompt beside the sound; nothing is sent that nobody asked for."""
    body = ChatAudioCore(AskRules(model="m", system="be brief", prompt="answer")).ask(encode_wav(TONE, 16_000))
    assert set(body) == {"model", "messages"}
    assert body["messages"][0] == {"role": "system", "content": "be brief"}
    text, audio = body["messages"][1]["content"]
    assert text == {"type": "text", "text": "answer"}
    assert audio["input_audio"]["format"] == "wav"
    samples, rate = sound_in(audio["input_audio"]["data"])
    assert (rate, samples.shape) == (16_000, (16_000, 1))
    assert np.abs(samples[:, 0] - TONE).max() < 1e-4


def test_sound_may_go_as_a_data_url() -> None:
    """The other style of part."""
    body = ChatAudioCore(AskRules(part="audio_url")).ask(b"RIFF")
    url = body["messages"][0]["content"][0]["audio_url"]["url"]
    assert url == "data:audio/wav;base64," + base64.b64encode(b"RIFF").decode()


def test_openais_endpoint_gets_modalities_a_voice_and_audio_ids() -> None:
    """An earlier reply that was said whole goes back as its id, one that was cut as the text that was heard."""
    core = ChatAudioCore(AskRules(model="gpt-audio", modalities=["text", "audio"], voice="alloy"))
    body = core.ask(b"one")
    assert (body["modalities"], body["audio"]) == (["text", "audio"], {"voice": "alloy", "format": "wav"})
    transcript = {"id": "audio_1", "transcript": "Of course, sir."}
    answer = core.receive(200, completion(None, audio=transcript))
    assert (answer.text, answer.audio_id) == ("Of course, sir.", "audio_1")
    whole = core.ask(b"two", ["Of course, sir."])["messages"]
    assert [message["role"] for message in whole] == ["user", "assistant", "user"]
    assert whole[1] == {"role": "assistant", "audio": {"id": "audio_1"}}
    core = ChatAudioCore(AskRules())
    core.ask(b"one")
    core.receive(200, completion(None, audio=transcript))
    assert core.ask(b"two", ["Of course,"])["messages"][1] == {"role": "assistant", "content": "Of course,"}


def test_a_session_id_goes_back_as_a_literal_nested_key() -> None:
    """`extra_body` is a key of the JSON body itself; other extras stay, `session: false` sends none."""
    core = ChatAudioCore(AskRules(extra={"top_k": 5, "extra_body": {"mode": "x"}}))
    assert core.ask(b"one")["extra_body"] == {"mode": "x"}
    core.receive(200, completion(session_id="abc"))
    body = core.ask(b"two")
    assert (body["extra_body"], body["top_k"]) == ({"mode": "x", "session_id": "abc"}, 5)
    core = ChatAudioCore(AskRules(session=False))
    core.ask(b"one")
    core.receive(200, completion(session_id="abc"))
    assert "extra_body" not in core.ask(b"two")


@pytest.mark.parametrize(("history", "roles"), [("audio", ["user", "assistant", "user"]), ("none", ["user"])])
def test_history_is_sent_as_far_as_wanted(history: Any, roles: list[str]) -> None:
    """With its sound, or not at all."""
    core = ChatAudioCore(AskRules(history=history))
    core.ask(b"one")
    core.receive(200, completion())
    messages = core.ask(b"two")["messages"]
    assert [message["role"] for message in messages] == roles
    assert messages[-1]["content"][0]["input_audio"]["data"] == base64.b64encode(b"two").decode()


def test_history_as_text_holds_what_was_understood() -> None:
    """Where the server says so; a stand-in otherwise, never sound."""
    core = ChatAudioCore(AskRules(history="text"))
    core.ask(b"one")
    core.receive(200, completion('hi\n<debug_info>{"asr_text": "<|0.1|> hello there<$0.5$>"}</debug_info>'))
    core.ask(b"two", ["hi"])
    core.receive(200, completion())
    messages = core.ask(b"three", ["hi", "of course"])["messages"]
    assert [message["content"] for message in messages[:4]] == ["hello there", "hi", "(speech)", "of course"]


def test_debug_info_and_stamps_are_split_off_the_text() -> None:
    """What is said is text alone; frame alignment and both token streams are kept apart."""
    debug = '{"total_frames": 2, "frame_alignment": {"frame_idx": [0]}}'
    answer = read_answer(completion(f"<|0.32|> Of course<$1.2$> <s>sir</s>\n<debug_info>{debug}</debug_info>"))
    assert answer.text == "Of course sir"
    assert answer.stamps == ((True, 0.32), (False, 1.2))
    assert (answer.debug, answer.alignment) == ({"total_frames": 2}, {"frame_idx": [0]})
    top = read_answer(completion("hi", debug_info={"frame_alignment": ALIGNMENT}))
    assert top.alignment == ALIGNMENT


@pytest.mark.parametrize(
    ("content", "split"),
    [
        ("hi", ("hi", {})),
        ("hi <debug_info>{broken</debug_info>", ("hi", {"unread": "{broken"})),
        ("<debug_info>[1]</debug_info>", ("", {"unread": "[1]"})),
        ("say <debug_info> aloud", ("say <debug_info> aloud", {})),
    ],
)
def test_debug_info_that_does_not_read_is_kept_as_it_is(content: str, split: tuple[str, dict[str, Any]]) -> None:
    """Never a crash, never said aloud when it is whole."""
    assert split_debug(content) == split


def test_stamps_that_are_no_numbers_are_passed_over() -> None:
    """1.2.3 is no time."""
    assert stamps_of("<|1.2.3|>a<|2|>") == ((True, 2.0),)


def test_a_stereo_answer_is_cut_at_the_end_of_its_question() -> None:
    """User left, agent right, both from the question's beginning: what lies before its end is told, not said."""
    agent = np.concatenate([np.zeros(4000), TONE[:4000], np.zeros(8000), TONE[:8000], np.zeros(3000)])
    stereo = np.stack([np.ones(len(agent)) * 0.5, agent], axis=1)
    laid = laid_after(read_answer(sounding(stereo)), 1.0)
    assert laid is not None
    assert abs(len(laid.samples) - 8000 - 800) < 2
    assert abs(laid.samples[4000]) > 0.1
    assert laid.early_s == pytest.approx(0.26, abs=0.03)


@pytest.mark.parametrize(
    ("alignment", "aligned", "length_s"),
    [(None, None, 1.0), (ALIGNMENT, None, 0.5), (None, True, 0.5), (ALIGNMENT, False, 1.0)],
)
def test_a_mono_answer_is_the_reply_unless_it_is_aligned(alignment: Any, aligned: bool | None, length_s: float) -> None:
    """A frame alignment says that it runs beside the question, and so can the user."""
    answer = read_answer({**sounding(TONE), **({"debug_info": {"frame_alignment": alignment}} if alignment else {})})
    laid = laid_after(answer, 0.5, aligned)
    assert laid is not None
    assert len(laid.samples) / 16_000 == pytest.approx(length_s, abs=0.01)


def test_an_answer_without_sound_or_of_silence_has_nothing_to_lay() -> None:
    """Its text may still be spoken."""
    assert laid_after(read_answer(completion()), 1.0) is None
    assert laid_after(read_answer(sounding(np.zeros(100))), 0.0) is None


def test_tokens_are_counted_by_kind() -> None:
    """Cached ones are part of the prompt there; -1 means that nobody knows."""
    usage = {"prompt_tokens": 120, "completion_tokens": 50,
             "prompt_tokens_details": {"audio_tokens": 90, "cached_tokens": 10},
             "completion_tokens_details": {"audio_tokens": 40}}  # fmt: skip
    expected = {"input_audio": 90, "cached_text": 10, "input_text": 20, "output_audio": 40, "output_text": 10}
    assert counts(usage) == expected
    assert counts({"prompt_tokens": -1, "completion_tokens": 7, "total_tokens": -1}) == {"output_text": 7}
    assert counts(None) == counts({"prompt_tokens": None}) == {}


@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [
        (401, {"error": {"message": "Incorrect API key"}}, r"refused the key \(HTTP 401: Incorrect API key\)"),
        (400, {"detail": "No messages provided"}, r"refused to answer \(HTTP 400: No messages provided\)"),
        (500, "Internal Server Error", r"refused to answer \(HTTP 500: Internal Server Error\)"),
        (200, "<html>", "what is no JSON object"),
        (200, [], "what is no JSON object"),
        (200, {}, r"without choices\[0\].message"),
        (200, {"choices": []}, r"without choices\[0\].message"),
        (200, {"choices": [{"message": None}]}, r"without choices\[0\].message"),
        (200, completion(audio={"data": "####"}), "audio that is not base64"),
        (200, completion(audio={"data": 5}), "audio as int"),
        (200, completion(audio={"data": base64.b64encode(b"no sound at all").decode()}), "audio that is no sound file"),
    ],
)
def test_failures_and_nonsense_are_the_far_ends_fault(status: int, body: Any, complaint: str) -> None:
    """Each a predicate with what was found."""
    core = ChatAudioCore(AskRules())
    core.ask(b"one")
    with pytest.raises(RemoteError, match=complaint):
        core.receive(status, body)


def test_contents_may_come_in_parts() -> None:
    """A list of text parts is one text; other parts are passed over."""
    parts = [{"type": "text", "text": "Of"}, {"type": "text", "text": "course"}, {"type": "image"}, "x"]
    assert read_answer(completion(parts)).text == "Of course"


@pytest.mark.parametrize(
    ("seconds", "rate", "channels", "told"),
    [(11, 4_000, 1, "sent 11 s of audio; 10 s are allowed"),
     (9, 192_000, 8, "sent 1728000 samples in each of 8 channels, which is too much")],
)  # fmt: skip
def test_an_answer_that_would_be_too_large_is_refused_undecoded(
    seconds: int, rate: int, channels: int, told: str
) -> None:
    """A server's file says how much it holds before anything is decoded: silence takes next to nothing."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros((seconds * rate, channels), np.int16), rate, format="FLAC")
    data = base64.b64encode(file.getvalue()).decode()
    tracemalloc.start()
    with pytest.raises(RemoteError, match=told):
        decode_sound(data, longest_s=10)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()
