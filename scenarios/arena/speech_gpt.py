"""SpeechGPT answers a turn through a process of yours, as its repository has a command line and no server.

SPEECHGPT_COMMAND starts that process, in your checkout's environment. It reads the path of a WAV (16 kHz) per line, and
writes a line of JSON per answer, with the path of its sound; lines that are none (it prints a lot) are passed over:

    {"textAnswer": "...", "wav": "/where/it/wrote/answer.wav"}          or     {"error": "what went wrong"}

With the checkout's own class it is a few lines (0nutation/SpeechGPT, speechgpt/src/infer/cli_infer.py):

    model = SpeechGPTInference(MODEL, LORA, S2U_DIR, VOCODER_DIR, OUT)
    for number, path in enumerate(map(str.strip, sys.stdin)):
        rate, wav = model([f"This is input: {path}"])          # appends to OUT/responses.json, too
        soundfile.write(f"{OUT}/{number}.wav", wav.ravel(), rate)
        last = json.loads(open(f"{OUT}/responses.json").read().splitlines()[-1])
        print(json.dumps({"textAnswer": last["textAnswer"], "wav": f"{OUT}/{number}.wav"}), flush=True)
"""

import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import numpy as np
import soundfile
import soxr

from simulator.speaking.dialogue import HeardTurn, Message, Reply

HEARD_HZ = 16_000
_TURN = Lock()
"""It answers one recording at a time."""


@cache
def _process(command: str) -> Any:
    return subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def answer(turn: HeardTurn, _history: Sequence[Message]) -> Reply:
    """Answer a turn; SpeechGPT knows nothing of the ones before it."""
    with _TURN, TemporaryDirectory() as folder:
        path = Path(folder) / "turn.wav"
        soundfile.write(path, soxr.resample(turn.samples, turn.sample_rate, HEARD_HZ), HEARD_HZ, subtype="PCM_16")
        try:
            told = _ask(_process(os.environ["SPEECHGPT_COMMAND"]), path)
            sound, rate = soundfile.read(told["wav"], dtype="float32", always_2d=True)
        except (OSError, ValueError, KeyError, RuntimeError, soundfile.SoundFileError) as error:
            return Reply(events=[("response_failed", {"reason": f"SpeechGPT: {type(error).__name__}: {error}"})])
    return Reply(text=str(told.get("textAnswer") or ""), samples=sound.mean(axis=1, dtype=np.float32), sample_rate=rate)


def _ask(process: Any, path: Path) -> dict[str, Any]:
    """Hand a recording over and read the answer's line. RuntimeError: the process ended, or says what went wrong."""
    process.stdin.write(f"{path}\n")
    process.stdin.flush()
    line = " "
    while line and not line.startswith("{"):
        line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the process ended with {process.wait()}")
    told: dict[str, Any] = json.loads(line)
    if told.get("error"):
        raise RuntimeError(str(told["error"]))
    return told
