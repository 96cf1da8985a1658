"""Full-Duplex-Bench v1.0, pause handling: does the agent take the turn while the user only pauses?"""

import math
from collections.abc import Sequence
from typing import ClassVar

from metrics.compat.fdb.samples import Words
from metrics.compat.fdb.scorer import FdbScorer, OpenSample
from metrics.compat.fdb.sessions import SessionSample, with_pauses
from metrics.compat.fdb.takeover import RULE, case_end, since, takes_turn
from simulator.errors import SessionError
from simulator.score import Definition
from simulator.scoring.inputs import InputKind
from simulator.session import Session

_WORD_FILE = "output.json"

CARD = f"""\
Share of word files in which the agent takes the turn although the user only pauses.
{RULE}
compat: every file of a sample whose name ends in output.json enters (clean_output.json too), and every
word of it counts, whenever it was said; pause.json is not read. A last word without end counts from its
start.
strict: words of output.json that start before the first pause of pause.json are left out: they talk over
the user and answer no pause.
Sessions: one case per turn of the user that holds a pause of 200 ms; words that start inside the turn.
Undefined: no word file and no sound, or a first word without start.
Source: Full-Duplex-Bench, arXiv 2503.04721."""


class PauseHandlingSpec(FdbScorer, frozen=True, kw_only=True, tag="fdb:pause_handling"):
    """Takeover rate in the user's pauses, lower is better.

    user_channel: of stereo recordings, 0 or 1.
    """

    user_channel: int = 0

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="tor", unit="share", title="takeover in the user's pause", better="lower"),
    )
    accepts: ClassVar[tuple[InputKind, ...]] = ("fdb", "session", "wav")
    extras: ClassVar[tuple[str, ...]] = ("n_files",)

    def samples_of(self, session: Session) -> Sequence[SessionSample]:
        """Give one sample per turn of the user that holds a pause."""
        return with_pauses(session)

    def measure_sample(self, sample: OpenSample) -> None:
        """Judge every word file of the sample."""
        names = sorted(name for name in sample.files.files if name.endswith(_WORD_FILE)) or [_WORD_FILE]
        entered = 0
        for name in names:
            try:
                entered += self._measure_file(sample, name)
            except SessionError as error:
                sample.measured.notes.append(str(error))
                sample.measured.undefined(["tor"], str(error))
        sample.measured.shown["n_files"] = entered

    def _measure_file(self, sample: OpenSample, name: str) -> int:
        words = sample.words(name)
        try:
            takes = takes_turn(words.chunks, open_end=True)
            if self.mode == "strict":
                words = self._counted(sample, name, words)
                takes = takes_turn(words.chunks, open_end=True)
        except SessionError as error:
            raise SessionError(f"{name}: {error}") from error
        sample.measured.add("tor", float(takes))
        first_s = next((chunk.start for chunk in words.chunks if chunk.start is not None), 0.0)
        sample.measured.place("tor", first_s, case_end(words.chunks, first_s), "takeover" if takes else "no takeover")
        sample.measured.lines.append(f"{name}: {told(words)}: {'takeover' if takes else 'no takeover'}")
        return 1

    def _counted(self, sample: OpenSample, name: str, words: Words) -> Words:
        """Give the words in time order, without those before the first pause of output.json's user."""
        first = -math.inf
        if name == _WORD_FILE and sample.files.pauses:
            first = min(start for start, _ in sample.files.pauses)
        elif name == _WORD_FILE:
            sample.measured.notes.append("pause.json: missing; every word counts")
        return Words(text=words.text, chunks=since(words.chunks, first))


def told(words: Words) -> str:
    """Say how many words there are and over what span, for `--show`."""
    if not words.chunks:
        return "no words"
    first, last = words.chunks[0], words.chunks[-1]
    end = last.start if last.end is None else last.end
    return f"{len(words.chunks)} words from {_time(first.start)} to {_time(end)}"


def _time(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds:.3f} s"
