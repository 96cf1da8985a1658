"""Annotations on disk: what has been listened to once is not listened to again."""

from pathlib import Path

import msgspec

from simulator.engines.store import Store, key_of
from simulator.speech import Speech


class SpeechCache:
    """Annotations by key, in `speech/` of the user's cache folder; processes may share it."""

    def __init__(self, folder: Path | None) -> None:
        """Keep annotations under `folder`, which is made when needed; None keeps nothing."""
        self._store = Store(folder / "speech" if folder else None, "speech")

    def get(self, key: str) -> Speech | None:
        """Give the annotation kept under a key, if there is a whole one."""
        body = self._store.get(key_of(key))
        try:
            return None if body is None else msgspec.json.decode(body, type=Speech)
        except msgspec.DecodeError:
            return None

    def put(self, key: str, speech: Speech) -> None:
        """Keep an annotation; a reader sees all of it or nothing."""
        self._store.put(key_of(key), msgspec.json.encode(speech))
