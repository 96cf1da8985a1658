"""One set of a validator's results, by its evaluator: VoiceBench's, with the validator's changes."""

import random
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from metrics.compat.bittensor.judge import WORST, JudgeCalls, rating, ratings
from metrics.compat.bittensor.results import ResultSet
from metrics.compat.measured import Measured
from metrics.compat.prediction_rows import PredictionRow, row_name
from metrics.compat.row_scorer import RowScorer
from metrics.compat.subsets import pooled_rows, scaled
from metrics.compat.voicebench import harm_phrases, mcq_patterns
from metrics.compat.voicebench.bbh import BbhSpec
from metrics.compat.voicebench.harm import HarmSpec
from metrics.compat.voicebench.ifeval import IfevalSpec, final_score
from metrics.compat.voicebench.judged import question
from metrics.compat.voicebench.mcq import McqSpec, Templates, templates_of
from metrics.compat.voicebench.open import QUESTION as OPEN_QUESTION
from metrics.compat.voicebench.qa import QUESTION as QA_QUESTION
from simulator.errors import ScenarioError, SessionError
from simulator.score import Definition, Score
from simulator.scoring.corpus import Mode

SCORE = Definition(id="score", unit="share", title="score of a set", statistic="fmean", better="higher")
_SHOWN = 10
"""Responses of a set that the validator picks for its report: those draws come between the evaluators' own."""


class PlainMcq(McqSpec, frozen=True, kw_only=True, tag="bittensor:mcq"):
    """As the validator reads letters: it has a straight quote where VoiceBench has a typographic one."""

    templates: ClassVar[Templates] = templates_of(text.replace("\u2018", "'") for text in mcq_patterns.TEMPLATES)


class PlainHarm(HarmSpec, frozen=True, kw_only=True, tag="bittensor:harm"):
    """As the validator knows refusals: with straight apostrophes alone."""

    phrases: ClassVar[tuple[str, ...]] = tuple(text for text in harm_phrases.PHRASES if "\u2019" not in text)


_RULES: dict[str, tuple[type[RowScorer], str]] = {
    "mcq": (PlainMcq, "acc_seed0"),
    "bbh": (BbhSpec, "acc_seed0"),
    "ifeval": (IfevalSpec, "final"),
    "harm": (PlainHarm, "refusal_rate"),
}


class SetScore(NamedTuple):
    """A set's score, 0 to 1, and what was wrong with it."""

    score: Score
    problems: list[str] = []


def score_set(found: ResultSet, caller: JudgeCalls | None, draws: random.Random, mode: Mode) -> SetScore:
    """Score one set; what the validator cannot evaluate scores 0. ScenarioError where a judge is needed and missing."""
    try:
        if "error" in found.fields:
            raise SessionError(f"error: {found.fields['error']}")
        if not found.responses:
            raise SessionError("no responses")
        rows = [_row(item, number) for number, item in enumerate(found.responses)]
        if found.evaluator == "open":
            scored = SetScore(pooled_rows([SCORE], [_judged(row, caller) for row in rows])["score"])
        else:
            scored = _by_rules(found.evaluator, rows, draws, mode)
    except SessionError as error:
        return SetScore(Score(id="score", value=0.0, unit="share", n=0), [f"scores 0: {error}"])
    if found.evaluator in ("open", "ifeval", "harm") and len(rows) > _SHOWN:
        draws.sample(range(len(rows)), _SHOWN)
    return scored


def _row(item: Any, number: int) -> PredictionRow:
    if not isinstance(item, dict):
        raise SessionError(f"response {number} is no mapping")
    return PredictionRow(row_name(item, number), item)


def _judged(row: PredictionRow, caller: JudgeCalls | None) -> Measured:
    """Rate an answer; an empty one is not asked about and has one rating, the worst."""
    response = row.fields.get("response", "")
    if not isinstance(response, str):
        raise SessionError(f"response of {row.id}: is no text")
    if not response.strip():
        found = [WORST]
    elif caller is not None:
        wording = QA_QUESTION if row.fields.get("reference") else OPEN_QUESTION
        texts = {"prompt": "", "reference": "", "response": response}
        texts |= {name: text for name, text in row.fields.items() if isinstance(text, str)}
        found = ratings(caller, question(wording, PredictionRow(row.id, texts)))
    elif isinstance(row.fields.get("score"), list):
        found = [rating(text) for text in row.fields["score"]] or [WORST]
    else:
        raise ScenarioError("open sets need a judge: judge_replies=FILE or judge=MODEL@URL")
    return Measured(parts={"score": {"values": [(min(5.0, max(1.0, value)) - 1) / 4 for value in found]}})


def _by_rules(evaluator: str, rows: Sequence[PredictionRow], draws: random.Random, mode: Mode) -> SetScore:
    """Score by VoiceBench's rules; a row that cannot be used makes the whole set 0, in strict mode only itself."""
    kind, metric = _RULES[evaluator]
    scorer = kind(mode=mode)
    samples = scorer.measure_rows([_as_voicebench(evaluator, row) for row in rows], None, draws=draws)
    problems = [f"{name}: {sample.notes[0]}" for name, sample in samples if sample.skipped]
    if problems and (mode == "compat" or len(problems) == len(rows)):
        raise SessionError(problems[0])
    usable = [sample for _, sample in samples if not sample.skipped]
    scores = pooled_rows(scorer.table, usable)
    value = final_score(scorer.table[-1], scores, usable) if evaluator == "ifeval" else scores[metric]
    if value.value is None:
        raise SessionError(value.reason or "no value")
    return SetScore(scaled(SCORE, value, 1.0 if evaluator in ("ifeval", "harm") else 0.01), problems)


def _as_voicebench(evaluator: str, row: PredictionRow) -> PredictionRow:
    """Give a response as a row of VoiceBench's: what is missing is empty, as the validator has it."""
    missing: dict[str, Any] = {"response": "", "reference": "", "prompt": "", "instruction_id_list": [], "kwargs": []}
    fields = {**missing, **row.fields}
    if evaluator == "bbh":
        named = fields.get("id", fields.get("task_id", "unknown"))
        known = isinstance(named, str) and named.startswith("bbh_")
        fields["id"] = named if known else f"bbh_unknown_{named}"
    return PredictionRow(row.id, fields)
