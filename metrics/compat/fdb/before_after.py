"""Full-Duplex-Bench v1.5, before and after: the agent's rate, pitch and intensity around an overlap."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
import numpy as np

from metrics.compat.detection import at_detector_rate, detect
from metrics.compat.fdb.prosody import Spread, intensity, level, pitch, require_praat
from metrics.compat.fdb.samples import Chunk
from metrics.compat.fdb.scorer import FdbGiven, FdbScorer, OpenSample
from metrics.compat.measured import Measured
from simulator.engines.activity import DETECTOR_HZ, ActivitySettings
from simulator.errors import SessionError
from simulator.frame import Samples
from simulator.score import Definition
from simulator.scoring.inputs import InputKind

MEASURES = {
    "wpm": "words/min",
    "speech_dur_s": "s",
    "mean_pitch": "Hz",
    "std_pitch": "Hz",
    "mean_intensity": "dB",
    "std_intensity": "dB",
}
TRIMMING = ActivitySettings(min_speech_ms=60, min_silence_ms=50)
SPLIT_FILE = "general_split.json"

Part = dict[str, float]


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """What the original writes per sample (general_split.json); a part without sound is empty."""

    pre: dict[str, Any] = {}
    post: dict[str, Any] = {}
    split_t: float
    distractor_end: float
    pre_dur_s: float
    post_dur_s: float
    clean: dict[str, Any] = {}


CARD = """\
output.wav is split at the end of the overlap, moved to the start of the word that holds it or comes next
(to the last word's end when there is none). Words that end by then are `pre`, the others `post`; `clean`
is all of clean_output. Each part is cut to its speech (Silero, 60 ms speech, 50 ms silence; kept whole
without any). wpm: words over the span from the first start to the last end (speech_dur_s); pitch and
intensity by Praat (10 ms, 50 to 600 Hz; mean and standard deviation over voiced frames, ddof 1).
Corpus: mean of the values between the 5th and 95th percentile (all of them when fewer than 3).
A silent part has pitch 0 and 0 and intensity -200 dBFS, another scale than Praat's dB: strict leaves
both out. compat keeps them, and takes pitch and intensity from an existing general_split.json.
UTMOSv2 and SQUIM are left out (models that are no part of this program). Sessions: the first
interruption, backchannel or aside; no clean part.
Undefined: no overlap, a word without end (the original crashes), a part without sound.
Source: Full-Duplex-Bench v1.5, arXiv 2507.23159."""


class BeforeAfterSpec(FdbScorer, frozen=True, kw_only=True, tag="fdb:before_after"):
    """Speaking rate, pitch and intensity of the agent before and after the overlap.

    user_channel: of stereo recordings, 0 or 1.
    """

    user_channel: int = 0

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = tuple(
        Definition(id=f"{side}.{name}", unit=unit, title=f"{name} {when} the overlap", statistic="trimmed_mean")
        for side, when in (("pre", "before"), ("post", "after"))
        for name, unit in MEASURES.items()
    )
    accepts: ClassVar[tuple[InputKind, ...]] = ("fdb", "session", "wav")
    extras: ClassVar[tuple[str, ...]] = (
        *(f"clean.{name}" for name in MEASURES),
        "split_t",
        "distractor_end",
        "pre_dur_s",
        "post_dur_s",
    )

    def prepare(self) -> FdbGiven:
        """Read the options; ScenarioError when Praat is not installed."""
        require_praat()
        return FdbScorer.prepare(self)

    def measure_sample(self, sample: OpenSample) -> None:
        """Split the sample and measure its parts."""
        split = split_sample(sample, as_original=self.mode == "compat")
        sample.measured.written[SPLIT_FILE] = _as_original(split)
        end_s = split.split_t + split.post_dur_s
        for side, part, place_s in (
            ("pre", split.pre, (0.0, split.split_t)),
            ("post", split.post, (split.split_t, end_s)),
        ):
            for name in MEASURES:
                self._enter(sample.measured, f"{side}.{name}", part, name)
                sample.measured.place(f"{side}.{name}", *place_s, value=part.get(name))
        sample.measured.shown |= {f"clean.{name}": split.clean.get(name) for name in MEASURES}
        sample.measured.shown |= {
            "split_t": split.split_t,
            "distractor_end": split.distractor_end,
            "pre_dur_s": split.pre_dur_s,
            "post_dur_s": split.post_dur_s,
        }
        sample.measured.lines.append(
            f"overlap ends at {split.distractor_end:.3f} s, split at {split.split_t:.3f} s: "
            f"{split.pre_dur_s:.3f} s before, {split.post_dur_s:.3f} s after"
        )

    def _enter(self, measured: Measured, metric: str, part: Part, name: str) -> None:
        value = part.get(name)
        if value is None:
            measured.undefined([metric], f"the {metric.split('.', maxsplit=1)[0]} part holds no sound")
        elif self.mode == "strict" and is_stand_in(name, value):
            measured.undefined([metric], f"the {metric.split('.', maxsplit=1)[0]} part holds no speech to measure")
        else:
            measured.add(metric, value)


def is_stand_in(name: str, value: float) -> bool:
    """Say whether a value stands for "nothing measured": 0, or for mean intensity -190 dB and less."""
    return value <= -190 if name == "mean_intensity" else value == 0


def split_sample(sample: OpenSample, *, as_original: bool) -> Split:
    """Split a sample at its overlap and measure both parts, and its clean version where there is one.

    as_original: take pitch and intensity from an existing general_split.json; level in dBFS where Praat gives
    nothing.
    """
    if not sample.files.overlaps:
        raise SessionError("no overlap is marked (metadata.json)")
    words = sample.words().chunks
    before = _existing(sample) if as_original else {}
    measure = PartMeasure(notes=sample.measured.notes, level_instead=as_original)
    sound = _load(sample, "output.wav")
    duration_s = len(sound) / DETECTOR_HZ
    overlap_end = sample.files.overlaps[0][1]
    split_s = max(0.0, min(duration_s, split_moment(words, overlap_end)))
    cut = max(0, min(len(sound), round(split_s * DETECTOR_HZ)))
    pre = [word for word in words if _times(word)[1] <= split_s]
    post = [word for word in words if _times(word)[1] > split_s]
    return Split(
        pre=measure.part(sound[:cut], pre, before.get("pre")),
        post=measure.part(sound[cut:], post, before.get("post")),
        split_t=split_s,
        distractor_end=overlap_end,
        pre_dur_s=split_s,
        post_dur_s=max(0.0, duration_s - split_s),
        clean=_measure_clean(sample, measure, before.get("clean")),
    )


def split_moment(words: Sequence[Chunk], overlap_end: float) -> float:
    """Move the end of the overlap to a word: to the start of the first word that holds it or starts later."""
    timed = sorted((_times(word) for word in words), key=lambda times: times[0])
    if not timed:
        return overlap_end
    return next((start for start, end in timed if overlap_end < end or overlap_end < start), timed[-1][1])


class PartMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """How a part is measured. level_instead: intensity as a level in dBFS where Praat gives none."""

    notes: list[str]
    level_instead: bool

    def part(self, sound: Samples, words: Sequence[Chunk], existing: Part | None) -> Part:
        """Measure one part, float32 (n,) at 16 kHz; what `existing` has of pitch and intensity stays.

        A part without sound gets no measures of its own.
        """
        part: Part = dict(existing or {})
        if len(sound) == 0:
            return part
        speech = _only_speech(sound)
        part["wpm"], part["speech_dur_s"] = _rate(words)
        for name, measure in (("pitch", pitch), ("intensity", self._intensity)):
            if all(_is_number(part.get(f"{kind}_{name}")) for kind in ("mean", "std")):
                continue
            try:
                found = measure(speech, DETECTOR_HZ)
            except SessionError as error:
                self.notes.append(str(error))
                continue
            part[f"mean_{name}"], part[f"std_{name}"] = found.mean, found.std
        return part

    def _intensity(self, speech: Samples, rate: int) -> Spread:
        try:
            return intensity(speech, rate)
        except SessionError:
            if not self.level_instead:
                raise
            return level(speech, rate)


def _rate(words: Sequence[Chunk]) -> tuple[float, float]:
    """Give words per minute over their span, and the span in seconds; 0 and 0 without one."""
    if not words:
        return 0.0, 0.0
    span_s = max(0.0, _times(words[-1])[1] - _times(words[0])[0])
    return (len(words) / (span_s / 60) if span_s > 0 else 0.0), span_s


def _only_speech(sound: Samples) -> Samples:
    found = detect(sound, TRIMMING)
    return np.concatenate([sound[start:end] for start, end in found]) if found else sound


def _load(sample: OpenSample, name: str) -> Samples:
    """Give a sound file at 16 kHz, its channels averaged."""
    channels, rate = sample.files.sound(name)
    resampled = [at_detector_rate(channels[:, index], rate) for index in range(channels.shape[1])]
    return resampled[0] if len(resampled) == 1 else np.mean(resampled, axis=0, dtype=np.float32)


def _measure_clean(sample: OpenSample, measure: PartMeasure, existing: Part | None) -> Part:
    if not {"clean_output.wav", "clean_output.json"} <= sample.files.files:
        return dict(existing or {})
    words = sample.words("clean_output.json").chunks
    return measure.part(_load(sample, "clean_output.wav"), words, existing)


def _existing(sample: OpenSample) -> dict[str, Part]:
    if SPLIT_FILE not in sample.files.files:
        return {}
    try:
        found = sample.files.read(SPLIT_FILE, dict[str, Any])
    except SessionError as error:
        sample.measured.notes.append(str(error))
        return {}
    sample.measured.notes.append(f"{SPLIT_FILE}: pitch and intensity taken from it where it has them")
    return {side: part for side, part in found.items() if isinstance(part, dict)}


def _times(word: Chunk) -> tuple[float, float]:
    if word.start is None or word.end is None:
        raise SessionError(f"the word {word.text!r} has no {'start' if word.start is None else 'end'}")
    return word.start, word.end


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not math.isnan(value)


def _as_original(split: Split) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(split)
    if not split.clean:
        del plain["clean"]
    return plain
