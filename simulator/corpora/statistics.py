"""What a corpus holds, counted while it is written: part by part, nothing kept but numbers and names."""

from collections.abc import Sequence

import msgspec

from simulator.corpora.dialogue import CorpusDialogue


class PartCount(msgspec.Struct, kw_only=True):
    """Of a part: dialogues, seconds, what was said in it, how much of it at once, in how many voices on what."""

    dialogues: int = 0
    seconds: float = 0.0
    utterances: int = 0
    words: int = 0
    backchannels: int = 0
    injected: int = 0
    cut: int = 0
    overlap_s: float = 0.0
    voices: set[str] = msgspec.field(default_factory=set)
    topics: set[str] = msgspec.field(default_factory=set)

    def add(self, dialogue: CorpusDialogue) -> None:
        """Count a dialogue."""
        said = dialogue.utterances
        self.dialogues += 1
        self.seconds += dialogue.duration
        self.utterances += len(said)
        self.words += sum(len(item.words) or len(item.text.split()) for item in said)
        self.backchannels += sum(item.role == "backchannel" for item in said)
        self.injected += sum(item.injected for item in said)
        self.cut += sum(bool(item.cut) for item in said)
        self.overlap_s += sum(end - start for start, end in dialogue.overlaps)
        self.voices |= set(dialogue.voices.values())
        self.topics.add(dialogue.topic)


def table(parts: dict[str, PartCount]) -> list[Sequence[str]]:
    """Give the counts as rows of a table, the heading first."""
    rows: list[Sequence[str]] = [("", *parts)]
    told = {
        "dialogues": lambda part: f"{part.dialogues}",
        "hours": lambda part: f"{part.seconds / 3600:.2f}",
        "utterances": lambda part: f"{part.utterances}",
        "words": lambda part: f"{part.words}",
        "backchannels": lambda part: f"{part.backchannels}",
        "injected utterances": lambda part: f"{part.injected}",
        "utterances cut short": lambda part: f"{part.cut}",
        "share of time in which both speak": lambda part: f"{part.overlap_s / max(part.seconds, 1e-9):.3f}",
        "voices": lambda part: f"{len(part.voices)}",
        "topics": lambda part: f"{len(part.topics)}",
    }
    return [*rows, *((name, *map(count, parts.values())) for name, count in told.items())]
