"""`--to lhotse`: a shar folder per part; stereo MultiCuts (channel 0 the user, 1 the agent), or a MonoCut per party."""

from pathlib import Path

from simulator.corpora.dialogue import CorpusDialogue
from simulator.corpora.form import Channels, Sounds
from simulator.corpora.shar import SharFolder, cut_of, supervision
from simulator.events import PARTIES


class LhotseForm:
    """Writes dialogues as cuts."""

    def __init__(self, folder: Path, channels: Channels) -> None:
        self._folder = folder
        self._channels = channels
        self._parts: dict[str, SharFolder] = {}

    @property
    def sounds(self) -> Channels:
        """Which recordings it takes."""
        return self._channels

    def add(self, part: str, dialogue: CorpusDialogue, sounds: Sounds) -> None:
        """Add a dialogue to a part. OSError."""
        if part not in self._parts:
            self._parts[part] = SharFolder(self._folder / part)
        shar = self._parts[part]
        if self._channels == "stereo":
            told = [supervision(item, dialogue.id, PARTIES.index(item.party)) for item in dialogue.utterances]
            cut = cut_of(dialogue, dialogue.id, 2, told)
            shar.add(cut, {"recording": sounds["both"]})
            return
        for party in PARTIES:
            name = f"{dialogue.id}-{party}"
            told = [supervision(item, name, 0) for item in dialogue.utterances if item.party == party]
            cut = cut_of(dialogue, name, 1, told)
            shar.add(cut, {"recording": sounds[party]})

    def close(self) -> None:
        """Finish all parts. OSError."""
        for shar in self._parts.values():
            shar.close()
