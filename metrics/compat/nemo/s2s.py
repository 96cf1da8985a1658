"""The `nemo_s2s` scorer: NeMo's speech-to-speech demo scores, on its results folders or on our sessions."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from metrics.compat.as_scorer import AsScorer
from metrics.compat.judging import judge_of, read_instruction
from metrics.compat.measured import Measured, skipped
from metrics.compat.nemo.comparison import compared
from metrics.compat.nemo.corpus import Records, judged, scored_row, write_files
from metrics.compat.nemo.judge import QUESTION
from metrics.compat.nemo.rows import NemoRow, read_rows, results_file
from metrics.compat.nemo.sample import (
    HeardSides,
    NemoGiven,
    Settings,
    eval_metrics,
    hear,
    heard_row,
    kept_sample,
    session_alignment,
)
from metrics.compat.nemo.table import CARD, COLUMNS, measured
from metrics.compat.nemo.turns import TurnLimits
from metrics.compat.options import SegmentSides, TextSides, read_segments, read_texts
from metrics.compat.two_sided import SpeechFinder
from simulator.engines.activity import ActivitySettings
from simulator.errors import ScenarioError, SessionError
from simulator.score import Definition
from simulator.scoring.comparing import FolderComparison
from simulator.scoring.corpus import CorpusResult
from simulator.scoring.inputs import Input, InputKind, open_session
from simulator.session import Session
from simulator.spec import Convert

FLAGS = (
    "barge_in_threshold_sec",
    "tt_latency_threshold_sec",
    "tt_precision_buffer_sec",
    "tt_recall_buffer_sec",
    "end_time",
    "vad_min_silence_duration_ms",
    "segment_buffer_sec",
    "disable_transcription",
    "use_audio_segmentation",
    "force_recompute",
)


class EndTimes(tuple[float, ...]):
    """Times in seconds, written `[1,10]`, `1,10` or as a list; `none` for none."""

    __slots__ = ()

    @classmethod
    def __decode__(cls, value: object, convert: Convert) -> "EndTimes":
        if isinstance(value, str):
            text = value.strip()
            if text.lower() == "none":
                return cls()
            text = text[1:-1] if text.startswith("[") and text.endswith("]") else text
            value = [part for part in text.split(",") if part.strip()]
        if isinstance(value, int | float):
            value = [value]
        if not isinstance(value, list):
            raise ValueError(f"expected times such as [1,10.5]; found {value!r}")
        try:
            return cls(float(time) for time in value)
        except (TypeError, ValueError):
            raise ValueError(f"expected times such as [1,10.5]; found {value!r}") from None

    def __encode__(self) -> list[float]:
        return list(self)


class NemoS2sSpec(AsScorer, frozen=True, kw_only=True, tag="nemo_s2s"):
    """NeMo's speech-to-speech demo scores; the flags of its scorer keep their names and defaults.

    segments, texts: instead of detection and recognition. judge_replies: ready replies; judge_model and judge_url: an
    OpenAI-compatible endpoint, judge_key_env the variable with its key, prompt_suffix what its questions end with.
    instruction: the judge's question, with {conversation} in it. write: takes metrics.json, output_with_eval.jsonl,
    llm_judge_input.jsonl, and eval-results/ as NeMo-Skills has it. barge_in_threshold_sec: in seconds, so soon an agent
    must stop. tt_latency_threshold_sec: in seconds, so soon it must answer. tt_precision_buffer_sec,
    tt_recall_buffer_sec: in seconds, what an answer's edges may be off by. end_time: ends of the user's backchannels,
    in seconds. vad_min_silence_duration_ms: shorter silences, in ms, are no ends of a segment. segment_buffer_sec: in
    seconds, around each segment that is recognised. disable_transcription: no recognition. use_audio_segmentation:
    segments from the sound, not from what the model tells. force_recompute: what is kept is computed anew. judge_tries:
    how often a judge is asked until its reply can be read. judge_key_env: the variable with its key. prompt_suffix:
    what its questions end with. user_channel: of stereo recordings, 0 or 1.
    """

    barge_in_threshold_sec: float = 1.5
    tt_latency_threshold_sec: float = 1.5
    tt_precision_buffer_sec: float = 0.5
    tt_recall_buffer_sec: float = 0.5
    end_time: EndTimes | None = None
    vad_min_silence_duration_ms: Annotated[int, msgspec.Meta(ge=0)] = 1500
    segment_buffer_sec: float = 0.5
    disable_transcription: bool = False
    use_audio_segmentation: bool = False
    force_recompute: bool = False
    segments: Path | None = None
    texts: Path | None = None
    judge_replies: Path | None = None
    judge_model: str | None = None
    judge_url: str | None = None
    judge_tries: Annotated[int, msgspec.Meta(ge=1)] = 5
    judge_key_env: str | None = None
    prompt_suffix: str = ""
    instruction: Path | None = None
    user_channel: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0

    card: ClassVar[str] = CARD
    accepts: ClassVar[tuple[InputKind, ...]] = ("nemo", "session", "wav")
    table: ClassVar[tuple[Definition, ...]] = COLUMNS

    def prepare(self) -> Records:
        """Read what the options name and open the judge."""
        return Records(
            segments=read_segments(self.segments),
            texts=read_texts(self.texts),
            judge=judge_of(
                self.judge_replies,
                self.judge_model,
                self.judge_url,
                seed=None,
                suffix=self.prompt_suffix,
                key_env=self.judge_key_env,
            ),
            wording=read_instruction(self.instruction) or QUESTION,
        )

    def measure_each(self, item: Input, given: Records) -> Sequence[tuple[str, Measured]]:
        """Measure every row of a results folder, or one session."""
        if item.kind != "nemo":
            return [self._measure_input(item, given)]
        try:
            file = results_file(item.path, anew=self.force_recompute)
            found = [self._measure_row(row, item, given) for row in read_rows(file)]
        except SessionError as error:
            return self.refused(item, str(error), given)
        return found or self.refused(item, f"{file}: holds no rows", given)

    def refused(self, item: Input, reason: str, given: Records) -> Sequence[tuple[str, Measured]]:
        """Keep the place of an input that holds no sample."""
        given.rows.append(None)
        return [(given.places.add_unreadable(item, reason), skipped(self.table, reason))]

    def measure_session(self, session: Session, given: Records) -> Measured:
        """Measure one session of ours; what the agent meant to say is known where its words are."""
        heard = self._hear_session(session, session.id, given)
        return measured(heard, eval_metrics(heard.sample, self._settings), self._settings)

    def finish(
        self,
        result: CorpusResult,
        measured: Sequence[tuple[str, Measured]],
        given: Records,
    ) -> CorpusResult:
        """Name the samples apart, ask the judge, write the original's files."""
        result = given.places.named_apart(result)
        if given.judge is not None:
            result = judged(result, given, tries=self.judge_tries, strict=self.mode == "strict")
        if self.write is not None:
            flags = {name: getattr(self, name) for name in FLAGS}
            table = write_files(self.write, result, given, flags, self.write.resolve().name)
            result = msgspec.structs.replace(result, told=[*result.told, *table])
        return result

    def compare_folders(self, written: Sequence[str]) -> FolderComparison:
        """Write the fork's comparison report of `eval-results/` folders, here or on other machines."""
        return compared(written)

    def _measure_input(self, item: Input, given: Records) -> tuple[str, Measured]:
        def listen() -> HeardSides:
            return self._hear_session(open_session(item, self.user_channel), item.id, given)

        return self._attempt(given, given.places.add(item, item.id), None, listen)

    def _measure_row(self, row: NemoRow | str, item: Input, given: Records) -> tuple[str, Measured]:
        if isinstance(row, str):
            place, _, problem = row.partition(": ")
            given.rows.append(None)
            return given.places.add(item, place), skipped(self.table, problem)

        def listen() -> HeardSides:
            if row.is_kept and not self.force_recompute:
                return kept_sample(row, strict=self.mode == "strict")
            return heard_row(row, item.path, self._given(row.id, given, recognize=True), self._settings)

        return self._attempt(given, given.places.add(item, row.id), row, listen)

    def _attempt(
        self, given: Records, name: str, row: NemoRow | None, listen: Callable[[], HeardSides]
    ) -> tuple[str, Measured]:
        try:
            heard = listen()
        except (SessionError, ScenarioError) as error:
            given.rows.append(None)
            return name, skipped(self.table, str(error))
        metrics = eval_metrics(heard.sample, self._settings)
        given.rows.append(scored_row(name, row, heard, metrics))
        return name, measured(heard, metrics, self._settings)

    def _hear_session(self, session: Session, name: str, given: Records) -> HeardSides:
        alignment = session_alignment(session)
        recognize = bool(alignment) or given.judge is not None or self.write is not None
        return hear(session, alignment, (), self._given(name, given, recognize=recognize))

    def _given(self, name: str, given: Records, *, recognize: bool) -> NemoGiven:
        ears = SpeechFinder(ActivitySettings(min_silence_ms=self.vad_min_silence_duration_ms))
        segments, texts = given.segments.get(name, SegmentSides()), given.texts.get(name, TextSides())
        return NemoGiven(ears, segments, texts, recognize and not self.disable_transcription)

    @property
    def _settings(self) -> Settings:
        return Settings(
            limits=TurnLimits(self.tt_latency_threshold_sec, self.tt_precision_buffer_sec, self.tt_recall_buffer_sec),
            barge_in_s=self.barge_in_threshold_sec,
            backchannel_ends_s=self.end_time or (),
            buffer_s=self.segment_buffer_sec,
            by_detection=self.use_audio_segmentation,
            strict=self.mode == "strict",
        )
