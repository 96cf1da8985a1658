"""What the sound of a phrase's end tells: of phrases that are over, and of the same cut short, over voices and people.

Synthetic voices say lines that are over, and are cut at random places, as a buffer is flushed: at once, or with a fade
of 10 ms. The bounds of `simulator/floor/endings.py` were set on some voices and lines, and are tried on others; on a
neural voice where one is installed; and on recorded speech where SIMULATOR_TEST_AUDIO names its folder: its own
ends before half a second of silence, and cuts at random places of it. Each end is judged beside five others of its
voice (of recordings: of all of them), drawn ten times.

    python -m tests.benchmarks.phrase_ends [--words] [--markdown]

Prints JSON. A row: how many ends and cuts, how steeply they fall (10th, 50th, 90th percentile of dB within 10 ms),
where their pitch lies (semitones from the median), and how often each is called cut, over, or neither. --words: how
often a recogniser's last word is one that no phrase ends with, too.
"""

import argparse
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import soundfile
import soxr

from simulator.engines.activity import speech_segments
from simulator.engines.moonshine import MoonshineSpec
from simulator.engines.piper import PiperSpec
from simulator.errors import ScenarioError
from simulator.floor.endings import LEAST_ENDS, sounds_cut
from simulator.floor.ipus import BREATH_S
from simulator.frame import Samples
from simulator.sound.phrase_end import BEFORE_S, phrase_end
from simulator.speech import PhraseEnd
from simulator.timeline import Stretch
from tests.benchmarks.agent_lines import FITTED_LINES, FITTED_VOICES, HELD_OUT_LINES, HELD_OUT_VOICES
from tests.conversations import voiced

RATE = 16_000
CUTS = 3
DRAWS = 10
FADE_S = 0.01
SHORTEST_S = 0.5
UNFINISHED = frozenset(
    """
    a an the and or but because than if of to in on at for with from by as until into about is are was were be been will
    would can could should have has had i we they he she my your his her its our their that which who
    """.split()  # noqa: SIM905 - a list of fifty words, one a line, is no easier to read
)
"""Words that hardly any phrase ends with."""

Truth = Literal["end", "cut"]


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """An end of a phrase, or a cut, as it sounds; last_word: what a recogniser hears last."""

    voice: str
    truth: Truth
    end: PhraseEnd
    last_word: str = ""


def heard_in(voice: str, truth: Truth, sound: Samples, recognises: bool) -> Iterator[Heard]:
    """Give the last end that is detected in a sound with a second of silence behind it, if there is one."""
    padded = np.concatenate([np.zeros(RATE // 2, np.float32), sound, np.zeros(RATE, np.float32)])
    found = _phrases(padded)
    if found:
        yield _heard(voice, truth, padded, found[-1], recognises)


def _phrases(sound: Samples) -> list[Stretch]:
    return list(speech_segments(sound, RATE).bridge(round(BREATH_S * RATE)))


def _heard(voice: str, truth: Truth, sound: Samples, phrase: Stretch, recognises: bool) -> Heard:
    first = max(0, phrase.end - round(BEFORE_S * RATE))
    words = _words(sound[max(0, phrase.start - RATE // 5) : phrase.end + RATE // 5]) if recognises else []
    end = phrase_end(sound[first:], phrase.end - first, RATE)
    return Heard(voice=voice, truth=truth, end=end, last_word=words[-1] if words else "")


def _words(sound: Samples) -> list[str]:
    return MoonshineSpec().shared().recognize(sound, RATE).text.lower().replace(".", " ").replace(",", " ").split()


def cut_short(sound: Samples, rng: np.random.Generator, first: float, last: float) -> Samples:
    """A sound stopped at a random place between two shares of it: every other time with a fade of 10 ms."""
    short = sound[: int(rng.uniform(first, last) * len(sound))].copy()
    fade = round(FADE_S * RATE)
    if rng.random() < 0.5 and len(short) > fade:
        short[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return short


def of_voices(lines: Iterable[tuple[str, Samples]], recognises: bool) -> Iterator[Heard]:
    """Every line whole, and cut three times between .3 and .9 of it. lines: by which voice, float32 at 16 kHz."""
    rng = np.random.default_rng(0)
    for voice, sound in lines:
        yield from heard_in(voice, "end", sound, recognises)
        for _ in range(CUTS):
            yield from heard_in(voice, "cut", cut_short(sound, rng, 0.3, 0.9), recognises)


def of_recordings(folder: Path, recognises: bool) -> Iterator[Heard]:
    """Phrases of recorded speech: their own ends, and cuts inside them. All count as one voice."""
    rng = np.random.default_rng(1)
    for path in sorted([*folder.glob("speech/*.wav"), *folder.glob("*/*/*/*.wav"), *folder.glob("*ami/*.wav")]):
        sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
        for channel in range(sound.shape[1]):
            track = soxr.resample(np.ascontiguousarray(sound[:, channel]), rate, RATE)
            for phrase in _phrases(track):
                if phrase.length < SHORTEST_S * RATE:
                    continue
                if phrase.end < len(track) - RATE // 5:  # else the file cut it
                    yield _heard("people", "end", track, phrase, recognises)
                for _ in range(CUTS):
                    short = cut_short(track[phrase.start : phrase.end], rng, 0.4, 0.95)
                    yield from heard_in("people", "cut", short, recognises)


def row(found: Sequence[Heard]) -> dict[str, object]:
    """Sum up the ends and the cuts of a group of voices."""
    result: dict[str, object] = {}
    truths: tuple[Truth, ...] = ("end", "cut")
    for truth in truths:
        those = [item for item in found if item.truth == truth]
        called = Counter(_called(item, found, np.random.default_rng(draw)) for draw in range(DRAWS) for item in those)
        pitches = [item.end.pitch_st for item in those if item.end.pitch_st is not None]
        result[truth] = {
            "n": len(those),
            "fall_db": np.percentile([item.end.fall_db for item in those], [10, 50, 90]).round(1).tolist(),
            "pitch_st": np.percentile(pitches, [10, 50, 90]).round(1).tolist(),
            "called": {name: round(called[name] / max(1, called.total()), 3) for name in ("cut", "over", "neither")},
            "unfinished_word": round(sum(item.last_word in UNFINISHED for item in those) / len(those), 3),
        }
    return result


def _called(item: Heard, found: Sequence[Heard], rng: np.random.Generator) -> str:
    own = [other.end for other in found if other.truth == "end" and other.voice == item.voice and other is not item]
    drawn = rng.choice(len(own), min(len(own), LEAST_ENDS), replace=False)
    cut = sounds_cut(item.end, [own[index] for index in drawn])
    return "neither" if cut is None else "cut" if cut else "over"


def measure(recognises: bool) -> dict[str, object]:
    """Measure every group of voices that is at hand."""
    groups: dict[str, list[Heard]] = defaultdict(list)
    for name, voices, lines in (
        ("fitted voices", FITTED_VOICES, FITTED_LINES),
        ("other voices, other lines", HELD_OUT_VOICES, HELD_OUT_LINES),
    ):
        said = ((voice, voiced(line, voice, RATE)) for voice in voices for line in lines)
        groups[name] = list(of_voices(said, recognises))
    for name, lines in (("neural voice", FITTED_LINES), ("neural voice, other lines", HELD_OUT_LINES)):
        try:
            groups[name] = list(of_voices([("piper", neural(line)) for line in lines], recognises))
        except ScenarioError:
            continue  # none is installed
    if folder := os.environ.get("SIMULATOR_TEST_AUDIO"):
        groups["recorded speech"] = list(of_recordings(Path(folder), recognises))
    return {name: row(found) for name, found in groups.items() if found}


def neural(line: str) -> Samples:
    """A line in an installed Piper voice, or that of PIPER_VOICE (a model's path), float32 at 16 kHz."""
    model = os.environ.get("PIPER_VOICE")
    said = PiperSpec(model=Path(model) if model else None).shared().synthesize(line)
    return np.asarray(soxr.resample(said.samples, said.sample_rate, RATE), np.float32)


def markdown(result: Mapping[str, Mapping[str, Mapping[str, object]]]) -> str:
    """Give the table of docs/metrics.md."""
    lines = [
        "| voices | sound | n | fall, dB in 10 ms | pitch, semitones | called cut | called over | neither |",
        "|---" * 8 + "|",
    ]
    for name, truths in result.items():
        for truth, one in truths.items():
            called: Mapping[str, float] = one["called"]  # type: ignore[assignment]
            spans = (" / ".join(f"{value:g}" for value in one[key]) for key in ("fall_db", "pitch_st"))  # type: ignore[attr-defined]
            shares = (f"{100 * called[key]:.1f} %" for key in ("cut", "over", "neither"))
            lines.append(f"| {name} | {truth} | {one['n']} | {' | '.join(spans)} | {' | '.join(shares)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print JSON or the table of docs/metrics.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", action="store_true", help="ask a recogniser for last words, too")
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    result = measure(args.words)
    print(markdown(result) if args.markdown else json.dumps(result, indent=2))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
