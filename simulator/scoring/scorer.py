"""Scorers as kinds: what a scenario's `scorers` entry becomes, and where all definition cards are looked up."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from simulator.errors import SimulatorError
from simulator.plugins import Kind, installed, load
from simulator.reading.outcome_id import EXPECTED, outcome_definition
from simulator.score import Definition, Score
from simulator.scoring.judge_cards import JUDGED, judge_definition
from simulator.session import Session
from simulator.spec import Spec

DEFAULT_SCORERS = (
    "turns",
    "latency",
    "takeover",
    "barge_in",
    "backchannel",
    "selectivity",
    "agent_interruption",
    "content",
    "validity",
)


class Scorer(Protocol):
    """A pure function from a session to scores, with the cards of the metrics it gives."""

    @property
    def definitions(self) -> Mapping[str, Definition]:
        """The cards by metric id, as the scorer's options make them."""
        ...

    def score(self, session: Session) -> list[Score]:
        """Score one session; one Score per definition, in their order."""
        ...


class ScorerSpec(Spec, frozen=True, kw_only=True):
    """What every scorer's spec does: say which metrics it gives, and build its scorer."""

    cards: ClassVar[tuple[Definition, ...]] = ()
    """The cards of its metrics, in the order of its scores, whatever the options are."""
    needs_words: ClassVar[bool] = False
    """Whether it reads words that only recognition can give; without such a scorer annotation may leave them out."""

    def build(self) -> Scorer:
        """Make the scorer; cheap, no I/O."""
        raise NotImplementedError


def wants_words(spec: Any) -> bool:
    """Whether a scorer reads words that only recognition can give: its kind says so, or this one by its options."""
    asked = getattr(spec, "asks_for_words", None)
    return bool(asked() if asked is not None else spec.needs_words)


if TYPE_CHECKING:
    AnyScorer = ScorerSpec
else:

    class AnyScorer(Kind):
        """The spec of any scorer that is installed."""

        group = "scorers"
        spec = Spec  # a scorer of whole corpora that can score a session too may be named, and is no ScorerSpec


def by_id(cards: Iterable[Definition]) -> dict[str, Definition]:
    """Give cards by metric id, in their order."""
    return {card.id: card for card in cards}


def definitions_by(scorers: Iterable[Scorer]) -> dict[str, Definition]:
    """Give the cards of everything these scorers measure."""
    return {name: card for scorer in scorers for name, card in scorer.definitions.items()}


def definitions_of(kind: str) -> dict[str, Definition]:
    """Give the cards of an installed scorer by metric id, known before any run.

    ScenarioError when there is no such scorer; one that needs an option to be made has none.
    """
    spec: Any = load("scorers", kind)
    if isinstance(spec, type) and issubclass(spec, ScorerSpec):
        return by_id(spec.cards)
    try:
        return definitions_by([spec().build()])
    except TypeError:
        return {}


@cache
def definitions_by_kind() -> dict[str, dict[str, Definition]]:
    """Give the cards of every installed scorer; one that cannot be loaded here is left out."""
    found: dict[str, dict[str, Definition]] = {}
    for kind in installed("scorers"):
        try:
            found[kind] = definitions_of(kind)
        except SimulatorError:
            continue
    return found


def definition_of(metric: str) -> Definition | None:
    """Give the card of a metric: of an installed scorer's, of an outcome that is expected, or of what a judge says."""
    known = all_definitions().get(metric)
    if known is None and metric.startswith(JUDGED):
        return judge_definition(metric)
    return outcome_definition(metric) if known is None and metric.startswith(EXPECTED) else known


@cache
def all_definitions() -> dict[str, Definition]:
    """Give the cards of every installed scorer by metric id."""
    return {name: card for cards in definitions_by_kind().values() for name, card in cards.items()}
