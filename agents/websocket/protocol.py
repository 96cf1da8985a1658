"""The client's side of a WebSocket that a scenario describes, without I/O.

    state    what happens                     what is done                                                 next
    dialled  `opened`                         the hello messages; open, where no `ready` is described       waiting
    waiting  receive.ready                    `remote_ready`                                               open
             sound                            RemoteError: it speaks before it was ready                   -
    open     a frame is heard                 its sound, binary or in `send.json`                          open
             sound                            it waits to be heard, at its own pace                        open
             receive.clear                    what waits is dropped at the sample heard; `played`, marks   open
             receive.done                     the turn is whole                                            open
             receive.mark                     `send.mark` when all sound before it was heard               open
             keys pressed by the other        `send.digits`                                                open
             receive.hang_up, closed by it    what waits is heard, then it is gone                         leaving
    open     the session is over              the bye messages                                             closed

A message may be several of these at once. One that is none is kept in the trace, and remembered (unheard.py). Sound
waits in a play-out with a position (agents/remote/play_queue.py).
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.remote.doubts import INSIDE_S
from agents.remote.far_end import left_politely
from agents.remote.peer_core import Message
from agents.remote.socket_wire import OPENED
from agents.remote.stream_core import StreamCore
from agents.remote.wire_audio import sound_bytes
from agents.websocket.outgoing import SocketOut, SocketSettings
from agents.websocket.unheard import NOT_DESCRIBED, Unheard
from agents.websocket.wording import JsonPlace, matches
from simulator.errors import RemoteError
from simulator.events import other_party
from simulator.frame import Samples
from simulator.texts import quoted, written


class SocketCore(StreamCore):
    """One connection."""

    protocol = "websocket"

    def __init__(self, settings: SocketSettings) -> None:
        up, down = settings.up, settings.down
        super().__init__(up.hz, down.hz, form=down.told, jitter_s=settings.jitter_s, billed_as=settings.billed_as)
        self.settings = settings
        self.out = SocketOut(settings, self.actions)
        self.ready = False
        self.unheard = Unheard()
        self._reader = down.reader()

    def receive(self, message: Message, at: int) -> None:
        """Act on a message. RemoteError: sound that is none, or before its time."""
        audio = self.settings.receive.audio
        if "json" in message:
            _act_on(self, message["json"], at)
        elif message.get("type") == OPENED:
            self.out.greet()
            if self.settings.receive.ready is None:
                _ready(self, None, at)
        elif "binary" in message and audio is not None:
            raise RemoteError(
                f"sent a binary message; sound is described as JSON at {audio.path} (`receive.audio`); "
                "leave that out where it comes as bytes"
            )
        elif "binary" in message:
            self.unheard.understood = True
            self.sound(message["binary"], at)
        else:
            _act_on(self, message.get("text"), at)

    def lost(self, reason: str, at: int) -> None:
        """The connection is gone: it hung up, if it had said anything and left in good order. RemoteError else."""
        self.out.gone = True
        if self.ready and self.queue.received and left_politely(reason):
            self.leave(reason, at)
        elif not self.leaving:
            raise RemoteError(reason + self.unheard.hint)

    def hear(self, samples: Samples, at: int) -> None:
        """Send what is heard, float32 (n,), and tell of what was heard of the far end."""
        for name in self.queue.passed():
            self.out.word(self.settings.send.mark, mark=name)
        least = self.settings.send.played_every.samples(self.settings.down.hz)
        self.out.played(self.queue.position, least=least)
        self.out.sound(samples)
        self.usage.heard(len(samples), len(samples), at)

    def close(self, at: int) -> None:
        """Account for what is being said, say goodbye."""
        told = self.unheard.whole
        if told:
            inside = at - round(INSIDE_S * self.settings.down.hz)
            self.actions.note(inside, "remote_error", code=NOT_DESCRIBED, message=told)
        self.account(at, "" if told else self.unheard.hint)
        self.out.part()

    def press(self, digits: str, at: int) -> None:
        """Tell the far end of keys that the other party pressed."""
        self.out.word(self.settings.send.digits, digits=digits)

    def sound(self, text: object, at: int) -> None:
        """Sound came, in base64. RemoteError: before it was ready, or none of the form described."""
        data = sound_bytes(text)
        if not self.ready:
            wanted = written(self.settings.receive.ready)
            raise RemoteError(f"speaks before it is ready: sound came before {wanted} (`receive.ready`)")
        self.came(self._reader.read(data), at)


def _act_on(core: SocketCore, message: Any, at: int) -> None:
    """Act on all that a message is: a JSON object, or a text that is none."""
    known = False
    for name, act in _ACTS.items():
        words = getattr(core.settings.receive, name)
        if words is None:
            continue
        value = words.find(message) if isinstance(words, JsonPlace) else message if matches(message, words) else None
        if value is not None and value != "":
            known = core.unheard.understood = True
            act(core, value, at)
    if not known and core.unheard.puzzle(message, core.settings.receive):
        core.actions.note(at, "remote_error", code=NOT_DESCRIBED, message=core.unheard.lacking)


def _rate(core: SocketCore, value: Any, _at: int) -> None:
    form = core.settings.down
    if str(value) not in (str(form.hz), f"{form.hz}.0"):
        raise RemoteError(f"says that its sound is at {quoted(value)} Hz; described is {form.told} (`down.rate`)")


def _ready(core: SocketCore, _value: Any, at: int) -> None:
    if not core.ready:
        core.ready = True
        core.actions.note(at, "remote_ready", server="websocket")


def _clear(core: SocketCore, _value: Any, at: int) -> None:
    """Drop what waits; say how much was heard, and give back the marks that wait."""
    passed = core.queue.passed()
    cleared = core.queue.clear(at)
    core.out.played(cleared.position, least=0)
    for name in [*passed, *cleared.marks]:
        core.out.word(core.settings.send.mark, mark=name)


def _transcript(core: SocketCore, value: Any, at: int) -> None:
    core.actions.note(at, "transcript", of=core.party, text=str(value))


def _understood(core: SocketCore, value: Any, at: int) -> None:
    core.actions.note(at, "transcript", of=other_party(core.party), text=str(value))


def _digits(core: SocketCore, value: Any, at: int) -> None:
    core.actions.note(at, "keys_pressed", digits=str(value), band="out")


def _complaint(core: SocketCore, value: Any, at: int) -> None:
    core.actions.note(at, "remote_error", message=written(value)[:300])


def _pong(core: SocketCore, message: Any, _at: int) -> None:
    """Answer a ping; one that lacks what the answer repeats is answered with nothing there."""
    place = core.settings.receive.ping_id
    core.out.word(core.settings.send.pong, ping_id=None if place is None else place.find(message))


_ACTS: Mapping[str, Callable[[SocketCore, Any, int], None]] = {
    "ready": _ready,
    "clear": _clear,
    "rate": _rate,
    "audio": SocketCore.sound,
    "text": _transcript,
    "heard": _understood,
    "mark": lambda core, value, at: core.queue.mark(str(value)),
    "digits": _digits,
    "ping": _pong,
    "error": _complaint,
    "done": lambda core, value, at: core.queue.done(),
    "hang_up": lambda core, value, at: core.leave(None, at),
}
"""In this order: a rate is told before its sound, a mark stands behind it, and so does an end."""
