"""Full-Duplex-Bench v1.5, significance: does the agent speak differently after overlaps it responds to?"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from metrics.compat.fdb.before_after import MEASURES, SPLIT_FILE, is_stand_in, split_sample
from metrics.compat.fdb.behavior import parse_tags, read_tags
from metrics.compat.fdb.paired import Outliers, PairedTest, holm, paired_test
from metrics.compat.fdb.scorer import FdbGiven, FdbScorer, OpenSample
from metrics.compat.judging import judge_of
from metrics.compat.measured import Measured
from metrics.compat.options import Names
from simulator.errors import SessionError
from simulator.score import Definition, Score
from simulator.scoring.corpus import CorpusResult
from simulator.scoring.inputs import InputKind
from simulator.scoring.judge import Judge, ask

RESPONDS = "C_RESPOND"
PAIRS = {"pre_vs_post": "pre", "clean_vs_post": "clean"}
FIELDS = tuple(name for name in PairedTest.__struct_fields__ if name != "reason")

Row = Mapping[str, float]

CARD = """\
Paired t tests (after minus before) of the before/after measures, over the samples tagged C_RESPOND:
pre_vs_post and clean_vs_post per measure, ids <pair>:<measure>.<field>. Rows with a words-per-minute of
0 are dropped; 0 (or -190 dB and less for mean_intensity) counts as missing. Outliers on the difference:
mad (3.5 x 1.4826 median deviations; none removed when that is 0), iqr (1.5 ranges beyond the quartiles)
or none. 95 % t interval; cohen_dz = mean / sd (ddof 1); p_adj = Holm over all tests.
metrics=a,b chooses the measures. The published usage is
wpm,mean_pitch,std_pitch,mean_intensity,std_intensity; without it every measure that the parts hold is
tested, pre_dur_s too. The original's text prints raw p.
compat and strict are the same. Values come from general_split.json, or are measured where it is missing.
Undefined: fewer than 2 pairs left (the original skips the test), or all differences alike.
Source: Full-Duplex-Bench v1.5, arXiv 2507.23159."""


class SignificanceSpec(FdbScorer, frozen=True, kw_only=True, tag="fdb:significance"):
    """Paired tests of prosody: before against after, and clean against after.

    judge_replies: a file with a judge's replies. outliers: which values are left out. metrics: the measures that are
    tested (default: all).
    """

    judge_replies: Path | None = None
    outliers: Outliers = "mad"
    metrics: Names = Names()

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = ()
    accepts: ClassVar[tuple[InputKind, ...]] = ("fdb",)
    extras: ClassVar[tuple[str, ...]] = ("behaviour", "row")

    def prepare(self) -> FdbGiven:
        """Read the options."""
        judge = judge_of(self.judge_replies, None, None, seed=None)
        return msgspec.structs.replace(FdbScorer.prepare(self), judge=judge)

    def measure_sample(self, sample: OpenSample) -> None:
        """Take the sample's row, if its agent responds to the overlap."""
        tags = read_tags(sample.files) if sample.given.judge is None else _judged_tags(sample, sample.given.judge)
        sample.measured.shown["behaviour"] = tags
        if RESPONDS in tags:
            sample.measured.shown["row"] = _row(sample)
        else:
            sample.measured.notes.append(f"not tagged {RESPONDS}: left out")

    def finish(self, result: CorpusResult, measured: Sequence[tuple[str, Measured]], _given: FdbGiven) -> CorpusResult:
        """Test the rows."""
        loaded = [sample.shown["row"] for _, sample in measured if sample.shown.get("row") is not None]
        rows = [row for row in loaded if not any(name.endswith("wpm") and row[name] == 0 for name in row)]
        counts = {"rows_loaded": len(loaded), "rows_after_wpm_filter": len(rows)}
        tests = self._tests(rows)
        cells = {name: Score(id=name, value=count, unit="rows", n=count) for name, count in counts.items()}
        for (pair, measure), test in tests.items():
            for name, field in ((f"{pair}:{measure}.{field}", field) for field in FIELDS):
                cells[name] = _cell(name, test, measure, field)
        return msgspec.structs.replace(result, n=len(loaded), metrics=cells)

    def _tests(self, rows: Sequence[Row]) -> dict[tuple[str, str], PairedTest]:
        columns = dict.fromkeys(name for row in rows for name in row)
        measures = self.metrics or tuple(name.removeprefix("pre_") for name in columns if name.startswith("pre_"))
        wanted = [
            (pair, measure)
            for measure in dict.fromkeys(measures)
            for pair, before in PAIRS.items()
            if self.metrics or {f"{before}_{measure}", f"post_{measure}"} <= set(columns)
        ]
        tests = [
            paired_test(_column(rows, PAIRS[pair], measure), _column(rows, "post", measure), self.outliers)
            for pair, measure in wanted
        ]
        return dict(zip(wanted, holm(tests), strict=True))


def _judged_tags(sample: OpenSample, judge: Judge) -> list[str]:
    verdict = ask(judge, sample.id, [], parse_tags, tries=1)
    if verdict.value is None:
        raise SessionError(verdict.problem or "no tag")
    return verdict.value


def _row(sample: OpenSample) -> dict[str, float]:
    """Give the sample's columns: pre_wpm, post_wpm, clean_wpm ..., pre_dur_s, post_dur_s; numbers only."""
    if SPLIT_FILE in sample.files.files:
        split = sample.files.read(SPLIT_FILE, dict[str, Any])
    else:
        sample.measured.notes.append(f"{SPLIT_FILE}: missing; measured")
        split = msgspec.to_builtins(split_sample(sample, as_original=True))
    row: dict[str, float] = {}
    for side in ("pre", "post", "clean"):
        part = split.get(side)
        if isinstance(part, dict):
            row |= {f"{side}_{name}": float(value) for name, value in part.items() if _is_number(value)}
    row |= {name: float(split[name]) for name in ("pre_dur_s", "post_dur_s") if _is_number(split.get(name))}
    return row


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _column(rows: Sequence[Row], side: str, measure: str) -> list[float]:
    """Give one column, NaN where a row lacks it or holds a stand-in for "nothing measured"."""
    values = [row.get(f"{side}_{measure}", math.nan) for row in rows]
    return [math.nan if measure in MEASURES and is_stand_in(measure, value) else value for value in values]


_PURE = {
    "n_raw": "pairs",
    "n_valid": "pairs",
    "n_used": "pairs",
    "n_dropped": "pairs",
    "t": "t",
    "df": "degrees",
    "p_t": "p",
    "p_adj": "p",
    "cohen_dz": "sd",
}


def _cell(name: str, test: PairedTest, measure: str, field: str) -> Score:
    value = getattr(test, field)
    unit = _PURE.get(field, MEASURES.get(measure, ""))
    reason = None if value is not None else test.reason
    return Score(id=name, value=value, unit=unit, n=test.n_used, reason=reason)
