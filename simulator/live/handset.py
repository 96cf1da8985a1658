"""A handset: what joins one human to a session.

The actor `human` holds one end, a browser page or a sound device the other:

    free ──attach──> attached ──begin──> talking ──hang_up──> gone
                        │ detach <──> attach (a page that is loaded again)

All of it happens on the event loop; nothing here waits.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from simulator.errors import RemoteError
from simulator.events import Party
from simulator.frame import AudioFrame, Samples, silence
from simulator.live.microphone import Microphone, News

HANDSETS = "simulator.live.handsets"
"""Where a run's shared things hold the handsets, by party."""


class DelayParts(msgspec.Struct, kw_only=True):
    """What sound spends where, in ms: from the mouth to the session, and from the session to the ear.

    microphone, loudspeaker: hardware and its driver, as it says itself. block: collecting a message. network: one way.
    jitter, playback: the two buffers. tick: the session's own frame, on the way in.
    """

    microphone: float = 0.0
    block: float = 0.0
    network: float = 0.0
    jitter: float = 0.0
    tick: float = 0.0
    playback: float = 0.0
    loudspeaker: float = 0.0

    @property
    def to_session(self) -> float:
        """From the mouth to the session."""
        return self.microphone + self.block + self.network + self.jitter + self.tick

    @property
    def to_ear(self) -> float:
        """From the session to the ear."""
        return self.network + self.playback + self.loudspeaker


class Handset:
    """One human's microphone and loudspeaker, in session samples.

    parts: the delay as it is now. measured_ms: mouth to ear, both ways, by the click test.
    """

    def __init__(self, party: Party, sample_rate: int, frame_samples: int) -> None:
        self.party = party
        self.sample_rate = sample_rate
        self.frame_samples = frame_samples
        self.parts = DelayParts(tick=1000 * frame_samples / sample_rate)
        self.measured_ms: float | None = None
        self.talking = False
        self.gone = False
        self.on_begin: Callable[[], None] = lambda: None
        self.on_gone: Callable[[], None] = lambda: None
        self._microphone: Microphone | None = None
        self._play: Callable[[AudioFrame], None] | None = None
        self._news: list[News] = []
        self._absent = 0

    @property
    def attached(self) -> bool:
        """Whether somebody holds the other end."""
        return self._microphone is not None

    @property
    def level(self) -> float:
        """The microphone's peak, 0 to 1."""
        return self._microphone.level if self._microphone else 0.0

    def attach(self, rate: int, play: Callable[[AudioFrame], None]) -> None:
        """Take the other end: a microphone of this native rate (Hz), and what plays a frame.

        RemoteError when it is taken.
        """
        if self.attached:
            raise RemoteError(f"the {self.party}'s seat is taken")
        self._microphone = Microphone(rate, self.sample_rate)
        self._play = play

    def detach(self) -> None:
        """Let go of it; silence is said until somebody attaches again."""
        self._microphone = self._play = None

    def hang_up(self) -> None:
        """End the conversation."""
        self.gone = True
        self.on_gone()

    def feed(self, frame: int, samples: Samples) -> None:
        """Take captured sound: float32 (n,) at the native rate, from `frame` of the capture counter on. RemoteError."""
        if self._microphone is not None:
            self._microphone.feed(frame, samples)

    def begin(self) -> None:
        """Session time begins with the next frame."""
        self.talking = True
        self._news.clear()
        if self._microphone is not None:
            self._microphone.begin()
        self.tell("mouth_to_ear", round_trip_ms=self.measured_ms, parts=msgspec.to_builtins(self.parts))
        self.on_begin()

    def hear(self, frame: AudioFrame) -> None:
        """Play a frame."""
        if self._play is not None:
            self._play(frame)

    def say(self, count: int) -> Samples:
        """Give the next `count` samples of the microphone: float32 (count,)."""
        if self._microphone is None:
            self._absent += count
            return silence(count)
        if self._absent:
            self.tell("underrun", size=self._absent)
            self._absent = 0
        said = self._microphone.take(count)
        waits_ms = 1000 * self._microphone.delay_samples / self.sample_rate
        self.parts.jitter = round(0.95 * self.parts.jitter + 0.05 * waits_ms, 2)
        return said

    def tell(self, type_: str, **fields: Any) -> None:
        """Have something written into the session's events."""
        self._news.append((type_, fields))

    def news(self) -> list[News]:
        """Give what is to be told since the last time."""
        return self._take_news() + (self._microphone.news() if self._microphone else [])

    def last_news(self) -> list[News]:
        """Give the account at the end of the session."""
        return self._take_news() + (self._microphone.last_news() if self._microphone else [])

    def _take_news(self) -> list[News]:
        told, self._news = self._news, []
        return told
