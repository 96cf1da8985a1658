"""VoiceBench's reasoning tasks: a yes or a no, an (a) or a (b), read out of an answer by rules of its task."""

import re
from collections.abc import Callable, Iterable
from typing import ClassVar, NamedTuple

from metrics.compat.measured import Measured
from metrics.compat.prediction_rows import PredictionRow
from metrics.compat.row_scorer import RowFile, RowScorer
from metrics.compat.voicebench import bbh_rules
from metrics.compat.voicebench.clean import without_marker, without_turn
from metrics.compat.voicebench.mcq import guess_parts
from simulator.errors import SessionError
from simulator.score import Definition
from simulator.texts import quoted

CARD = """\
The answer is lower-cased, cleaned of marks and punctuation, and read by the rules of its task, which the row's id names
(bbh_<task>_<n>); the first rule that fits says yes or (b), 1, or no or (a), 0. It is right when the reference means the
same.
acc: the expected accuracy in percent over all tasks together: of answers that no rule reads one in two is right.
acc_seed0: those drawn, as the original does, by Python's random.seed(seed) in row order. acc_low, acc_high: none and
all of them right. verdict: the answer read, null where a draw decides.
Quirks kept in mode=compat: a bare "b" is read as (a), "(a)" alone by no rule; an ending "must be lying" means yes; "the
sentence X is not plausible", with words between, means yes; whatever begins with "not" or "nothing" means no.
mode=strict is the same.
Needs id, response and reference. Undefined: no row.
Source: VoiceBench (arXiv 2410.17196), evaluator bbh."""


class BbhSpec(RowScorer, frozen=True, kw_only=True, tag="voicebench:bbh"):
    """Accuracy over reasoning tasks with two answers."""

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="acc", unit="%", title="expected accuracy", statistic="ratio", scale=100, better="higher"),
        Definition(id="acc_seed0", unit="%", title="accuracy, drawn", statistic="ratio", scale=100, better="higher"),
        Definition(id="acc_low", unit="%", title="accuracy, no guess right", statistic="ratio", scale=100),
        Definition(id="acc_high", unit="%", title="accuracy, all guesses right", statistic="ratio", scale=100),
    )
    extras: ClassVar[tuple[str, ...]] = ("verdict", "task")

    def measure_row(self, row: PredictionRow, file: RowFile) -> Measured:
        """Read the answer by its task's rules and compare it."""
        task, response = task_of(row.text("id")), row.text("response")
        right = _meaning(row.text("reference"))
        verdict = read_verdict(response, task)
        drawn = file.draws.choice((0, 1)) if verdict is None else verdict
        measured = Measured(parts=guess_parts(verdict is not None, verdict == right, drawn == right, 1 / 2))
        measured.shown = {"verdict": verdict, "task": task}
        measured.lines = [f"{task}: read {verdict}, {right} is right"]
        return measured


class VerdictRule(NamedTuple):
    """Whether a cleaned answer fits, and what it means then."""

    fits: Callable[[str], bool]
    verdict: int


def read_verdict(response: str, task: str) -> int | None:
    """Give what an answer means, 0 or 1; None where no rule of the task fits."""
    text = _cleaned(response)
    return next((rule.verdict for rule in _RULES[task] if rule.fits(text)), None)


def task_of(name: str) -> str:
    """Give the task that a row's id names; SessionError where it names none."""
    task = next((task for task in _RULES if task in name), None)
    if task is None:
        raise SessionError(f"id: {quoted(name)} names none of the tasks {', '.join(_RULES)}")
    return task


def _meaning(reference: str) -> int:
    try:
        return {"yes": 1, "no": 0, "(a)": 0, "(b)": 1}[reference.lower()]
    except KeyError:
        raise SessionError(f"reference: expected yes, no, (A) or (B), found {quoted(reference)}") from None


_BLANKS = str.maketrans(dict.fromkeys(':"-,.\uff1a', " "))


def _cleaned(response: str) -> str:
    text = without_marker(without_turn(response.lower())).replace("<|turn_end|>", "")
    return " ".join(text.replace(":", " ").replace("**", " ").translate(_BLANKS).split())


def _rules(table: Iterable[str]) -> list[VerdictRule]:
    found: list[VerdictRule] = []
    for written in table:
        text, fixed, verdict = written.partition(">")
        if fixed:
            found.append(_rule(text, int(verdict)))
            continue
        for option, (letter, ordinal) in enumerate((("a", "first"), ("b", "second"))):
            found.append(_rule(text.replace("@", letter).replace("FIRST/SECOND", ordinal), option))
    return found


def _rule(text: str, verdict: int) -> VerdictRule:
    mark, rest = text[:2], text[2:]
    if mark == "= ":
        return VerdictRule(lambda answer: answer == rest, verdict)
    if mark == "^ ":
        return VerdictRule(lambda answer: answer.startswith(rest), verdict)
    if mark == "$ ":
        return VerdictRule(lambda answer: answer.endswith(rest), verdict)
    if mark == "~ ":
        pattern = re.compile(rest)
        return VerdictRule(lambda answer: pattern.search(answer) is not None, verdict)
    return VerdictRule(lambda answer: text in answer, verdict)


_COMMON = _rules(bbh_rules.YES_OR_NO)
_RULES = {
    "sports_understanding": [*_COMMON, *_rules(bbh_rules.SPORTS_UNDERSTANDING)],
    "hyperbaton": _rules(bbh_rules.HYPERBATON),
    "navigate": [*_COMMON, *_rules(bbh_rules.NAVIGATE)],
    "web_of_lies": [*_COMMON, *_rules(bbh_rules.WEB_OF_LIES)],
}
