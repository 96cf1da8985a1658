"""Annotations on disk: what has been listened to once is not listened to again.

A file that cannot be read counts as absent; a folder that cannot be written is no error: the cache only saves
time.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec

from simulator.files import write_whole
from simulator.speech import Speech


class SpeechCache:
    """Annotations by key, in `speech/` of the user's cache folder; processes may share it."""

    def __init__(self, folder: Path | None) -> None:
        """Keep annotations under `folder`, which is made when needed; None keeps nothing."""
        self._folder = folder / "speech" if folder else None

    def get(self, key: str) -> Speech | None:
        """Give the annotation kept under a key, if there is a whole one."""
        if self._folder is None:
            return None
        try:
            return msgspec.json.decode(self._file(self._folder, key).read_bytes(), type=Speech)
        except (OSError, msgspec.DecodeError):
            return None

    def put(self, key: str, speech: Speech) -> None:
        """Keep an annotation; a reader sees all of it or nothing."""
        if self._folder is None:
            return
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._file(self._folder, key), msgspec.json.encode(speech))

    @staticmethod
    def _file(folder: Path, key: str) -> Path:
        return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
