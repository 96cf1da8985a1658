"""Rules of the served Bittensor protocol, through real sockets on loopback."""

import io
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.http_voice.npy_wire import decode_npy, encode_npy
from simulator.serving.listening import DoorSpec
from simulator.serving.service import Limits
from simulator.session import read_session
from simulator.speaking.voice import spoken
from tests.contracts.http_peers import Json, ask, served
from tests.told_events import assert_events_known

SAYING = {"kind": "scripted", "turns": [{"after": "user_turn", "delay": "200ms", "say": "certainly", "repeat": True}]}
ANSWERING = {"kind": "turn_based", "endpoint": "300ms", "ears": "level",
             "responder": {"kind": "rules", "rules": [{"say": "of course"}]}}  # fmt: skip
SINE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.float32)
PATHS = ["/api/v1/inference", "/api/v1/v2t", "/api/v1/v2v"]


def speech(rate: int = 16_000) -> np.ndarray[Any, Any]:
    """Somebody says something."""
    return spoken("hello, who is there?", "en-gb-x-rp", rate).samples


def body(samples: Any, rate: Any = 16_000) -> Json:
    """A request."""
    return {"audio_data": encode_npy(samples), "sample_rate": rate}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server that lasts for the module, and its folder."""
    folder = tmp_path_factory.mktemp("served")
    with served(SAYING, "http_voice", folder, longest_turn="20s", patience="1.5s") as url:
        yield url, folder
    assert_events_known(folder)


@pytest.mark.parametrize(("path", "answer_hz"), [(PATHS[0], 8_000), (PATHS[1], 8_000), (PATHS[2], 16_000)])
def test_each_path_answers_with_text_and_sound_at_its_rate(server: tuple[str, Path], path: str, answer_hz: int) -> None:
    """/inference and /v2t at the request's rate, /v2v at 16 kHz: float32 (n,), as numpy itself reads it."""
    status, answer = ask(server[0], path, body(speech(8_000)[None, :].astype(np.float64), 8_000))
    assert (status, answer["text"], answer["sample_rate"]) == (200, "certainly", answer_hz)
    sound = np.load(io.BytesIO(b64decode(answer["audio_data"])), allow_pickle=False)
    assert (sound.dtype, sound.ndim) == (np.float32, 1)
    assert 0.4 < len(sound) / answer_hz < 1.5
    assert np.abs(sound).max() > 0.05


@pytest.mark.parametrize("shape", ["n", "1n", "n2", "2n"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "u1"])
def test_any_numeric_dtype_and_shape_is_heard(server: tuple[str, Path], shape: str, dtype: str) -> None:
    """What the client's data set happened to be."""
    mono = speech()[:12_000]
    scaled = {"f8": mono, "f4": mono, "i2": mono * 32767, "u1": mono * 127 + 128}[dtype].astype(dtype)
    shaped = {"n": scaled, "1n": scaled[None], "n2": np.stack([scaled, scaled], 1), "2n": np.stack([scaled, scaled])}
    status, answer = ask(server[0], PATHS[2], body(shaped[shape]))
    assert (status, answer["text"]) == (200, "certainly")


@pytest.mark.parametrize("path", PATHS)
def test_a_plain_sine_is_answered_too(tmp_path: Path, path: str) -> None:
    """An actor with nothing to say gives the fallback: text and sound are never empty."""
    with served({"kind": "silent"}, "http_voice", tmp_path, patience="500ms", fallback="Pardon me?") as url:
        status, answer = ask(url, path, body(SINE))
    assert (status, answer["text"]) == (200, "Pardon me?")
    assert np.abs(decode_npy(answer["audio_data"], longest=10**6)).max() > 0.05
    events = read_session(tmp_path / "serve-http-voice-0").events
    assert ("fallback", "user") in [(event.type, event.party) for event in events]


def test_a_reply_that_begins_in_the_silence_a_client_recorded_is_whole(tmp_path: Path) -> None:
    """Two seconds of silence behind the speech: the agent answers there, and nothing of that is lost."""
    with served(ANSWERING, "http_voice", tmp_path) as url:
        short = ask(url, PATHS[2], body(speech()))[1]
        long = ask(url, PATHS[2], body(np.concatenate([speech(), np.zeros(32_000, np.float32)])))[1]
    assert short["text"] == long["text"] == "of course"
    lengths = [len(decode_npy(answer["audio_data"], longest=10**6)) for answer in (short, long)]
    assert abs(lengths[0] - lengths[1]) < 160


def test_every_request_is_a_session_of_its_own(server: tuple[str, Path]) -> None:
    """Recorded: what was sent on the user's side, what was answered on the agent's."""
    before = len(list(server[1].glob("serve-*")))
    ask(server[0], PATHS[2], body(speech()))
    newest = server[1] / f"serve-http-voice-{before}"
    session = read_session(newest)
    assert (session.meta.status, session.meta.clock) == ("completed", "virtual")
    sent = spoken("hello, who is there?", "en-gb-x-rp", 24_000).samples
    assert np.abs(session.said("user", 0, len(sent)) - sent).max() < 0.05
    assert session.said("agent").any()


@pytest.mark.parametrize("path", ["/api/v1/health", "/health", "/"])
def test_health(server: tuple[str, Path], path: str) -> None:
    """The three paths a validator tries."""
    status, answer = ask(server[0], path)
    assert status == 200
    assert answer == {"status": "healthy", "initialization_status": {"model_loaded": True, "error": None}}


def pickled() -> str:
    """A numpy file that only a pickle could hold."""
    file = io.BytesIO()
    np.save(file, np.array([None], object), allow_pickle=True)
    return b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    ("request_body", "status", "complaint"),
    [
        (b"", 422, "the body is no JSON"),
        (b"[1]", 422, "the body is no JSON object"),
        (b'{"a": "\xff"}', 422, "the body is no JSON"),
        (b"[" * 5000, 422, "the body is no JSON"),
        ({"sample_rate": 16_000}, 422, "audio_data is missing"),
        ({"audio_data": encode_npy(SINE)}, 422, "sample_rate is missing"),
        (body(SINE, "fast"), 422, "sample_rate: expected an integer from 4000 to 192000, found fast"),
        (body(SINE, 3999), 422, "found 3999"),
        (body(SINE, 16_000.5), 422, "found 16000.5"),
        (body(SINE, True), 422, "found True"),
        ({"audio_data": 3, "sample_rate": 16_000}, 400, "audio_data is int; base64 text is expected"),
        ({"audio_data": "####", "sample_rate": 16_000}, 400, "audio_data is not base64"),
        ({"audio_data": b64encode(SINE.tobytes()).decode(), "sample_rate": 16_000}, 400, "is no numpy file"),
        ({"audio_data": pickled(), "sample_rate": 16_000}, 400, "the dtype '|O'"),
        (body(np.array([0.1, np.nan])), 400, "values that are not finite"),
        (body(np.zeros(20 * 16_000 + 1, "i1")), 400, "at most 320000 are allowed"),
        (body(np.zeros((4, 4))), 400, "has the shape (4, 4)"),
    ],
)
def test_what_is_wrong_is_refused_with_a_sentence(
    server: tuple[str, Path], request_body: Json | bytes, status: int, complaint: str
) -> None:
    """4xx with `detail`, and no session is begun."""
    before = len(list(server[1].glob("serve-*")))
    for path in PATHS:
        got, answer = ask(server[0], path, request_body)
        assert got == status
        assert complaint in answer["detail"]
    assert len(list(server[1].glob("serve-*"))) == before


def test_an_integral_float_is_a_rate(server: tuple[str, Path]) -> None:
    """Some clients write 16000.0."""
    assert ask(server[0], PATHS[2], body(speech(), 16_000.0))[0] == 200


def test_unknown_paths_and_wrong_methods(server: tuple[str, Path]) -> None:
    """404 and 405, as JSON."""
    assert ask(server[0], "/api/v1/v2x", body(SINE))[0] == 404
    assert ask(server[0], PATHS[0])[0] == 405


def test_a_body_too_long_a_token_and_a_full_house(tmp_path: Path) -> None:
    """413 by the door, 401 without the token but for /health, 503 when every place is taken."""
    door = DoorSpec(token="right", body_bytes=5000)
    with served({"kind": "silent"}, "http_voice", tmp_path, door=door, patience="200ms") as url:
        key = {"Authorization": "Bearer right"}
        assert ask(url, "/health")[0] == 200
        assert ask(url, "/api/v1/health")[0] == 401
        assert ask(url, PATHS[0], body(SINE))[0] == 401
        assert ask(url, PATHS[0], body(SINE), headers=key)[0] == 413
        assert ask(url, PATHS[0] + "?token=right", body(SINE[:800]))[0] == 200
    with served({"kind": "silent"}, "http_voice", tmp_path / "full", limits=Limits(sessions=0)) as url:
        status, answer = ask(url, PATHS[0], body(SINE))
        assert (status, answer["detail"]) == (503, "all 0 places are taken; try again later")


def test_an_actor_that_fails_is_500(tmp_path: Path) -> None:
    """The client is told in a sentence, and the folder keeps why."""
    module = tmp_path / "failing_agent.py"
    module.write_text("def answer(turn, history):\n    raise ValueError('lost the thread')\n")
    actor = {**ANSWERING, "responder": {"kind": "function", "call": "failing_agent:answer", "folder": str(tmp_path)}}
    with served(actor, "http_voice", tmp_path / "runs") as url:
        status, answer = ask(url, PATHS[2], body(speech()))
    assert status == 500
    assert "ValueError: lost the thread" in answer["detail"]
    assert read_session(tmp_path / "runs" / "serve-http-voice-0").meta.status == "failed"


def test_the_answer_is_plain_json(server: tuple[str, Path]) -> None:
    """What a client that knows nothing of us reads: no line breaks in the base64."""
    _, answer = ask(server[0], PATHS[1], body(speech()))
    assert set(answer) == {"text", "audio_data", "sample_rate"}
    assert json.dumps(answer["audio_data"]).isascii() and "\n" not in answer["audio_data"]
