"""Sound that a speech server answered with: what it really is, whatever was asked for and whatever its header says."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from simulator.errors import RemoteError
from simulator.frame import Samples, freeze, from_pcm16
from simulator.sound.recordings import HIGHEST_HZ, LOWEST_HZ, UNREADABLE, sound_file
from simulator.texts import quoted

_COMPRESSED = ((b"ID3", "MP3"), (b"OggS", "Ogg"), (b"fLaC", "FLAC"), (b"\x1aE\xdf\xa3", "WebM"))

_TOLD_RATE = re.compile(r";\s*rate\s*=\s*\"?([0-9]+)", re.IGNORECASE)
"""A parameter of audio/L16 (RFC 2586), which servers give to audio/pcm too."""


def refuse_told_rate(content_type: str, rate: int) -> None:
    """Refuse sound that is read at a rate, Hz, other than its Content-Type tells. RemoteError, a predicate."""
    told = _TOLD_RATE.search(content_type)
    if told and int(told[1]) != rate:
        raise RemoteError(
            f"says that its sound is of {told[1]} Hz (Content-Type: {content_type}), which is read at {rate} Hz; state "
            "its rate in sample_rate, or say self_test: false"
        )


def read_sound(body: bytes, *, asked: str, sample_rate: int) -> tuple[Samples, int]:
    """Give an answer's samples, float32 (n,) of one channel, and their rate in Hz.

    asked: `wav`, whose header tells the rate, or `pcm`: int16, little-endian, one channel at sample_rate. A WAV is read
    as one either way. RemoteError, a predicate: it is something else, or nothing.
    """
    if not body:
        raise RemoteError("sent no sound")
    if body[:4] == b"RIFF":
        return _wav(body)
    for begin, name in _COMPRESSED:
        if body.startswith(begin):
            raise RemoteError(f"sent {name} where {asked} was asked for")
    if len(body) > 1 and body[0] == 0xFF and body[1] & 0xE6 == 0xE2:
        # Eleven set bits and layer III begin each MP3 frame; as samples they would be a step from silence to -0.03.
        # (All bits set is no layer III and a sample of -1, with which any sound may begin.)
        raise RemoteError(f"sent MP3 where {asked} was asked for")
    if body[:1] in (b"{", b"<") and body.rstrip()[-1:] in (b"}", b">"):
        raise RemoteError(f"sent a text where {asked} was asked for: {quoted(body.decode('utf-8', 'replace'))}")
    if asked == "wav":
        raise RemoteError(f"sent something that is no WAV: {quoted(body[:12].decode('latin-1'))}")
    if len(body) % 2:
        raise RemoteError(f"sent {len(body)} bytes, which are no whole samples of 16 bits")
    return from_pcm16(np.frombuffer(body, "<i2").astype(np.int16)), sample_rate


def _wav(body: bytes) -> tuple[Samples, int]:
    # Through a file: what streams a WAV promises no length or the largest, and files are read as far as they go.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "answer.wav"
        path.write_bytes(body)
        try:
            with sound_file(path) as file:
                samples, rate = file.read(dtype="float32", always_2d=True), int(file.samplerate)
        except UNREADABLE as error:
            raise RemoteError("sent a WAV that cannot be read") from error
    if not LOWEST_HZ <= rate <= HIGHEST_HZ:
        raise RemoteError(f"sent a WAV of {rate} Hz; {LOWEST_HZ} to {HIGHEST_HZ} are read")
    if not len(samples):
        raise RemoteError("sent a WAV without sound")
    return freeze(samples.mean(axis=1, dtype=np.float32)), rate
