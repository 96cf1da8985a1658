"""Lines: the directed path from one party's mouth to the other's ears, a chain of channels.

A channel carries one frame at a time and keeps its length; whatever it delays, loses or adds is inside. It is seeded
and states its constant delay, so that a reader of the session can subtract it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np

from simulator.events import Emit
from simulator.frame import AudioFrame, freeze
from simulator.plugins import Kind
from simulator.spec import Spec


class ChannelContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel is built with: sample rate (Hz), samples per frame, seeded generator.

    emit(at, type, **fields): notes an event of the line, `at` in session samples (what a background talker says).
    """

    sample_rate: int
    frame_samples: int
    rng: np.random.Generator
    emit: Emit = lambda at, type_, **fields: None


class Channel(Protocol):
    """One impairment on a line.

    A channel with `takes_blocks = True` is handed several frames at once where both sides know ahead what they say; it
    must then give to the bit what frame by frame would have given. Where one of a call's channels does not, the whole
    call goes tick by tick.
    """

    delay_samples: int
    """By how much it delays everything, in samples."""

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame; `other` is what the listener said in the same tick (an echo needs it). Same length out."""
        ...


class ChannelSpec(Spec, frozen=True, kw_only=True):
    """What every channel's spec does: build its channel."""

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse what cannot work before anything starts; `where` is its path in the file. ScenarioError."""

    def build(self, context: ChannelContext) -> Channel:
        """Make the channel for one session."""
        raise NotImplementedError


if TYPE_CHECKING:
    AnyChannel = ChannelSpec
else:

    class AnyChannel(Kind):
        """The spec of any channel that is installed."""

        group = "channels"
        spec = ChannelSpec


def carried_until(
    block: AudioFrame, moment: int | None, count: int, carry: Callable[[AudioFrame], AudioFrame]
) -> AudioFrame:
    """Carry a block at once where nothing happens in it; frame by frame (`count` samples) where it holds the moment."""
    if moment is None or block.start + len(block.samples) <= moment or len(block.samples) == count:
        return carry(block)
    starts = range(0, len(block.samples), count)
    frames = [carry(AudioFrame(block.start + start, block.samples[start : start + count])).samples for start in starts]
    return AudioFrame(block.start, freeze(np.concatenate(frames)))


class Line:
    """A chain of channels in the order of the YAML; an empty one hands frames through untouched."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.channels = tuple(channels)
        self.delay_samples = sum(channel.delay_samples for channel in channels)
        self.takes_blocks = all(getattr(channel, "takes_blocks", False) for channel in channels)

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame through every channel."""
        for channel in self.channels:
            frame = channel.carry(frame, other)
        return frame
