"""The `asr_wer` scorer: word error rates of transcripts, by four definitions that give different numbers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from metrics.compat.as_scorer import Sample
from metrics.compat.asr.error_counts import WordErrors, errors_with_compounds, word_errors
from metrics.compat.asr.normalizers import leaderboard, nemo, spoken_part
from metrics.compat.measured import Measured
from metrics.compat.nemo.eval_results import MODE, EvalSet, summed
from metrics.compat.prediction_rows import PredictionRow
from metrics.compat.row_scorer import RowFile, RowScorer
from metrics.compat.subsets import composite, pooled_by
from metrics.spelling import whisper
from simulator.annotation.answers import Answer
from simulator.datasets.asr_leaderboard import IGNORED
from simulator.errors import SessionError
from simulator.score import Definition, Score, undefined
from simulator.scoring.corpus import CorpusResult
from simulator.session import Session
from simulator.texts import install_of

_CORRECT = 0.5
_NO_KALDIALIGN = f"needs kaldialign: {install_of('data')}"

CARD = """\
Errors over reference words, summed over rows, by definitions that differ: wer.whisper (Whisper's English normaliser,
jiwer), wer.leaderboard (the Open ASR Leaderboard's present normaliser, jiwer), wer.leaderboard_compound (the same, and
"white paper" is "whitepaper": what it prints since 2026), wer.nemo (NeMo-Skills: what is quoted in a reply, lower case,
Whisper's normaliser, an empty side is the word "empty"). success_rate: share of rows whose NeMo error rate is below
0.5. rtfx: seconds of audio per second of computing, where every row has duration and time.
Rows whose normalised reference is empty, or "ignore time segment in scoring", are left out, but not by NeMo. In
wer.nemo a row without generation has the error rate 1 and no pair, so it is missing in the corpus value.
Several files, or rows that name their set (subset_for_metrics, dataset): <set>.wer.<definition> and
composite.wer.<definition>, the plain mean over sets. All are ratios, unrounded; the leaderboard prints percent.
Of our sessions the sample's text is the reference, the agent's answer the transcript. mode=strict is the same.
Needs text and pred_text (or expected_answer and generation). Undefined: no reference holds a word; kaldialign missing.
Source: huggingface/open_asr_leaderboard (d1e99b2), NeMo-Skills (00b3958), whisper-normalizer, jiwer."""

DEFINITIONS = ("whisper", "leaderboard", "leaderboard_compound", "nemo")
_TITLES = ("Whisper's normaliser", "the leaderboard's normaliser", "and compounds", "NeMo-Skills")


class AsrWerSpec(RowScorer, frozen=True, kw_only=True, tag="asr_wer"):
    """Word error rates of transcripts by four definitions."""

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        *(
            Definition(id=f"wer.{name}", unit="ratio", title=f"WER, {title}", statistic="ratio", better="lower")
            for name, title in zip(DEFINITIONS, _TITLES, strict=True)
        ),
        Definition(id="success_rate", unit="share", title="rows with a WER < 0.5", statistic="ratio", better="higher"),
        Definition(id="rtfx", unit="s/s", title="audio per computing", statistic="ratio", better="higher"),
    )

    def fields_of(self, session: Session, answer: Answer) -> Mapping[str, Any]:
        """Give the sample's text and what the agent answered."""
        return {**session.meta.sample, "pred_text": answer.text}

    def measure_row(self, row: PredictionRow, file: RowFile) -> Measured:
        """Count one transcript's errors by every definition."""
        reference, found = row.text("text", "expected_answer"), row.text("pred_text", "generation")
        measured = Measured(kept=_set_of(row, file))
        for name, errors in _by_definition(reference, found):
            measured.parts[f"wer.{name}"] = errors.parts
        measured.undefined([f"wer.{name}" for name in DEFINITIONS], "the reference holds no word")
        if "wer.leaderboard" in measured.parts and "wer.leaderboard_compound" not in measured.parts:
            measured.reasons["wer.leaderboard_compound"] = _NO_KALDIALIGN
        said = spoken_part(found)
        rate = 1.0
        if said:
            errors = word_errors(nemo(reference) or "empty", nemo(said) or "empty")
            measured.parts["wer.nemo"], rate = errors.parts, errors.wrong / errors.words
        else:
            measured.reasons["wer.nemo"] = "no generation"
        measured.shown = {"wer.nemo": rate}
        measured.parts["success_rate"] = {"count": int(rate < _CORRECT), "of": 1}
        self._time(row, measured)
        measured.lines = [f"wer.nemo {rate:.3f}: {reference} -> {found}"]
        return measured

    def _time(self, row: PredictionRow, measured: Measured) -> None:
        times = [row.fields.get(name) for name in ("duration", "time")]
        if all(isinstance(time, int | float) and time for time in times):
            measured.parts["rtfx"] = {"count": times[0], "of": times[1], "n": 1}
        measured.undefined(["rtfx"], "not every row has duration and time")

    def eval_sets(self, rows: Sequence[Measured]) -> list[EvalSet]:
        """Give what NeMo-Skills keeps: by set; in compat half of the empty answers, as it has it."""
        sets: dict[str, list[Measured]] = {}
        for row in rows:
            if not row.skipped:
                sets.setdefault(f"asr-leaderboard.{row.kept}" if row.kept else "asr-leaderboard", []).append(row)
        return [
            EvalSet(name, MODE, summed(
                [row.row for row in mine],
                [row.parts["success_rate"]["count"] for row in mine],
                [row.shown["wer.nemo"] for row in mine],
                halved=self.mode == "compat",
            ), [row.row for row in mine])
            for name, mine in sets.items()
        ]  # fmt: skip

    def finish(self, result: CorpusResult, measured: Sequence[Sample], given: Any) -> CorpusResult:
        """Add every set's values and the mean over sets; a real-time factor needs the times of all rows."""
        result = RowScorer.finish(self, result, measured, given)
        metrics: dict[str, Score] = dict(result.metrics)
        rows = [sample for _, sample in measured if not sample.skipped]
        if any("rtfx" not in row.parts for row in rows):
            metrics["rtfx"] = undefined(self.table[-1], "not every row has duration and time")
        sets = pooled_by(self.table, rows)
        if len(sets) > 1:
            metrics |= {f"{name}.{metric}": score for name, scores in sets.items() for metric, score in scores.items()}
            for card in self.table[: len(DEFINITIONS)]:
                metrics[f"composite.{card.id}"] = composite(card, [scores[card.id] for scores in sets.values()])
        return msgspec.structs.replace(result, metrics=metrics)


def _by_definition(reference: str, found: str) -> Iterator[tuple[str, WordErrors]]:
    if reference.strip() == IGNORED:
        return
    plain = whisper()(reference)
    if plain.strip():
        yield "whisper", word_errors(plain, whisper()(found))
    own, heard = leaderboard()(reference), leaderboard()(found)
    if own.strip() and own.strip() != IGNORED:
        yield "leaderboard", word_errors(own, heard)
        compounds = errors_with_compounds(own, heard)
        if compounds is not None:
            yield "leaderboard_compound", compounds


def _set_of(row: PredictionRow, file: RowFile) -> str:
    """Give the set a row belongs to: as it says itself, else as its file is called."""
    named = next((row.fields[name] for name in ("subset_for_metrics", "dataset") if row.fields.get(name)), None)
    if named is not None:
        if not isinstance(named, str):
            raise SessionError("subset_for_metrics or dataset: expected a name")
        return named
    stem = file.path.stem if file.path else ""
    return stem.partition("_DATASET_")[2] or stem
