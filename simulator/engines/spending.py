"""What engines that are paid for used, until a session tells it: synthesis and recognition happen outside any clock.

Engines are shared, so whoever tells next tells for all: the events of a run add up to what the run used.
"""

from collections import defaultdict, deque
from typing import Any

from simulator.engines.kinds import EngineSpec
from simulator.events import Emit

_untold: defaultdict[EngineSpec, deque[dict[str, Any]]] = defaultdict(deque)


def spend(spec: EngineSpec, *, input_s: float = 0.0, output_s: float = 0.0) -> None:
    """Note the seconds of sound that a request sent or got, under the names that prices go by."""
    lengths = {name: round(length, 3) for name, length in (("input_s", input_s), ("output_s", output_s)) if length}
    for model in spec.traits().billed_as:
        _untold[spec].append({"model": model, **lengths})


def tell_spent(emit: Emit, at: int, *specs: EngineSpec | None) -> None:
    """Tell what these engines used since it was told last, as `usage` events at sample `at`."""
    for spec in specs:
        untold = _untold.get(spec) if spec is not None else None
        while untold:
            emit(at, "usage", **untold.popleft())
