"""Where a Ray cluster plays sessions: on its cores, or in the loops that own a model, one on every GPU.

They are asked whether there is room, and given orders. The answer is two of Ray's references: one is there when the
place is free again, the other when the session is scored.
"""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from simulator import clock
from simulator.batch.limits import WAITING
from simulator.batch.ray_node import ModelLoop, Order, play_order, score_order

T = TypeVar("T")

AHEAD = 2
"""Sessions sent for every core: while one is played the next is on its way, and a cluster that grows sees a reason."""
LOOK_S = 5.0
"""How long a count of what the cluster has is good; asking takes a millisecond."""
ANSWER_S = 10.0
"""How long a loop whose session was lost may take to say that it lives."""
LET_GO_S = 60.0
"""How long a loop may take to close its models."""


class UnderWay(NamedTuple):
    """A session under way: what becomes of it, and in which loop it is (None: on the cores)."""

    order: Order
    played: Any
    scored: Any
    loop: str | None


class RayPlaces(Protocol):
    """Plays orders somewhere; nothing is tried twice here."""

    def room(self) -> bool:
        """Say whether another session can be sent now."""
        ...

    def send(self, order: Order) -> UnderWay:
        """Have a session played."""
        ...

    def opening(self) -> list[Any]:
        """Give what room may come of, to be waited for."""
        ...

    def freed(self, sent: UnderWay, *, lost: bool) -> None:
        """Know that a session needs its place no longer; lost: its node may be gone, and the place with it."""
        ...

    def close(self) -> list[Any]:
        """Let everything go; gives what models report of themselves."""
        ...


class Cores:
    """Sessions that stand alone, one to a core, wherever Ray finds one."""

    def __init__(self) -> None:
        self._play = ray.remote(play_order).options(num_cpus=1, max_retries=0)
        self._under_way = 0
        self._counted = _Counted(cores)

    def room(self) -> bool:
        """As many as the cores and some ahead."""
        return self._under_way < AHEAD * self._counted.now()

    def send(self, order: Order) -> UnderWay:
        """Have a session played and scored in one task."""
        self._under_way += 1
        scored = self._play.remote(order)
        return UnderWay(order, scored, scored, None)

    def opening(self) -> list[Any]:
        """Nothing: a core is free when a session has ended."""
        return []

    def freed(self, sent: UnderWay, *, lost: bool) -> None:
        """Count."""
        self._under_way -= 1

    def close(self) -> list[Any]:
        """Nothing is kept."""
        return []


class Loops:
    """Loops that own the same models, one for each GPU (each node, where none has any); scoring goes to the cores.

    places: of the models in each. sessions: no more loops are opened than they fill.
    """

    def __init__(self, places: int, sessions: int) -> None:
        self._score = ray.remote(score_order).options(num_cpus=1, max_retries=0)
        self._each = places + WAITING
        self._wanted = -(-sessions // places)
        self._loops: dict[str, Any] = {}
        self._opening: dict[Any, str] = {}
        self._under_way: dict[str, int] = {}
        self._spots = _Counted(_spots)
        self._open()

    def room(self) -> bool:
        """Whether a loop that is up can take one more."""
        self._look()
        return any(count < self._each for count in self._under_way.values())

    def send(self, order: Order) -> UnderWay:
        """Have a session played where the fewest are; what it came to is scored on any core."""
        loop = min(self._under_way, key=lambda name: self._under_way[name])
        self._under_way[loop] += 1
        played, heard = self._loops[loop].play.options(num_returns=2).remote(order)
        return UnderWay(order, played, self._score.remote(order, heard), loop)

    def opening(self) -> list[Any]:
        """Loops that have not answered yet."""
        return list(self._opening)

    def freed(self, sent: UnderWay, *, lost: bool) -> None:
        """Give the place back; a loop that was lost is opened anew, where there is a place for it."""
        if sent.loop not in self._under_way:
            return
        self._under_way[sent.loop] -= 1
        if lost and not _answers(self._loops[sent.loop]):
            del self._under_way[sent.loop]
            ray.kill(self._loops.pop(sent.loop))
            self._open()

    def close(self) -> list[Any]:
        """Close every loop's models."""
        reports: list[Any] = []
        for name in self._under_way:
            try:
                reports += ray.get(self._loops[name].let_go.remote(), timeout=LET_GO_S)
            except RayError:  # its node is gone, and what it had to tell
                continue
        for loop in self._loops.values():
            ray.kill(loop)
        return reports

    def _open(self) -> None:
        """Ask Ray for the loops that are wanted and not there. One that finds no place waits, with no session."""
        for name, options in self._spots.now().items():
            if name not in self._loops and len(self._loops) < self._wanted:
                loop = ray.remote(ModelLoop).options(max_restarts=0, max_task_retries=0, **options).remote()
                self._loops[name] = loop
                self._opening[loop.ready.remote()] = name

    def _look(self) -> None:
        """Use loops that have answered; ask for those again that never will."""
        opening = self.opening()
        for answer in ray.wait(opening, num_returns=len(opening), timeout=0)[0] if opening else []:
            name = self._opening.pop(answer)
            try:
                ray.get(answer)
                self._under_way[name] = 0
            except RayError:
                del self._loops[name]
        self._open()


class _Counted(Generic[T]):
    """What the cluster has, asked for now and then: nodes come and go."""

    def __init__(self, count: Callable[[], T]) -> None:
        self._count = count
        self._found = count()
        self._at = clock.seconds()

    def now(self) -> T:
        if clock.seconds() > self._at + LOOK_S:
            self._found, self._at = self._count(), clock.seconds()
        return self._found


def cores() -> int:
    """Give how many cores the cluster has now; one at least, for it may grow."""
    return max(1, int(ray.cluster_resources().get("CPU", 0)))


def _spots() -> dict[str, dict[str, Any]]:
    """Give where loops can be, by name, as Ray's options: GPUs, which Ray deals out; else nodes, cores left to scoring.

    A node that is gone and not yet known for it only sends the loop elsewhere.
    """
    gpus = int(ray.cluster_resources().get("GPU", 0))
    if gpus:
        return {f"GPU {number}": {"num_gpus": 1, "num_cpus": 0} for number in range(gpus)}
    alive = [node for node in ray.nodes() if node["Alive"]]
    nodes = [node["NodeID"] for node in alive if node["Resources"].get("CPU")] or [node["NodeID"] for node in alive]
    return {
        node: {"num_cpus": 0, "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=True)} for node in nodes
    }


def _answers(loop: Any) -> bool:
    try:
        ray.get(loop.ready.remote(), timeout=ANSWER_S)
    except RayError:
        return False
    return True
