"""VoiceBench's overall score: nine sets, each by its evaluator, from prediction files that are named after them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import msgspec

from metrics.compat.as_scorer import Sample
from metrics.compat.judging import JudgeAddress
from metrics.compat.measured import Measured, skipped
from metrics.compat.prediction_rows import PredictionRow, read_rows
from metrics.compat.row_scorer import RowScorer
from metrics.compat.subsets import composite, pooled_rows, scaled
from metrics.compat.voicebench.bbh import BbhSpec
from metrics.compat.voicebench.harm import HarmSpec
from metrics.compat.voicebench.ifeval import IfevalSpec, final_score
from metrics.compat.voicebench.judged import JudgedScorer
from metrics.compat.voicebench.mcq import McqSpec
from metrics.compat.voicebench.open import OpenSpec
from metrics.compat.voicebench.qa import QaSpec
from simulator.datasets.voicebench import SPLITS
from simulator.errors import SessionError
from simulator.score import Definition, Score, undefined, value_of
from simulator.scoring.corpus import CorpusResult, SampleResult
from simulator.scoring.inputs import Input
from simulator.session import Session


class Subset(NamedTuple):
    """How a set is scored: its evaluator, and by what its value is multiplied to lie between 0 and 100."""

    evaluator: type[RowScorer]
    scale: float


NINE = {
    "alpacaeval_full": Subset(OpenSpec, 20),
    "commoneval": Subset(OpenSpec, 20),
    "wildvoice": Subset(OpenSpec, 20),
    "sd-qa": Subset(QaSpec, 1),
    "mmsu": Subset(McqSpec, 1),
    "openbookqa": Subset(McqSpec, 1),
    "bbh": Subset(BbhSpec, 1),
    "ifeval": Subset(IfevalSpec, 100),
    "advbench": Subset(HarmSpec, 100),
}
BESIDE = {"alpacaeval": Subset(OpenSpec, 20), "alpacaeval_speaker": Subset(OpenSpec, 20)}
"""Sets that have an evaluator and are not in the overall score."""
SUBSETS = {**NINE, **BESIDE}
ACCENT = "usa"

_NAMED = re.compile(rf"(?:^|-)({'|'.join(sorted(SUBSETS, key=len, reverse=True))})(?:-([^-]+))?(?:-[^-]+)?$")

CARD = """\
The files of one model, named MODEL-SUBSET-SPLIT-MODALITY.jsonl as VoiceBench names them (result-... where a judge has
written its scores), each scored by its set's evaluator and brought to 0..100: alpacaeval_full, commoneval, wildvoice
20 x gpt; sd-qa (panda + gpt) / 2; mmsu, openbookqa, bbh acc; ifeval 100 x final; advbench 100 x refusal_rate.
overall: the plain mean of the nine. Where a set is missing or undefined there is none, and the reason says which.
mmsu: all rows of its domains together (which of the twelve are missing is told). sd-qa: of several accents usa alone,
as on the leaderboard; without PEDANT (see voicebench:qa) it is undefined. acc is the expected accuracy, where the
original draws. Sets beside the nine (alpacaeval, alpacaeval_speaker) have their value and do not count.
judge=MODEL@URL asks about rows without a score. mode=strict: as the evaluators have it.
The interval of overall: the sets' half widths add up in squares.
Source: VoiceBench (arXiv 2410.17196), its leaderboard."""


class OverallSpec(RowScorer, frozen=True, kw_only=True, tag="voicebench"):
    """The mean of nine sets.

    judge: the endpoint that is asked.
    """

    judge: JudgeAddress | None = None

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = tuple(
        Definition(id=name, unit="0-100", title=title, statistic="fmean", better="higher")
        for name, title in (("overall", "mean of nine sets"), *((name, f"set {name}") for name in NINE))
    )

    def prepare(self) -> dict[str, Any]:
        """Make every set's evaluator, with what its own options give; sets of one evaluator share both."""
        evaluators = [self._evaluator(kind) for kind in dict.fromkeys(subset.evaluator for subset in SUBSETS.values())]
        ready = {type(evaluator): (evaluator, evaluator.prepare()) for evaluator in evaluators}
        return {name: ready[subset.evaluator] for name, subset in SUBSETS.items()}

    def _evaluator(self, kind: type[RowScorer]) -> RowScorer:
        common: dict[str, Any] = {"mode": self.mode, "seed": self.seed, "answer": self.answer}
        return kind(**common, judge=self.judge) if issubclass(kind, JudgedScorer) else kind(**common)

    def measure_each(self, item: Input, given: Mapping[str, Any]) -> Sequence[Sample]:
        """Measure a file by its set's evaluator."""
        if item.kind != "predictions":
            return super().measure_each(item, given)
        found = _NAMED.search(item.path.stem.removeprefix("result-"))
        if found is None:
            reason = f"{item.path.name}: names no set; it is called MODEL-SUBSET-SPLIT-MODALITY.jsonl, SUBSET one of "
            return self.refused(item, reason + ", ".join(SUBSETS), given)
        try:
            rows = read_rows(item.path)
        except SessionError as error:
            return self.refused(item, str(error), given)
        place = SetPlace(found[1], found[2] or "")
        scorer, own = given[place.subset]
        samples = scorer.measure_rows(rows, own, item.path)
        return [(f"{item.path.stem}/{name}", _kept(sample, place)) for name, sample in samples]

    def measure_session(self, session: Session, given: Mapping[str, Any]) -> Measured:
        """Measure a session by the evaluator of the set that its sample is of."""
        sample = session.meta.sample
        place = SetPlace(str(sample.get("subset", "")), str(sample.get("split", "")))
        if place.subset not in SUBSETS:
            return skipped(self.table, "its sample is of no set of VoiceBench")
        scorer, own = given[place.subset]
        measured = _kept(scorer.measure_session(session, own), place)
        value = _value_of(scorer, measured, SUBSETS[place.subset].scale)
        if value is not None:
            measured.add(place.subset, value)
        return measured

    def measure_row(self, row: PredictionRow, file: Any) -> Measured:
        """Rows are measured by the sets' evaluators."""
        raise NotImplementedError

    def finish(self, result: CorpusResult, measured: Sequence[Sample], given: Mapping[str, Any]) -> CorpusResult:
        """Pool every set, and all nine."""
        if self.write is not None:
            self.write_rows(self.write, measured)
        rows: dict[str, list[Measured]] = {}
        for _, sample in measured:
            if not sample.skipped:
                rows.setdefault(sample.kept.subset, []).append(sample)
        told = _told(rows)
        if len({sample.kept.split for sample in rows.get("sd-qa", [])}) > 1:
            rows["sd-qa"] = [row for row in rows["sd-qa"] if row.kept.split == ACCENT] or rows["sd-qa"]
        metrics = {card.id: self._value(card, rows.get(card.id, []), given) for card in self.table[1:]}
        beside = [name for name in rows if name in BESIDE]
        for name in beside:
            card = msgspec.structs.replace(self.table[1], id=name, title=f"set {name}")
            metrics[name] = self._value(card, rows[name], given)
        missing = [name for name in NINE if metrics[name].value is None]
        overall = self.table[0]
        whole = (
            undefined(overall, f"missing: {', '.join(missing)}")
            if missing
            else composite(overall, [metrics[name] for name in NINE])
        )
        samples = [_shown(name, sample) for name, sample in measured]
        return msgspec.structs.replace(
            result,
            metrics={"overall": whole, **metrics},
            samples=samples,
            told=[*result.told, *told],
            n=len(result.samples) - result.unusable,
        )

    def _value(self, card: Definition, rows: Sequence[Measured], given: Mapping[str, Any]) -> Score:
        if not rows:
            return undefined(card, "no file of this set")
        scorer, _ = given[card.id]
        scores = pooled_rows(scorer.table, rows)
        if isinstance(scorer, QaSpec):
            return composite(card, [scores["gpt"], scores["panda"]])
        if isinstance(scorer, IfevalSpec):
            scores["final"] = final_score(scorer.table[-1], scores, rows)
        return scaled(card, scores[_VALUES[type(scorer)]], SUBSETS[card.id].scale)


def _value_of(scorer: RowScorer, measured: Measured, scale: float) -> float | None:
    """Give one row's value, 0 to 100, by which a set's mean over sessions is told."""
    names = ("gpt", "panda") if isinstance(scorer, QaSpec) else (_VALUES[type(scorer)],)
    cards = [card for card in scorer.table if card.id in names]
    values = [value_of(card, measured.parts.get(card.id, {})) for card in cards]
    known = [value for value in values if value is not None]
    return scale * sum(known) / len(known) if len(known) == len(names) else None


_VALUES: dict[type[RowScorer], str] = {
    OpenSpec: "gpt",
    McqSpec: "acc",
    BbhSpec: "acc",
    IfevalSpec: "final",
    HarmSpec: "refusal_rate",
}


class SetPlace(NamedTuple):
    """Where a row belongs."""

    subset: str
    split: str


def _kept(measured: Measured, place: SetPlace) -> Measured:
    measured.kept = place
    return measured


def _told(rows: Mapping[str, Sequence[Measured]]) -> list[str]:
    """Say which domains of mmsu are missing, and which accent of sd-qa counts."""
    told: list[str] = []
    domains = {row.kept.split for row in rows.get("mmsu", [])}
    missing = [domain for domain in SPLITS["mmsu"] if domain not in domains]
    if domains & set(SPLITS["mmsu"]) and missing:
        told.append(f"mmsu: without {', '.join(missing)}")
    accents = {row.kept.split for row in rows.get("sd-qa", [])}
    if len(accents) > 1 and ACCENT in accents:
        told.append(f"sd-qa: {ACCENT} alone counts, of {', '.join(sorted(accents))}")
    return told


def _shown(name: str, measured: Measured) -> SampleResult:
    shown = dict(measured.shown) if measured.kept is None else {"subset": measured.kept.subset, **measured.shown}
    return SampleResult(id=name, metrics=shown, notes=measured.notes)
