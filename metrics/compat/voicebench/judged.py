"""What VoiceBench's two judged evaluators share: a judge that is asked three times about every answer."""

from pathlib import Path
from typing import Any, ClassVar

import msgspec

from metrics.compat.judging import JudgeAddress, judge_at, polled, read_instruction
from metrics.compat.measured import Measured
from metrics.compat.prediction_rows import PredictionRow
from metrics.compat.row_scorer import RowFile, RowScorer
from simulator.errors import SessionError
from simulator.scoring.judge import Judge, Messages

MODEL = "gpt-4o-mini"
VOTES = 3
REQUEST = {
    "max_tokens": 1024,
    "temperature": 0.5,
    "top_p": 0.95,
    "frequency_penalty": 0,
    "presence_penalty": 0,
}
SYSTEM = "You are a careful assistant who helps to judge answers."


class VoteGiven(msgspec.Struct, frozen=True, kw_only=True):
    """The judge, and the wording of its question."""

    judge: Judge | None
    wording: str


class JudgedScorer(RowScorer, frozen=True, kw_only=True):
    """A scorer of judged answers. A judge that is named is asked; without one a row's own `score` counts.

    judge_replies: ready replies by row id. judge: an OpenAI-compatible endpoint. instruction: the question's wording,
    such as the original's, with {prompt}, {response} and, where there is one, {reference}.
    """

    judge_replies: Path | None = None
    judge: JudgeAddress | None = None
    instruction: Path | None = None

    question: ClassVar[str]

    def prepare(self) -> VoteGiven:
        """Open the judge and read its question."""
        judge = judge_at(self.judge_replies, self.judge, MODEL, REQUEST)
        return VoteGiven(judge=judge, wording=read_instruction(self.instruction) or self.question)

    def votes(self, row: PredictionRow, file: RowFile, measured: Measured) -> list[Any]:
        """Give what the judge said of a row, and keep it; SessionError where it said nothing."""
        given: VoteGiven = file.given
        if given.judge is None:
            if "score" not in row.fields:
                raise SessionError("score: is missing, and no judge is named (judge_replies or judge)")
            return row.items("score")
        asked = question(given.wording, row) if self.judge_replies is None else []
        measured.replies = polled(given.judge, row.id, asked, VOTES)
        measured.row = {"score": [reply.strip() for reply in measured.replies]}
        return list(measured.row["score"])


def question(wording: str, row: PredictionRow) -> Messages:
    """Fill the question's wording, one name after the other, as the original does: a name inside a text is filled."""
    text = wording
    for name in ("prompt", "reference", "response"):
        if f"{{{name}}}" in text:
            text = text.replace(f"{{{name}}}", row.text(name))
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
