"""Full-Duplex-Bench v1.0, smooth turn taking: does the agent take its turn, and how soon?"""

from collections.abc import Sequence
from typing import ClassVar

from metrics.compat.fdb.samples import Words
from metrics.compat.fdb.scorer import FdbScorer, OpenSample
from metrics.compat.fdb.sessions import SessionSample, with_turn_ends
from metrics.compat.fdb.takeover import RULE, case_end, onset, since, speaking_at, takes_turn
from simulator.errors import SessionError
from simulator.score import Definition
from simulator.scoring.inputs import InputKind
from simulator.session import Session

CARD = f"""\
tor: share of samples in which the agent takes the turn. latency_s: over those, the agent's first word
minus the end of the user's turn (the start of the gap in turn_taking.json), not below 0; latency_raw_s
unclipped.
{RULE}
compat: every word counts, whenever it was said, so an agent that talks throughout or says an early mm-hm
has latency 0. Files are paired by folder; the original pairs by list position.
strict: only words that start at the turn's end or later count, and latency is undefined where the agent
is in the middle of a word at that moment: nothing was waited for.
Sessions: one case per turn of the user; words before the user's next turn.
Undefined: a last word without end (the original crashes), no turn_taking.json.
Source: Full-Duplex-Bench, arXiv 2503.04721."""


class SmoothTurnTakingSpec(FdbScorer, frozen=True, kw_only=True, tag="fdb:smooth_turn_taking"):
    """Takeover rate after the user's turn (higher is better) and its latency.

    user_channel: of stereo recordings, 0 or 1.
    """

    user_channel: int = 0

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="tor", unit="share", title="takeover after the user's turn", better="higher"),
        Definition(id="latency_s", unit="s", title="time from the turn's end to the first word", better="lower"),
    )
    accepts: ClassVar[tuple[InputKind, ...]] = ("fdb", "session", "wav")
    extras: ClassVar[tuple[str, ...]] = ("latency_raw_s",)

    def samples_of(self, session: Session) -> Sequence[SessionSample]:
        """Give one sample per turn of the user."""
        return with_turn_ends(session)

    def measure_sample(self, sample: OpenSample) -> None:
        """Judge the words after the user's turn."""
        words = sample.words()
        measure_takeover(sample, words, sample.files.turn_end_s, strict=self.mode == "strict")


def measure_takeover(sample: OpenSample, words: Words, moment_s: float, *, strict: bool) -> bool:
    """Measure `tor` and `latency_s` against the end of a turn or interruption; say if the agent took it."""
    measured = sample.measured
    try:
        takes = takes_turn(words.chunks)
    except SessionError as error:
        raise SessionError(f"output.json: {error}") from error
    chunks = words.chunks
    if strict:
        chunks = since(chunks, moment_s)
        takes = takes_turn(chunks)
    measured.add("tor", float(takes))
    measured.place("tor", moment_s, case_end(chunks, moment_s), "takeover" if takes else "no takeover")
    measured.lines.append(f"from {moment_s:.3f} s: {'takeover' if takes else 'no takeover'}")
    if not takes:
        measured.undefined(["latency_s"], "the agent did not take the turn")
        return False
    raw = onset(words.chunks) - moment_s
    measured.shown["latency_raw_s"] = raw
    if strict and speaking_at(words.chunks, moment_s):
        measured.notes.append("the agent is in the middle of a word at that moment: no latency")
        measured.undefined(["latency_s"], "the agent was already speaking")
        return True
    latency = max(0.0, onset(chunks) - moment_s)
    measured.add("latency_s", latency)
    measured.place("latency_s", moment_s, moment_s + latency, value=latency)
    measured.lines[-1] += f", first word at {onset(chunks):.3f} s, latency {latency:.3f} s"
    return True
