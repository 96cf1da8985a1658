"""The protocol suite: what a replay relies on, over any protocol core that does no I/O.

A core takes what came in and says what is to be done. A log is all that came in: bytes of a stream, or a list of
messages. However it is cut into pieces, the actions are the same, so a recorded session replays exactly.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import msgspec
import numpy as np

from simulator.errors import SimulatorError
from simulator.testing.cases import over

CUTS = 20
"""So many ways of cutting a log are tried, drawn with one seed."""


class ProtocolCase(msgspec.Struct, frozen=True, kw_only=True):
    """A core and a recorded log of its far end.

    make(): gives a fresh core. feed(core, part): hands it a stretch of the log, a slice of `log` of any length, and
    gives the actions that follow, as data that compares equal. log: bytes, or a list of messages.
    """

    name: str
    make: Callable[[], Any]
    feed: Callable[[Any, Any], Sequence[Any]]
    log: bytes | Sequence[Any]


def protocol_contract(cases: Sequence[ProtocolCase]) -> type["ProtocolContract"]:
    """Give the tests that every protocol core passes: `TestMine = protocol_contract([ProtocolCase(...)])`."""
    return over(ProtocolContract, cases, [case.name for case in cases])


class ProtocolContract:
    """A log gives its actions however it is cut, each as early as what came in allows, and damage is no crash."""

    seed: ClassVar[int] = 0

    def test_a_log_gives_the_same_actions_again(self, case: ProtocolCase) -> None:
        """A core has no clock, no chance and no memory of other cores."""
        assert _replayed(case, [0]) == _replayed(case, [0]), "the same log gave other actions"

    def test_a_log_gives_the_same_actions_however_it_is_cut(self, case: ProtocolCase) -> None:
        """Whole, one by one and cut anywhere: what the network packs together makes no difference."""
        whole = _replayed(case, [0])
        assert whole, "the log leads to no action at all: it tries nothing"
        assert _replayed(case, range(len(case.log))) == whole, "one by one the log gave other actions than whole"
        rng = np.random.default_rng(self.seed)
        for _ in range(CUTS):
            count = int(rng.integers(1, min(len(case.log), 12) + 1))
            cuts = sorted({0, *rng.integers(0, len(case.log), count).tolist()})
            assert _replayed(case, cuts) == whole, f"cut at {cuts} the log gave other actions than whole"

    def test_what_is_still_to_come_changes_nothing(self, case: ProtocolCase) -> None:
        """The beginning of a log gives the beginning of its actions: a core waits for what it needs, and not longer."""
        whole = _replayed(case, [0])
        for end in range(1, len(case.log), max(1, len(case.log) // CUTS)):
            begun = _fed(case, case.log[:end], [0])
            assert begun == whole[: len(begun)], f"the first {end} gave actions that the whole log does not begin with"

    def test_a_damaged_log_is_the_far_ends_fault(self, case: ProtocolCase) -> None:
        """Parts that are missing or doubled give other actions or a SimulatorError, and never another exception."""
        rng = np.random.default_rng(self.seed)
        for _ in range(CUTS):
            first, last = sorted(rng.integers(0, len(case.log) + 1, 2).tolist())
            for damaged in (_joined(case.log[:first], case.log[last:]), _joined(case.log[:last], case.log[first:])):
                try:
                    _fed(case, damaged, [0])
                except SimulatorError:
                    continue


def _replayed(case: ProtocolCase, cuts: Sequence[int]) -> list[Any]:
    return _fed(case, case.log, cuts)


def _fed(case: ProtocolCase, log: Any, cuts: Sequence[int]) -> list[Any]:
    """Hand a log to a fresh core, cut at these places (the first is 0); gives all actions in order."""
    core = case.make()
    ends = [*cuts[1:], len(log)]
    return [action for start, end in zip(cuts, ends, strict=True) for action in case.feed(core, log[start:end])]


def _joined(head: Any, tail: Any) -> Any:
    return head + tail if isinstance(head, bytes) else [*head, *tail]
