"""The `bittensor` scorer: a validator's results, set by set, and what it makes of them."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from metrics.compat.as_scorer import AsScorer, Sample
from metrics.compat.bittensor.judge import EndpointCalls, JudgeCalls, ReadyCalls
from metrics.compat.bittensor.results import Results, ResultSet, read_results
from metrics.compat.bittensor.sets import SetScore, score_set
from metrics.compat.judging import JudgeAddress
from metrics.compat.measured import Measured, skipped
from metrics.compat.subsets import composite, scaled
from simulator.errors import SessionError
from simulator.score import Definition, Score, undefined
from simulator.scoring.corpus import CorpusResult, SampleResult
from simulator.scoring.inputs import Input, InputKind

VOICEBENCH, MOS = 0.7, 0.3

CARD = """\
A validator's results (JSON: sets by key, each with responses and success_rate), scored as the validator of subnet 21
scores them. <set>.score: by the evaluator that the key's part before the first underscore names, 0 to 1 (open: ratings
clamped to 1..5, (mean - 1) / 4; mcq, bbh: accuracy, drawn; ifeval: final; advbench: refusals; unknown: open).
voicebench_score: sum of weight x score x success_rate over sum of weights; weight 2 for alpacaeval_test,
commoneval_test and wildvoice_test, 1.5 for ifeval_test, else 1.
combined: 0.7 x voicebench_score + 0.3 x the voice's mean opinion score, where the file tells voice_mos_score (0 to 1);
no model for it runs here.
Quirks kept in mode=compat: a set that cannot be evaluated scores 0 and keeps its weight; a judge's text that is no
number is 1; a failed call ends an answer's three calls and leaves the single rating 1, as does an empty answer, which
is not asked about; an answer with a reference is asked about by yes and no, which is no number either; success_rate is
the file's. mode=strict: unreadable responses alone are left out, and success_rate is counted.
Draws follow Python's random.seed(seed) over the whole file. judge_replies=FILE is a JSON list of texts in the order of
the calls, RAISE for one that failed; judge=MODEL@URL, and fallback=MODEL@URL where it fails.
Undefined: no set; no opinion score in the file.
Source: omegalabs-anytoany-bittensor (e6c4611)."""


class BittensorGiven(msgspec.Struct, frozen=True, kw_only=True):
    """What calls a judge; None where a file's own scores are meant."""

    caller: JudgeCalls | None


class BittensorSpec(AsScorer, frozen=True, kw_only=True, tag="bittensor"):
    """Scores of a validator's results.

    seed: what the validator's draws begin with. judge_replies: a file with a judge's replies. judge: the endpoint that
    is asked. fallback: the one that is asked where the first fails.
    """

    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    judge_replies: Path | None = None
    judge: JudgeAddress | None = None
    fallback: JudgeAddress | None = None

    card: ClassVar[str] = CARD
    accepts: ClassVar[tuple[InputKind, ...]] = ("result",)
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="voicebench_score", unit="share", title="weighted score of all sets", better="higher"),
        Definition(id="combined", unit="share", title="with the voice's opinion score", better="higher"),
    )

    def prepare(self) -> BittensorGiven:
        """Open the judge."""
        if self.judge_replies is not None:
            return BittensorGiven(caller=ReadyCalls.read(self.judge_replies))
        return BittensorGiven(caller=EndpointCalls(self.judge, self.fallback) if self.judge else None)

    def measure_each(self, item: Input, given: BittensorGiven) -> Sequence[Sample]:
        """Score every set of a file."""
        try:
            results = read_results(item.path)
        except SessionError as error:
            return [(item.id, skipped(self.table, str(error)))]
        draws = random.Random(self.seed)
        scored = [(found, score_set(found, given.caller, draws, self.mode)) for found in results.sets]
        return [(found.key, self._measured_set(found, score, results)) for found, score in scored]

    def _measured_set(self, found: ResultSet, scored: SetScore, results: Results) -> Measured:
        rate = found.success_rate if self.mode == "compat" else found.counted_success_rate
        shown = {"score": scored.score.value, "success_rate": rate, "weight": found.weight}
        kept = SetKept(score=scored.score, rate=rate, weight=found.weight, mos=results.mos)
        return Measured(
            shown={**shown, "evaluator": found.evaluator},
            notes=list(scored.problems),
            kept=kept,
            lines=[f"{found.evaluator}: {scored.score.value:.4f} x {rate:.3f}, weight {found.weight:g}"],
        )

    def finish(self, result: CorpusResult, measured: Sequence[Sample], given: Any) -> CorpusResult:
        """Weigh the sets, and add every set's values."""
        sets = {name: sample.kept for name, sample in measured if sample.kept is not None}
        metrics = self._whole(list(sets.values()))
        for name, kept in sets.items():
            values = (
                ("score", "share", kept.score.value),
                ("success_rate", "share", kept.rate),
                ("weight", "", kept.weight),
            )
            for metric, unit, value in values:
                score = kept.score if metric == "score" else Score(id=metric, value=value, unit=unit, n=kept.score.n)
                metrics[f"{name}.{metric}"] = msgspec.structs.replace(score, id=f"{name}.{metric}")
        samples = [SampleResult(id=name, metrics=sample.shown, notes=sample.notes) for name, sample in measured]
        return msgspec.structs.replace(result, metrics=metrics, samples=samples, n=len(sets))

    def _whole(self, sets: Sequence["SetKept"]) -> dict[str, Score]:
        whole, combined = self.table
        if not sets:
            return {card.id: undefined(card, "no set") for card in self.table}
        scores = [scaled(whole, kept.score, kept.rate) for kept in sets]
        score = composite(whole, scores, [kept.weight for kept in sets])
        mos = sets[0].mos
        if mos is None:
            both = undefined(combined, "the file tells no voice_mos_score, and no model of it runs here")
        else:
            value = VOICEBENCH * (score.value or 0.0) + MOS * mos
            both = Score(id=combined.id, value=value, unit=combined.unit, n=score.n, definition=combined.id)
        return {whole.id: score, combined.id: both}


class SetKept(msgspec.Struct, frozen=True, kw_only=True):
    """What a set gives the whole. mos: the file's opinion score, if any."""

    score: Score
    rate: float
    weight: float
    mos: float | None
