"""VoiceBench's open questions: a judge rates every answer from 1 to 5."""

import math
import re
from typing import Any, ClassVar

from metrics.compat.measured import Measured
from metrics.compat.prediction_rows import PredictionRow
from metrics.compat.row_scorer import RowFile
from metrics.compat.voicebench.judged import JudgedScorer
from simulator.errors import SessionError
from simulator.score import Definition
from simulator.texts import quoted

_BRACKETED = re.compile(r"\[\[(\d+)\]\]")

# Our own words for the question; the original's may be given with instruction=FILE.
QUESTION = """\
A person spoke to a voice assistant. You get what the person said and what the assistant answered, both as text. Rate \
the answer from 1 to 5:
1: mostly beside the point or wrong; it does not deal with what was asked
2: has to do with it, but is not accurate or leaves much out
3: mostly accurate and to the point, with details that nobody needs
4: accurate, to the point and short
5: exactly what was needed, said as well as it can be said

Said by the person: {prompt}
Answered by the assistant: {response}

Give the number alone, and nothing else."""

CARD = """\
A judge rates every answer from 1 to 5, three times. gpt: the mean over all judge strings of all rows. A string is a
number, or holds one as [[n]].
Quirks kept in mode=compat: a row with more strings weighs more, and a 0 or a 6 counts as it is. mode=strict: a rating
outside 1 to 5 makes its row unreadable. A row whose string holds no number is unreadable in both; the original stops.
Needs response and prompt for a judge, else the row's own score. judge=MODEL@URL asks with the original's parameters
(gpt-4o-mini, temperature 0.5, top_p 0.95, n=3); the question's wording is ours, instruction=FILE takes another.
Undefined: no row.
Source: VoiceBench (arXiv 2410.17196), evaluator open; subsets alpacaeval, alpacaeval_full, commoneval, wildvoice."""


class OpenSpec(JudgedScorer, frozen=True, kw_only=True, tag="voicebench:open"):
    """The mean rating of answers to open questions."""

    card: ClassVar[str] = CARD
    question: ClassVar[str] = QUESTION
    table: ClassVar[tuple[Definition, ...]] = (Definition(id="gpt", unit="1-5", title="mean rating", better="higher"),)
    extras: ClassVar[tuple[str, ...]] = ("scores", "judge_calls")

    def measure_row(self, row: PredictionRow, file: RowFile) -> Measured:
        """Read the ratings of one answer."""
        measured = Measured()
        votes = self.votes(row, file, measured)
        scores = [rating(vote) for vote in votes]
        if self.mode == "strict" and not all(1 <= score <= 5 for score in scores):
            raise SessionError(f"a rating is outside 1 to 5: {scores}")
        for score in scores:
            measured.add("gpt", score)
        measured.shown = {"scores": scores, "judge_calls": len(votes)}
        measured.lines = [f"rated {', '.join(f'{score:g}' for score in scores) or 'by nobody'}"]
        return measured


def rating(vote: Any) -> float:
    """Read a rating: a number, or the number in [[n]]; SessionError without one."""
    try:
        value = float(vote)
    except (TypeError, ValueError):
        found = _BRACKETED.search(vote) if isinstance(vote, str) else None
        value = float(int(found[1])) if found else math.nan
    if not math.isfinite(value):
        raise SessionError(f"the judge's {quoted(vote)} holds no rating")
    return value
