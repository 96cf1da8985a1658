"""What Whisper could save on short stretches, and what it would hear then: several at once, or a smaller window.

Whisper's encoder always looks at 30 s, of which a sentence fills two. Forty sentences in two voices are heard

    one by one          as recognisers of sessions hear them: the yardstick of the others
    by four, by eight   that many windows in one call of the model
    in one window       sentences in a row, a second of silence behind each, as many as 28 s hold
    window cut          one by one, the window cut to the sentence and 3 s, 10 s at least

Of each way: the CPU time of all threads, how many texts stay the same, the word error rate, how far words move.

    python tests/benchmarks/whisper_windows.py [--voices piper en-us+f3] [--sentences 40]
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from jiwer import wer

from metrics.spelling import normalised
from simulator.clock import cpu_seconds
from simulator.engines.activity import DETECTOR_HZ
from simulator.engines.kinds import voice_of
from simulator.engines.pieces import speech_pieces
from simulator.engines.whisper import Whisper, WhisperSpec, _load
from simulator.frame import Samples
from simulator.sound.recordings import resample
from tests.benchmarks.voices import sentences

WINDOW_S, LEAST_S, BEHIND_S, FRAMES_PER_S = 30, 10, 3, 100
GAP = np.zeros(DETECTOR_HZ, np.float32)


class Heard(NamedTuple):
    """A text, and the words with their onsets in seconds of the stretch."""

    text: str
    words: list[tuple[str, float]]


class Way(NamedTuple):
    """A way to hear all stretches."""

    name: str
    hear: Callable[[Any, list[Samples]], list[Heard]]


def alone(model: Any, stretches: list[Samples], batch: int = 1) -> list[Heard]:
    """Hear as the recogniser does; batch: so many windows in one call."""
    ear = Whisper(WhisperSpec(batch=batch))
    found = ear._heard(model, [(0, stretch) for stretch in stretches])
    return [Heard(text, [(word.word, word.start) for word in words]) for _, text, words, _ in found]


def packed(model: Any, stretches: list[Samples]) -> list[Heard]:
    """Hear stretches in a row, as many as a window holds; a word belongs to the stretch that it begins in."""
    found: list[Heard] = []
    for row in _rows(stretches):
        begins = np.cumsum([0, *(len(stretch) + len(GAP) for stretch in row)]) / DETECTOR_HZ
        whole = np.concatenate([part for stretch in row for part in (stretch, GAP)])
        (together,) = alone(model, [whole])
        for begin, end in pairwise(begins):
            words = [(word, at - begin) for word, at in together.words if begin - 0.5 <= at < end - 0.5]
            found.append(Heard("".join(word for word, _ in words).strip(), words))
    return found


def _rows(stretches: list[Samples]) -> Iterator[list[Samples]]:
    row: list[Samples] = []
    for stretch in stretches:
        if sum(len(one) + len(GAP) for one in (*row, stretch)) > 28 * DETECTOR_HZ:
            yield row
            row = []
        row.append(stretch)
    yield row


def cut(model: Any, stretches: list[Samples]) -> list[Heard]:
    """Hear each stretch in a window of its own length and a little more."""
    with _window_cut():
        return alone(model, stretches)


@contextmanager
def _window_cut() -> Iterator[None]:
    """Have the package pad features to less than 30 s; it offers no key for it."""
    from faster_whisper import transcribe

    whole = transcribe.pad_or_trim

    def fitting(array: Any, length: int = WINDOW_S * FRAMES_PER_S, *, axis: int = -1) -> Any:
        wanted = max(LEAST_S * FRAMES_PER_S, array.shape[axis] + BEHIND_S * FRAMES_PER_S)
        return whole(array, min(length, wanted), axis=axis)

    transcribe.pad_or_trim = fitting
    try:
        yield
    finally:
        transcribe.pad_or_trim = whole


WAYS = (
    Way("one by one", alone),
    Way("by four", partial(alone, batch=4)),
    Way("by eight", partial(alone, batch=8)),
    Way("in one window", packed),
    Way("window cut", cut),
)


def stretches_of(voice: str, texts: list[str]) -> list[Samples]:
    """Give each text as it reaches the model; a text of which the detector makes several pieces is refused."""
    found: list[Samples] = []
    for text in texts:
        said = voice_of(voice).shared().synthesize(text)
        ((_, piece),) = speech_pieces(resample(said.samples, said.sample_rate, DETECTOR_HZ), 28.0)
        found.append(piece)
    return found


def main() -> None:
    """Measure, and print the table of docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", nargs="+", default=["piper", "en-us+f3"])
    parser.add_argument("--sentences", type=int, default=40)
    args = parser.parse_args()
    texts = sentences()[: args.sentences] * len(args.voices)
    stretches = [piece for voice in args.voices for piece in stretches_of(voice, sentences()[: args.sentences])]
    model = _load(WhisperSpec().place())
    alone(model, stretches[:1])
    yardstick: list[Heard] = []
    print("| heard | CPU time | same texts | WER | words move, at most |\n|---|---:|---:|---:|---:|")
    for way in WAYS:
        began = cpu_seconds()
        heard = way.hear(model, stretches)
        spent = cpu_seconds() - began
        yardstick = yardstick or heard
        pairs = list(zip(yardstick, heard, strict=True))
        same = sum(one.text == other.text for one, other in pairs)
        errors = wer(normalised(texts), [text or "*" for text in normalised([one.text for one in heard])])
        moves = [abs(a - b) for one, other in pairs if one.text == other.text
                 for (_, a), (_, b) in zip(one.words, other.words, strict=True)]  # fmt: skip
        print(
            f"| {way.name} | {spent:.1f} s | {same} of {len(pairs)} | {errors:.3f} | {max(moves):.2f} s |", flush=True
        )


if __name__ == "__main__":
    main()
