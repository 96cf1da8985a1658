"""The `bittensor:v2v` scorer: what needs no model of the first competition's score of a spoken continuation."""

from typing import ClassVar

from metrics.compat.asr.error_counts import word_errors
from metrics.compat.measured import Measured
from metrics.compat.prediction_rows import PredictionRow
from metrics.compat.row_scorer import RowFile, RowScorer
from simulator.errors import SessionError
from simulator.score import Definition
from simulator.texts import quoted

WEIGHTS = {"pesq_score": 0.2, "anti_spoofing_score": 0.45, "mimi_score": 0.17, "wer_score": 0.18}

CARD = """\
The validator's score of competition v1 for a continuation against the true next segment: combined = 0.20 pesq_score +
0.45 anti_spoofing_score + 0.17 mimi_score + 0.18 wer_score.
wer_score: 1 - WER of both transcripts as they stand, the one with more words as the reference (the truth where they
are equal); 0 where one is empty; it may be negative. The other three need models that do not run here: they are taken
from the row where it holds them, else they and combined are undefined.
Needs text (the truth's transcript) and pred_text. mode=strict is the same. Undefined: see above.
Source: omegalabs-anytoany-bittensor (9fd1268)."""


class V2vSpec(RowScorer, frozen=True, kw_only=True, tag="bittensor:v2v"):
    """The score of a spoken continuation, as far as no model is needed."""

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = tuple(
        Definition(id=name, unit="share", title=name.replace("_", " "), statistic="fmean", better="higher")
        for name in ("wer_score", "pesq_score", "anti_spoofing_score", "mimi_score", "combined")
    )

    def measure_row(self, row: PredictionRow, _file: RowFile) -> Measured:
        """Compare one continuation's transcript, and combine what the row tells."""
        scores = {"wer_score": wer_score(row.text("text", "reference"), row.text("pred_text", "response"))}
        for name in WEIGHTS:
            told = row.fields.get(name)
            if name not in scores and told is not None:
                if isinstance(told, bool) or not isinstance(told, int | float):
                    raise SessionError(f"{name}: expected a number, found {quoted(told)}")
                scores[name] = float(told)
        measured = Measured(parts={name: {"values": [value]} for name, value in scores.items()})
        missing = [name for name in WEIGHTS if name not in scores]
        measured.undefined(missing, "needs a model that does not run here, and the row does not tell it")
        if missing:
            measured.undefined(["combined"], f"needs {', '.join(missing)}")
        else:
            measured.add("combined", sum(weight * scores[name] for name, weight in WEIGHTS.items()))
        return measured


def wer_score(truth: str, found: str) -> float:
    """Give 1 - WER with the longer text as the reference."""
    if not truth or not found:
        return 0.0
    if len(truth.split(" ")) < len(found.split(" ")):
        truth, found = found, truth
    if not truth.split():
        return 0.0
    errors = word_errors(truth, found)
    return 1 - errors.wrong / errors.words
