"""Scorers of answers: what every scorer shares that reads prediction files row by row, or our own sessions as rows.

The originals read one file and give one number. Here a row that cannot be read is told and the others count; chance
comes from `seed`, in the order in which the original draws.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from metrics.compat.as_scorer import AsScorer, Sample
from metrics.compat.measured import Measured, skipped
from metrics.compat.nemo.eval_results import GREEDY, EvalSet, voicebench_sets, write_eval_sets
from metrics.compat.prediction_rows import PredictionRow, UnreadableRow, read_rows
from simulator.annotation.answers import Answer, answer_of
from simulator.errors import SessionError
from simulator.export.predictions import file_name, row_of, write_lines
from simulator.score import Definition, add_parts, value_of
from simulator.scoring.corpus import CorpusResult
from simulator.scoring.inputs import Input, InputKind
from simulator.session import Session

JUDGED = "result-"
"""What the name of a file begins with whose rows a judge has scored."""


class RowFile:
    """The rows of one file under measurement. given: what the options gave; known: what the whole file tells of a row.

    draws: Python's own generator, since that is what the originals draw from.
    """

    def __init__(
        self, rows: Sequence[PredictionRow], given: Any, draws: random.Random, path: Path | None = None
    ) -> None:
        self.rows = rows
        self.given = given
        self.path = path
        self.draws = draws
        self.known: Any = None


class RowScorer(AsScorer, frozen=True, kw_only=True):
    """A scorer by how it measures one row.

    seed: of every draw. answer: of our own sessions, what the agent told it says or what was heard of it.
    """

    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    answer: Literal["said", "heard"] = "said"

    accepts: ClassVar[tuple[InputKind, ...]] = ("predictions", "session")
    needs_words: ClassVar[bool] = False
    """What the agent told is in the events; what was heard of it is asked for by itself."""

    def open_file(self, file: RowFile) -> None:
        """Look at a whole file before its rows are measured."""

    def measure_row(self, row: PredictionRow, file: RowFile) -> Measured:
        """Measure one row; SessionError when it cannot be used."""
        raise NotImplementedError

    def measure_each(self, item: Input, given: Any) -> Sequence[Sample]:
        """Measure every row of a file, or one session."""
        if item.kind != "predictions":
            return super().measure_each(item, given)
        try:
            rows = read_rows(item.path)
        except SessionError as error:
            return self.refused(item, str(error), given)
        return self.measure_rows(rows, given, item.path) or self.refused(item, f"{item.path}: holds no rows", given)

    def measure_rows(
        self,
        rows: Sequence[PredictionRow | UnreadableRow],
        given: Any,
        path: Path | None = None,
        draws: random.Random | None = None,
    ) -> list[Sample]:
        """Measure rows that belong together, in their order. draws: a generator of their own unless one is shared."""
        own = draws or random.Random(self.seed)
        file = RowFile([row for row in rows if isinstance(row, PredictionRow)], given, own, path)
        self.open_file(file)
        return [(row.id, self._attempt(row, file)) for row in rows]

    def measure_session(self, session: Session, given: Any) -> Measured:
        """Measure one session of ours as a row: its sample's fields, and the agent's answer."""
        answer = answer_of(session, heard=self.answer == "heard")
        row = PredictionRow(str(session.meta.sample.get("id", session.id)), self.fields_of(session, answer))
        [(_, measured)] = self.measure_rows([row], given)
        measured.notes += answer.notes
        measured.source = file_name(session)
        return measured

    def fields_of(self, session: Session, answer: Answer) -> Mapping[str, Any]:
        """Give a session's fields as a row of a prediction file has them."""
        return row_of(session, answer.text)

    def finish(self, result: CorpusResult, measured: Sequence[Sample], given: Any) -> CorpusResult:
        """Name rows apart that files name alike, say how many rows of one name a file has, and write the files."""
        table: list[str] = []
        if self.write is not None:
            self.write_rows(self.write, measured)
            table = write_eval_sets(self.write, self.eval_sets([sample for _, sample in measured if sample.row]))
        names = [sample.id for sample in result.samples]
        sources = {sample.source for _, sample in measured}
        if len(sources) > 1 and len(set(names)) < len(names):
            names = [f"{sample.source}/{name}" for name, (_, sample) in zip(names, measured, strict=True)]
        samples = [msgspec.structs.replace(sample, id=name) for sample, name in zip(result.samples, names, strict=True)]
        again = [name for name, count in Counter(names).items() if count > 1]
        told = [f"{len(again)} names stand for several rows each, such as {again[0]}"] if again else []
        return msgspec.structs.replace(result, samples=samples, told=[*result.told, *told, *table])

    def eval_sets(self, rows: Sequence[Measured]) -> list[EvalSet]:
        """Give what NeMo-Skills keeps of these rows, by set: of files named after a set of VoiceBench their metrics."""
        names = voicebench_sets(dict.fromkeys(row.source for row in rows))
        found: list[EvalSet] = []
        for name in dict.fromkeys(names.values()):
            mine = [row for row in rows if names.get(row.source) == name]
            values = {card.id: _value(card, mine) for card in self.table if card.better != "neither"}
            known = {metric: value for metric, value in values.items() if value is not None and metric != "acc_seed0"}
            if known:
                found.append(EvalSet(name, GREEDY, known, [row.row for row in mine]))
        return found

    def write_rows(self, folder: Path, measured: Sequence[Sample]) -> None:
        """Write every file's rows again, those that a judge has scored as the original calls them."""
        files: dict[str, list[Measured]] = {}
        for _, sample in measured:
            if sample.row:
                files.setdefault(sample.source, []).append(sample)
        for source, rows in files.items():
            judged = any(row.replies for row in rows) and not source.startswith(JUDGED)
            write_lines(folder / f"{JUDGED if judged else ''}{source}.jsonl", [row.row for row in rows])

    def _attempt(self, row: PredictionRow | UnreadableRow, file: RowFile) -> Measured:
        try:
            if isinstance(row, UnreadableRow):
                raise SessionError(row.problem)
            measured = self.measure_row(row, file)
        except SessionError as error:
            measured = skipped(self.table, str(error))
        measured.source = file.path.stem if file.path else ""
        if isinstance(row, PredictionRow):
            measured.row = {**row.fields, **measured.row}
        return measured


def _value(card: Definition, rows: Sequence[Measured]) -> float | None:
    parts = [found for row in rows if (found := row.parts.get(card.parts_of))]
    return value_of(card, add_parts(parts)) if parts else None
