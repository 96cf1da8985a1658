"""NeMo's demo scorer, text side: time stamps, 80 ms frames, the normaliser, word and character errors.

Source: the speech-to-speech demo scorer of a NeMo-Skills fork (2026-01, Apache-2.0), restated from its
definition.
"""

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

FRAME_S = 0.08
UNENDED_S = 5.0
"""The length of a stamped segment that has neither a closing stamp nor a known end of the recording."""

_OPENING = re.compile(r"<\|([\d\.]+)\|>")
_CLOSING = re.compile(r"<\$([\d\.]+)\$>")
# One after the other, as in the original: what one removal joins may be a tag to the next.
_TAGS = tuple(
    re.compile(pattern)
    for pattern in (
        r"<\|[\d\.]+\|>",
        r"<\$[\d\.]+\$>",
        r"</?s>",
        r"<SPECIAL_\d+>",
        r"<SPEC_\d+>",
        r"<[^>]+>",
    )
)
_PUNCTUATION = str.maketrans("", "", string.punctuation)


class TextSegment(NamedTuple):
    """A stretch of speech in seconds."""

    start: float
    end: float


class Errors(NamedTuple):
    """Substitutions, insertions and deletions, and the length of the reference they were counted against."""

    substitutions: int
    insertions: int
    deletions: int
    length: int

    @property
    def total(self) -> int:
        """All errors."""
        return self.substitutions + self.insertions + self.deletions


def frame_of(time_s: float) -> int:
    """Give the 80 ms frame of a time: the truncated float quotient, one too early for some frame times."""
    return int(time_s / FRAME_S)


def normalize(text: str | None) -> str:
    """Drop tags in angle brackets and ASCII punctuation (hyphens too), lower-case, single spaces."""
    text = text or ""
    for tag in _TAGS:
        text = tag.sub("", text)
    return " ".join(text.translate(_PUNCTUATION).lower().split())


def stamped_segments(text: str, duration_s: float | None) -> list[TextSegment]:
    """Give the segments that the stamps `<|t|>` and `<$t$>` of a text tell, in the order of the openings.

    An opening takes the first closing of the list whose time is later, so two openings may share one. Without
    any closing it lasts to the next opening. duration_s: the end of what does not end; without it 5 s are
    assumed.
    Raises ValueError when a stamp is not a number (1.2.3).
    """
    openings = [float(stamp) for stamp in _OPENING.findall(text)]
    closings = [float(stamp) for stamp in _CLOSING.findall(text)]
    segments: list[TextSegment] = []
    for index, start in enumerate(openings):
        last = duration_s if duration_s is not None else start + UNENDED_S
        if closings:
            end = next((closing for closing in closings if closing > start), last)
        else:
            end = openings[index + 1] if index + 1 < len(openings) else last
        segments.append(TextSegment(start, end))
    return segments


def stream_text(alignment: Mapping[str, Any], stream: str, start_frame: int, end_frame: int) -> str:
    """Give the tokens of a stream with start_frame <= frame_idx < end_frame, joined."""
    tokens = alignment[stream]
    frames = frame_indices(alignment, tokens)
    return "".join(token for frame, token in zip(frames, tokens, strict=False) if start_frame <= frame < end_frame)


def frame_indices(alignment: Mapping[str, Any], tokens: Sequence[str]) -> Sequence[int]:
    """Give the frame of every token; without a list of their own they are numbered from 0."""
    return alignment.get("frame_idx", range(len(tokens)))  # type: ignore[no-any-return]


def word_errors(reference: str, hypothesis: str) -> Errors:
    """Count word errors between two normalised texts; an empty side is all deletions or insertions."""
    words = len(reference.split())
    if not reference:
        return Errors(0, len(hypothesis.split()), 0, words)
    if not hypothesis:
        return Errors(0, 0, words, words)
    from jiwer import process_words

    found = process_words(reference, hypothesis)
    return Errors(found.substitutions, found.insertions, found.deletions, words)


def character_errors(reference: str, hypothesis: str) -> Errors:
    """Count the character errors, spaces included."""
    if not reference:
        return Errors(0, len(hypothesis), 0, 0)
    if not hypothesis:
        return Errors(0, 0, len(reference), len(reference))
    from jiwer import process_characters

    found = process_characters(reference, hypothesis)
    return Errors(found.substitutions, found.insertions, found.deletions, len(reference))


def error_rate(errors: Errors, hypothesis_length: int) -> float:
    """Give errors / reference length; without a reference 1.0 when anything was said, else 0.0."""
    if errors.length:
        return errors.total / errors.length
    return 1.0 if hypothesis_length else 0.0
