"""Sounds that are no file yet: bytes out of a table and texts that our voice says become files of the user's cache.

A file is named by what is in it, so the same sample is the same file, whoever made it first.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from simulator.engines.kinds import voice_of
from simulator.engines.store import cache_folder
from simulator.errors import ScenarioError, SessionError
from simulator.files import write_whole
from simulator.frame import silence
from simulator.sound.recordings import open_recording, resample
from simulator.sound.wav import encode_wav

VOICE = "en-gb-x-rp"
"""The voice that recognition understands best."""
_WORDS_PER_MINUTE = 150
_BETWEEN_S = 0.5
_BEGINNINGS = ((b"RIFF", ".wav"), (b"fLaC", ".flac"), (b"OggS", ".ogg"), (b"ID3", ".mp3"), (b"\xff", ".mp3"))


def kept(content: bytes) -> Path:
    """Give a file with these bytes of a sound; SessionError where they are none, ScenarioError without a cache."""
    suffix = next((suffix for start, suffix in _BEGINNINGS if content.startswith(start)), None)
    if suffix is None:
        raise SessionError(f"audio: {len(content)} bytes that begin {content[:8]!r} are no sound that is read")
    return _file(hashlib.sha256(content).hexdigest(), suffix, lambda: content)


def spoken(text: str, voice: str = VOICE) -> Path:
    """Give a file in which our voice says the text; SessionError where it has nothing to pronounce."""
    speaker = voice_of(voice).shared()
    key = hashlib.sha256(f"{speaker.version}\n{voice}\n{_WORDS_PER_MINUTE}\n{text}".encode()).hexdigest()

    def say() -> bytes:
        said = speaker.synthesize(text, _WORDS_PER_MINUTE)
        if not len(said.samples):
            raise SessionError("text: holds nothing to pronounce")
        return encode_wav(said.samples, said.sample_rate)

    return _file(key, ".wav", say)


def joined(paths: Sequence[Path]) -> Path:
    """Give one file with mono sounds one after the other, half a second between them, at the highest of their rates."""
    sounds = [open_recording(path, channels=(0,)) for path in paths]
    rate = max(sound.sample_rate for sound in sounds)
    digests = "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)

    def join() -> bytes:
        pause = silence(round(_BETWEEN_S * rate))
        pieces = [piece for sound in sounds for piece in (resample(sound.read(0), sound.sample_rate, rate), pause)]
        return encode_wav(np.concatenate(pieces[:-1]), rate)

    return _file(hashlib.sha256(f"{_BETWEEN_S}\n{rate}\n{digests}".encode()).hexdigest(), ".wav", join)


def _file(key: str, suffix: str, make: Callable[[], bytes]) -> Path:
    folder = cache_folder()
    if folder is None:
        raise ScenarioError("sounds of a table are kept in the user's cache, and there is no home for one")
    path = folder / "datasets" / key[:2] / f"{key}{suffix}"
    if not path.is_file():
        content = make()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
        except OSError as error:
            raise ScenarioError(f"{path}: cannot be written: {error.strerror}") from error
    return path
