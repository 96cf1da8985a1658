"""VoiceBench's questions with a reference answer: a judge says yes or no, and PEDANT where it is installed."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, ClassVar

from metrics.compat.measured import Measured
from metrics.compat.prediction_rows import PredictionRow
from metrics.compat.row_scorer import RowFile
from metrics.compat.voicebench.judged import JudgedScorer, VoteGiven
from simulator.errors import SessionError
from simulator.score import Definition
from simulator.texts import quoted

MISSING = "needs PEDANT, and the package qa-metrics is not installed"

# Our own words for the question; the original's may be given with instruction=FILE.
QUESTION = """\
Question: {prompt}

The right answer: {reference}

The answer to be judged: {response}

Does the answer to be judged give the right answer to the question? Say Yes or No, and nothing else."""

CARD = """\
A judge says three times whether an answer agrees with the reference. gpt: percent of rows whose most frequent string,
lower-cased, is exactly "yes". panda: percent that PEDANT (qa_metrics) takes for right, all texts lower-cased; null
unless that package is installed by the user: it fetches its classifier when it starts, and its version decides (on one
model 47.74 with 0.2.17 and 74.50 with 0.2.30).
Quirks kept in mode=compat: "yes." is no yes. Where several strings are the most frequent the original's choice hangs on
the hashes of strings: here the first of them counts, and the row says so. mode=strict: punctuation around a vote does
not count, and a row without a majority is unreadable.
Needs score, or a judge and prompt, response and reference. judge=MODEL@URL asks with the original's parameters
(gpt-4o-mini, temperature 0.5, top_p 0.95, n=3); the question's wording is ours, instruction=FILE takes another.
Undefined: no row.
Source: VoiceBench (arXiv 2410.17196), evaluator qa; subset sd-qa."""


class QaGiven(VoteGiven, frozen=True, kw_only=True):
    """pedant: what says whether an answer is right; None where it is not installed."""

    pedant: Any


class QaSpec(JudgedScorer, frozen=True, kw_only=True, tag="voicebench:qa"):
    """Answers that agree with a reference."""

    card: ClassVar[str] = CARD
    question: ClassVar[str] = QUESTION
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="gpt", unit="%", title="right by the judge", statistic="ratio", scale=100, better="higher"),
        Definition(id="panda", unit="%", title="right by PEDANT", statistic="ratio", scale=100, better="higher"),
    )
    extras: ClassVar[tuple[str, ...]] = ("majority", "votes")

    def prepare(self) -> QaGiven:
        """Open the judge, and PEDANT where it is installed."""
        given = JudgedScorer.prepare(self)
        return QaGiven(judge=given.judge, wording=given.wording, pedant=open_pedant())

    def measure_row(self, row: PredictionRow, file: RowFile) -> Measured:
        """Count the votes on one answer."""
        measured = Measured()
        votes = self._read(self.votes(row, file, measured))
        majority = self._majority(votes, measured)
        measured.parts["gpt"] = {"count": int(majority == "yes"), "of": 1}
        measured.shown = {"majority": majority == "yes", "votes": votes}
        measured.lines = [f"{majority}: {', '.join(votes)}"]
        if file.given.pedant is None:
            measured.undefined(["panda"], MISSING)
        else:
            right = file.given.pedant(row.text("reference"), row.text("response"), row.text("prompt"))
            measured.parts["panda"] = {"count": int(right), "of": 1}
        return measured

    def _read(self, votes: Sequence[Any]) -> list[str]:
        if not votes or not all(isinstance(vote, str) for vote in votes):
            raise SessionError(f"score: expected the judge's texts, found {quoted(votes)}")
        texts = [vote.lower() for vote in votes]
        return texts if self.mode == "compat" else [text.strip(" \t\r\n.,!*\"'") for text in texts]

    def _majority(self, votes: Sequence[str], measured: Measured) -> str:
        """Give the most frequent vote; of several the first, which is told."""
        most = max(map(votes.count, votes))
        tied = [vote for vote in dict.fromkeys(votes) if votes.count(vote) == most]
        if len(tied) > 1 and self.mode == "strict":
            raise SessionError(f"the judge's votes have no majority: {quoted(list(votes))}")
        if len(tied) > 1 and "yes" in tied:
            measured.notes.append(f"the votes have no majority; the first of {', '.join(map(quoted, tied))} counts")
        return tied[0]


Pedant = Callable[[str, str, str], bool]
"""Whether an answer is right: (reference, response, prompt)."""


def open_pedant() -> Pedant | None:
    """Give PEDANT; None where it is not installed. Opening it fetches its classifier, as the original does."""
    try:
        from qa_metrics.pedant import PEDANT
    except ImportError:
        return None
    pedant = _opened(PEDANT)
    return lambda reference, response, prompt: bool(
        pedant.evaluate([reference.lower()], response.lower(), prompt.lower())
    )


@cache
def _opened(kind: Callable[[], Any]) -> Any:
    """Open it once a process: of a run every session is scored by itself."""
    return kind()
