"""The `mmau_pro` scorer: closed questions, open ones, and instructions, each by its own means."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from metrics.compat.as_scorer import Sample
from metrics.compat.judging import JudgeAddress, judge_at, polled, read_instruction
from metrics.compat.measured import Measured
from metrics.compat.mmau.closed import Choose, Embeddings, chosen, plain
from metrics.compat.mmau.judged import MODEL, QUESTION, REQUEST, SYSTEM, holds_rating, read_ratings
from metrics.compat.mmau.rules import NEMO_RULES, PROMPT, RULES
from metrics.compat.nemo.eval_results import MODE, EvalSet, summed
from metrics.compat.prediction_rows import PredictionRow
from metrics.compat.row_scorer import RowFile, RowScorer
from metrics.compat.subsets import pooled_by
from simulator.annotation.answers import Answer
from simulator.errors import RemoteError, SessionError
from simulator.score import Definition, undefined
from simulator.scoring.corpus import CorpusResult
from simulator.scoring.judge import Judge
from simulator.session import Session
from simulator.texts import quoted

CARD = """\
Every row is scored by its category. closed (all but two): the choice an answer means equals the row's answer; the
originals take the choice whose NV-Embed-v2 embedding is nearest, which embed=MODEL@URL does; without it the answer must
be a choice or begin with its letter, which is stricter. open: a judge gives five ratings from 1 to 5; the score is
OVERALL / 5. instruction_following: the row's rule (27 names) holds; an unknown rule does not.
overall: the mean over all rows, which is the categories' mean weighted by rows; undefined while a row could not be
scored. Every category has its value under its name. All 0 to 1.
reading=authors (960e93a): criteria are whole numbers, an OVERALL of exactly 3 becomes the mean of the four, sentences
as NLTK counts them, an empty answer is held against its rule. reading=nemo (NeMo-Skills 00b3958): decimals, only a
missing OVERALL is replaced, sentences end at runs of . ! ?, an empty answer follows nothing.
In both a missing rating counts as 3; rows with fewer than two choices are left out. mode=strict: a judge's reply
without any rating is none.
Needs category, generation (or model_output), answer; choices, or task_identifier and kwargs, or a judge's reply:
judge_replies=FILE, judge=MODEL@URL (default Qwen/Qwen2.5-7B-Instruct; wording ours, instruction=FILE takes another with
{question}, {answer}, {generation}), else the row's own `judgement`.
Source: MMAU-Pro (arXiv 2508.13992)."""

OPEN, FOLLOWING, CLOSED = "open", "instruction_following", "closed"
_KINDS = (CLOSED, OPEN, FOLLOWING)
_NEMO_GROUPS = {
    CLOSED: "mmau-pro.closed_form",
    OPEN: "mmau-pro.open_ended",
    FOLLOWING: "mmau-pro.instruction_following",
}


class MmauGiven(msgspec.Struct, frozen=True, kw_only=True):
    """What the options give: the judge with its question's wording, and how a choice is found."""

    judge: Judge | None
    wording: str
    choose: Choose


class MmauProSpec(RowScorer, frozen=True, kw_only=True, tag="mmau_pro"):
    """Scores of answers to questions about sound.

    reading: whose evaluation is followed where the authors and NeMo-Skills differ. embed: an endpoint of embeddings.
    judge_replies: a file with a judge's replies. judge: the endpoint that is asked. instruction: a file with the
    question's words.
    """

    reading: Literal["authors", "nemo"] = "authors"
    judge_replies: Path | None = None
    judge: JudgeAddress | None = None
    embed: JudgeAddress | None = None
    instruction: Path | None = None

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = tuple(
        Definition(id=name, unit="share", title=title, statistic="fmean", better="higher")
        for name, title in zip(
            (*_KINDS, "overall"),
            ("closed questions", "open questions", "instructions followed", "all rows"),
            strict=True,
        )
    )
    extras: ClassVar[tuple[str, ...]] = ("followed", "judge")

    def prepare(self) -> MmauGiven:
        """Open the judge and the embeddings."""
        return MmauGiven(
            judge=judge_at(self.judge_replies, self.judge, MODEL, REQUEST),
            wording=read_instruction(self.instruction) or QUESTION,
            choose=chosen if self.embed is None else Embeddings(self.embed),
        )

    def fields_of(self, session: Session, answer: Answer) -> Mapping[str, Any]:
        """Give the sample's fields and what the agent answered."""
        return {**session.meta.sample, "generation": answer.text}

    def measure_row(self, row: PredictionRow, file: RowFile) -> Measured:
        """Score one row by its category."""
        category = row.text("category").strip().replace(" ", "_")
        kind = category if category in (OPEN, FOLLOWING) else CLOSED
        measured = Measured(kept=category, shown=dict.fromkeys(self.extras))
        scores = {CLOSED: self._closed, OPEN: self._open, FOLLOWING: self._following}[kind](row, file.given, measured)
        for metric in (kind, "overall"):
            for score in scores:
                measured.add(metric, score)
        return measured

    def _answer(self, row: PredictionRow) -> str:
        value = row.one_of("generation", "model_output", "response")
        if value is not None and not isinstance(value, str):
            raise SessionError(f"generation: expected text, found {quoted(value)}")
        return value or ""

    def _closed(self, row: PredictionRow, given: MmauGiven, measured: Measured) -> list[float]:
        choices = row.fields.get("choices")
        if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(choice, str) for choice in choices):
            measured.undefined([CLOSED, "overall"], "fewer than two choices are left out, as the authors do")
            return []
        answer = self._answer(row)
        try:
            choice = given.choose(answer, choices) if answer.strip() else None
        except RemoteError as error:
            raise SessionError(str(error)) from error
        measured.lines = [f"chose {choice!r}, {row.text('answer')!r} is right"]
        return [float(choice is not None and plain(choice) == plain(row.text("answer")))]

    def _following(self, row: PredictionRow, _given: MmauGiven, measured: Measured) -> list[float]:
        text, rules = self._answer(row), RULES
        if self.reading == "nemo":
            text, rules = text.strip(), NEMO_RULES
        arguments = row.fields.get("kwargs") or {}
        if not isinstance(arguments, dict):
            raise SessionError(f"kwargs: expected a mapping, found {quoted(arguments)}")
        asked = row.fields.get(PROMPT, row.fields.get("question", ""))
        rule = rules.get(row.text("task_identifier"))
        try:
            followed = rule is not None and rule(text, {**arguments, PROMPT: asked})
        except (TypeError, ValueError, AttributeError) as error:
            raise SessionError(f"kwargs: cannot be used: {error}") from error
        if self.reading == "nemo" and not text:
            followed = False
        measured.shown["followed"] = bool(followed)
        if rule is None:
            measured.notes.append(f"task_identifier: {quoted(row.text('task_identifier'))} is no rule; not followed")
        return [float(followed)]

    def _open(self, row: PredictionRow, given: MmauGiven, measured: Measured) -> list[float]:
        reply = self._reply(row, given)
        if reply is None:
            measured.undefined([OPEN, "overall"], "open questions need a judge (judge_replies or judge)")
            return []
        if self.mode == "strict" and not holds_rating(reply):
            raise SessionError(f"the judge's {quoted(reply)} holds no rating")
        ratings = read_ratings(reply, as_authors=self.reading == "authors")
        measured.shown["judge"] = ratings
        measured.replies = [reply]
        return [ratings["overall"] / 5]

    def _reply(self, row: PredictionRow, given: MmauGiven) -> str | None:
        if given.judge is None:
            own = row.fields.get("judgement")
            return own if isinstance(own, str) else None
        text = given.wording
        if self.judge_replies is None:
            for name, value in (("question", row.text("question")), ("answer", row.text("answer"))):
                text = text.replace(f"{{{name}}}", value)
            text = text.replace("{generation}", self._answer(row))
        asked = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
        return polled(given.judge, row.id, asked, 1)[0]

    def eval_sets(self, rows: Sequence[Measured]) -> list[EvalSet]:
        """Give what NeMo-Skills keeps of its three groups; of open questions success is the mean correctness of 5."""
        groups: dict[str, list[Measured]] = {}
        for row in rows:
            if "overall" in row.parts:
                kind = row.kept if row.kept in (OPEN, FOLLOWING) else CLOSED
                groups.setdefault(_NEMO_GROUPS[kind], []).append(row)
        return [
            EvalSet(name, MODE, summed([row.row for row in mine], list(map(_success, mine))), [row.row for row in mine])
            for name, mine in groups.items()
        ]

    def finish(self, result: CorpusResult, measured: Sequence[Sample], given: Any) -> CorpusResult:
        """Add every category; the whole is undefined where an open row was not judged."""
        result = RowScorer.finish(self, result, measured, given)
        rows = [sample for _, sample in measured if not sample.skipped]
        overall = self.table[-1]
        metrics = dict(result.metrics)
        unjudged = next((row.reasons[OPEN] for row in rows if OPEN in row.reasons), None)
        if unjudged is not None:
            metrics["overall"] = undefined(overall, unjudged)
        for category, scores in pooled_by([overall], rows).items():
            metrics.setdefault(category, msgspec.structs.replace(scores["overall"], id=category, definition="overall"))
        return msgspec.structs.replace(result, metrics=metrics)


def _success(row: Measured) -> float:
    ratings = row.shown.get("judge")
    value: float = ratings["correctness"] / 5 if ratings else row.parts["overall"]["values"][0]
    return value
