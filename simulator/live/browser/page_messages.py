"""What a live page says in JSON, decoded and bounded here: a page is a program of its own, and may be anybody's."""

from typing import Any, Literal

import msgspec

from simulator.errors import RemoteError
from simulator.live.browser import wire

MOST_DELAY_MS = 5000.0


class Hello(msgspec.Struct, tag="hello", tag_field="type", kw_only=True):
    """What a page says first. rate: the AudioContext's native rate in Hz. codec: of its sound. The rest in ms."""

    rate: int
    codec: Literal["pcm16", "opus"] = "pcm16"
    block_ms: float = 0.0
    microphone_ms: float = 0.0
    loudspeaker_ms: float = 0.0


class Playback(msgspec.Struct, tag="playback", tag_field="type", kw_only=True):
    """How the page's loudspeaker buffer does.

    dropouts, skipped: silence it had to play, and sound it left out because it came too late, since the last message.
    """

    playback_ms: float
    loudspeaker_ms: float = 0.0
    network_ms: float = 0.0
    dropouts_ms: float = 0.0
    skipped_ms: float = 0.0


class Simple(msgspec.Struct, tag_field="type", kw_only=True):
    """A message without fields."""


class PageReady(Simple, tag="ready"):
    """The human is ready to talk."""


class HangUp(Simple, tag="hang_up"):
    """The human ends the conversation."""


class EchoTest(Simple, tag="echo_test"):
    """Play the tone and say how much leaks."""


class Press(Simple, tag="press"):
    """A button was pressed."""

    key: str


class AskRival(Simple, tag="rival"):
    """The take is to be put before another agent."""

    number: int


class Looped(Simple, tag="looped"):
    """The page has joined its loudspeaker to its microphone, or parted them."""

    on: bool


class Ping(Simple, tag="ping"):
    """Asks for a pong with the same number."""

    sent: float


Told = Hello | Playback | PageReady | HangUp | EchoTest | Press | AskRival | Looped | Ping

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Told)


def decode(text: str) -> Any:
    """Read one message. RemoteError when it is none, or longer than allowed."""
    if len(text) > wire.LONGEST_BYTES:
        raise RemoteError(f"the page sent a message of {len(text)} characters; allowed are {wire.LONGEST_BYTES}")
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError as error:
        raise RemoteError(f"the page sent a message that is not understood: {error}") from error


def sane(value_ms: float) -> float:
    """What a page states is shown, and written down: nonsense is not believed."""
    return round(min(max(value_ms, 0.0), MOST_DELAY_MS), 2)
