"""A party that says nothing: the other side of a recording, or a stand-in while one side is built."""

from typing import Self

from simulator.actor import ActorSpec, BlockActor
from simulator.frame import AudioFrame, Samples, silence
from simulator.speaking.cues import NEVER
from simulator.traits import StepTraits


class SilentSpec(ActorSpec, frozen=True, kw_only=True, tag="silent"):
    """Say nothing: `{kind: silent}`."""

    def in_turns(self) -> Self:
        """Give the same."""
        return self

    def build(self) -> "Silent":
        """Make the actor."""
        return Silent()


class Silent(BlockActor):
    """Answers whatever it hears with silence."""

    traits = StepTraits(prompt=True, on_grid=True)
    done = True

    def hear(self, heard: AudioFrame) -> None:
        """Let it pass."""

    def settled(self, now: int) -> int:
        """Nothing will ever be said."""
        return NEVER

    def say(self, now: int, count: int) -> Samples:
        """Say silence."""
        return silence(count)
