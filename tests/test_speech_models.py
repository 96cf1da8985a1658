"""Mini-Omni and LLaMA-Omni as parties: what goes to their servers, what comes of answers and of lies."""

import base64
import io
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
import soundfile

from agents.llama_omni.protocol import LlamaOmniCore
from agents.llama_omni.responder import LlamaOmniSpec
from agents.mini_omni.protocol import MiniOmniCore
from agents.mini_omni.responder import MiniOmniSpec
from simulator.errors import RemoteError, ScenarioError, SimulatorError
from simulator.session import Session
from simulator.speaking.dialogue import HeardTurn, Reply, ResponderContext
from simulator.spec import decode
from simulator.testing import play_session
from tests.contracts.http_peers import Json, Script, scripted
from tests.speech_models import llama_omni, mini_omni

USER: Json = {"kind": "scripted", "turns": [{"at": "100ms", "say": "hello there"}]}
VOCODER: Json = {"kind": "llama_omni", "vocoder": "tests.speech_models:speak"}


def talk(script: Script, folder: Path, responder: Json, where: str = "base_url") -> tuple[Session, list[Any]]:
    """A session of a user who says hello with a scripted server, and what was asked."""
    with scripted(script) as (url, seen):
        agent = {"kind": "turn_based", "ears": "level", "endpoint": "300ms", "responder": {**responder, where: url}}
        return play_session({"user": USER, "agent": agent, "duration": "3s", "scorers": []}, folder), seen


def test_mini_omni_hears_a_wav_and_its_headerless_sound_is_said(tmp_path: Path) -> None:
    """The turn as a whole WAV at 16 kHz; 12 frames of 2,048 samples at 24 kHz are 1.024 s; nothing is told as text."""
    session, seen = talk(mini_omni(), tmp_path, {"kind": "mini_omni"})
    assert session.meta.status == "completed", session.meta.problem
    asked, rate = soundfile.read(io.BytesIO(base64.b64decode(seen[0].json["audio"])))
    assert rate == 16_000 and abs(len(asked) / rate - np.flatnonzero(session.said("user"))[-1] / 24_000) < 0.15
    assert (seen[0].json["stream_stride"], seen[0].json["max_tokens"]) == (4, 2048)
    said = np.flatnonzero(session.said("agent"))
    assert len(said) == 12 * 2_048
    assert session.by_type["usage"][0].data["output_s"] == 1.024
    assert (
        "audio" not in (session.folder / "trace.jsonl").read_text().split('"dir":"received"')[0].partition("UklGR")[2]
    )


async def answered(spec: Any) -> list[Reply]:
    """What a responder answers to half a second of silence, without a session."""
    responder = spec.build()
    told = ResponderContext(
        party="agent", sample_rate=24_000, session_id="s", seed=0, emit=lambda at, type_, **more: None
    )
    await responder.start(told)
    turn = HeardTurn(samples=np.zeros(12_000, np.float32), sample_rate=24_000, since=0, until=12_000, at=12_000)
    return [reply async for reply in responder.respond(turn, [])]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (mini_omni(frames=0), "sent no sound"),
        (lambda got: got.answer({"detail": "CUDA out of memory"}, 500), r"refused /chat \(HTTP 500: CUDA out of mem"),
        (lambda got: got.answer({"error": "busy"}), "sent a text where pcm was asked for"),
        (lambda got: got.begin(), "broke off its answer"),
    ],
)
def test_what_mini_omni_sends_instead_of_sound_fails_in_a_sentence(script: Script, why: str) -> None:
    """A refusal, an empty body, a text with the status of a success."""
    with scripted(script) as (url, _), pytest.raises(RemoteError, match=f"^mini_omni at {url} {why}"):
        anyio.run(answered, MiniOmniSpec(base_url=url))


def test_a_body_that_ends_within_a_sample_is_said_up_to_it() -> None:
    """A stream that breaks off is no failure that anybody tells; a first sample of -1 is no MP3."""
    answer = MiniOmniCore().receive(200, b"\xff\xff" * 100 + b"\x01")
    assert len(answer.samples) == 100 and answer.samples[0] == np.float32(-1 / 32768)


def test_llama_omni_is_found_through_its_controller_and_its_units_become_sound(tmp_path: Path) -> None:
    """Three cumulative messages: the last text without the prompt, its 30 units once."""
    session, seen = talk(llama_omni(), tmp_path, VOCODER)
    assert session.meta.status == "completed", session.meta.problem
    assert [got.path for got in seen] == [
        "/refresh_all_workers", "/list_models", "/get_worker_address", "/worker_generate_stream",
    ]  # fmt: skip
    sent = seen[-1].json
    assert sent["model"] == "Llama-3.1-8B-Omni" and sent["prompt"].startswith(
        "<|begin_of_text|><|start_header_id|>system"
    )
    assert "<speech>\nPlease directly answer the questions in the user's speech.<|eot_id|>" in sent["prompt"]
    assert isinstance(sent["audio"], list) and all(-1 <= value <= 1 for value in sent["audio"])
    assert abs(len(sent["audio"]) / 16_000 - np.flatnonzero(session.said("user"))[-1] / 24_000) < 0.15
    assert session.by_type["speech_start"][1].data["text"] == "yes we do"
    said = session.said("agent")
    assert abs(np.count_nonzero(said > 0.005) / 24_000 - 29 * 0.02) < 0.02 and said.max() == pytest.approx(
        0.29, abs=0.05
    )


@pytest.mark.parametrize(("script", "responder"), [(mini_omni(), {"kind": "mini_omni"}), (llama_omni(), VOCODER)])
def test_a_recorded_session_is_replayed_without_the_server(tmp_path: Path, script: Script, responder: Json) -> None:
    """The same agent channel, from the trace alone."""
    first, _ = talk(script, tmp_path / "first", responder)
    replay = {"kind": "replay_trace", "file": str(first.folder)}
    again = play_session({"user": USER, "agent": replay, "duration": "3s", "scorers": []}, tmp_path / "again")
    assert np.array_equal(again.said("agent"), first.said("agent")) and first.said("agent").any()


def test_a_worker_may_be_named_itself_and_its_text_spoken_by_our_voice(tmp_path: Path) -> None:
    """Without a vocoder there is no sound of its own."""
    session, seen = talk(llama_omni(), tmp_path, {"kind": "llama_omni"}, "worker")
    assert [got.path for got in seen] == ["/worker_generate_stream"]
    assert session.by_type["speech_start"][1].data["text"] == "yes we do"
    assert np.abs(session.said("agent")).max() > 0.05


def failing(code: Any, text: str) -> Script:
    """A worker that fails within its stream."""
    return llama_omni(mend=lambda told: [*told[:1], {"text": text, "error_code": code}])


@pytest.mark.parametrize(
    ("script", "responder", "why"),
    [
        (failing(1, "NETWORK ERROR"), {}, r"failed: 'NETWORK ERROR'"),
        (failing(2, "none"), {}, "has no worker for the model: 'none'"),
        (failing(3, "gone"), {}, "has a worker that it cannot reach: 'gone'"),
        (failing(9, "x"), {}, "told error code 9: 'x'"),
        (llama_omni(rest=b'{"text": "an'), {}, "broke off its answer"),
        (llama_omni(mend=lambda told: []), {}, "answered with nothing"),
        (llama_omni(mend=lambda told: [{**told[0], "unit": "1 two"}]), {}, "units that are no whole numbers: '1 two'"),
        (llama_omni(), {"model": "other"}, "has no worker for 'other'; its models: Llama-3.1-8B-Omni"),
        (llama_omni(), {"vocoder": "tests.speech_models:whisper"}, r"vocoder gave sound of shape \(1, 30\)"),
    ],
)  # fmt: skip
def test_what_llama_omni_tells_inside_a_success_fails_in_a_sentence(script: Script, responder: Json, why: str) -> None:
    """Every answer has status 200."""
    with scripted(script) as (url, _), pytest.raises(SimulatorError, match=why):
        anyio.run(answered, LlamaOmniSpec(base_url=url, **{"vocoder": "tests.speech_models:speak", **responder}))


def test_a_controller_without_a_worker_says_so() -> None:
    """An empty address is none, and so is an empty list."""
    core = LlamaOmniCore("", model="m")
    with pytest.raises(RemoteError, match="has no worker for 'm'"):
        core.worker(200, b'{"address": ""}')
    with pytest.raises(RemoteError, match="has no worker for 'm'; its models: none"):
        core.choose(200, b'{"models": []}')
    with pytest.raises(RemoteError, match="/list_models with what is no JSON object"):
        core.choose(200, b"<html>")
    with pytest.raises(RemoteError, match="/get_worker_address with what is no JSON object"):
        core.worker(200, b'{"address":' * 100_000)
    with pytest.raises(RemoteError, match="streamed a message that is no JSON object"):
        core.receive(200, b'{"text":' * 100_000 + b"\0")


def test_a_prompt_that_comes_back_otherwise_is_cut_where_the_assistant_begins() -> None:
    """A tokenizer may drop the mark in front of it; without the template the text is all there is."""
    core = LlamaOmniCore("be brief")
    for begin in (core.prompt, core.prompt.removeprefix("<|begin_of_text|>"), ""):
        body = json_message(text=begin + "yes<|eot_id|>", unit="", error_code=0)
        assert core.receive(200, body).text == "yes"


def json_message(**fields: Any) -> bytes:
    """A message of a worker's stream."""
    import json

    return json.dumps(fields).encode() + b"\0"


@pytest.mark.parametrize(
    ("spec", "settings", "why"),
    [
        (MiniOmniSpec, {"base_url": "host:60808"}, r"\$.agent.responder.base_url"),
        (MiniOmniSpec, {"base_url": "http://h", "token": "written"}, r"token: write it as \$\{NAME\}"),
        (LlamaOmniSpec, {}, "exactly one of base_url, the controller, and worker"),
        (LlamaOmniSpec, {"base_url": "http://h", "worker": "http://w"}, "exactly one of base_url"),
        (LlamaOmniSpec, {"base_url": "http://h", "vocoder": "nowhere:speak"}, "vocoder: 'nowhere' cannot be imported"),
        (LlamaOmniSpec, {"base_url": "http://h", "max_new_tokens": 2000}, "max_new_tokens"),
    ],
)
def test_specs_that_cannot_work_are_refused(spec: Any, settings: Json, why: str, tmp_path: Path) -> None:
    """Before anything connects."""
    with pytest.raises(ScenarioError, match=why):
        decode(settings, spec, source="test", folder=tmp_path, where="$.agent.responder").check("$.agent.responder")


def test_a_probe_says_what_it_found() -> None:
    """Sound, or where the worker is."""
    with scripted(mini_omni()) as (url, _):
        assert "answered half a second of silence with 1.02 s of sound" in anyio.run(MiniOmniSpec(base_url=url).probe)
    with scripted(llama_omni()) as (url, _):
        assert f"its worker for Llama-3.1-8B-Omni is at {url}" in anyio.run(LlamaOmniSpec(base_url=url).probe)
