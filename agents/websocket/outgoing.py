"""What goes out over a WebSocket that a scenario describes: sound in its form, words from its templates."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agents.remote.chunks import Chunks
from agents.remote.peer_core import Actions
from agents.remote.sound_form import SoundForm
from agents.websocket.wording import ReceiveWords, SendWords, Template, filled
from simulator.frame import Samples
from simulator.texts import written


class SocketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is made of. up, down: forms of sound to the far end and from it. billed_as: None: no usage."""

    up: SoundForm
    down: SoundForm
    send: SendWords
    receive: ReceiveWords
    hello: Sequence[Template] = ()
    bye: Sequence[Template] = ()
    jitter_s: float = 0.1
    billed_as: str | None = None


class SocketOut:
    """Words and sound to the far end, for as long as it is there."""

    def __init__(self, settings: SocketSettings, actions: Actions) -> None:
        self._settings = settings
        self._actions = actions
        self._writer = settings.up.writer()
        chunk = settings.send.chunk
        self._chunks = Chunks(chunk.samples(settings.up.hz) if chunk else 0)
        self._heard = 0
        self._count = 0
        self._played = 0
        self.gone = False
        """Nobody is there any more: nothing is sent."""

    def greet(self) -> None:
        """Say hello: the first messages."""
        rates = {"rate": self._settings.up.hz, "output_rate": self._settings.down.hz}
        for template in self._settings.hello:
            self._actions.send({"type": "hello", **_message(template, rates), "secret": True})

    def part(self) -> None:
        """Say goodbye: the last messages."""
        for template in () if self.gone else self._settings.bye:
            self._actions.send({"type": "bye", **_message(template, {}), "secret": True})

    def sound(self, samples: Samples) -> None:
        """Send what is heard, float32 (n,)."""
        if self.gone:
            return
        for piece in self._chunks.cut(samples):
            self._heard += len(piece)
            for data in self._writer.write(piece):
                self._sound(base64.b64encode(data).decode("ascii"))

    def word(self, template: Template | None, **values: Any) -> None:
        """Send a message made of a template, where one is described."""
        if template is not None and not self.gone:
            message = _message(template, values)
            self._actions.send({"type": str(message.get("json", {}).get("type") or "json"), **message})

    def played(self, position: int, *, least: int) -> None:
        """Tell how much was heard, if it is more than the last time by at least so many samples."""
        if position - self._played >= max(1, least):
            self._played = position
            self.word(self._settings.send.played, samples=position, ms=position * 1000 // self._settings.down.hz)

    def _sound(self, text: str) -> None:
        template = self._settings.send.json
        if template is None:
            self._actions.send({"binary": text}, heard=True)
            return
        self._count += 1
        values = {"audio": text, "ms": self._heard * 1000 // self._settings.up.hz, "number": self._count}
        self._actions.send(_message(template, values), heard=True)


def _message(template: Template, values: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a template in; one with `${NAME}` is `secret`, unless the far end's own words could name what they want."""
    body = filled(template, values)
    message = {"text": str(body)} if isinstance(template, str) else {"json": body}
    ours = not any("${" in str(value) for value in values.values())
    return message | {"secret": True} if ours and "${" in written(template) else message
