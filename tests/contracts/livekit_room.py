"""A room of LiveKit's without a server: what is called of the SDK, by the SDK's own names, and a script behind it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import anyio
import numpy as np

AGENT, STANDARD, AUDIO = 4, 0, 1

Script = Callable[["Room"], Awaitable[None]]


class ConnectError(Exception):
    """As the SDK raises it."""

    def __init__(self, message: str) -> None:
        self.message = message


class Participant:
    """Somebody in a room."""

    def __init__(self, identity: str, kind: int = STANDARD, attributes: dict[str, str] | None = None) -> None:
        self.identity = identity
        self.kind = kind
        self.attributes = attributes or {}
        self.disconnect_reason: int | None = None


class LocalParticipant(Participant):
    """Ourselves. published: tracks with options. digits: codes and digits."""

    def __init__(self) -> None:
        super().__init__("caller")
        self.published: list[tuple[Any, Any]] = []
        self.digits: list[tuple[int, str]] = []

    async def publish_track(self, track: Any, options: Any) -> None:
        """Keep a track."""
        self.published.append((track, options))

    async def publish_dtmf(self, *, code: int, digit: str) -> None:
        """Keep a digit."""
        self.digits.append((code, digit))


class AudioSource:
    """Keeps what is captured, and says how many frames it has."""

    def __init__(self, sample_rate: int, num_channels: int, queue_size_ms: int = 1000) -> None:
        self.form = (sample_rate, num_channels)
        self.frames: list[Any] = []

    async def capture_frame(self, frame: Any) -> None:
        """Take a frame."""
        self.frames.append(frame)


class AudioFrame:
    """A frame of PCM16."""

    def __init__(self, data: bytes, sample_rate: int, num_channels: int, samples_per_channel: int) -> None:
        assert len(data) == 2 * num_channels * samples_per_channel
        self.data, self.sample_rate = data, sample_rate


class TextStreamReader:
    """A text stream: pieces, and what its attributes are once it is closed."""

    def __init__(self, topic: str, pieces: list[str], opening: dict[str, str], closing: dict[str, str]) -> None:
        self.info = SimpleNamespace(stream_id=f"s-{id(self)}", topic=topic, attributes=opening)
        self._pieces, self._closing = pieces, closing

    async def __aiter__(self) -> AsyncIterator[str]:
        for piece in self._pieces:
            yield piece
        self.info.attributes = {**self.info.attributes, **self._closing}


class Room:
    """A room; `script` plays whoever else is there once it is joined."""

    def __init__(self, script: Script, there: list[Participant], refuses: str) -> None:
        self.local_participant = LocalParticipant()
        self.remote_participants = {who.identity: who for who in there}
        self.joined: tuple[str, str] | None = None
        self.left = False
        self._script, self._refuses = script, refuses
        self._events: dict[str, Any] = {}
        self._texts: dict[str, Any] = {}

    def on(self, event: str, callback: Any) -> None:
        """Register a callback."""
        self._events[event] = callback

    def register_text_stream_handler(self, topic: str, handler: Any) -> None:
        """Register a handler."""
        self._texts[topic] = handler

    async def connect(self, url: str, token: str, options: Any) -> None:
        """Join."""
        if self._refuses:
            raise ConnectError(self._refuses)
        self.joined = (url, token)
        await self._script(self)

    async def disconnect(self) -> None:
        """Leave."""
        self.left = True

    def tell(self, event: str, *told: Any) -> None:
        """Have something happen."""
        self._events[event](*told)

    def write(self, topic: str, reader: TextStreamReader, identity: str) -> None:
        """Have somebody write a text stream."""
        self._texts[topic](reader, identity)

    def say(self, who: Participant, samples: np.ndarray[Any, Any]) -> None:
        """Have somebody publish a track that says this, in frames of 20 ms."""
        pcm = np.rint(samples * 32_767).astype("<i2").reshape(-1, 960)
        publication = SimpleNamespace(sid=f"TR_{who.identity}")
        self.tell("track_subscribed", SimpleNamespace(kind=AUDIO, frames=pcm), publication, who)


class LiveKitDouble:
    """What `livekit.rtc` is, as far as it is called."""

    AudioFrame, AudioSource, ConnectError = AudioFrame, AudioSource, ConnectError
    TrackKind = SimpleNamespace(KIND_AUDIO=AUDIO)
    ParticipantKind = SimpleNamespace(PARTICIPANT_KIND_AGENT=AGENT)
    TrackSource = SimpleNamespace(SOURCE_MICROPHONE=2)
    TrackPublishOptions = SimpleNamespace
    RoomOptions = SimpleNamespace

    def __init__(self, script: Script, there: list[Participant] | None = None, refuses: str = "") -> None:
        self.rooms: list[Room] = []
        self._script, self._there, self._refuses = script, there or [], refuses

    def Room(self) -> Room:  # noqa: N802 - the SDK's name
        """Make a room."""
        self.rooms.append(Room(self._script, self._there, self._refuses))
        return self.rooms[-1]

    class LocalAudioTrack:
        """A track of our own."""

        @staticmethod
        def create_audio_track(name: str, source: AudioSource) -> Any:
            """Make one."""
            return SimpleNamespace(name=name, source=source)

    class AudioStream:
        """What is heard of a track."""

        @classmethod
        def from_track(cls, *, track: Any, sample_rate: int, num_channels: int, frame_size_ms: int) -> Any:
            """Listen to one."""
            assert (sample_rate, num_channels, frame_size_ms) == (48_000, 1, 20)
            return _Heard(track)


class _Heard:
    def __init__(self, track: Any) -> None:
        self._track = track

    async def __aiter__(self) -> AsyncIterator[Any]:
        for frame in self._track.frames:
            yield SimpleNamespace(frame=SimpleNamespace(data=memoryview(frame)))
        await anyio.sleep_forever()  # an SDK's stream goes on until it is closed

    async def aclose(self) -> None:
        """Stop."""
