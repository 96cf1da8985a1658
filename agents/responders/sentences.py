"""Sentences: a chat model's text, as it is streamed, in pieces that can be said: each ends with a sentence."""

from agents.speakable.stream import Speakable
from simulator.speaking.dialogue import Reply

_ENDS = (". ", "! ", "? ", "\n")


class Sentences:
    """One reply. raw: all of it is said, thoughts and markup too. wrote: whether it holds more than thoughts."""

    def __init__(self, *, raw: bool = False) -> None:
        self._stream = None if raw else Speakable()
        self._waiting = ""
        self._written = ""
        self._text = False
        self.pieces = 0
        """How many were given."""
        self.whole = ""
        """All that was written so far."""

    @property
    def wrote(self) -> bool:
        """Whether anything was written that was meant to be heard, be it a stage direction."""
        return self._text and (self._stream is None or not self._stream.thinks)

    @property
    def thought(self) -> bool:
        """Whether anything was written that was not meant to be heard."""
        return self._text and not self.wrote

    @property
    def unspoken(self) -> list[str]:
        """What was left out so far, in order."""
        return [] if self._stream is None else self._stream.left_out

    def take(self, text: str) -> Reply | None:
        """Take the next piece of text; gives the sentences that it finishes."""
        self._text = self._text or bool(text.strip())
        self._written += text
        self.whole += text
        self._waiting += text if self._stream is None else self._stream.feed(text)
        end = max(self._waiting.rfind(mark) for mark in _ENDS)
        sentence = self._waiting[: end + 1].strip()
        if not sentence:
            return None
        self._waiting = self._waiting[end + 1 :]
        return self._piece(sentence)

    def finish(self) -> Reply | None:
        """Give the rest; None when all was given, or nothing was written."""
        self._waiting += "" if self._stream is None else self._stream.finish()
        rest = self._waiting.strip()
        return self._piece(rest) if rest or self._written.strip() else None

    def _piece(self, said: str) -> Reply:
        written, self._written = self._written, ""
        self.pieces += 1
        return Reply(text=said, written=written)
