"""The forms in which a secret may come back: as it is, or as some protocol, log or page wrote it down."""

import base64
import html
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

SHORTEST_CODED = 6
"""Characters of a value whose base64 and hex are looked for: those of shorter ones turn up by chance."""

_ESCAPE = re.compile(r"%[0-9A-F]{2}")


@lru_cache(maxsize=256)
def forms_of(value: str) -> tuple[str, ...]:
    """Give a value's forms, the longest first.

    As it is; in JSON (also with all but ASCII escaped, and `\\/`), Python and HTML; in URLs, once and twice, in capital
    and small hex digits; in base64 of both alphabets, by itself and inside longer data, and in hex.
    """
    forms = dict.fromkeys(form for form in (*_written(value), *_coded(value)) if form)
    return tuple(sorted(forms, key=len, reverse=True))


def _written(value: str) -> Iterator[str]:
    yield value
    for text in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        yield text
        yield text.replace("/", "\\/")
    yield repr(value)[1:-1]
    yield html.escape(value)
    yield html.escape(value, quote=False)
    once = quote(value.encode("utf-8", "surrogatepass"), safe="")
    for text in (
        once,
        quote(value.encode("utf-8", "surrogatepass")),
        quote_plus(value.encode("utf-8", "surrogatepass")),
    ):
        yield text
        yield _ESCAPE.sub(lambda match: match[0].lower(), text)
    yield quote(once, safe="")


def _coded(value: str) -> Iterator[str]:
    if len(value) < SHORTEST_CODED:
        return
    data = value.encode("utf-8", "surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(data).decode()
        yield whole
        yield whole.rstrip("=")
        for before in range(3):  # inside longer data: the characters that hold nothing but the value
            text = encode(bytes(before) + data).decode()
            first, last = -(-before * 4 // 3), (before + len(data)) * 4 // 3
            yield text[first:last]
    yield data.hex()
    yield data.hex().upper()
