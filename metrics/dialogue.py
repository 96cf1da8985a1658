"""Dialogues of models as conversations: how far from human talk, whether they collapsed, how rich they are."""

import math
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

from metrics.dialogue_cards import (
    ANSWER_WITHIN_S,
    ANSWERED,
    CARDS,
    COLLAPSED,
    COLLAPSES,
    DISTANCES,
    DIVERSITY,
    ENTROPY,
    FEWEST_TURNS,
    SEGMENT_WORDS,
)
from metrics.dialogue_collapse import Collapse, Said, collapses, turn_texts
from metrics.dialogue_shapes import measured
from simulator.events import PARTIES, Party, other_party
from simulator.floor.floor import Floor
from simulator.score import Definition, Evidence, Score, share, spread, undefined
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.speaking.hearing import words_of
from simulator.timeline import Stretch


class DialogueSpec(ScorerSpec, frozen=True, kw_only=True, tag="dialogue"):
    """Measure a dialogue of two models: distance from human talk, collapse, diversity, questions answered, entropy."""

    cards: ClassVar[tuple[Definition, ...]] = CARDS
    needs_words: ClassVar[bool] = True

    def build(self) -> "Dialogue":
        """Make the scorer."""
        return Dialogue()


class Dialogue:
    """Scores one dialogue; roles are told, else judged by shape."""

    definitions: Mapping[str, Definition] = by_id(CARDS)

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        said = turn_texts(floor)
        found = collapses(floor, said)
        return [
            *_distances(floor),
            _collapsed(found),
            *(_collapse(COLLAPSES[name], item) for name, item in found.items()),
            _diversity(session),
            _answered(floor, said),
            _entropy(said),
        ]


def _distances(floor: Floor) -> list[Score]:
    events = measured(floor)
    scores: list[Score] = []
    for shape, definition in DISTANCES.items():
        evidence = [
            Evidence(start=where.start, end=where.end, party=party, label=shape, value=seconds)
            for party, where, seconds in events[shape]
        ]
        values = [item.seconds for item in events[shape]]
        scores.append(spread(definition, values, evidence, reason="no such event in the session"))
    return scores


def _collapsed(found: Mapping[str, Collapse | None]) -> Score:
    happened = {name: item for name, item in found.items() if item is not None and item.happened}
    places = [_evidence(name, item) for name, item in happened.items() if item.where is not None]
    return share(COLLAPSED, int(bool(happened)), 1, places, reason="")


def _collapse(definition: Definition, item: Collapse | None) -> Score:
    if item is None:
        return undefined(definition, "nobody knows a word of the session")
    places = [_evidence(definition.title, item)] if item.where is not None else []
    return share(definition, int(item.happened), 1, places, reason="")


def _evidence(label: str, item: Collapse) -> Evidence:
    where = item.where or Stretch(0, 0)
    return Evidence(start=where.start, end=where.end, party=item.party, label=label)


def _diversity(session: Session) -> Score:
    ratios: list[float] = []
    for party in PARTIES:
        said = [word for item in session.speech.of(party).words for word in words_of(item.text)]
        firsts = range(0, len(said) - SEGMENT_WORDS + 1, SEGMENT_WORDS)
        ratios += [len(set(said[first : first + SEGMENT_WORDS])) / SEGMENT_WORDS for first in firsts]
    return spread(DIVERSITY, ratios, reason=f"no party said {SEGMENT_WORDS} words")


def _answered(floor: Floor, said: Said) -> Score:
    within = floor.samples(ANSWER_WITHIN_S)
    evidence: list[Evidence] = []
    answers = 0
    for party, where, text in said:
        if not text.rstrip(" \"'”’)").endswith("?"):
            continue
        answer = _answer(floor, other_party(party), where, within)
        if answer is None and where.end + within > floor.duration:
            continue
        answers += answer is not None
        label = "answered" if answer is not None else "not answered"
        evidence.append(Evidence(start=where.start, end=answer or where.end, party=party, label=label))
    return share(ANSWERED, answers, len(evidence), evidence, reason="no question was asked")


def _answer(floor: Floor, party: Party, question: Stretch, within: int) -> int | None:
    """Give when a party begins to answer, if it does: a claim in or soon after the question that outlasts it."""
    for claim in floor.side(party).claims_from(question.start, question.end + within):
        if claim.end > question.end:
            return max(claim.start, question.end)
    return None


def _entropy(said: Said) -> Score:
    order = [party for party, _, _ in said]
    values: list[Any] = []
    if len(order) >= FEWEST_TURNS:
        after: dict[Party, Counter[Party]] = {party: Counter() for party in PARTIES}
        for this, following in pairwise(order):
            after[this][following] += 1
        total = len(order) - 1
        values = [sum(count.total() / total * _bits(count) for count in after.values())]
    return spread(ENTROPY, values, reason=f"fewer than {FEWEST_TURNS} turns")


def _bits(counts: Counter[Party]) -> float:
    shares = [count / counts.total() for count in counts.values()]
    return -math.fsum(part * math.log2(part) for part in shares) + 0.0
