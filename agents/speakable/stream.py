"""Speakable: takes a chat model's text as it comes and gives what of it is to be said aloud.

    text in pieces --feed--> said text        thoughts, markup, lists, emoji, stage directions --> `left_out`

No I/O. However the text is cut into pieces, what is said in all is the same: a character is decided when nothing that
may follow can change it, and until then it waits. Plain sentences pass unchanged, spaces and all. The rules are in
tags.py and markup.py.

    visible --a thought or a block of code opens--> hidden --it closes--> visible
"""

import re
from collections.abc import Callable, Mapping

from agents.speakable.markup import (
    BULLETS,
    asterisks,
    brackets,
    emoji,
    escapes,
    line_marks,
    word_marks,
)
from agents.speakable.step import Step, Verdict, View, Wait
from agents.speakable.tags import opened, tags

_LONGEST_CLOSING = 80
"""Characters that the longest closing tag can have: so much of a thought is kept to find it when it comes in pieces."""

_SPECIAL = (
    r"<\[【!◁*_~`|\\#>=:\u200d"
    + re.escape(BULLETS)
    + "\U0001f000-\U0001faff\U000e0020-\U000e007f\u2300-\u2bff\ufe0f\u20e3"
)
_PLAIN = re.compile(rf"[^{_SPECIAL}]+")
_PIECE = re.compile(r"\s+|\S+")

_RULES: Mapping[str, tuple[Callable[[View], Verdict], ...]] = {
    "<": (opened, tags),
    "[": (opened, brackets),
    "◁": (opened,),
    "【": (brackets,),
    "!": (brackets,),
    "\\": (escapes,),
    "*": (line_marks, asterisks),
    "_": (line_marks, word_marks),
    "|": (line_marks, word_marks),
    "`": (line_marks, word_marks),
    "~": (word_marks,),
}


class Speakable:
    """One reply. left_out: what is not said, in order; thinks: whether all that came so far were thoughts."""

    def __init__(self) -> None:
        self.left_out: list[str] = []
        self.thinks = True
        self._rest = ""
        self._until: re.Pattern[str] | None = None
        self._hidden = ""
        self._gap = ""
        self._apart = False
        """Whether something was left out in the gap."""
        self._last = ""
        self._fresh = True

    def feed(self, text: str) -> str:
        """Take the next piece and give what can be said by now."""
        self._rest += text
        return self._settle(final=False)

    def finish(self) -> str:
        """Give the rest: nothing comes any more."""
        said = self._settle(final=True)
        if self._hidden:
            self._hide("")
        return said if self._apart else said + self._gap

    def _settle(self, *, final: bool) -> str:
        said: list[str] = []
        while self._rest:
            if self._until is not None:
                if not self._look_for_end(self._until, final=final):
                    break
                continue
            step = self._next(final=final)
            if isinstance(step, Wait):
                break
            self._rest = step.again + self._rest[step.taken :]
            self._take(step, said)
        return "".join(said)

    def _next(self, *, final: bool) -> Step | Wait:
        plain = _PLAIN.match(self._rest)
        if plain is not None:
            return Step(taken=plain.end(), said=plain[0])
        before = " " if self._gap or self._apart or not self._last else self._last
        view = View(text=self._rest, final=final, before=before, last=self._last, fresh=self._fresh)
        for rule in _RULES.get(self._rest[0], (emoji, line_marks)):
            verdict = rule(view)
            if verdict is not None:
                return verdict
        return Step(taken=1, said=self._rest[0])

    def _take(self, step: Step, said: list[str]) -> None:
        if step.said:
            self._say(step.said, said)
        if step.left_out and step.until is None:
            self.left_out.append(step.left_out)
        if step.until is not None:
            self._until, self._hidden = step.until, step.left_out
        self._apart = self._apart or step.apart
        self.thinks = self.thinks and (step.thought or not (step.left_out or step.said.strip()))

    def _say(self, text: str, said: list[str]) -> None:
        for piece in _PIECE.findall(text):
            if piece.isspace():
                self._gap += piece
                self._fresh = self._fresh or "\n" in piece
            else:
                said += [self._spaces(piece[0]), piece]
                self._gap, self._apart, self._fresh, self._last = "", False, False, piece[-1]

    def _spaces(self, follows: str) -> str:
        """Give the spaces before what is said next: as they came, or one where something stood between them."""
        if not self._apart:
            return self._gap
        if not self._last:
            return ""
        if "\n" in self._gap:
            return "\n"
        if self._gap:
            return "" if follows in ",.!?;:" else " "
        return " " if self._last.isalnum() and follows.isalnum() else ""

    def _look_for_end(self, until: re.Pattern[str], *, final: bool) -> bool:
        """Hide the text up to where the hidden part ends; False: it does not end in what has come."""
        found = until.search(self._rest)
        if found is None:
            kept = 0 if final else min(len(self._rest), _LONGEST_CLOSING)
            hidden = len(self._rest) - kept
            self._hidden += self._rest[:hidden]
            self._rest = self._rest[hidden:]
            return False
        self._hide(self._rest[: found.end()])
        self._rest = self._rest[found.end() :]
        return True

    def _hide(self, last: str) -> None:
        self.left_out.append(self._hidden + last)
        self._until, self._hidden = None, ""


def speakable(text: str) -> tuple[str, list[str]]:
    """Give what of a whole text is said, without spaces around it, and what is left out."""
    stream = Speakable()
    said = stream.feed(text) + stream.finish()
    return said.strip(), stream.left_out
