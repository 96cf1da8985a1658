"""End of turn: how long the other must be silent before it counts as done.

    endpoint: 600ms                        silence alone
    endpointing: smart_turn                a model judges each pause by how the turn sounds
    endpointing: {kind: vad_adaptive, hesitation: 2s}

A kind looks at every pause once, `looks_after` into it, and says how much silence ends the turn there. Silence alone
(`silence`) never looks: it is `endpoint` everywhere.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from simulator.engines.kinds import EngineSpec
from simulator.frame import Samples
from simulator.plugins import Kind
from simulator.spec import Duration


class Endpointing(Protocol):
    """Judges pauses. Shared by the sessions of a process; it keeps nothing of what it heard."""

    looks_after: Duration

    def silence(self, samples: Samples, sample_rate: int) -> Duration:
        """Give how much silence ends the turn whose sound up to now this is, float32 (n,), its pause included."""
        ...


class EndpointingSpec(EngineSpec, frozen=True, kw_only=True, omit_defaults=True):
    """What every kind's spec does: make what judges, or nothing where silence alone decides."""

    def warm(self) -> None:
        """Load what takes long. ScenarioError: it cannot be loaded here."""

    def build(self, endpoint: Duration) -> Endpointing | None:
        """Make it. endpoint: the silence that ends a turn which nothing else is known of."""
        raise NotImplementedError


if TYPE_CHECKING:
    AnyEndpointing = EndpointingSpec
else:

    class AnyEndpointing(Kind):
        """The spec of any installed kind of end of turn."""

        group = "endpointing"
        spec = EndpointingSpec


Judge = Callable[[Samples, Callable[[Duration], None]], None]
"""Has a pause judged: takes the turn's sound, and calls back with the silence that ends it, at once or later."""


class SilenceSpec(EndpointingSpec, frozen=True, kw_only=True, tag="silence", omit_defaults=True):
    """Silence alone ends a turn: as long as `endpoint` says."""

    def build(self, endpoint: Duration) -> None:
        """There is nothing to judge."""
        return
