"""Turn structure: ipus, pauses, gaps, overlaps and floor transfers, as events and as seconds per minute."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from metrics.turns_cards import CARDS, SHAPES
from simulator.errors import ScenarioError
from simulator.events import PARTIES
from simulator.floor.floor import Floor
from simulator.floor.transfers import overlaps, transfers
from simulator.score import Definition, Evidence, Score, from_parts, spread
from simulator.scoring.scorer import ScorerSpec
from simulator.session import Session
from simulator.timeline import Stretch, Timeline

Events = list[tuple[str, Stretch]]
"""What happened when: whose (`user`, `agent`, or empty for both), and the stretch of samples."""


class TurnsSpec(ScorerSpec, frozen=True, kw_only=True, tag="turns"):
    """Measure the turn structure; `{kind: turns, reference: human.json}` adds distances from a reference.

    reference: a JSON file of seconds, `{"ipu": [...], "pause": [...], "gap": [...], "overlap": [...], "fto": [...]}`.
    """

    cards: ClassVar[tuple[Definition, ...]] = CARDS

    reference: Path | None = None

    def build(self) -> "Turns":
        """Make the scorer. ScenarioError when the reference cannot be used."""
        return Turns(_read_reference(self.reference) if self.reference else {})


class Turns:
    """Counts what both parties' activity looks like; needs no roles and no words."""

    def __init__(self, reference: Mapping[str, Sequence[float]]) -> None:
        cards = [card for card in CARDS if card.statistic != "w1" or _shape(card) in reference]
        self.definitions: Mapping[str, Definition] = {
            card.id: msgspec.structs.replace(card, reference=tuple(reference.get(_shape(card), ())))
            if card.statistic == "w1"
            else card
            for card in cards
        }

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        shapes = structure(floor)
        offsets = [
            Evidence(
                start=item.where.start,
                end=item.where.end,
                party=item.party,
                label="floor transfer",
                value=floor.seconds(item.offset),
            )
            for item in transfers(floor)
        ]
        scores: list[Score] = []
        for definition in self.definitions.values():
            shape = _shape(definition)
            if definition.id.endswith("_share"):
                scores.append(_share(definition, floor))
            elif shape == "fto":
                values = [item.value for item in offsets if item.value is not None]
                scores.append(spread(definition, values, offsets, reason="the floor never passed"))
            else:
                scores.append(_counted(definition, floor, shapes[shape]))
        return scores


def structure(floor: Floor) -> dict[str, Events]:
    """Give every ipu, pause, gap and overlap of a session; overlaps also by what they did to the floor."""
    user, agent = floor.user.ipus, floor.agent.ipus
    pauses, gaps = _silences(floor)
    both = overlaps(floor)
    stays = [_stays(stretch, (user, agent)) for stretch in both]
    return {
        "ipu": [(party, ipu) for party in PARTIES for ipu in floor.side(party).ipus],
        "pause": pauses,
        "gap": gaps,
        "overlap": [("", stretch) for stretch in both],
        "overlap_within": [("", stretch) for stretch, stay in zip(both, stays, strict=True) if stay],
        "overlap_change": [("", stretch) for stretch, stay in zip(both, stays, strict=True) if not stay],
    }


def _silences(floor: Floor) -> tuple[Events, Events]:
    """Split joint silences into pauses and gaps; one that touches the session's start or end is neither."""
    sides = {party: floor.side(party).ipus for party in PARTIES}
    ends = {party: {ipu.end for ipu in ipus} for party, ipus in sides.items()}
    starts = {party: {ipu.start for ipu in ipus} for party, ipus in sides.items()}
    pauses: Events = []
    gaps: Events = []
    for silence in (sides["user"] | sides["agent"]).complement(0, floor.duration):
        if silence.start == 0 or silence.end == floor.duration:
            continue
        same = [party for party in PARTIES if silence.start in ends[party] and silence.end in starts[party]]
        if same:
            pauses.append((same[0], silence))
        else:
            gaps.append(("user" if silence.end in starts["user"] else "agent", silence))
    return pauses, gaps


def _stays(overlap: Stretch, sides: tuple[Timeline, Timeline]) -> bool:
    """Whether one ipu lies inside the other's: who came second is also who stopped first."""
    return any(ipus.at(overlap.start) == overlap for ipus in sides)


def _counted(definition: Definition, floor: Floor, events: Events) -> Score:
    evidence = [
        Evidence(start=stretch.start, end=stretch.end, party=party, value=floor.seconds(stretch.length))
        for party, stretch in events
    ]
    lengths = [floor.seconds(stretch.length) for _, stretch in events]
    if definition.statistic == "w1":
        return spread(definition, lengths, evidence, reason="no such event in the session")
    in_seconds = definition.id.endswith("_s_per_min")
    parts: dict[str, Any] = {
        "count": floor.seconds(sum(stretch.length for _, stretch in events)) if in_seconds else len(events),
        "of": floor.minutes,
        "n": len(events),
    }
    return from_parts(definition, parts, () if in_seconds else evidence, reason="the session has no length")


def _share(definition: Definition, floor: Floor) -> Score:
    user, agent = floor.user.ipus, floor.agent.ipus
    covered = {
        "silence": floor.duration - (user | agent).total(),
        "talk_over": overlaps(floor).total(),
        "user": user.total(),
        "agent": agent.total(),
    }[definition.id.removeprefix("turns.").removesuffix("_share")]
    parts = {
        "count": floor.seconds(covered),
        "of": floor.seconds(floor.duration),
        "n": len(user) + len(agent),
    }
    return from_parts(definition, parts, reason="the session has no length")


def _shape(definition: Definition) -> str:
    """The event a metric is about: `overlap_change` of `turns.overlap_change_s_per_min`."""
    name = definition.id.removeprefix("turns.")
    return max((shape for shape in SHAPES if name.startswith(shape)), key=len, default="")


def _read_reference(path: Path) -> dict[str, list[float]]:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, list[float]])
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ScenarioError(f"{path}: no reference distribution: {error}") from error
    unknown = sorted(set(found) - set(SHAPES))
    if unknown or not any(found.values()):
        held, allowed = ", ".join(unknown) or "nothing", ", ".join(SHAPES)
        raise ScenarioError(f"{path}: holds {held}; a reference has lists of seconds named {allowed}")
    return {name: values for name, values in found.items() if values}
