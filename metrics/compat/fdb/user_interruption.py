"""Full-Duplex-Bench v1.0, user interruption: does the agent answer it, how soon, and how well?"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from metrics.compat.fdb.samples import Interruption, Words
from metrics.compat.fdb.scorer import FdbGiven, FdbScorer, OpenSample
from metrics.compat.fdb.sessions import SessionSample, with_interruptions
from metrics.compat.fdb.smooth_turn_taking import measure_takeover
from metrics.compat.fdb.takeover import RULE, since
from metrics.compat.judging import judge_of, read_instruction
from simulator.errors import SessionError
from simulator.score import Definition
from simulator.scoring.inputs import InputKind
from simulator.scoring.judge import Messages, Ruling, ask
from simulator.session import Session

HIGHEST_RATING = 5

# Our own words for the question; the original's wording may be given with instruction=FILE.
INSTRUCTION = """\
You judge a spoken conversation between a user and an AI. While the AI was talking, the user interrupted \
it. Judge how well what the AI said afterwards answers the interruption, on a scale of whole numbers: 0 \
has nothing to do with it, 1 hardly touches it, 2 is slightly relevant, 3 is relevant, 4 answers it well, \
5 answers it perfectly.

Think first, then give your answer in exactly these two lines:
Analysis: <your reasons, briefly>
I would rate the AI's response as <number>"""

_ORIGINAL_REPLY = re.compile(r"Analysis:.*?\nI would rate the AI's response as (\d+)", re.DOTALL)
_ANY_REPLY = re.compile(r"I would rate the AI's response as \[?\s*(\d+(?:\.\d+)?)")

CARD = f"""\
tor: share of samples in which the agent takes the turn after the interruption. latency_s: over those,
its first word minus the interruption's end (interrupt.json), not below 0. rating: 0 to 5 by a judge,
over those.
{RULE}
The word file holds only words after the interruption (the original's recogniser is run on that part).
compat: a sample's tor enters the mean once more for every judge reply that could not be parsed; an agent
that ignores the interruption and talks on has tor 1 and latency near 0; a rating of 4.5 reads as 4, one
in brackets as none.
strict: samples whose agent was silent in the half second before the interruption are left out (nobody
was interrupted; by level, -45 dBFS, or segments), only words from the interruption's end on count, tor
enters once.
Sessions: one case per interruption by the user.
Undefined: a last word without end (the original crashes); rating without a judge.
Source: Full-Duplex-Bench, arXiv 2503.04721."""


class UserInterruptionSpec(FdbScorer, frozen=True, kw_only=True, tag="fdb:user_interruption"):
    """Takeover after the user's interruption, its latency, and a judge's rating of the answer.

    user_channel: of stereo recordings, 0 or 1. judge_replies: a file with a judge's replies. judge_model: the judge's
    name. judge_url: its endpoint, up to /v1. judge_tries: how often it is asked until its reply can be read.
    instruction: a file with the question's words.
    """

    user_channel: int = 0
    judge_replies: Path | None = None
    judge_model: str | None = None
    judge_url: str | None = None
    judge_tries: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    instruction: Path | None = None

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="tor", unit="share", title="takeover after the interruption", better="higher"),
        Definition(
            id="latency_s",
            unit="s",
            title="time from the interruption's end to the first word",
            better="lower",
        ),
        Definition(
            id="rating",
            unit="0-5",
            title="how well the interruption is answered, by a judge",
            better="higher",
        ),
    )
    accepts: ClassVar[tuple[InputKind, ...]] = ("fdb", "session", "wav")
    extras: ClassVar[tuple[str, ...]] = ("judge_calls",)

    def prepare(self) -> FdbGiven:
        """Read the options and open the judge."""
        given = FdbScorer.prepare(self)
        judge = judge_of(self.judge_replies, self.judge_model, self.judge_url, seed=0)
        instruction = read_instruction(self.instruction) or INSTRUCTION
        return msgspec.structs.replace(given, judge=judge, instruction=instruction)

    def samples_of(self, session: Session) -> Sequence[SessionSample]:
        """Give one sample per interruption by the user."""
        return with_interruptions(session)

    def measure_sample(self, sample: OpenSample) -> None:
        """Judge the words after the interruption, and have them rated."""
        sample.measured.shown["judge_calls"] = 0
        event = sample.files.interruption
        words = self._words(sample, event)
        if self.mode == "strict" and not self._interrupted(sample, event):
            sample.measured.notes.append("the agent was silent when the user interrupted: left out")
            sample.measured.undefined([column.id for column in self.table], "the agent was silent when interrupted")
            return
        takes = measure_takeover(sample, words, event.timestamp[1], strict=self.mode == "strict")
        sample.measured.shown.pop("latency_raw_s", None)
        if takes:
            self._rate(sample, event, words)
        else:
            sample.measured.undefined(["rating"], "the agent did not take the turn")

    def _words(self, sample: OpenSample, event: Interruption) -> Words:
        """Give the words; recognised ones cover the whole file and are cut as the original cuts its sound."""
        words = sample.words()
        if "output.json" in sample.files.files:
            return words
        later = since(words.chunks, event.timestamp[1])
        return Words(text=" ".join(chunk.text or "" for chunk in later), chunks=later)

    def _interrupted(self, sample: OpenSample, event: Interruption) -> bool:
        moment = event.timestamp[0]
        sides = sample.given.segments.get(sample.id)
        if sides is not None and sides.agent is not None:
            return any(start <= moment <= end for start, end in sides.agent)
        speaks = sample.files.agent_speaks_at(moment)
        if speaks is None:
            sample.measured.notes.append("output.wav: missing; taken as interrupted")
        return speaks is not False

    def _rate(self, sample: OpenSample, event: Interruption, words: Words) -> None:
        measured = sample.measured
        if sample.given.judge is None:
            self._ready_rating(sample)
            return
        parse = parse_rating if self.mode == "compat" else parse_rating_strictly
        messages = _question(sample.given.instruction or INSTRUCTION, event, words)
        verdict: Ruling[float] = ask(sample.given.judge, sample.id, messages, parse, tries=self.judge_tries)
        measured.replies = list(verdict.replies)
        measured.shown["judge_calls"] = len(verdict.replies)
        if self.mode == "compat":
            for _ in range(verdict.unparsed):
                measured.parts["tor"]["values"].append(1.0)
        if verdict.unparsed:
            measured.notes.append(f"{verdict.unparsed} of {len(verdict.replies)} judge replies could not be parsed")
        if verdict.value is None:
            measured.notes.append(verdict.problem or "no rating")
            measured.undefined(["rating"], verdict.problem or "no rating")
        else:
            measured.add("rating", verdict.value)

    def _ready_rating(self, sample: OpenSample) -> None:
        """Without a judge, take the rating that the original left in rating.json."""
        if "rating.json" not in sample.files.files:
            sample.measured.undefined(["rating"], "no judge is given (judge_replies or judge_model)")
            return
        try:
            rating = sample.files.read("rating.json", _Rating).rating
        except SessionError as error:
            sample.measured.notes.append(str(error))
            sample.measured.undefined(["rating"], str(error))
            return
        sample.measured.notes.append("rating.json: taken as it is, no judge is given")
        sample.measured.add("rating", rating)


class _Rating(msgspec.Struct):
    rating: Annotated[float, msgspec.Meta(ge=0, le=HIGHEST_RATING)]


def parse_rating(reply: str) -> float | None:
    """Read the original's form: an Analysis line, later its sentence and digits; the last one counts."""
    found = _ORIGINAL_REPLY.findall(reply)
    return float(found[-1]) if found else None


def parse_rating_strictly(reply: str) -> float | None:
    """Read the last rating sentence, decimals and brackets allowed; None unless it is between 0 and 5."""
    found = _ANY_REPLY.findall(reply)
    return float(found[-1]) if found and 0 <= float(found[-1]) <= HIGHEST_RATING else None


def _question(instruction: str, event: Interruption, words: Words) -> Messages:
    asked = (
        f"The user's first turn: {event.context}\n"
        f"The user's interruption: {event.interrupt}\n"
        f"What the AI said afterwards: {words.text or ''}"
    )
    return [{"role": "system", "content": instruction}, {"role": "user", "content": asked}]
