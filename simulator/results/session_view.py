"""A session as assertions in Python ask for it: turns, calls, overlaps and barge-ins, in seconds and words.

    session = view_session(Path("runs/book/book-0"))
    assert "eight" in session.agent.turns[2].text
    assert session.calls("lookup_order")[0].arguments == {"order": "12345"}
    assert all(overlap.duration_s < 2 for overlap in session.overlaps)
    assert session.barge_ins[0].yield_latency_s < 1.0

What is a turn, an overlap, a barge-in is decided by simulator/floor, as for every score; nothing is counted here.
"""

from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from simulator.events import Party
from simulator.floor.contributions import Contribution
from simulator.floor.floor import Floor, Side
from simulator.floor.transfers import overlaps
from simulator.floor.yields import BargeInCase, YieldOutcome, barge_ins
from simulator.reading.expect import Verdict
from simulator.results.judged import Judged, read_judged
from simulator.session import Session, SessionMeta, read_session
from simulator.world.calls import SeenCall, calls_of


class SpokenTurn(msgspec.Struct, frozen=True, kw_only=True):
    """Something a party said, in seconds of the session: a turn, or a single contribution with its role.

    text: its words; of a turn that was cut those that were said; "" where nobody told or recognised any. cut: whether
    it was stopped before its planned end; None when nobody told. role: turn, interruption, backchannel, aside ...
    """

    party: Party
    start_s: float
    end_s: float
    text: str
    role: str = "turn"
    cut: bool | None = None

    @property
    def duration_s(self) -> float:
        """From its first to its last sound."""
        return self.end_s - self.start_s


class ToolUse(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a tool. answered_s: when it was answered, None if never. fault: why the answer is an error, or ""."""

    name: str
    arguments: Any
    by: str
    at_s: float
    answer: Any = None
    answered_s: float | None = None
    fault: str = ""


class SharedStretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch in which both parties speak, backchannels included."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """How long both speak."""
        return self.end_s - self.start_s


class SeenBargeIn(msgspec.Struct, frozen=True, kw_only=True):
    """The user taking the floor from the agent. outcome: as simulator/floor/yields.py decides.

    yield_latency_s: from the user's first sound to the agent's last; None unless the agent yielded.
    """

    start_s: float
    text: str
    outcome: YieldOutcome
    yield_latency_s: float | None = None


class PartyView:
    """What one party said."""

    def __init__(self, side: Side, rate: int) -> None:
        self._side = side
        self._rate = rate

    @cached_property
    def turns(self) -> tuple[SpokenTurn, ...]:
        """Its turns, in time order: claims of the floor with the pauses inside them."""
        return tuple(self._turn(turn, role="turn") for turn in self._side.turns)

    @cached_property
    def said(self) -> tuple[SpokenTurn, ...]:
        """Everything it said, in time order: backchannels and asides too."""
        return tuple(self._turn(item, role=item.role or "turn") for item in self._side.said)

    @property
    def text(self) -> str:
        """All its turns in one text."""
        return " ".join(turn.text for turn in self.turns if turn.text)

    def _turn(self, item: Contribution, role: str) -> SpokenTurn:
        return SpokenTurn(
            party=item.party, start_s=item.start / self._rate, end_s=item.end / self._rate,
            text=text_of(self._side, item), role=role, cut=item.cut,
        )  # fmt: skip


def text_of(side: Side, turn: Contribution) -> str:
    """Give the words of what a party said: as planned where it was said whole, else those that are known of it."""
    parts: list[str] = []
    for claim in [item for item in side.said if turn.start <= item.start and item.end <= turn.end] or [turn]:
        if not claim.claims_floor and turn.claims_floor:
            continue  # a backchannel that a turn goes on over is no part of it
        own = [word for word in side.speech.words if word.id and word.id == claim.id]
        heard = [word for word in side.speech.words_within(claim.start, claim.end) if not word.id]
        spoken = [word.text for word in sorted([*own, *heard], key=lambda word: word.start)]
        whole = claim.told and not claim.cut and claim.text
        parts.append(str(whole) if whole else " ".join(spoken) or ("" if claim.cut else claim.text))
    return " ".join(filter(None, parts))


class SessionView:
    """One session. user, agent: what they said. Times are seconds of the session.

    Its folder is read at once, its sound not at all; without an annotation (`scorers: []`) it is annotated when first
    asked who spoke, without recognising words that nobody told.
    """

    def __init__(self, session: Session, judged: Judged) -> None:
        self.recorded = session
        self.verdicts: tuple[Verdict, ...] = tuple(judged.expectations)
        self._scores = {score.id: score for score in judged.scores}

    @property
    def id(self) -> str:
        """Its id, also its folder's name."""
        return self.recorded.id

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.recorded.folder

    @property
    def meta(self) -> SessionMeta:
        """What session.json says: status, seed, versions."""
        return self.recorded.meta

    @property
    def duration_s(self) -> float:
        """How long it was."""
        return self.recorded.seconds(self.recorded.duration)

    @cached_property
    def user(self) -> PartyView:
        """What the user said."""
        return PartyView(self._floor.user, self.recorded.sample_rate)

    @cached_property
    def agent(self) -> PartyView:
        """What the agent said."""
        return PartyView(self._floor.agent, self.recorded.sample_rate)

    @cached_property
    def overlaps(self) -> tuple[SharedStretch, ...]:
        """Where both speak, in time order."""
        seconds = self.recorded.seconds
        return tuple(SharedStretch(start_s=seconds(a), end_s=seconds(b)) for a, b in overlaps(self._floor))

    @cached_property
    def barge_ins(self) -> tuple[SeenBargeIn, ...]:
        """Where the user took the floor while the agent held it, in time order."""
        return tuple(self._barge_in(case) for case in barge_ins(self._floor, "user"))

    def calls(self, name: str | None = None, *, by: Party | None = None) -> tuple[ToolUse, ...]:
        """Give the calls of tools, in the order they were made. name: of one tool only. by: one party's only."""
        found = (call for call in calls_of(self.recorded) if name in (None, call.name) and by in (None, call.by))
        return tuple(map(self._use, found))

    def value(self, metric: str) -> float | None:
        """The value of a metric; None where it is undefined. KeyError: the session was not scored by it."""
        if metric not in self._scores:
            raise KeyError(f"{self.id} was not scored by {metric}; it was by {', '.join(self._scores) or 'nothing'}")
        return self._scores[metric].value

    @cached_property
    def _floor(self) -> Floor:
        session = self.recorded
        if not session.annotated:
            from simulator.annotation.annotate import annotate

            session = session.with_speech(annotate(session, words=False))
        return Floor(session)

    def _use(self, call: SeenCall) -> ToolUse:
        seconds = self.recorded.seconds
        return ToolUse(
            name=call.name, arguments=call.arguments, by=call.by, at_s=seconds(call.at), answer=call.answer,
            answered_s=None if call.answered is None else seconds(call.answered), fault=call.fault,
        )  # fmt: skip

    def _barge_in(self, case: BargeInCase) -> SeenBargeIn:
        seconds = self.recorded.seconds
        latency = seconds(case.stop - case.by.start) if case.outcome == "yielded" else None
        text = text_of(self._floor.user, case.by)
        return SeenBargeIn(start_s=seconds(case.by.start), text=text, outcome=case.outcome, yield_latency_s=latency)


def view_session(folder: Path) -> SessionView:
    """Read a session folder for assertions. SessionError when it is none."""
    return SessionView(read_session(folder), read_judged(folder))
