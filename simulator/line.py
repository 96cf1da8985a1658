"""Lines: the directed path from one party's mouth to the other's ears, a chain of channels.

A channel carries one frame at a time and keeps its length; whatever it delays, loses or adds is inside. It is seeded
and states its constant delay, so that a reader of the session can subtract it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np

from simulator.errors import ScenarioError
from simulator.events import Emit, Party
from simulator.frame import AudioFrame, freeze
from simulator.plugins import Kind
from simulator.spec import Duration, Spec


class ChannelContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel is built with: sample rate (Hz), samples per frame, seeded generator.

    emit(at, type, **fields): notes an event of the line, `at` in session samples (what a background talker says); what
    happens while the channel is not on is not noted. active(): whether what it does now is heard; who counts asks it.
    """

    sample_rate: int
    frame_samples: int
    rng: np.random.Generator
    emit: Emit = lambda at, type_, **fields: None
    active: Callable[[], bool] = lambda: True


class Channel(Protocol):
    """One impairment on a line.

    A channel with `takes_blocks = True` is handed several frames at once where both sides know ahead what they say; it
    must then give to the bit what frame by frame would have given. Where one of a call's channels does not, the whole
    call goes tick by tick.
    """

    delay_samples: int
    """By how much it delays everything, in samples; where that varies the nominal value, and `line_delay` events."""

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame; `other` is what the listener said in the same tick (an echo needs it). Same length out."""
        ...


CONDITIONS = ("user_speaking", "agent_speaking", "user_pausing", "agent_pausing")


class During(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`{agent_speaking: 500ms}`: a channel is on while that party has been speaking (or pausing) for so long.

    Judged on what both say, before the line. length: it stays on for so long each time, however the speech goes on.
    times: it comes on so often at most. ValueError when there is no condition or more than one. user_speaking,
    agent_speaking: how long that party has been speaking. user_pausing, agent_pausing: how long it has been silent
    after speech.
    """

    user_speaking: Duration | None = None
    agent_speaking: Duration | None = None
    user_pausing: Duration | None = None
    agent_pausing: Duration | None = None
    length: Duration | None = None
    times: int | None = None

    def __post_init__(self) -> None:
        given = [name for name in CONDITIONS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"during has exactly one of {', '.join(CONDITIONS)}; found {', '.join(given) or 'none'}")
        if self.length is not None and self.length <= 0:
            raise ValueError("length must be above 0")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times is {self.times}; it must be at least 1")

    @property
    def condition(self) -> tuple[Party, bool, Duration]:
        """The party that it is about, whether that is to speak (or to pause), and for how long."""
        (name,) = (name for name in CONDITIONS if getattr(self, name) is not None)
        return "user" if name.startswith("user") else "agent", name.endswith("speaking"), getattr(self, name)


class ChannelSpec(Spec, frozen=True, kw_only=True, omit_defaults=True, rename={"from_": "from"}):
    """What every channel's spec has: when it is on (`from`, `until`, `during`; always without them); it builds one.

    from: when it begins to work. until: when it ends. during: while somebody speaks or pauses.
    """

    from_: Duration | None = None
    until: Duration | None = None
    during: During | None = None

    @property
    def windowed(self) -> bool:
        """Whether it is not on all the time."""
        return self.from_ is not None or self.until is not None or self.during is not None

    def parts(self) -> Sequence["ChannelSpec"]:
        """The channels that it stands for: itself, or what a named line is made of."""
        return [self]

    def check_window(self, where: str) -> None:
        """Refuse a window that never opens. ScenarioError."""
        if self.until is not None and self.until <= (self.from_ or 0):
            raise ScenarioError(f"{where}.until: is {self.until}; it must be after `from`")

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


class Lines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The channels of both directions, in the order sound passes them.

    user_to_agent: what the user's sound passes. agent_to_user: what the agent's does.
    """

    user_to_agent: list[AnyChannel] = []
    agent_to_user: list[AnyChannel] = []

    def heard_by(self, party: Party) -> list[ChannelSpec]:
        """The channels between the other party's mouth and this one's ears."""
        return self.user_to_agent if party == "agent" else self.agent_to_user


def carried_until(
    block: AudioFrame, moment: int | None, count: int, carry: Callable[[AudioFrame], AudioFrame]
) -> AudioFrame:
    """Carry a block at once where nothing happens in it; frame by frame (`count` samples) where it holds the moment."""
    if moment is None or block.start + len(block.samples) <= moment or len(block.samples) == count:
        return carry(block)
    return by_frames(block, block, count, lambda frame, _: carry(frame))


def by_frames(
    block: AudioFrame, other: AudioFrame, count: int, carry: Callable[[AudioFrame, AudioFrame], AudioFrame]
) -> AudioFrame:
    """Carry a block frame by frame (`count` samples): for a channel whose sums would depend on how much is handed."""
    if len(block.samples) == count:
        return carry(block, other)
    frames = [
        carry(
            AudioFrame(block.start + start, block.samples[start : start + count]),
            AudioFrame(block.start + start, other.samples[start : start + count]),
        ).samples
        for start in range(0, len(block.samples), count)
    ]
    return AudioFrame(block.start, freeze(np.concatenate(frames)))


class Line:
    """A chain of channels in the order of the YAML; an empty one hands frames through untouched.

    judge(said, other): told both frames before any channel carries them (it decides which channels are on).
    """

    def __init__(
        self, channels: Sequence[Channel], judge: Callable[[AudioFrame, AudioFrame], None] | None = None
    ) -> None:
        self.channels = tuple(channels)
        self._judge = judge
        self.delay_samples = sum(channel.delay_samples for channel in channels)
        self.takes_blocks = all(getattr(channel, "takes_blocks", False) for channel in channels)

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame through every channel."""
        if self._judge is not None:
            self._judge(frame, other)
        for channel in self.channels:
            frame = channel.carry(frame, other)
        return frame
