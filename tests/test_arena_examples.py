"""The two worked examples of the arena that call a checkout of the user's: their side of the wire, on stand-ins."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from simulator.speaking.dialogue import HeardTurn, Message
from tests.contracts.http_peers import Got, scripted

FOLDER = Path(__file__).resolve().parent.parent / "scenarios" / "arena"
TURN = HeardTurn(samples=np.full(24_000, 0.1, np.float32), sample_rate=24_000, since=0, until=24_000, at=24_000)


@pytest.fixture
def example(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """An example's module."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module(request.param)


class Codec:
    """Tokens are hundredths of what is heard; sound is their level again. 1000 is the first token of sound."""

    audio_0, end = 1000, 999

    def tokens(self, samples: Any) -> list[int]:
        return [round(100 * float(samples[1000])), len(samples)]

    def sound(self, tokens: list[int]) -> Any:
        return np.repeat(np.array(tokens, np.float32) / 100, 1764)

    def text(self, tokens: list[int]) -> str:
        return " ".join(f"word{token}" for token in tokens)


def glm(got: Got) -> None:
    """A model server: two words and three sounds, an end, and what must not be heard any more."""
    tokens = [{"token_id": token, "error_code": 0} for token in (1, 1010, 2, 1020, 1030, 999, 3)]
    lines = tokens if "fail" not in got.json["prompt"] else [*tokens[:2], {"text": "out of memory", "error_code": 1}]
    got.answer("".join(json.dumps(line) + "\n" for line in lines).encode())


@pytest.mark.parametrize("example", ["glm_4_voice"], indirect=True)
def test_glm_4_voice_asks_with_tokens_and_its_tokens_are_parted(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prompt holds the dialogue, 16 kHz tokens in it; up to the end mark, text and sound; an error is a failure."""
    monkeypatch.setattr(example, "codec", Codec)
    history = [Message(role="user", text="hello"), Message(role="assistant", text="hi")]
    with scripted(glm) as (url, seen):
        monkeypatch.setenv("GLM_4_VOICE_URL", url)
        reply = example.answer(TURN, history)
        failed = example.answer(TURN, [Message(role="user", text="fail")])
    assert seen[0].path == "/generate_stream" and set(seen[0].json) == {
        "prompt",
        "temperature",
        "top_p",
        "max_new_tokens",
    }
    assert seen[0].json["prompt"].partition("\n")[2].partition("<|user|>")[2] == (
        "\nhello<|assistant|>streaming_transcription\nhi<|user|>\n"
        "<|begin_of_audio|><|audio_10|><|audio_16000|><|end_of_audio|><|assistant|>streaming_transcription\n"
    )
    assert (reply.text, reply.sample_rate, len(reply.samples)) == ("word1 word2", 22_050, 3 * 1764)
    assert reply.samples[0] == np.float32(0.1) and reply.samples[-1] == np.float32(0.3)
    assert failed.samples is None
    assert failed.events[0] == ("response_failed", {"reason": "the model server: out of memory"})


PROCESS = """
import json, sys, soundfile
for number, path in enumerate(map(str.strip, sys.stdin)):
    print("Transcript: what it prints beside its answer", flush=True)
    if number == 2: sys.exit(7)
    if number == 1:
        print(json.dumps({"error": "no units"}), flush=True)
        continue
    samples, rate = soundfile.read(path)
    soundfile.write("FOLDER/answer.wav", samples[: rate // 2], rate)
    print(json.dumps({"textAnswer": f"{rate} Hz", "wav": "FOLDER/answer.wav"}), flush=True)
"""


@pytest.mark.parametrize("example", ["speech_gpt"], indirect=True)
def test_speech_gpt_is_handed_recordings_and_its_lines_are_read(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One process for all turns; what it prints beside is passed over; an error and its end are failures."""
    script = tmp_path / "speech_gpt.py"
    script.write_text(PROCESS.replace("FOLDER", str(tmp_path)))
    monkeypatch.setenv("SPEECHGPT_COMMAND", f"'{sys.executable}' '{script}'")
    reply, refused, ended = (example.answer(TURN, []) for _ in range(3))
    assert (reply.text, reply.sample_rate, len(reply.samples)) == ("16000 Hz", 16_000, 8_000)
    assert reply.samples[4_000] == pytest.approx(0.1, abs=0.01)
    assert refused.events == [("response_failed", {"reason": "SpeechGPT: RuntimeError: no units"})]
    assert "the process ended with 7" in ended.events[0][1]["reason"]
