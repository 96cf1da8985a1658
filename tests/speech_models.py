"""Stand-ins of the servers of speech models, as their repositories run them, with the lies that those tell."""

import json
from collections.abc import Callable

import numpy as np

from tests.contracts.http_peers import Got, Json, Script

PIECE = np.full(2_048, 3_277, "<i2").tobytes()
"""A frame of Mini-Omni's sound: 0.1 of full scale."""


def mini_omni(*, frames: int = 12, cut: int = 0) -> Script:
    """It calls its headerless sound audio/wav; cut: so many bytes of the end never come, and nobody says so."""

    def script(got: Got) -> None:
        assert got.path == "/chat" and set(got.json) == {"audio", "stream_stride", "max_tokens"}
        sound = PIECE * frames
        got.answer(sound[: len(sound) - cut])

    return script


def llama_omni(
    *, words: str = "yes we do", mend: Callable[[list[Json]], list[Json]] = list, rest: bytes = b""
) -> Script:
    """A controller that is its own worker. mend: what becomes of its messages; rest: what comes after the last.

    Each message has the whole prompt, all words and all units so far.
    """

    def script(got: Got) -> None:
        if got.path == "/refresh_all_workers":
            got.answer(b"null")
        elif got.path == "/list_models":
            got.answer({"models": ["Llama-3.1-8B-Omni"]})
        elif got.path == "/get_worker_address":
            got.answer({"address": f"http://{got.headers['host']}"})
        else:
            assert got.path == "/worker_generate_stream" and got.json["stop"] == "<|eot_id|>"
            told = [{"text": got.json["prompt"] + " ".join(words.split()[: count + 1]), "error_code": 0,
                     "unit": " ".join(str(unit) for unit in range(10 * (count + 1)))}
                    for count in range(len(words.split()))]  # fmt: skip
            got.answer(b"".join(json.dumps(message).encode() + b"\0" for message in mend(told)) + rest)

    return script


def speak(units: list[int]) -> tuple[np.ndarray, int]:  # type: ignore[type-arg]
    """A vocoder: 20 ms of a level per unit."""
    return np.repeat(np.array(units, np.float32) / 100, 320), 16_000


def whisper(units: list[int]) -> list[list[int]]:
    """A vocoder that gives no sound."""
    return [units]
