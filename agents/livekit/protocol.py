"""What an ordinary participant of a LiveKit room hears and does, without I/O: the messages are those of wire.py.

    state    what happens                        what is done                                               next
    joining  joined, participant                 the agent is found: its identity, else the first agent     joining
             its track, or its avatar's          `remote_ready`; of several the first, until it is gone     open
    open     20 ms are heard                     audio                                                      open
             audio of that track                 it waits to be heard; long silence is left out             open
             lk.agent.state changes              `remote_state`                                             open
             a stream on lk.transcription        `transcript`, of whoever spoke: its sender                 open
             data, other streams                 `remote_message` with its topic                            open
             digits of the agent                 `keys_pressed`                                             open
             keys pressed by the other           digits, one message each                                   open
             the agent leaves, the room closes   what waits is heard, then it is gone                       leaving

What the agent said comes as one stream a segment, piece by piece; what it understood comes as a stream per guess with
the whole text, of which the final one counts. Source: livekit-agents 1.8's room output.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agents.remote.chunks import Chunks
from agents.remote.foreign_json import decode_foreign, inner
from agents.remote.peer_core import Message
from agents.remote.stream_core import StreamCore
from agents.webrtc.protocol import CHUNK, PCM, RATE_HZ, RtcSound
from simulator.errors import RemoteError
from simulator.events import other_party
from simulator.frame import Samples

TRANSCRIPTION = "lk.transcription"
STATE = "lk.agent.state"
ON_BEHALF = "lk.publish_on_behalf"
FINAL = "lk.transcription_final"
ROOM_LEFT = "left the room"
"""How the wire begins a reason that is a goodbye."""
CODES = {digit: code for code, digit in enumerate("0123456789*#ABCD")}
"""RFC 4733."""


class RoomSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the core needs to know. identity: the agent's, None: the first agent's. billed_as: None tells no usage."""

    identity: str | None = None
    jitter_s: float = 0.06
    billed_as: str | None = None


class RoomCore(StreamCore):
    """One stay in a room."""

    protocol = "livekit"

    def __init__(self, settings: RoomSettings) -> None:
        super().__init__(RATE_HZ, RATE_HZ, form="Opus", jitter_s=settings.jitter_s, billed_as=settings.billed_as)
        self.settings = settings
        self.agent: str | None = None
        """Its identity, once it is known."""
        self.ready = False
        self.people = RoomPeople(self)
        self.sound = RtcSound(self.actions, self.queue, self.doubts)
        self._chunks = Chunks(CHUNK)

    @property
    def awaited(self) -> str:
        """What to look at when nobody is ready in time."""
        if self.agent is not None:
            return f"; {self.agent} is in the room and publishes no sound"
        if self.settings.identity is not None:
            return f"; {self.settings.identity} has not joined the room"
        return "; no agent has joined the room: is its worker running, and is `agent_name` the name that it registers?"

    def receive(self, message: Message, at: int) -> None:
        """Act on what the room tells; what is not known is kept in the trace."""
        act = _ACTS.get(str(message.get("type")))
        if act is not None:
            act(self, message, at)

    def lost(self, reason: str, at: int) -> None:
        """The room is gone: the call is over, if it had begun and was closed in good order. RemoteError else."""
        if not (self.ready and reason.startswith(ROOM_LEFT)):
            raise RemoteError(reason)
        self.leave(reason, at)

    def hear(self, samples: Samples, at: int) -> None:
        """Send what is heard, float32 (n,)."""
        if not self.leaving:
            for piece in self._chunks.cut(samples):
                self.actions.send({"type": "audio", "audio": PCM.encode(piece)}, heard=True)
        self.usage.heard(len(samples), len(samples), at)

    def close(self, at: int) -> None:
        """Account for what is being said; the wire leaves the room."""
        self.account(at, f"; its last state was {self.people.state or 'never told'}")

    def press(self, digits: str, at: int) -> None:
        """Tell the agent of keys that the other party pressed."""
        for digit in digits:
            self.actions.send({"type": "dtmf", "code": CODES[digit], "digit": digit})


class RoomPeople:
    """Who is in the room, and what their text streams said so far."""

    def __init__(self, core: RoomCore) -> None:
        self.me = ""
        self.state = ""
        self._core = core
        self._behalf: dict[str, str] = {}
        """Avatars, each with the agent whose sound it carries; one may be there before its agent is."""
        self._tracks: dict[str, str] = {}
        """Tracks of sound, in the order in which they came, each with whose it is."""
        self._streams: dict[str, tuple[Message, list[str]]] = {}

    def joined(self, message: Message, at: int) -> None:
        """Learn our own identity."""
        self.me = str(message["identity"])

    def seen(self, message: Message, at: int) -> None:
        """Somebody is there: perhaps the agent, perhaps its avatar."""
        identity, attributes = str(message["identity"]), inner(message, "attributes")
        wanted = self._core.settings.identity
        is_agent = identity == wanted if wanted is not None else message.get("kind") == "agent"
        if attributes.get(ON_BEHALF):
            self._behalf[identity] = str(attributes[ON_BEHALF])
        elif is_agent and self._core.agent is None:
            self._core.agent = identity
        self.changed(message, at)
        self._mind_the_voice(at)

    def changed(self, message: Message, at: int) -> None:
        """Attributes changed: only the agent's state means something here."""
        state = inner(message, "attributes").get(STATE)
        if state and str(message["identity"]) == self._core.agent and state != self.state:
            self.state = str(state)
            self._core.actions.note(at, "remote_state", state=self.state)

    @property
    def voice(self) -> str | None:
        """The track that is the agent's voice: the first of its avatar's, if it has one, else of its own.

        An agent may publish others beside it (music, a sound while it thinks); in one queue they would be a muddle.
        """
        speaker = next((who for who, agent in self._behalf.items() if agent == self._core.agent), self._core.agent)
        return next((track for track, who in self._tracks.items() if who == speaker), None)

    def sounds(self, message: Message, at: int) -> None:
        """A track of sound can be heard."""
        self._tracks[track_of(message)] = str(message["identity"])
        self._mind_the_voice(at)

    def silenced(self, message: Message, at: int) -> None:
        """A track is no more."""
        self._tracks.pop(track_of(message), None)

    def left(self, message: Message, at: int) -> None:
        """Somebody has left."""
        self._behalf.pop(str(message["identity"]), None)
        if message["identity"] == self._core.agent:
            self._core.leave(f"{ROOM_LEFT}: {message.get('reason') or 'no reason given'}", at)

    def opened(self, message: Message, at: int) -> None:
        """A text stream begins."""
        self._streams[str(message["stream"])] = (message, [])

    def wrote(self, message: Message, at: int) -> None:
        """A piece of one."""
        found = self._streams.get(str(message["stream"]))
        if found is not None:
            found[1].append(str(message["text"]))

    def closed(self, message: Message, at: int) -> None:
        """One is whole."""
        began, pieces = self._streams.pop(str(message["stream"]), (None, []))
        if began is None:
            return
        topic, sender, text = str(began.get("topic", "")), str(began["identity"]), "".join(pieces)
        if topic != TRANSCRIPTION:
            self._core.actions.note(at, "remote_message", topic=topic or None, data=text)
            return
        attributes = {**inner(began, "attributes"), **inner(message, "attributes")}
        mine = sender == self.me
        if not mine and sender != self._core.agent and self._behalf.get(sender) != self._core.agent:
            return  # of somebody else in the room
        words = spoken_words(text)
        if words and (attributes.get(FINAL) == "true" or not mine):
            of = other_party(self._core.party) if mine else self._core.party
            self._core.actions.note(at, "transcript", of=of, id=attributes.get("lk.segment_id"), text=words)

    def _mind_the_voice(self, at: int) -> None:
        if self.voice is not None and not self._core.ready:
            self._core.ready = True
            self._core.actions.note(at, "remote_ready", server="livekit")


def track_of(message: Message) -> str:
    """Give a track's name: its sid, in older traces its participant's."""
    return str(message.get("track") or message["identity"])


def spoken_words(text: str) -> str:
    """Give a transcript's words: text, or lines of JSON with a time each (json_format)."""
    if not text.lstrip().startswith("{"):
        return text.strip()
    try:
        lines = [decode_foreign(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return text.strip()
    return "".join(str(line.get("text", "")) for line in lines if isinstance(line, dict)).strip()


def _audio(core: RoomCore, message: Message, at: int) -> None:
    if track_of(message) == core.people.voice:
        samples = PCM.decode(message["audio"])
        core.usage.received(len(samples))
        core.sound.push(samples, int(message["pts"]), at)


def _data(core: RoomCore, message: Message, at: int) -> None:
    core.actions.note(at, "remote_message", topic=message.get("topic") or None, data=message.get("data"))


def _digit(core: RoomCore, message: Message, at: int) -> None:
    core.actions.note(at, "keys_pressed", digits=str(message["digit"]), band="out")


_ACTS: Mapping[str, Callable[[RoomCore, Any, int], None]] = {
    "joined": lambda core, message, at: core.people.joined(message, at),
    "participant": lambda core, message, at: core.people.seen(message, at),
    "attributes": lambda core, message, at: core.people.changed(message, at),
    "left": lambda core, message, at: core.people.left(message, at),
    "track": lambda core, message, at: core.people.sounds(message, at),
    "track_gone": lambda core, message, at: core.people.silenced(message, at),
    "audio": _audio,
    "text_opened": lambda core, message, at: core.people.opened(message, at),
    "text": lambda core, message, at: core.people.wrote(message, at),
    "text_closed": lambda core, message, at: core.people.closed(message, at),
    "data": _data,
    "dtmf": _digit,
}
