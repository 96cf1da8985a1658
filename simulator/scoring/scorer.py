"""Scorers as kinds: what a scenario's `scorers` entry becomes, and the definition cards known before any run."""

from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.plugins import installed, load
from simulator.score import Definition, Scorer
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
)


class ScorerSpec(Spec, frozen=True, kw_only=True):
    """What every scorer's spec does: say which metrics it gives, and build its scorer."""

    cards: ClassVar[tuple[Definition, ...]] = ()
    """The cards of its metrics, in the order of its scores."""
    needs_words: ClassVar[bool] = False
    """Whether it reads words that only recognition can give; without such a scorer annotation may leave them out."""

    @classmethod
    def definitions(cls) -> Mapping[str, Definition]:
        """The cards by metric id, whatever the options are."""
        return {card.id: card for card in cls.cards}

    def build(self) -> Scorer:
        """Make the scorer; cheap, no I/O."""
        raise NotImplementedError


def definitions_of(kind: str) -> Mapping[str, Definition]:
    """Give the cards of an installed scorer by metric id. ScenarioError when there is no such scorer."""
    spec: Any = load("scorers", kind)
    if isinstance(spec, type) and issubclass(spec, ScorerSpec):
        return spec.definitions()
    return dict(spec().build().definitions)


def all_definitions() -> dict[str, Definition]:
    """Give the cards of every installed scorer by metric id."""
    return {name: card for kind in installed("scorers") for name, card in definitions_of(kind).items()}
