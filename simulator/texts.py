"""Texts from elsewhere as a terminal or a sentence may have them: nothing that steers a screen, nothing endless.

And as they are compared with what else was said or written.
"""

import re

import msgspec

LONGEST = 200
"""Characters of what was found that a sentence repeats."""

_STEERS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""Control characters, those that turn the direction of writing or cannot be seen, and halves of characters."""
_STEERS_A_LINE = re.compile(_STEERS.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_QUOTED = re.compile(
    rf"""(?<![\w\\])(['"`])((?:\\.|(?!\1)[^\\]){{{LONGEST + 1}}})(?:\\.|(?!\1)[^\\])*(\1|$)""", re.DOTALL
)


def shown(text: str) -> str:
    """Give a text with control characters as escapes that JSON knows too, in one line."""
    return _STEERS.sub(_escape, text)


def shown_lines(text: str) -> str:
    """Give a text of several lines with control characters as escapes; line ends and tabs stay."""
    return _STEERS_A_LINE.sub(_escape, text)


def quoted(value: object) -> str:
    """Give a value as Python writes it, with control characters as escapes, and its first 200 characters."""
    return _cut(shown(repr(value)))


def sentence_of(message: str) -> str:
    """Give a message in one line, what it quotes with its first 200 characters, control characters as escapes."""
    return _QUOTED.sub(lambda found: f"{found[1]}{_cut(found[2])}{found[1]}", shown(message))


def written(value: object) -> str:
    """Give plain data as a text has it: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def spelled(text: str) -> str:
    """Give a text as texts are compared by: its letters and digits alone, in lower case."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _escape(found: re.Match[str]) -> str:
    return _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}"


def install_of(extra: str) -> str:
    """Give the command that installs an extra, for a package and for a clone."""
    return f'pip install "duplex-simulator[{extra}]" (in a clone: pip install -e ".[{extra}]")'


def remark(text: str) -> str:
    """Give the line that tells something of what goes on all the same; one of a refusal has no `remark:`."""
    return f"simulate: remark: {shown(text)}"
