"""Messages that a scenario's `receive` says nothing of: what is told of them.

a place's `when` fits, and nothing stands at its path     told at once, of the first
what is described as a text is a value in an object       likewise
messages came and none was anything                       told at the end
some were something, and nothing was said                 the last that was not ends the sentence that says so
"""

from collections.abc import Mapping
from typing import Any

from agents.websocket.wording import JsonPlace, ReceiveWords, matches
from simulator.texts import quoted

NOT_DESCRIBED = "not_described"
"""The code of the `remote_error` that tells it."""


class Unheard:
    """Messages that `receive` says nothing of. understood: whether any message was something."""

    def __init__(self) -> None:
        self.understood = False
        self.lacking = ""
        """Of the first that matched a `when` and had nothing at its path."""
        self._first = self._last = ""

    def note(self, message: str) -> None:
        """Remember one, told in a few words."""
        self._first, self._last = self._first or message, message

    def puzzle(self, message: Mapping[str, Any] | str, words: ReceiveWords) -> bool:
        """Remember a message that is nothing. True: it is the first that lacks what a place looks for."""
        if isinstance(message, str):
            self.note(f"the text {quoted(message)}")
            return False
        keys = ", ".join(list(message)[:6])
        self.note(f"one with the keys {keys}" if keys else "an empty one")
        if self.lacking:
            return False
        for name in words.__struct_fields__:
            place = getattr(words, name)
            if isinstance(place, JsonPlace) and place.when is not None and matches(message, place.when):
                self.lacking = f"a message matched `{name}` but has no `{place.path}`"
                return True
            key = next((key for key, value in message.items() if isinstance(place, str) and value == place), None)
            if key is not None:
                self.lacking = f"`{name}` describes a bare text, and a message came with {{{key}: {place}}}"
                return True
        return False

    @property
    def whole(self) -> str:
        """What to say where messages came and none was something; "" elsewhere, and where `lacking` was told."""
        alone = self._first and not self.understood and not self.lacking
        return f"nothing that came is described by `receive`; the first was {self._first}" if alone else ""

    @property
    def hint(self) -> str:
        """The end of a sentence about a far end that said nothing."""
        last = f"the last of its messages that `receive` says nothing of was {self._last}" if self._last else ""
        told = self.lacking or last
        return f"; {told}" if told else ""
