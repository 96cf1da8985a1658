"""Rules of JSON with long texts: cut out where they stand, the same document otherwise, no more than can be meant."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.remote import long_text
from agents.remote.base64_bytes import base64_bytes
from agents.remote.foreign_json import decode_foreign
from agents.remote.long_text import LONG, SMALL, LongText, decode_long, whole

SOUND = base64.b64encode(bytes(range(256)) * 6_000).decode()
"""2 MB."""


def test_a_long_text_is_left_where_it_stands_and_read_a_part_at_a_time() -> None:
    """It has a length, parts, a rest behind its head; in a sentence its beginning; base64 is read from it."""
    url_of = f"data:audio/wav;base64,{SOUND}"
    document = json.dumps({"a": ['say "\\so\\"', {"data": SOUND}], "url": url_of, SOUND: 1}).encode()
    found = decode_long(document)
    sound, url = found["a"][1]["data"], found["url"]
    assert isinstance(sound, LongText) and isinstance(url, LongText)
    assert (len(sound), sound[4:12], sound.text()) == (len(SOUND), SOUND[4:12].encode(), SOUND)
    assert str(url) == f"data:audio/wav;base64,{SOUND[:18]}..."
    assert url.after(22).text() == SOUND and len(url.after(10**9)) == 0
    assert base64_bytes(sound) == base64_bytes(SOUND)
    assert whole(found) == json.loads(document)


@pytest.mark.parametrize(
    "text",
    ["ü" * SMALL, "a\\nb" + "c" * SMALL, 'a\\"' * SMALL, "a" * (LONG - 1), "\\\\" * (SMALL // 2), "\\u0041" * 200_000],
)
def test_texts_that_are_short_not_ascii_or_escaped_are_read_as_ever(text: str) -> None:
    """Behind them a long one is still found: a quote in a text, or a backslash before its end, ends it nowhere else."""
    document = f'{{"text":"{text}","data":"{SOUND}"}}'.encode()
    if document.count(b"\\") + document.count(b'"') > long_text.MOST_STEPS:
        with pytest.raises(ValueError, match="more than 1000000 quotes and escapes"):
            decode_long(document)
        return
    found = decode_long(document)
    assert isinstance(found["text"], str) and isinstance(found["data"], LongText)
    assert whole(found) == json.loads(document)


def test_what_is_large_otherwise_is_refused() -> None:
    """Eight megabytes of another script, or of texts just short enough to be read."""
    for text in ("ü" * 5_000_000, *(['", "'.join(["a" * (LONG - 1)] * 2_100)])):
        with pytest.raises(ValueError, match="bytes beside long texts of ASCII; 8388608 are allowed"):
            decode_long(f'["{text}"]'.encode())


@pytest.mark.parametrize(
    "broken", [b'{"a": "%s', b'{"a": "%s"', b'["%s" "b"]', b'["%s\x01"]', b'"\xff%s"', b'{"a": %s}']
)
def test_what_is_no_json_stays_none(broken: bytes) -> None:
    """With a long text in it or instead of it."""
    document = broken.replace(b"%s", SOUND.encode())
    for decode in (decode_foreign, decode_long):
        with pytest.raises(ValueError):
            decode(document)


PARTS = st.text(max_size=4) | st.sampled_from([SOUND, SOUND[:LONG], SOUND[: LONG - 1], '"\\' * 50, "ü" * LONG])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | PARTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(DOCUMENTS, st.booleans())
def test_a_large_document_is_the_one_that_it_was(document: Any, ascii_only: bool) -> None:
    """Whatever stands before, between and behind long texts."""
    written = json.dumps([document, SOUND, document], ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        plain = decode_foreign(written)
    except ValueError:
        with pytest.raises(ValueError):
            decode_long(written)
        return
    assert whole(decode_long(written)) == plain
