"""Speech servers for tests, real ones on loopback, with the wire formats of the ones people run, lies included."""

import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import soundfile

from simulator.engines.espeak import Espeak
from simulator.frame import Samples, to_pcm16
from simulator.sound import recordings
from tests.contracts.http_peers import Got

Answering = Callable[[Got, str], bytes]


def spoken_at(text: str, rate: int, speed: int = 160) -> Samples:
    """A text by espeak at a rate, with silence at both ends, as models leave it."""
    said = Espeak("en-us").synthesize(text, speed)
    return np.pad(recordings.resample(said.samples, said.sample_rate, rate), rate // 5)


def pcm(text: str, rate: int, speed: int = 160) -> bytes:
    """Headerless int16, little-endian."""
    return to_pcm16(spoken_at(text, rate, speed)).astype("<i2").tobytes()


def wav(text: str, rate: int, *, kind: str = "WAV") -> bytes:
    """A sound file."""
    file = io.BytesIO()
    soundfile.write(file, spoken_at(text, rate), rate, format=kind)
    return file.getvalue()


def streamed(body: bytes) -> bytes:
    """A WAV as it is streamed: no length is promised in its header."""
    at = body.index(b"data") + 4
    return body[:4] + b"\xff" * 4 + body[8:at] + b"\xff" * 4 + body[at + 4 :]


def told_rate(body: bytes, rate: int) -> bytes:
    """A WAV whose header tells another rate."""
    return body[:24] + rate.to_bytes(4, "little") + (2 * rate).to_bytes(4, "little") + body[32:]


def text_of(got: Got) -> str:
    """The text that a server is asked to say, by JSON or by a form of either sort."""
    if got.headers["content-type"] == "application/json":
        return str(got.json["input"])
    return fields_of(got)["tts_text"]


def fields_of(got: Got) -> dict[str, str]:
    """The fields of a form; a file's content is kept as latin-1."""
    kind = got.headers["content-type"]
    if kind == "application/x-www-form-urlencoded":
        return {name: values[0] for name, values in parse_qs(got.body.decode()).items()}
    boundary = re.search(r"boundary=(\S+)", kind)
    assert boundary is not None
    found: dict[str, str] = {}
    for part in got.body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, content = part[2:-2].partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]+)"', head)
        assert name is not None
        found[name[1].decode()] = content.decode("latin-1")
    return found


def answering(make: Callable[[str], bytes]) -> Callable[[Got], None]:
    """A server that says what it is asked to."""
    return lambda got: got.answer(make(text_of(got)))


def hearing(answer: Any, *, status: int = 200) -> Callable[[Got], None]:
    """A server that hears the same in everything."""
    return lambda got: got.answer(answer, status)
