"""The words of what an actor says, given out when their sound is: for protocols that send text beside sound."""

from collections.abc import Iterable

from simulator.events import Event


class TextPieces:
    """The words of what is said, each after the frame in which it begins; samples of the session."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, str, str]] = []

    def note(self, events: Iterable[Event]) -> None:
        """Take what the actor told: words planned, speech cut short, text pieces of its own."""
        for event in events:
            if event.type == "speech_start":
                words = event.data.get("words") or [[event.data.get("text", ""), event.at]]
                self._waiting += [(onset, event.data["id"], f" {word}") for word, onset in words if word]
            elif event.type == "speech_end" and event.data.get("cut"):
                self._waiting = [item for item in self._waiting if item[1] != event.data["id"] or item[0] < event.at]
            elif event.type == "text":
                self._waiting.append((event.at, "", event.data["text"]))

    def due(self, until: int) -> list[str]:
        """Give the pieces that begin before sample `until`, in order."""
        due = [piece for onset, _, piece in self._waiting if onset < until]
        self._waiting = [item for item in self._waiting if item[0] >= until]
        return due
