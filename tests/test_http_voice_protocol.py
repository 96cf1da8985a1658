"""Rules of the Bittensor protocol's core: which path and shape is asked, what an answer means. No socket."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from agents.http_voice.npy_wire import decode_npy, encode_npy
from agents.http_voice.protocol import HttpVoiceCore
from simulator.errors import RemoteError

TURN = np.linspace(-0.5, 0.5, 1600).astype(np.float32)
SAID = np.full(800, 0.25, np.float32)


def answered(**fields: Any) -> bytes:
    """An answer's body."""
    return json.dumps({"audio_data": encode_npy(SAID), "text": " yes ", **fields}).encode()


@pytest.mark.parametrize(
    ("generation", "path", "timeout_s"),
    [
        ("auto", "/api/v1/v2v", 200),
        ("v4", "/api/v1/v2v", 200),
        ("v2", "/api/v1/v2t", 60),
        ("v1", "/api/v1/inference", 30),
    ],
)
def test_each_generation_has_its_path_and_its_time(generation: Any, path: str, timeout_s: float) -> None:
    """float32 at 16 kHz in base64 of a numpy file."""
    ask = HttpVoiceCore(generation).ask(TURN)
    assert (ask.path, ask.timeout_s, ask.body["sample_rate"]) == (path, timeout_s, 16_000)
    assert np.array_equal(decode_npy(ask.body["audio_data"], longest=1600), TURN)


def test_auto_goes_to_inference_on_the_first_404_and_stays_there() -> None:
    """A 404 later is a failure like any other."""
    core = HttpVoiceCore()
    core.ask(TURN)
    assert core.receive(404, b"") is None
    assert core.ask(TURN).path == "/api/v1/inference"
    assert core.receive(200, answered()) is not None
    assert core.ask(TURN).path == "/api/v1/inference"
    with pytest.raises(RemoteError, match=r"refused /api/v1/inference \(HTTP 404\)"):
        core.receive(404, b"")


def test_a_named_generation_does_not_try_another() -> None:
    """Who says v4 means v4."""
    with pytest.raises(RemoteError, match=r"refused /api/v1/v2v \(HTTP 404: Not Found\)"):
        HttpVoiceCore("v4").receive(404, b'{"detail": "Not Found"}')


def test_an_answer_is_sound_with_or_without_text_and_rate() -> None:
    """Any shape, the text stripped; a rate in the answer counts, else the request's."""
    core = HttpVoiceCore()
    answer = core.receive(200, answered(sample_rate=22_050))
    assert answer is not None
    assert (answer.text, answer.sample_rate) == ("yes", 22_050)
    plain = core.receive(200, answered(text=None, audio_data=encode_npy(np.stack([SAID, SAID]))))
    assert plain is not None
    assert (plain.text, plain.sample_rate) == ("", 16_000)
    assert np.array_equal(plain.samples, SAID)


@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [
        (500, b'{"detail": "CUDA out of memory"}', r"refused /api/v1/v2v \(HTTP 500: CUDA out of memory\)"),
        (422, b"", r"HTTP 422"),
        (200, b"<html>", "with what is no JSON object"),
        (200, b"[]", "with what is no JSON object"),
        (200, b'{"a":' * 100_000, "with what is no JSON object"),
        (200, b"{}", "without audio_data"),
        (200, b'{"audio_data": null, "text": "x"}', "without audio_data"),
        (200, b'{"audio_data": "abcd"}', "audio_data that is no numpy file"),
        (200, answered(sample_rate=1), "a sample_rate of 1"),
        (200, answered(sample_rate="fast"), "a sample_rate of 'fast'"),
        (200, json.dumps({"audio_data": encode_npy(np.array([np.nan]))}).encode(), "not finite"),
    ],
)
def test_failures_and_nonsense_are_the_far_ends_fault(status: int, body: bytes, complaint: str) -> None:
    """Each a predicate with what was found."""
    with pytest.raises(RemoteError, match=complaint):
        HttpVoiceCore().receive(status, body)


@pytest.mark.parametrize("body", [{"text": " a word "}, {"text": " a word ", "audio_data": "rubbish"}])
def test_who_wants_text_asks_v2t_and_looks_at_no_sound(body: dict[str, str]) -> None:
    """(n,) float32, as the validator sends it; its alarm rings after 30 s, v2's after 60."""
    core = HttpVoiceCore(modality="text")
    ask = core.ask(TURN)
    assert (ask.path, ask.timeout_s, HttpVoiceCore("v2", modality="text").ask(TURN).timeout_s) == (
        "/api/v1/v2t", 30, 60,
    )  # fmt: skip
    assert b"'shape': (1600,)" in base64.b64decode(ask.body["audio_data"])
    answer = core.receive(200, json.dumps(body).encode())
    assert answer is not None and (answer.text, answer.samples, answer.sound_s) == ("a word", None, 0)


@pytest.mark.parametrize("body", [b"{}", b'{"text": ""}', b'{"text": null}'])
def test_no_text_is_an_empty_answer_and_a_refusal_is_none(body: bytes) -> None:
    """The validator strips what it gets; a 404 is not asked again elsewhere."""
    core = HttpVoiceCore(modality="text")
    answer = core.receive(200, body)
    assert answer is not None and answer.text == ""
    with pytest.raises(RemoteError, match=r"refused /api/v1/v2t \(HTTP 404\)"):
        HttpVoiceCore(modality="text").receive(404, b"")


@pytest.mark.parametrize(("shape", "taken"), [((800,), True), ((1, 800), True), ((2, 400), False), ((400, 2), False)])
def test_compat_takes_the_shapes_that_the_validator_takes(shape: tuple[int, ...], taken: bool) -> None:
    """v4's alone is so strict; the rate is the request's, whatever the answer says."""
    body = answered(audio_data=encode_npy(SAID.reshape(shape)), sample_rate=22_050)
    for generation, allowed in (("v4", taken), ("auto", taken), ("v1", True)):
        core = HttpVoiceCore(generation, mode="compat")  # type: ignore[arg-type]  # all three are generations
        if allowed:
            answer = core.receive(200, body)
            assert answer is not None and answer.sample_rate == 16_000
        else:
            with pytest.raises(RemoteError, match=r"has the shape \(\d+, \d+\); \(n,\) and \(1, n\) are allowed"):
                core.receive(200, body)
    liberal = HttpVoiceCore("v4").receive(200, body)
    assert liberal is not None and liberal.sample_rate == 22_050
