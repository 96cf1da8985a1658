"""What a format of corpora is: it takes dialogues with their sound, part by part, and writes them."""

from collections.abc import Mapping
from typing import Literal, Protocol

from simulator.corpora.dialogue import CorpusDialogue

Channels = Literal["stereo", "split"]
"""Both tracks in one recording, or one recording each."""
Sounds = Mapping[str, bytes]
"""FLAC by what it holds: `both`, or `user` and `agent`."""


class CorpusForm(Protocol):
    """Writes a corpus; parts are made when they get their first dialogue."""

    @property
    def sounds(self) -> Channels:
        """Which recordings it takes."""
        ...

    def add(self, part: str, dialogue: CorpusDialogue, sounds: Sounds) -> None:
        """Add a dialogue to a part. OSError."""
        ...

    def close(self) -> None:
        """Finish. OSError."""
        ...
