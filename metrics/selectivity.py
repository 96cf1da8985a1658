"""Selectivity: whether the agent lets pass what is not meant for it - asides, background talk, noise."""

from typing import ClassVar, Literal

from metrics.card import card, per_minute, rate
from simulator.events import Event
from simulator.floor.contributions import Contribution
from simulator.floor.floor import Floor, took_for_turn
from simulator.floor.yields import YIELD_WITHIN_S, was_cut
from simulator.score import Definition, Evidence, Score, from_parts, share, undefined
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.spec import Duration, ms
from simulator.timeline import Stretch, Timeline

_SOURCE = "tau-voice's selectivity; Full-Duplex-Bench v1.5 (talking to other, background speech)"

_SPEAKING = """If the agent holds the floor when the sound begins: ignored when it speaks on for 1 s; stopped when
    it falls silent sooner (cut, where its plan is known); an utterance that ended by itself makes it an agent
    that was silent from there on. Undecided when it stopped and the user spoke as well."""
_SILENT = """If it is silent: answered when it begins to speak before 2 s after the end of the sound; else ignored.
    The watch ends where the user takes a turn. Undecided when a user turn that ended less than 2.75 s before still
    waits for its answer, or when a user turn or the end of the session leaves too little to watch. In any case
    answered when the agent tells that it took the sound for a turn (`turn_heard`) and then speaks. Undecided ones are
    not counted."""
_OTHERS = """Others: tau-voice punishes an agent that answers a real turn with a cough in it, and never credits one
    that talks on through a sound in the background; Full-Duplex-Bench v1.5 lets a language model judge the words."""


def _rate(name: str, title: str, sounds: str, none: str) -> Definition:
    text = card(
        f"The share of {sounds} that the agent let pass.",
        _SPEAKING,
        _SILENT,
        f"Undefined when {none}, or none was decided. Pooled: cases over cases.",
        _OTHERS,
    )
    return rate(f"selectivity.{name}_ignored_rate", title, "higher", text, _SOURCE)


ASIDE = _rate(
    "aside",
    "Asides ignored",
    "asides (the user's words to somebody else, role told by events)",
    "no aside was said",
)
TALKER = _rate(
    "talker",
    "Background talk ignored",
    "stretches of background talk on the line to the agent (`talker` events)",
    "nobody talked in the background",
)
NOISE = _rate(
    "noise",
    "Noise bursts ignored",
    "bursts of noise on the line to the agent (`noise_burst` events; steady noise: steady_noise_stops_per_min)",
    "there was no burst",
)

STEADY = "noise"
"""The kind of channel whose sound is there from the first sample to the last."""

STEADY_STOPS = per_minute(
    "selectivity.steady_noise_stops_per_min",
    "Stops in steady noise",
    "lower",
    card(
        """How often per minute of the session the agent cut itself off although there was nothing to hear but steady
            noise (a `noise` channel on the line to the agent).""",
        """A stop: the agent's hold of the floor ends and its utterance was cut, by its own events or the far end's
            account of its audio (`audio_end`), and in the 2 s before nobody spoke: not the user in any role, no
            background talker, no noise burst. What the end of the session cuts off is no stop.""",
        """Undefined when there is no steady noise on the line to the agent, or the agent spoke and nobody told of any
            of its speech how it ended. Pooled: stops over minutes.""",
        """Others: none counts it; a barge-in score sees only what the agent does while the user speaks.""",
    ),
    "this project",
)

CARDS = (ASIDE, TALKER, NOISE, STEADY_STOPS)

Outcome = Literal["ignored", "answered", "stopped", "undecided"]


class SelectivitySpec(ScorerSpec, frozen=True, kw_only=True, tag="selectivity"):
    """Measure selectivity.

    answer_within: speech begun this soon after the end is an answer (tau-voice: 2 s). stop_within: an agent
    that stops this soon after the onset stopped because of it (tau-voice: 1 s). pending: a user turn without
    an answer that ended this short before makes a case undecided.
    """

    cards: ClassVar[tuple[Definition, ...]] = CARDS

    answer_within: Duration = ms(2000)
    stop_within: Duration = ms(1000)
    pending: Duration = ms(2750)

    def build(self) -> "Selectivity":
        """Make the scorer."""
        return Selectivity(self)


class Selectivity:
    """Judges what the agent did during and after sounds that were not meant for it."""

    def __init__(self, spec: SelectivitySpec) -> None:
        self._spec = spec
        self.definitions = by_id(CARDS)

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        asides = [Stretch(item.start, item.end) for item in floor.user.of_role("aside")]
        return [
            self._rate(ASIDE, floor, asides, "no aside was said"),
            self._rate(
                TALKER,
                floor,
                _on_line(session, "talker"),
                "nobody talked in the background of what the agent heard",
            ),
            self._rate(
                NOISE,
                floor,
                _on_line(session, "noise_burst"),
                "no burst of noise on what the agent heard",
            ),
            _steady_noise_stops(session, floor),
        ]

    def _rate(self, definition: Definition, floor: Floor, sounds: list[Stretch], none: str) -> Score:
        outcomes = [(sound, self._outcome(floor, sound)) for sound in sounds]
        decided = [outcome for _, outcome in outcomes if outcome != "undecided"]
        evidence = [
            Evidence(start=sound.start, end=sound.end, party="agent", label=outcome) for sound, outcome in outcomes
        ]
        reason = "what the agent did could not be told from its answers to the user" if sounds else none
        return share(definition, decided.count("ignored"), len(decided), evidence, reason=reason)

    def _outcome(self, floor: Floor, sound: Stretch) -> Outcome:
        if self._answered_it(floor, sound):
            return "answered"
        over = floor.agent.holding(sound.start)
        if over is None:
            return self._while_silent(floor, sound)
        spoke_on = over.end >= sound.start + floor.samples(self._spec.stop_within)
        if over.cut is False and over.end < sound.end and not spoke_on:
            # It ended by itself; from there on it is an agent that was silent.
            return self._while_silent(floor, Stretch(over.end, sound.end))
        return "ignored" if spoke_on else self._stopped(floor, sound, over)

    def _answered_it(self, floor: Floor, sound: Stretch) -> bool:
        """Whether the agent told that it took the sound for a turn, and then spoke."""
        taken = took_for_turn(floor, sound.start, sound.end)
        return taken is not None and bool(
            floor.agent.claims_from(taken, taken + floor.samples(self._spec.answer_within))
        )

    def _stopped(self, floor: Floor, sound: Stretch, over: Contribution) -> Outcome:
        if over.cut is False or floor.cut_off(over.until):
            return "undecided"
        besides = [item for item in floor.user.claims_from(0, over.end) if item.end > sound.start]
        return "undecided" if besides else "stopped"

    def _while_silent(self, floor: Floor, sound: Stretch) -> Outcome:
        """Did the agent begin to speak, with nothing else to answer?"""
        if self._awaits(floor, sound.start):
            return "undecided"
        limit = sound.end + floor.samples(self._spec.answer_within)
        claims = [item.start for item in floor.user.claims_from(0, limit) if item.end > sound.start]
        until = min([limit, *claims])
        if floor.agent.claims_from(sound.start, until):
            return "answered"
        return "ignored" if sound.end < until <= floor.duration else "undecided"

    def _awaits(self, floor: Floor, at: int) -> bool:
        """Whether a user turn ended shortly before and the agent has said nothing since."""
        end = max((turn.end for turn in floor.user.turns if turn.start < at), default=None)
        if end is None:
            return False
        recent = at - end < floor.samples(self._spec.pending)
        return recent and not floor.agent.claims_from(end - floor.samples(0.5), at)


def _steady_noise_stops(session: Session, floor: Floor) -> Score:
    """Count the times the agent cut itself off although there was nothing to hear but steady noise."""
    if not any(channel.get("kind") == STEADY for channel in session.meta.lines.get("user_to_agent", ())):
        return undefined(STEADY_STOPS, "no steady noise on what the agent heard")
    ends = [(hold, was_cut(floor, hold)) for hold in floor.agent.holds]
    if ends and all(cut is None for _, cut in ends):
        return undefined(STEADY_STOPS, "nobody told whether the agent's speech was cut or over")
    on_line = Timeline([*_on_line(session, "talker"), *_on_line(session, "noise_burst")])
    besides = floor.user.ipus | floor.user.told | on_line
    reach = floor.samples(YIELD_WITHIN_S)
    stops = [
        hold
        for hold, cut in ends
        if cut and not floor.cut_off(hold.until) and not besides.covered(max(0, hold.until - reach), hold.until)
    ]
    evidence = [Evidence(start=hold.start, end=hold.end, party="agent", label="stopped") for hold in stops]
    parts = {"count": len(stops), "of": floor.minutes, "n": len(stops)}
    return from_parts(STEADY_STOPS, parts, evidence, reason="the session has no length")


def _on_line(session: Session, type_: str) -> list[Stretch]:
    """Give the sounds that a line told of on the way to the agent."""
    events = [event for event in session.by_type.get(type_, []) if _to_agent(event)]
    return sorted(Stretch(event.at, min(session.duration, int(event.data["until"]))) for event in events)


def _to_agent(event: Event) -> bool:
    return event.data.get("direction", "user_to_agent") == "user_to_agent" and "until" in event.data
