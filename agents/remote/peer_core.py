"""What a remote peer's protocol core is: no I/O, no clock, no chance, so that a log replays exactly.

In go the far end's messages and the sound that is heard, each with `at`: the sample of the peer's own output
stream at which the frame being worked on starts (-1 before the first). Out come actions, and the sound to
say. A core that finds the far end at fault raises RemoteError with a predicate (`sent audio that is not
base64`); who and when is added outside.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec

from simulator.errors import RemoteError
from simulator.events import Party
from simulator.frame import AudioFrame, Samples
from simulator.traits import AudioFormat
from simulator.world.world import World

Message = Mapping[str, Any]
"""A message of the protocol as plain JSON data."""


class Send(msgspec.Struct, frozen=True):
    """Send this to the far end. heard: it carries what is heard, which the session keeps as audio anyway."""

    message: Message
    heard: bool = False


class Note(msgspec.Struct, frozen=True):
    """Note an event of the session."""

    at: int
    type: str
    fields: Mapping[str, Any]


class Redial(msgspec.Struct, frozen=True):
    """Leave the connection and open another one."""


Action = Send | Note | Redial


class Actions:
    """What a core wants done, in order, until somebody takes it."""

    def __init__(self) -> None:
        self._waiting: list[Action] = []

    def send(self, message: Message, *, heard: bool = False) -> None:
        """Send a message."""
        self._waiting.append(Send(message, heard))

    def note(self, at: int, type_: str, **fields: Any) -> None:
        """Note an event; fields that are None are left out."""
        given = {name: value for name, value in fields.items() if value is not None}
        self._waiting.append(Note(max(0, at), type_, given))

    def redial(self) -> None:
        """Open another connection."""
        self._waiting.append(Redial())

    def take(self) -> list[Action]:
        """Give what waits and forget it."""
        taken, self._waiting = self._waiting, []
        return taken


def word_of(message: Message) -> str:
    """The protocol's own word for a message: its `type`, or its first key."""
    return str(message.get("type") or next(iter(message), ""))


class Core(Protocol):
    """A protocol core. protocol, version: how a trace names it. format: its rates."""

    protocol: str
    version: int
    format: AudioFormat
    actions: Actions

    @property
    def ready(self) -> bool:
        """Whether the handshake is over."""
        ...

    @property
    def done(self) -> bool:
        """Whether it has hung up and said all it had to say."""
        ...

    @property
    def ended(self) -> bool:
        """Whether, once `close` was called, it needs nothing more from the far end."""
        ...

    def begin(self, party: Party, *, noisy: bool, world: World | None = None) -> None:
        """Learn which party it plays, whether what it hears is impaired, and in which world its calls are answered."""
        ...

    def opening(self) -> list[Message]:
        """Give what is sent first on every new connection."""
        ...

    def receive(self, message: Message, at: int) -> None:
        """Act on a message of the far end."""
        ...

    def lost(self, reason: str, at: int) -> None:
        """The connection is gone: ask for another one, or raise RemoteError with the reason."""
        ...

    def hear(self, samples: Samples, at: int) -> None:
        """Take the next frame that is heard, float32 (n,) at the input rate."""
        ...

    def say(self, count: int, at: int) -> Samples:
        """Give the next `count` samples to say, at the output rate."""
        ...

    def close(self, at: int) -> None:
        """The session is over: account for what is open, say goodbye where the protocol has a word for it."""
        ...


@runtime_checkable
class TakesKeys(Protocol):
    """A core whose protocol has a word for keys."""

    def press(self, digits: str, at: int) -> None:
        """The other party presses keys beside the sound: tell the far end."""
        ...


@runtime_checkable
class Awaiting(Protocol):
    """A core that knows why a handshake may hang. awaited: what to look at, behind `was not ready within 10 s`."""

    awaited: str


def deliver(core: Core, message: Message, at: int) -> None:
    """Hand a message to a core. RemoteError, a predicate: what it says, or that its fields are of the wrong kind."""
    try:
        core.receive(message, at)
    except (AttributeError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise RemoteError(f"sent {word_of(message)!r} with fields that are not what the protocol says") from error


def said_at(heard: AudioFrame, output_samples: int) -> int:
    """Give where the answer to a frame lies on the peer's own output stream."""
    count = len(heard.samples)
    return (heard.start + count) // count * output_samples
