"""Wording: how far two texts are apart, in words (or characters, in scripts without spaces), after normalisation."""

from collections.abc import Sequence
from typing import Any

import msgspec

from metrics.spelling import Orthography, normalised, orthography_of


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """Errors against a reference: substitutions + deletions + insertions, and the reference's length.

    words: how many words, or characters where the script has no spaces between words. missing_at_end: how many of the
    deletions stand at the end of the reference.
    """

    errors: int
    words: int
    missing_at_end: int = 0


def distances(
    references: Sequence[str], hypotheses: Sequence[str], orthography: Orthography | None = None, language: str = ""
) -> list[Distance]:
    """Give the distance of each pair; identical texts have no errors.

    orthography: how both sides are counted; None takes that of the reference, or where it is empty of the hypothesis.
    language: whose number words are digits.
    """
    pairs = [
        tuple(normalised(pair, orthography or orthography_of(pair[0] if pair[0].strip() else pair[1]), language))
        for pair in zip(references, hypotheses, strict=True)
    ]
    judged = [index for index, (reference, _) in enumerate(pairs) if reference]
    aligned = dict(zip(judged, _aligned([pairs[index] for index in judged]), strict=True))
    return [
        _distance(aligned[index], reference) if index in aligned else Distance(errors=len(heard.split()), words=0)
        for index, (reference, heard) in enumerate(pairs)
    ]


def _aligned(pairs: Sequence[tuple[str, ...]]) -> list[Any]:
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
