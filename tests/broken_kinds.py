"""Kinds that break one promise each, for tests of the suites in simulator.testing."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

import anyio
import numpy as np

from simulator.actor import Actor, ActorSpec, BlockActor, Context
from simulator.clock import seconds
from simulator.frame import AudioFrame, Samples, freeze, silence, to_grid
from simulator.injector import Injector, InjectorContext, InjectorSpec, Tracks
from simulator.line import ChannelContext, ChannelSpec
from simulator.score import Definition, Evidence, Score, from_parts, share
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.speaking.cues import NEVER
from simulator.traits import StepTraits
from tests import distributions

KINDS = {
    "channels": {"broken": "tests.broken_kinds:BrokenChannelSpec"},
    "actors": {
        "broken": "tests.broken_kinds:BrokenActorSpec",
        "hasty": "tests.broken_kinds:HastySpec",
    },
    "injectors": {"broken": "tests.broken_kinds:BrokenInjectorSpec"},
    "scorers": {"broken": "tests.broken_kinds:BrokenScorerSpec"},
}
CALLS: list[int] = []
"""What a kind remembers that must not: how often it was called in this process."""


def installed(folder: Path) -> AbstractContextManager[None]:
    """Install the kinds below while the block runs."""
    return distributions.installed(folder, "broken", KINDS)


class BrokenChannelSpec(ChannelSpec, frozen=True, kw_only=True, tag="broken"):
    """A channel. how: which promise it breaks; none keeps all."""

    how: Literal["none", "short", "moved", "chance", "late", "blocks"] = "none"

    def build(self, context: ChannelContext) -> Any:
        """Make the channel."""
        return BrokenChannel(self.how)


class BrokenChannel:
    """Hands sound through, and breaks its promise."""

    delay_samples = 0
    takes_blocks = True

    def __init__(self, how: str) -> None:
        self._how = how
        self._before = np.zeros(1, np.float32)

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame."""
        start, samples = frame.start, frame.samples
        if self._how == "short":
            samples = samples[:-1]
        elif self._how == "moved":
            start += 1
        elif self._how == "chance":
            CALLS.append(1)
            samples = samples * np.float32(1 + len(CALLS) / 1000)
        elif self._how == "late":
            samples, self._before = np.concatenate([self._before, samples[:-1]]), samples[-1:]
        elif self._how == "blocks":
            samples = samples * np.float32(1 / len(samples))
        return AudioFrame(start, samples)


class BrokenActorSpec(ActorSpec, frozen=True, kw_only=True, tag="broken"):
    """An actor. how: which promise it breaks; none keeps all."""

    how: Literal["none", "short", "moved", "loud", "off_grid", "chance", "task", "talks_on", "endless", "fails"] = (
        "none"
    )

    def build(self) -> Actor:
        """Make the actor."""
        return BrokenActor(self.how)


class BrokenActor(Actor):
    """Silent, but for its fault."""

    traits = StepTraits(on_grid=True)

    def __init__(self, how: str) -> None:
        self._how = how

    async def start(self, context: Context) -> None:
        """Get ready; what it starts beside itself lives on where that is its fault."""
        self._context = context
        if self._how == "endless":
            context.emit(0, "speech_start", id="x", role="turn", text="", planned_samples=9, words=[])

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Say silence, or not quite."""
        count, said = len(heard.samples), silence(len(heard.samples))
        if self._how == "fails" and heard.start > 0:
            raise RuntimeError("out of luck")
        if self._how == "chance":
            CALLS.append(1)
            said = to_grid(np.full(count, len(CALLS) / 2**15, np.float32))
        return AudioFrame(
            heard.start + count + (self._how == "moved"),
            {
                "short": said[:-1],
                "loud": freeze(np.full(count, 1.5, np.float32)),
                "off_grid": freeze(np.full(count, 1e-5, np.float32)),
            }.get(self._how, said),
        )

    async def close(self) -> None:
        """Leave; not quite, where that is its fault."""
        import asyncio

        if self._how == "task":
            CALLS.append(id(asyncio.ensure_future(anyio.sleep(60))))
        elif self._how == "talks_on":
            context = self._context
            asyncio.get_running_loop().call_soon(lambda: context.emit(10**9, "yielded", said_text=""))


class HastySpec(ActorSpec, frozen=True, kw_only=True, tag="hasty"):
    """A BlockActor that says its own bound is further than it is."""

    def build(self) -> Actor:
        """Make the actor."""
        return Hasty()


class Hasty(BlockActor):
    """Says again what it last heard of a frame, and claims to know that for ever."""

    def hear(self, heard: AudioFrame) -> None:
        """Remember the last sample."""
        self._last = heard.samples[-1:]

    def settled(self, now: int) -> int:
        """Too far: the next frame changes it."""
        return NEVER

    def say(self, now: int, count: int) -> Samples:
        """Give the last sample, again and again."""
        return freeze(np.repeat(self._last, count))


class BrokenInjectorSpec(InjectorSpec, frozen=True, kw_only=True, tag="broken"):
    """An injector. how: which promise it breaks; none keeps all."""

    how: Literal["none", "chance", "endless", "blocks"] = "none"

    def build(self, context: InjectorContext) -> Injector:
        """Make the injector."""
        return BrokenInjector(self.how, context)


class BrokenInjector:
    """Adds nothing, but for its fault."""

    speaking = False
    last_end = 0

    def __init__(self, how: str, context: InjectorContext) -> None:
        self._how = how
        if how == "endless":
            context.emit(0, "speech_start", id="x", role="turn", text="", planned_samples=9, words=[])

    def settled(self, now: int, count: int, tracks: Tracks) -> int:
        """Always."""
        return NEVER

    def inject(self, now: int, count: int, tracks: Tracks) -> Samples | None:
        """Add a constant: of how often it was asked, or of how much."""
        CALLS.append(1)
        level = {"chance": len(CALLS), "blocks": count}.get(self._how)
        return None if level is None else np.full(count, level % 1000 / 2**15, np.float32)

    def close(self, now: int) -> None:
        """Nothing to account for."""


class BrokenScorerSpec(ScorerSpec, frozen=True, kw_only=True, tag="broken"):
    """A scorer. how: which promise it breaks; none keeps all."""

    how: Literal["none", "missing", "unit", "memory", "no_reason", "outside", "parts", "count"] = "none"

    cards = tuple(Definition(id=f"broken.{name}", unit="ratio", statistic="ratio", title=name) for name in ("a", "b"))

    def build(self) -> "BrokenScorer":
        """Make the scorer."""
        return BrokenScorer(self.how)


class BrokenScorer:
    """Says of both metrics how much of the session is speech, or lies."""

    definitions = by_id(BrokenScorerSpec.cards)

    def __init__(self, how: str) -> None:
        self._how = how

    def score(self, session: Session) -> list[Score]:
        """Score it."""
        from msgspec.structs import replace

        spoken = sum(part.end - part.start for part in session.speech.agent.segments)
        whole = session.duration if spoken else 0
        shown: Sequence[Evidence] = [Evidence(start=0, end=session.duration + 1)] if self._how == "outside" else []
        first, second = (share(card, spoken, whole, shown, reason="no speech") for card in self.definitions.values())
        if self._how == "missing":
            return [second]
        if self._how == "memory":
            CALLS.append(1)
            second = from_parts(self.definitions[second.id], {"count": len(CALLS), "of": 10**6}, reason="none")
        wrong: dict[str, dict[str, Any]] = {
            "unit": {"unit": "s"},
            "no_reason": {"reason": None},
            "parts": {"value": 0.123},
            "count": {"n": 7},
        }
        return [first, replace(second, **wrong.get(self._how, {}))]


class LeakyCore:
    """A protocol core that acts on whatever it is handed as if that were a whole message; or, honest, on every byte."""

    def __init__(self, how: str) -> None:
        self._how = how
        self._began = seconds()

    def feed(self, data: bytes) -> list[Any]:
        """Act."""
        if self._how == "crash" and len(data) != 4:
            raise IndexError("no such byte")
        return {"whole": [data], "clock": [(byte, self._began) for byte in data]}.get(self._how, list(data))
