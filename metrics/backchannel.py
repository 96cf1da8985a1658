"""Backchannels: whether the agent lets the user's pass, and where it places its own."""

from typing import ClassVar, Literal

import msgspec

from metrics.card import card, per_minute, rate
from simulator.floor.contributions import Contribution
from simulator.floor.floor import Floor, took_for_turn
from simulator.floor.ipus import TURN_PAUSE_S, mostly_inside
from simulator.score import Better, Definition, Evidence, Score, from_parts, share
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.spec import Duration, ms
from simulator.timeline import Stretch, Timeline

_SOURCE = "tau-voice S_BC; Full-Duplex-Bench; dGSLM (arXiv 2203.16502); VAP (Ekstedt and Skantze 2022)"

_CASE = """A case: a backchannel of the user that begins while the agent holds the floor. Its role is told by
    events; where nobody told, an ipu under 1 s with 1 s of own silence on both sides, at least half of it inside
    the agent's speech."""
_OUTCOMES = """Kept the floor: the agent speaks on for 1 s after the onset (0.5 s after the end of a longer one).
    Else it stopped. Resumed: it speaks again within 2 s and did not take the backchannel for a turn (its
    `turn_heard` events tell). Derailed: the rest. Not counted: an utterance that is known to have ended by itself
    in that time, and one with less session after it. kept_floor + resumed + derailed = 1."""
_OTHERS = """Others: tau-voice counts an agent's natural end as an error; Full-Duplex-Bench v1.5 lets a language
    model judge the words; LiveKit calls a resumed one a false interruption."""


def _share(name: str, title: str, better: Better, meaning: str) -> Definition:
    undefined = "Undefined when there was no case, or none was decided. Pooled: cases over cases."
    text = card(meaning, _CASE, _OUTCOMES, undefined, _OTHERS)
    return rate(f"backchannel.{name}_rate", title, better, text, _SOURCE)


KEPT = _share(
    "kept_floor",
    "Backchannels let pass",
    "higher",
    "The share of the user's backchannels through which the agent kept the floor.",
)
RESUMED = _share(
    "resumed",
    "Stopped at a backchannel and went on",
    "lower",
    "The share of the user's backchannels at which the agent stopped and then went on.",
)
DERAILED = _share(
    "derailed",
    "Derailed by a backchannel",
    "lower",
    "The share of the user's backchannels at which the agent stopped for good, or which it answered.",
)

_OWN = """The agent's own backchannels: role told by events; else ipus under 1 s with 1 s of own silence on both
    sides, at least half of each inside the user's turns, their pauses under 1 s included."""

AGENT_PER_MIN = per_minute(
    "backchannel.agent_per_min",
    "Backchannels of the agent",
    "neither",
    card(
        "How often the agent acknowledges: its backchannels per minute of user turns.",
        _OWN,
        "Undefined when the user took no turn. Pooled: all of them over all minutes.",
        """Others: Full-Duplex-Bench counts segments under 3 s with at most 2 words, per second of file; dGSLM
            units under 1 s with half of their length in the other's, per minute of session.""",
    ),
    _SOURCE,
)
AGENT_AT_PHRASE_END = rate(
    "backchannel.agent_at_phrase_end_rate",
    "Agent's backchannels at phrase ends",
    "higher",
    card(
        """Where the agent acknowledges: the share of its backchannels that begin in a silence of the user (200 ms
            or more) or less than 0.5 s before one, which is where people place them.""",
        _OWN,
        "Undefined when the agent gave none. Pooled: cases over cases.",
        """Others: Full-Duplex-Bench compares the distribution over time with human timings of the same
            recordings (jsd).""",
    ),
    _SOURCE,
)

CARDS = (KEPT, RESUMED, DERAILED, AGENT_PER_MIN, AGENT_AT_PHRASE_END)

Outcome = Literal["kept the floor", "resumed", "derailed", "ended by itself", "was cut off by the end"]

DECIDED = ("kept the floor", "resumed", "derailed")


class BackchannelSpec(ScorerSpec, frozen=True, kw_only=True, tag="backchannel"):
    """Measure backchannels.

    within: an agent that falls silent this soon after the onset did so because of it (tau-voice: 1 s; a
    longer backchannel has its own length and 0.5 s). resume_within: how soon it must go on. near: how close
    to a phrase end of the user the agent's own backchannels belong.
    """

    cards: ClassVar[tuple[Definition, ...]] = CARDS

    within: Duration = ms(1000)
    resume_within: Duration = ms(2000)
    near: Duration = ms(500)

    def build(self) -> "Backchannel":
        """Make the scorer."""
        return Backchannel(self)


class BackchannelCase(msgspec.Struct, frozen=True, kw_only=True):
    """A backchannel of the user over the agent's speech; stop: where the agent's sound ended, if it did."""

    by: Contribution
    stop: int | None
    outcome: Outcome


class Backchannel:
    """Judges the user's backchannels over the agent's speech, and the agent's over the user's."""

    def __init__(self, spec: BackchannelSpec) -> None:
        self._spec = spec
        self.definitions = by_id(CARDS)

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        found = [
            self._case(floor, item, over)
            for item in floor.user.of_role("backchannel")
            if (over := floor.agent.holding(item.start)) is not None
        ]
        decided = [case for case in found if case.outcome in DECIDED]
        reason = "no backchannel of the user fell on the agent's speech"
        if found:
            reason = f"no backchannel was decided: the agent's speech {found[0].outcome}"
        evidence = {outcome: [_evidence(case) for case in decided if case.outcome == outcome] for outcome in DECIDED}
        return [
            share(
                KEPT,
                len(evidence["kept the floor"]),
                len(decided),
                [_evidence(case) for case in found],
                reason=reason,
            ),
            share(RESUMED, len(evidence["resumed"]), len(decided), evidence["resumed"], reason=reason),
            share(DERAILED, len(evidence["derailed"]), len(decided), evidence["derailed"], reason=reason),
            *self._of_agent(floor),
        ]

    def _case(self, floor: Floor, item: Contribution, over: Contribution) -> BackchannelCase:
        limit = max(item.start + floor.samples(self._spec.within), item.end + floor.samples(0.5))
        if over.end >= limit or floor.cut_off(over.end):
            return BackchannelCase(by=item, stop=None, outcome="kept the floor")
        if over.cut is False:
            return BackchannelCase(by=item, stop=over.end, outcome="ended by itself")
        return BackchannelCase(by=item, stop=over.end, outcome=self._after_stop(floor, item, over.end))

    def _after_stop(self, floor: Floor, item: Contribution, stop: int) -> Outcome:
        limit = stop + floor.samples(self._spec.resume_within)
        if took_for_turn(floor, item.start, item.end) is not None:
            return "derailed"
        if floor.agent.claims_from(stop, limit):
            return "resumed"
        return "derailed" if limit <= floor.duration else "was cut off by the end"

    def _of_agent(self, floor: Floor) -> list[Score]:
        user_turns = Timeline((turn.start, turn.end) for turn in floor.user.turns)
        own = [
            item
            for item in floor.agent.of_role("backchannel")
            if mostly_inside(Stretch(item.start, item.end), user_turns.bridge(floor.samples(TURN_PAUSE_S)))
        ]
        near = floor.samples(self._spec.near)
        at_pause = [item for item in own if _at_phrase_end(floor.user.ipus, item.start, near)]
        evidence = [Evidence(start=item.start, end=item.end, party="agent", label="backchannel") for item in own]
        placed = [Evidence(start=item.start, end=item.end, party="agent", label="at a phrase end") for item in at_pause]
        parts = {"count": len(own), "of": floor.seconds(user_turns.total()) / 60, "n": len(own)}
        return [
            from_parts(AGENT_PER_MIN, parts, evidence, reason="the user took no turn"),
            share(AGENT_AT_PHRASE_END, len(at_pause), len(own), placed, reason="the agent gave no backchannel"),
        ]


def _at_phrase_end(ipus: Timeline, at: int, near: int) -> bool:
    """Whether a sample lies in a silence of the other party, or less than `near` before or after one begins."""
    ipu = ipus.at(at)
    return ipu is None or ipu.end - at < near


def _evidence(case: BackchannelCase) -> Evidence:
    end = case.by.end if case.stop is None else max(case.stop, case.by.start)
    return Evidence(start=case.by.start, end=end, party="agent", label=case.outcome)
