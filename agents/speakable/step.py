"""What the rules of speakable text are asked and what they answer."""

import re

import msgspec


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The text that is not yet decided, and what stands before it.

    text: never empty. final: nothing comes behind it any more. before: the character said last, a space where
    something was left out. last: the last one that is no space, empty at the beginning. fresh: a line begins here.
    """

    text: str
    final: bool
    before: str
    last: str
    fresh: bool

    def could_be(self, mark: str) -> bool:
        """Whether the text begins with a mark, or may once more of it is there."""
        return self.text.startswith(mark) or (not self.final and mark.startswith(self.text))

    def run(self, marks: str) -> str:
        """Give the characters of `marks` that the text begins with."""
        return self.text[: len(self.text) - len(self.text.lstrip(marks))]

    def line(self) -> str | None:
        """Give the text up to the end of its line; None while that is not there."""
        end = self.text.find("\n")
        return self.text[:end] if end >= 0 else self.text if self.final else None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the next `taken` characters: said, left out, or looked at again without their marks.

    apart: what is left out stood for itself, so the spaces around it become one. until: all that follows, up to where
    this is found or to the end, is left out too; thought: as what the model did not mean to be heard.
    """

    taken: int
    said: str = ""
    left_out: str = ""
    again: str = ""
    apart: bool = False
    until: re.Pattern[str] | None = None
    thought: bool = False


class Wait(msgspec.Struct, frozen=True):
    """The text does not decide yet: more of it is needed."""


WAIT = Wait()

Verdict = Step | Wait | None
"""What a rule says; None: it has nothing to say here."""
