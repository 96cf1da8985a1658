"""Kinds for tests of runs, installed like anybody's package: parties that share a host, cost money, or kill a process.

`installed(folder)` makes them known in this process and in the workers that it starts.
"""

import os
import signal
import sys
from contextlib import AbstractContextManager
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import anyio

from simulator.actor import Actor, ActorSpec, Context
from simulator.frame import AudioFrame, silence
from simulator.score import Definition, Score, share
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.traits import PartyTraits, SharedHost
from tests import distributions

KINDS = {
    "actors": {
        "choir": "tests.choir:ChoirSpec",
        "choir_of_one": "tests.choir:SoloSpec",
        "metered": "tests.choir:MeteredSpec",
        "deadly": "tests.choir:DeadlySpec",
        "pressing": "tests.choir:PressingSpec",
    },
    "scorers": {"deadly": "tests.choir:DeadlyScorerSpec"},
}


def installed(folder: Path) -> AbstractContextManager[None]:
    """Install the kinds below while the block runs, as a distribution in `folder`."""
    return distributions.installed(folder, "choir", KINDS)


class ChoirSpec(ActorSpec, frozen=True, kw_only=True, tag="choir"):
    """A singer that shares a host with all others in the process; slots: how many of them it takes."""

    slots: int = 2

    def traits(self) -> PartyTraits:
        """The host, and its slots."""
        return PartyTraits(host=SharedHost("choir", self.slots))

    def build(self) -> Actor:
        """Make the singer."""
        return Singer()


class SoloSpec(ChoirSpec, frozen=True, kw_only=True, tag="choir_of_one"):
    """A singer with a host of another name, which takes one."""

    def traits(self) -> PartyTraits:
        """The other host, and its one slot."""
        return PartyTraits(host=SharedHost("solo", 1))


class Host:
    """What the singers share: counts them, and tells it in a report that is told, too, when it was closed."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {"singers": 0, "inside": 0, "most": 0, "closed": False}

    def report(self) -> dict[str, Any]:
        """What it has counted."""
        return self.told

    def close(self) -> None:
        """Note that it was closed."""
        self.told["closed"] = True


class Singer(Actor):
    """Silent; lets the others go on after every frame."""

    async def start(self, context: Context) -> None:
        """Join the choir."""
        self._told = context.shared.setdefault("choir", Host()).told
        context.shared["programme"] = "nothing that could be closed"
        self._told["singers"] += 1
        self._told["inside"] += 1
        self._told["most"] = max(self._told["most"], self._told["inside"])

    async def step(self, heard: AudioFrame) -> AudioFrame:
        """Say silence."""
        await anyio.lowlevel.checkpoint()
        return AudioFrame(heard.start + len(heard.samples), silence(len(heard.samples)))

    async def close(self) -> None:
        """Leave the choir."""
        self._told["inside"] -= 1


class MeteredSpec(ActorSpec, frozen=True, kw_only=True, tag="metered"):
    """A silent party that is billed by the minute; tells: every second, or only when it is over."""

    tells: bool = True

    def traits(self) -> PartyTraits:
        """The model it is billed as."""
        return PartyTraits(billed_as=("metered",))

    def build(self) -> Actor:
        """Make the party."""
        return Metered(self.tells)


class Metered(Actor):
    """Tells how much of it was used: every sample it said, once."""

    def __init__(self, tells: bool) -> None:
        self._tells = tells
        self._untold = 0
        self._now = 0

    async def start(self, context: Context) -> None:
        """Take note of the context."""
        self._context = context

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Say silence, and once a second what it costs."""
        count = len(heard.samples)
        self._now = heard.start + count
        self._untold += count
        if self._tells and self._untold >= self._context.input_rate:
            self._tell()
        return AudioFrame(self._now, silence(count))

    async def close(self) -> None:
        """Tell the rest."""
        self._tell()

    def _tell(self) -> None:
        self._context.emit(self._now, "usage", model="metered", session_s=self._untold / self._context.input_rate)
        self._untold = 0


class DeadlySpec(ActorSpec, frozen=True, kw_only=True, tag="deadly"):
    """A party whose start ends the process it is in."""

    def build(self) -> Actor:
        """Make the party."""
        return Deadly()


class Deadly(Actor):
    """Ends a worker process; in the one that runs the tests it only fails."""

    async def start(self, context: Context) -> None:
        """Die, in a worker."""
        if _in_worker():
            os._exit(9)
        raise RuntimeError("no voice today")

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Say silence."""
        return AudioFrame(heard.start + len(heard.samples), silence(len(heard.samples)))


def _in_worker() -> bool:
    """Whether this process is a pool's worker, or one of Ray's, which is nobody's child."""
    return parent_process() is not None or Path(sys.argv[0]).name == "default_worker.py"


class PressingSpec(ActorSpec, frozen=True, kw_only=True, tag="pressing"):
    """A party in whose first frame somebody presses Ctrl-C."""

    def build(self) -> Actor:
        """Make the party."""
        return Pressing()


class Pressing(Actor):
    """Sends the signal once, and is silent."""

    pressed = False

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Say silence."""
        if not self.pressed:
            self.pressed = True
            signal.raise_signal(signal.SIGINT)
        return AudioFrame(heard.start + len(heard.samples), silence(len(heard.samples)))


class DeadlyScorerSpec(ScorerSpec, frozen=True, kw_only=True, tag="deadly"):
    """A scorer that ends the worker process it is in, and gives a number in any other."""

    cards = (Definition(id="deadly.survived", unit="ratio", statistic="ratio", title="survived", card="1 where alive"),)

    def build(self) -> "DeadlyScorer":
        """Make the scorer."""
        return DeadlyScorer()


class DeadlyScorer:
    """Ends a worker process."""

    definitions = by_id(DeadlyScorerSpec.cards)

    def score(self, session: Session) -> list[Score]:
        """Die in a worker, give 1 elsewhere."""
        if _in_worker():
            os._exit(9)
        return [share(self.definitions["deadly.survived"], 1, 1, reason="")]
