"""MMAU-Pro's open questions: five ratings read out of a judge's reply."""

import re
from collections.abc import Mapping

MODEL = "Qwen/Qwen2.5-7B-Instruct"
REQUEST = {"max_tokens": 512, "temperature": 0.1}
SYSTEM = "You rate answers objectively."
CRITERIA = ("correctness", "relevance", "completeness", "clarity")
NEUTRAL = 3.0

# Our own words for the question; the original's may be given with instruction=FILE.
QUESTION = """\
A model was asked about a recording. Rate its answer.

Question: {question}

Reference answer: {answer}

The model's answer: {generation}

Give a whole number from 1 (worst) to 5 (best) with half a sentence of reason for each of four criteria: does it agree \
with the reference (correctness), does it deal with the question (relevance), does it hold all that matters in the \
reference (completeness), is it easy to follow (clarity); and the mean of the four. Write exactly these lines:

CORRECTNESS: <number> - <reason>
RELEVANCE: <number> - <reason>
COMPLETENESS: <number> - <reason>
CLARITY: <number> - <reason>
OVERALL: <mean> - <reason>"""

_WHOLE, _DECIMAL = r"(\d+)", r"(\d+(?:\.\d+)?)"


def read_ratings(reply: str, *, as_authors: bool) -> dict[str, float]:
    """Read the ratings by criterion and `overall`; what is missing counts as 3.

    as_authors: criteria are read as whole numbers, and an overall of exactly 3 is taken for a missing one; NeMo-Skills
    reads decimals, and only a missing overall becomes the mean of the four.
    """
    number = _WHOLE if as_authors else _DECIMAL
    found = {name: _read(name, number, reply) for name in CRITERIA}
    overall = _read("overall", _DECIMAL, reply)
    ratings = {name: NEUTRAL if value is None else value for name, value in found.items()}
    if overall is None or (as_authors and overall == NEUTRAL):
        overall = _mean(ratings)
    return {**ratings, "overall": overall}


def holds_rating(reply: str) -> bool:
    """Whether a reply holds any rating at all."""
    return any(_read(name, _DECIMAL, reply) is not None for name in (*CRITERIA, "overall"))


def _read(name: str, number: str, reply: str) -> float | None:
    found = re.search(rf"{name}:\s*{number}", reply, re.IGNORECASE)
    return float(found[1]) if found else None


def _mean(ratings: Mapping[str, float]) -> float:
    return sum(ratings.values()) / len(ratings)
