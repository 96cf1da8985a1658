"""What each key of a struct means, read from its docstring: `key: what it is.`, where a sentence may begin.

One text for whoever reads the code, for editors that complete a scenario, and for `simulate list KIND`.
"""

import inspect
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec


@cache
def key_texts(struct: type[Any]) -> dict[str, str]:
    """Give the text of every key that its own docstring, or that of the class it has the key from, tells of."""
    found: dict[str, str] = {}
    for owner in struct.__mro__:
        if issubclass(owner, msgspec.Struct) and owner is not msgspec.Struct:
            names = {field.encode_name for field in msgspec.structs.fields(owner)}
            for name, text in _told(inspect.cleandoc(owner.__doc__ or ""), names).items():
                found.setdefault(name, text)
    return found


def _told(doc: str, names: Iterable[str]) -> dict[str, str]:
    """The texts of keys in a docstring; several keys before one colon share theirs (`channel, text: of the file`)."""
    key = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    if not key:
        return {}
    begins = re.compile(rf"(?:^|(?<=[.;)`] )|(?<=\n))((?:{key})(?:(?:, | and )(?:{key}))*): ")
    flat = "\n\n".join(" ".join(paragraph.split()) for paragraph in doc.split("\n\n"))
    matches = list(begins.finditer(flat))
    ends = [match.start() for match in matches[1:]] + [len(flat)]
    told: dict[str, str] = {}
    for match, end in zip(matches, ends, strict=False):
        text = flat[match.end() : end].split("\n\n")[0].strip().rstrip(";.")
        for name in re.split(r", | and ", match[1]):
            told.setdefault(name, text)
    return told
