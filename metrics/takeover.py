"""Takeovers in a pause: whether the agent takes the floor while the user only pauses inside a turn."""

from typing import ClassVar

from metrics.card import card, rate
from simulator.floor.floor import Floor
from simulator.floor.ipus import REACTION_S, mostly_inside
from simulator.score import Definition, Evidence, Score, share
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.spec import Duration, ms
from simulator.timeline import Stretch, Timeline

_SOURCE = "Full-Duplex-Bench v1.0 pause handling (takeover rate); FLEXI (arXiv 2509.22243)"

_PAUSE = """A pause: silence of 0.4 s or more inside one utterance that events told (its planned pauses and its
    own), so that nobody has to guess that the turn goes on. Inside a played recording, which reacts to nobody,
    silences of 0.4 to 1.5 s count."""
_TAKEN = """Taken: the agent claims the floor in the pause or less than 200 ms after it, before anybody could hear
    that the user goes on: one of its utterances begins there, or where nobody told them, an ipu that is no
    backchannel (under 1 s, alone, half of it over the user's turn). Pauses into which the agent was speaking
    already are left out: there was nothing to take."""
_UNDEFINED = """Undefined when the user made no such pause, or the agent spoke into all of them already; for a
    foreign recording always, because nobody knows which silences were pauses."""
_OTHERS = """Others: Full-Duplex-Bench calls any speech of 1 s or more than 3 words anywhere in the file a takeover,
    an answer after the user's real end included; FLEXI and MTR-DuplexBench extend the pause by up to the model's
    latency."""

IN_PAUSE = rate(
    "takeover.in_pause_rate",
    "Floor taken in a pause",
    "lower",
    card(
        "The share of the user's pauses in which the agent took the floor.",
        _PAUSE,
        _TAKEN,
        _UNDEFINED,
        "Pooled: pauses over pauses.",
        _OTHERS,
    ),
    _SOURCE,
)
PER_TURN = rate(
    "takeover.turn_rate",
    "Turns lost in a pause",
    "lower",
    card(
        """The share of the user's turns with such pauses in which the agent took the floor in at least one of
            them.""",
        _PAUSE,
        _TAKEN,
        _UNDEFINED,
        "Pooled: turns over turns.",
        _OTHERS,
    ),
    _SOURCE,
)

CARDS = (IN_PAUSE, PER_TURN)


class TakeoverSpec(ScorerSpec, frozen=True, kw_only=True, tag="takeover"):
    """Measure takeovers in the user's pauses.

    reaction: a start this soon after the pause was decided in it: nobody hears the other go on faster (200
    ms). shortest: silences from here on are pauses worth testing. longest: in a recording, whose turns nobody
    told, longer silences may be the end of a turn and are left out.
    """

    cards: ClassVar[tuple[Definition, ...]] = CARDS

    shortest: Duration = ms(400)
    longest: Duration = ms(1500)
    reaction: Duration = Duration(REACTION_S)

    def build(self) -> "Takeover":
        """Make the scorer."""
        return Takeover(self)


class Takeover:
    """Judges every pause of the user in which the agent was silent at first."""

    def __init__(self, spec: TakeoverSpec) -> None:
        self._spec = spec
        self.definitions = by_id(CARDS)

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        found = self._pauses(floor)
        offered = [pause for pause in found if floor.agent.holding(pause.start) is None]
        taken = {pause: start for pause in offered if (start := self._taken(floor, pause)) is not None}
        reason = "the agent spoke into every pause already"
        if not found:
            reason = f"the user made no pause of {float(self._spec.shortest):.1f} s or more inside a turn"
        evidence = [
            Evidence(
                start=pause.start,
                end=pause.end,
                party="agent",
                label="taken" if pause in taken else "waited",
                value=floor.seconds(taken[pause] - pause.start) if pause in taken else None,
            )
            for pause in offered
        ]
        turns = self._turns(floor)
        held = [turn for turn in turns if any(turn.overlaps(pause) for pause in offered)]
        lost = [turn for turn in held if any(turn.overlaps(pause) for pause in taken)]
        return [
            share(IN_PAUSE, len(taken), len(offered), evidence, reason=reason),
            share(PER_TURN, len(lost), len(held), [_lost(turn) for turn in lost], reason=reason),
        ]

    def _turns(self, floor: Floor) -> list[Stretch]:
        """Give what is known to be one turn each: told utterances; for recordings, ipus with short silences between."""
        told = [Stretch(item.start, item.end) for item in floor.user.claims if item.id]
        recorded = _recorded(floor)
        loose = Timeline(ipu for ipu in floor.user.untold if mostly_inside(ipu, recorded)) if recorded else Timeline()
        return sorted([*told, *loose.bridge(floor.samples(self._spec.longest) + 1)])

    def _pauses(self, floor: Floor) -> list[Stretch]:
        shortest = floor.samples(self._spec.shortest)
        return [pause for turn in self._turns(floor) for pause in floor.user.pauses(turn) if pause.length >= shortest]

    def _taken(self, floor: Floor, pause: Stretch) -> int | None:
        """The sample at which the agent claimed the floor in the pause, if it did."""
        begun = floor.agent.claims_from(pause.start, pause.end + floor.samples(self._spec.reaction))
        return begun[0].start if begun else None


def _recorded(floor: Floor) -> Timeline:
    """Where the user plays a recording: what pauses in it pauses whatever the agent does."""
    ends = {event.data.get("id"): event.at for event in floor.session.by_type.get("speech_end", [])}
    return Timeline(
        (event.at, ends.get(event.data.get("id"), floor.duration))
        for event in floor.session.by_type.get("speech_start", [])
        if event.party == "user" and event.data.get("role") == "recording"
    )


def _lost(turn: Stretch) -> Evidence:
    return Evidence(start=turn.start, end=turn.end, party="user", label="taken from the user")
