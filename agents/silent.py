"""A party that says nothing: the other side of a recording, or a stand-in while one side is built."""

from simulator.actor import Actor, ActorSpec
from simulator.frame import AudioFrame, silence


class SilentSpec(ActorSpec, frozen=True, kw_only=True, tag="silent"):
    """Say nothing: `{kind: silent}`."""

    def build(self) -> "Silent":
        """Make the actor."""
        return Silent()


class Silent(Actor):
    """Answers every frame with silence."""

    on_grid = True
    done = True

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Hear a frame, say silence."""
        count = len(heard.samples)
        return AudioFrame(heard.start + count, silence(count))
