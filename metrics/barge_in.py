"""Barge-ins: whether the agent stops when the user takes the floor, how soon, and what it does then."""

from typing import ClassVar

from metrics.card import card, rate, seconds
from simulator.floor.floor import Floor
from simulator.floor.yields import DECIDED, HEAD_START_S, YIELD_WITHIN_S, BargeInCase, barge_ins, was_cut
from simulator.score import Better, Definition, Evidence, Score, share, spread
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.spec import Duration, ms

_SOURCE = "tau-voice R_Y and L_Y; Full-Duplex-Bench v1.5 stop latency; hotato's methodology (resume)"

_CASE = """A barge-in: a user turn, or a planned interruption, that begins while the agent holds the floor (inside
    one of its told utterances, pauses included, or where nobody told, inside its ipus joined over silences under
    0.5 s), at least 200 ms after it began; a planned interruption counts at any time. Planned is what an injector
    says, and a script's turn at an `agent_speaking` cue that began while its ears heard the agent speak. Backchannels
    and asides are no barge-ins."""
_OUTCOMES = """Yielded: the agent falls silent within 2 s of the onset; where its plan is known its utterance must
    have been cut. Talked through: it speaks on for 2 s, or its utterance ends uncut 1 s or more after the onset.
    Undecided, and not counted: an utterance that ends uncut sooner, or that the end of the session cuts off; a
    stop within 120 ms of the onset, or that something said before it over the same speech can have caused (what the
    agent told it had been hearing decides); and, where neither events nor the far end's account of its audio tell how
    the agent's speech ended, any end over a turn that is no planned interruption: an ordinary overlap at a turn's
    end (Heldner & Edlund 2010) sounds the same. So told and untold agents are judged by one rule, and the share
    that nobody could decide is undecided_rate."""
_OTHERS = """Others: tau-voice asks for one silent 200 ms tick within 2 s and takes a natural end for a yield;
    Full-Duplex-Bench v1.0 asks only whether the agent speaks afterwards, v1.5 lists every overlap of the file
    as a stop; FD-Bench joins silences up to 1.5 s first."""


def _card(meaning: str, undefined: str) -> str:
    return card(meaning, _CASE, _OUTCOMES, f"Undefined when {undefined}. Pooled: cases over cases.", _OTHERS)


def _rate(name: str, title: str, better: Better, text: str) -> Definition:
    return rate(f"barge_in.{name}", title, better, text, _SOURCE)


def _latency(name: str, title: str) -> Definition:
    meaning = """From the first audible sample of the barge-in to the last of the agent's speech that it cut. An
        agent that was cut in a pause of its own, silent already, counts as 0."""
    undefined = "Undefined when the agent yielded to no barge-in. Pooled over the single latencies."
    text = card(meaning, _CASE, _OUTCOMES, undefined, _OTHERS)
    return seconds(f"barge_in.yield_latency_{name}_s", f"Yield latency, {title}", "lower", text, _SOURCE)


_NONE = "there was no barge-in, or none was decided"

YIELD = _rate(
    "yield_rate",
    "Barge-ins yielded to",
    "higher",
    _card(
        """The share of decided barge-ins to which the agent yielded.
            yield_rate + talked_through_rate = 1.""",
        _NONE,
    ),
)
LATENCY_P50 = _latency("p50", "median")
LATENCY_P95 = _latency("p95", "95th percentile")
TALKED_THROUGH = _rate(
    "talked_through_rate",
    "Barge-ins talked through",
    "lower",
    _card("The share of decided barge-ins through which the agent talked.", _NONE),
)
FALSE_START = _rate(
    "false_start_rate",
    "False starts after yielding",
    "lower",
    _card(
        """The share of yields after which the agent spoke again before the user's turn was over: it stopped,
            and started over the user.""",
        "the agent yielded to no barge-in",
    ),
)
RESUME = _rate(
    "resume_rate",
    "Came back after yielding",
    "higher",
    _card(
        """The share of yields after which the agent spoke again within 4 s of the end of the user's turn (a
            false start counts): it did not fall dead. Timing does not tell an answer from going on with the old
            turn. Yields without such speech and with less session than that after them are not counted.""",
        "the agent yielded to no barge-in, or every session ended too soon",
    ),
)

UNDECIDED = _rate(
    "undecided_rate",
    "Barge-ins that nobody could decide",
    "neither",
    _card(
        """The share of barge-ins of which nobody can say whether the agent yielded or had finished. Where it is
            high, yield_rate speaks of few cases: an agent that tells when it was cut short has fewer.""",
        "there was no barge-in",
    ),
)

TOLD = _rate(
    "told_rate",
    "Agent's speech whose end was told",
    "neither",
    card(
        """The share of the agent's holds of the floor of which it is known whether they were cut or over: by the plan
            of its utterance (`speech_end`), or the far end's account of what it sent (`audio_end`).""",
        """Where it is high, a stop over any turn can be told from an end; where it is low, only a stop over a planned
            interruption can, and undecided_rate is higher. Two agents of which one is told and the other is not are
            compared by different knowledge: `simulate compare` and the pages say so.""",
        "Undefined when the agent did not speak. Pooled: holds over holds.",
        "Others do not tell the two apart.",
    ),
)

CARDS = (YIELD, LATENCY_P50, LATENCY_P95, TALKED_THROUGH, FALSE_START, RESUME, UNDECIDED, TOLD)


_WHY = {
    "ended by itself": "the agent's speech ended by itself",
    "was cut off by the end": "the agent's speech was cut off by the end",
    "coincident": "the agent's speech ended too soon, or by something said before",
    "undecided": "nobody told whether the agent's speech was cut or over",
}
"""Why the first of them was not decided."""


class BargeInSpec(ScorerSpec, frozen=True, kw_only=True, tag="barge_in"):
    """Measure barge-ins.

    yield_within: how soon the agent must fall silent (tau-voice: 2 s). resume_within: how soon after the
    interruption a yielded agent must speak again (hotato: 4 s). head_start: how long the agent must have been
    speaking.
    """

    cards: ClassVar[tuple[Definition, ...]] = CARDS

    yield_within: Duration = Duration(YIELD_WITHIN_S)
    resume_within: Duration = ms(4000)
    head_start: Duration = Duration(HEAD_START_S)

    def build(self) -> "BargeIn":
        """Make the scorer."""
        return BargeIn(self)


class BargeIn:
    """Judges every turn of the user that begins while the agent holds the floor."""

    def __init__(self, spec: BargeInSpec) -> None:
        self._spec = spec
        self.definitions = by_id(CARDS)

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        found = barge_ins(floor, yield_within=self._spec.yield_within, head_start=self._spec.head_start)
        decided = [case for case in found if case.outcome in DECIDED]
        yielded = [case for case in decided if case.outcome == "yielded"]
        evidence = [_evidence(floor, case) for case in found]
        latencies = [item for item in evidence if item.value is not None]
        values = [item.value for item in latencies if item.value is not None]
        through = [item for item in evidence if item.label == "talked through"]
        undecided = [item for item in evidence if item.label not in DECIDED]
        false_starts = [case for case in yielded if case.back is not None and case.back < case.by.end]
        settled = [case for case in yielded if not self._unsettled(floor, case)]
        resumed = [case for case in settled if self._resumed(floor, case)]
        none = (
            "the user did not barge in" if not found else f"no barge-in was decided: {_WHY.get(found[0].outcome, '')}"
        )
        no_yield = none if not decided else "the agent yielded to no barge-in"
        return [
            share(YIELD, len(yielded), len(decided), evidence, reason=none),
            spread(LATENCY_P50, values, latencies, reason=no_yield),
            spread(LATENCY_P95, values, latencies, reason=no_yield),
            share(TALKED_THROUGH, len(through), len(decided), through, reason=none),
            share(
                FALSE_START,
                len(false_starts),
                len(yielded),
                _backs(false_starts, "false start"),
                reason=no_yield,
            ),
            share(
                RESUME,
                len(resumed),
                len(settled),
                _backs(resumed, "resumed"),
                reason=no_yield if not yielded else "the session ended before the agent could resume",
            ),
            share(UNDECIDED, len(undecided), len(found), undecided, reason="the user did not barge in"),
            _told(floor),
        ]

    def _resumed(self, floor: Floor, case: BargeInCase) -> bool:
        return case.back is not None and case.back <= case.by.end + floor.samples(self._spec.resume_within)

    def _unsettled(self, floor: Floor, case: BargeInCase) -> bool:
        """The session ended before the agent's time to come back was over."""
        return not self._resumed(floor, case) and floor.duration < case.by.end + floor.samples(self._spec.resume_within)


def _told(floor: Floor) -> Score:
    """Give how much of the agent's speech has an end that somebody told of."""
    known = [was_cut(floor, hold) is not None for hold in floor.agent.holds]
    return share(TOLD, sum(known), len(known), reason="the agent did not speak")


def _evidence(floor: Floor, case: BargeInCase) -> Evidence:
    value = floor.seconds(case.stop - case.by.start) if case.outcome == "yielded" else None
    return Evidence(start=case.by.start, end=case.stop, party="agent", label=case.outcome, value=value)


def _backs(cases_: list[BargeInCase], label: str) -> list[Evidence]:
    return [
        Evidence(start=case.stop, end=case.back, party="agent", label=label) for case in cases_ if case.back is not None
    ]
