"""VoiceBench's multiple-choice questions: the letter that is read out of an answer, against the right one."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from metrics.compat.measured import Measured
from metrics.compat.prediction_rows import PredictionRow
from metrics.compat.row_scorer import RowFile, RowScorer
from metrics.compat.voicebench.clean import without_marker
from metrics.compat.voicebench.mcq_patterns import TEMPLATES
from simulator.score import Definition

LETTERS = "ABCD"

Templates = Sequence[tuple[str, str]]
"""Texts that stand in an answer, in the order in which they are tried, each with the letter it means."""


def templates_of(patterns: Iterable[str]) -> Templates:
    """Write every pattern out for all letters."""
    return tuple((pattern.replace("@", letter.lower()), letter) for pattern in patterns for letter in LETTERS)


OWN = templates_of(TEMPLATES)
_STARTS = ".,:)"

CARD = """\
The answer's letter is the first template of VoiceBench's list that stands in the lower-cased answer; else an answer
that is the letter alone or begins with it and one of . , : ). It is right when it equals the row's reference.
acc: the expected accuracy in percent: of answers without a letter one in four is right. acc_seed0: those drawn, as the
original does, by Python's random.seed(seed) in row order. fail: share of answers without a letter. acc_low, acc_high:
none and all of them right.
Quirks kept in mode=compat: the order of the templates decides, so "either A, or possibly B." is B and "the answer is a
plant" is A; "A or B", a trailing blank, "My final answer: C" give no letter; a reference that is no upper-case letter
is never right. mode=strict is the same.
Needs response and reference. Undefined: no row.
Source: VoiceBench (arXiv 2410.17196), evaluator mcq; subsets openbookqa and mmsu."""


class McqSpec(RowScorer, frozen=True, kw_only=True, tag="voicebench:mcq"):
    """Accuracy over multiple-choice questions."""

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="acc", unit="%", title="expected accuracy", statistic="ratio", scale=100, better="higher"),
        Definition(id="acc_seed0", unit="%", title="accuracy, drawn", statistic="ratio", scale=100, better="higher"),
        Definition(id="fail", unit="%", title="answers without a letter", statistic="ratio", scale=100, better="lower"),
        Definition(id="acc_low", unit="%", title="accuracy, no guess right", statistic="ratio", scale=100),
        Definition(id="acc_high", unit="%", title="accuracy, all guesses right", statistic="ratio", scale=100),
    )
    extras: ClassVar[tuple[str, ...]] = ("extracted",)
    templates: ClassVar[Templates] = OWN

    def measure_row(self, row: PredictionRow, file: RowFile) -> Measured:
        """Read the answer's letter and compare it."""
        response, reference = row.text("response"), row.text("reference")
        letter = letter_of(response, self.templates)
        drawn = letter or file.draws.choice(LETTERS)
        measured = Measured(parts=guess_parts(letter is not None, letter == reference, drawn == reference, 1 / 4))
        measured.parts["fail"] = {"count": int(letter is None), "of": 1}
        measured.shown = {"extracted": letter}
        measured.lines = [f"read {letter or 'no letter'}, {reference} is right"]
        return measured


def guess_parts(parsed: bool, right: bool, drawn_right: bool, chance: float) -> dict[str, dict[str, Any]]:
    """Give one answer's part in an accuracy and its bounds. chance: of a drawn answer to be right."""
    counts = {
        "acc": float(right) if parsed else chance,
        "acc_seed0": int(drawn_right),
        "acc_low": int(parsed and right),
        "acc_high": int(right or not parsed),
    }
    return {metric: {"count": count, "of": 1} for metric, count in counts.items()}


def letter_of(response: str, templates: Templates = OWN) -> str | None:
    """Give the letter, A to D, that is read out of an answer; None without one."""
    text = without_marker(response.lower())
    for template, letter in templates:
        if template in text:
            return letter
    for letter in LETTERS:
        if text == letter.lower() or (text.startswith(letter.lower()) and text[1:2] and text[1] in _STARTS):
            return letter
    return None
