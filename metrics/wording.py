"""Wording: how far two texts are apart in words, after normalisation.

Both texts are normalised as Whisper's English evaluation does (case, punctuation, contractions, numbers,
British spellings; fillers such as "um" and "mm-hm" are dropped), so that "25 dollars" equals "twenty-five
dollars".
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

_BORDER = "xqborderqx"
_HALF_FILLER = "hm"
"""What Whisper's normaliser leaves of "mm-hm", while it drops "mm-hmm" whole."""


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """Word errors against a reference: substitutions + deletions + insertions, and the reference's length in words.

    missing_at_end: how many of the deletions stand at the end of the reference.
    """

    errors: int
    words: int
    missing_at_end: int = 0


def distances(references: Sequence[str], hypotheses: Sequence[str]) -> list[Distance]:
    """Give the distance of each pair; normalises everything in one go, which is what makes long sessions fast."""
    texts = normalised([*references, *hypotheses])
    pairs = list(zip(texts[: len(references)], texts[len(references) :], strict=True))
    judged = [index for index, (reference, _) in enumerate(pairs) if reference]
    aligned = dict(zip(judged, _aligned([pairs[index] for index in judged]), strict=True))
    return [
        _distance(aligned[index], reference) if index in aligned else Distance(errors=len(heard.split()), words=0)
        for index, (reference, heard) in enumerate(pairs)
    ]


def _aligned(pairs: Sequence[tuple[str, str]]) -> list[Any]:
    if not pairs:
        return []
    import jiwer

    references, hypotheses = (list(side) for side in zip(*pairs, strict=True))
    return list(jiwer.process_words(references, hypotheses).alignments)


def _distance(chunks: Sequence[Any], reference: str) -> Distance:
    errors = sum(
        max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
        for chunk in chunks
        if chunk.type != "equal"
    )
    last = chunks[-1] if chunks else None
    missing = last.ref_end_idx - last.ref_start_idx if last is not None and last.type == "delete" else 0
    return Distance(errors=errors, words=len(reference.split()), missing_at_end=missing)


def normalised(texts: Sequence[str]) -> list[str]:
    """Normalise texts, each for itself: the word between them keeps numbers of neighbours apart."""
    if not texts:
        return []
    joined = _normalizer()(f" {_BORDER} ".join([*texts, ""]))
    parts = [" ".join(token for token in part.split() if token != _HALF_FILLER) for part in joined.split(_BORDER)]
    return parts[: len(texts)]


@cache
def _normalizer() -> Any:
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()
