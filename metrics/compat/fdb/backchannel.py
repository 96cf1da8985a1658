"""Full-Duplex-Bench v1.0, backchannel: how often and where the agent says short things meanwhile."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from metrics.compat.detection import Spans, at_detector_rate, detect, to_seconds
from metrics.compat.fdb.samples import Chunk
from metrics.compat.fdb.scorer import FdbGiven, FdbScorer, OpenSample
from metrics.compat.options import read_json_option
from simulator.engines.activity import DETECTOR_HZ
from simulator.errors import ScenarioError, SessionError
from simulator.frame import Samples
from simulator.score import Definition
from simulator.scoring.inputs import InputKind

LONGEST_S = 3.0
SHORT_S = 1.0
MOST_WORDS = 2
BIN_S = 0.2
EPSILON = 1e-10
SILENT_JSD = 1.0


class Backchannels(msgspec.Struct, kw_only=True):
    """What the walk over the segments found: spans listed as backchannels, words in each, takeover."""

    spans: Spans = []
    words: list[int] = []
    takeover: bool = False


CARD = """\
The agent's speech segments (Silero's defaults on output.wav) are walked in order. One longer than 3 s is
a takeover (and ends the walk in compat). A shorter one is listed as a backchannel; it is a takeover unless it
is under 1 s with at most 2 words overlapping it. tor: share of samples with a takeover; freq_hz: listed per
second of sound; jsd: Jensen-Shannon distance between the listed segments in bins of 0.2 s and the human
distribution of gt=FILE.
compat: the sound is taken to be at 16 kHz whatever its rate (a 24 kHz file is heard 1.5 times slow);
segment times are rounded to 0.1 s; each later segment overwrites the verdict of the one before; segments
judged a takeover stay listed; the distance has base e (at most 0.83), and 1 stands for a silent agent
(reason: sentinel); folders whose name is no number are left out.
strict: resampled to 16 kHz first, times unrounded, any takeover counts, only the others are listed, base
2 (0 to 1), and no distance for a silent agent.
tor_std, freq_hz_std, jsd_std: population standard deviations. Sessions: the whole session is one sample.
Undefined: stereo sound (the original crashes); jsd without gt=FILE or without the sample's id in it.
Source: Full-Duplex-Bench, arXiv 2503.04721."""


class FdbBackchannelSpec(FdbScorer, frozen=True, kw_only=True, tag="fdb:backchannel"):
    """Takeover, frequency and timing of the agent's backchannels.

    user_channel: of stereo recordings, 0 or 1. gt: a JSON file with the human distribution of each sample.
    """

    user_channel: int = 0
    gt: Path | None = None

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="tor", unit="share", title="takeover while the user talks", better="lower"),
        Definition(id="freq_hz", unit="1/s", title="backchannels per second", better="higher"),
        Definition(id="jsd", unit="distance", title="distance from human backchannel timing", better="lower"),
        Definition(id="tor_std", of="tor", unit="share", title="its standard deviation", statistic="std"),
        Definition(id="freq_hz_std", of="freq_hz", unit="1/s", title="its standard deviation", statistic="std"),
        Definition(id="jsd_std", of="jsd", unit="distance", title="its standard deviation", statistic="std"),
    )
    accepts: ClassVar[tuple[InputKind, ...]] = ("fdb", "session", "wav")
    extras: ClassVar[tuple[str, ...]] = ("vad_segments", "predicted", "words_per_segment")

    def prepare(self) -> FdbGiven:
        """Read the options; ScenarioError when gt=FILE is not a distribution per sample id."""
        given = FdbScorer.prepare(self)
        return given if self.gt is None else msgspec.structs.replace(given, reference=_read_gt(self.gt))

    def measure_sample(self, sample: OpenSample) -> None:
        """Walk the agent's segments."""
        if self.mode == "compat" and sample.in_root and not sample.folder_name.isdigit():
            raise SessionError(f"{sample.folder_name}: not a number; the original leaves such folders out")
        samples, rate = sample.mono("output.wav")
        segments = self._segments(sample, samples, rate)
        chunks = sample.words().chunks if self._needs_words(segments) else ()
        found = (walk_as_original if self.mode == "compat" else walk_strictly)(segments, chunks)
        duration_s = len(samples) / rate
        sample.measured.shown |= {
            "vad_segments": segments,
            "predicted": found.spans,
            "words_per_segment": found.words,
        }
        sample.measured.add("tor", float(found.takeover))
        sample.measured.add("freq_hz", len(found.spans) / duration_s)
        self._measure_jsd(sample, found.spans, duration_s)
        for (start, end), count in zip(found.spans, found.words, strict=True):
            sample.measured.lines.append(f"backchannel from {start:.3f} to {end:.3f} s, {count} words")
            for metric in ("freq_hz", "jsd"):
                sample.measured.place(metric, start, end, "backchannel")
        sample.measured.lines.append("takeover" if found.takeover else "no takeover")

    def _segments(self, sample: OpenSample, samples: Samples, rate: int) -> Spans:
        sides = sample.given.segments.get(sample.id)
        if sides is not None and sides.agent is not None:
            return list(sides.agent)
        if self.mode == "strict":
            return to_seconds(detect(at_detector_rate(samples, rate)))
        if rate != DETECTOR_HZ:
            sample.measured.notes.append(f"output.wav: {rate} Hz, heard as if it were {DETECTOR_HZ} Hz")
        length_s = len(samples) / DETECTOR_HZ
        return [(round(start, 1), min(round(end, 1), length_s)) for start, end in to_seconds(detect(samples))]

    def _needs_words(self, segments: Spans) -> bool:
        walked = segments[:1] if self.mode == "compat" else segments
        return any(end - start <= LONGEST_S for start, end in walked)

    def _measure_jsd(self, sample: OpenSample, spans: Spans, duration_s: float) -> None:
        if sample.given.reference is None:
            sample.measured.undefined(["jsd"], "no reference distribution is given (gt=FILE)")
            return
        human = sample.given.reference.get(sample.id) or sample.given.reference.get(sample.folder_name)
        if human is None:
            sample.measured.notes.append("gt: holds no distribution for this sample")
            sample.measured.undefined(["jsd"], "gt holds no distribution for the sample")
        elif spans:
            distance = timing_distance(spans, human, duration_s)
            sample.measured.add("jsd", distance if self.mode == "compat" else distance / math.sqrt(math.log(2)))
        elif self.mode == "compat":
            sample.measured.add("jsd", SILENT_JSD)
            sample.measured.sentinels.add("jsd")
            sample.measured.notes.append("jsd: 1 stands for an agent without backchannels (sentinel)")
        else:
            sample.measured.undefined(["jsd"], "the agent says no backchannel")


def walk_as_original(segments: Sequence[tuple[float, float]], chunks: Sequence[Chunk]) -> Backchannels:
    """Walk the segments as the original does: the last verdict wins, and takeovers stay listed."""
    found = Backchannels()
    for start, end in segments:
        if end - start > LONGEST_S:
            found.takeover = True
            break
        count = words_over(start, end, chunks)
        found.takeover = not (count <= MOST_WORDS and end - start < SHORT_S)
        found.spans.append((start, end))
        found.words.append(count)
    return found


def walk_strictly(segments: Sequence[tuple[float, float]], chunks: Sequence[Chunk]) -> Backchannels:
    """Walk all segments; any takeover is one, and only what is none is a backchannel."""
    found = Backchannels()
    for start, end in segments:
        count = words_over(start, end, chunks)
        if end - start < SHORT_S and count <= MOST_WORDS:
            found.spans.append((start, end))
            found.words.append(count)
        else:
            found.takeover = True
    return found


def words_over(start: float, end: float, chunks: Sequence[Chunk]) -> int:
    """Count the words that lie in a segment or reach over one of its ends; a word without end is a moment."""
    return sum(_touches(chunk.start, chunk.end, start, end) for chunk in chunks)


def _touches(word_start: float | None, word_end: float | None, start: float, end: float) -> bool:
    if word_start is None or (word_end is None and word_start < end):
        return False
    last = word_start if word_end is None else word_end
    inside = word_start >= start and last <= end
    over_end = word_start <= end < last
    over_start = word_start <= start < last
    return inside or over_end or over_start


def timing_distance(spans: Sequence[tuple[float, float]], human: Sequence[float], duration_s: float) -> float:
    """Give the Jensen-Shannon distance (root, natural log) of spans from a human distribution, 0.2 s bins."""
    counts = np.zeros(int(duration_s / BIN_S) + 1)
    for start, end in spans:
        counts[int(start / BIN_S) : int(end / BIN_S) + 1] += 1
    counts += EPSILON
    places = np.linspace(0, 1, len(counts))
    wanted = np.interp(places, np.linspace(0, 1, len(human)), human)
    return _jensen_shannon(counts / counts.sum(), wanted / wanted.sum())


def _jensen_shannon(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    middle = (left + right) / 2
    return math.sqrt(max(0.0, (_divergence(left, middle) + _divergence(right, middle)) / 2))


def _divergence(of: NDArray[np.float64], to: NDArray[np.float64]) -> float:
    some = of > 0
    return float(np.sum(of[some] * np.log(of[some] / to[some])))


_Distribution = Annotated[list[Annotated[float, msgspec.Meta(ge=0)]], msgspec.Meta(min_length=1)]


def _read_gt(path: Path) -> dict[str, list[float]]:
    try:
        return msgspec.convert(read_json_option(path, "gt"), dict[str, _Distribution])
    except msgspec.ValidationError as error:
        raise ScenarioError(f"gt={path}: expected {{id: [share per 0.2 s, ...]}}: {error}") from error
