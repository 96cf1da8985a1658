"""Our side of a WebRTC connection, without I/O: sound both ways at 48 kHz, a data channel whose words are words.py.

    state    what happens                      what is done                                                next
    dialled  `opened`                          the channel's first words                                   waiting
    waiting  the far end is ready              `remote_ready`                                              open
    open     20 ms are heard                   audio                                                       open
             audio                             it waits to be heard; packets that are missing are silence  open
             a message of the channel          what its words say; `ping` once a second for Pipecat        open
             an interruption, a clear          what waits is dropped, and what is still on its way         open
             it leaves, or closes              what waits is heard, then it is gone                        leaving

Sound over WebRTC never ends: between words it is silence. So that a burst of a PlayQueue is an utterance, more than
200 ms of silence is not kept; the next sound waits for the jitter buffer anew, and no delay that a stall made stays.
"""

import msgspec
import numpy as np

from agents.remote.chunks import Chunks
from agents.remote.doubts import SoundDoubts
from agents.remote.peer_core import Actions, Message
from agents.remote.play_queue import PlayQueue
from agents.remote.socket_wire import OPENED
from agents.remote.stream_core import StreamCore
from agents.remote.wire_audio import WireFormat
from agents.webrtc.signalling import Dialect
from agents.webrtc.words import RtcOut, words_for
from simulator.errors import RemoteError
from simulator.events import Party
from simulator.frame import Samples, silence
from simulator.world.world import World

RATE_HZ = 48_000
CHUNK = 960
"""Samples of a message, 20 ms: what Opus packets hold as a rule."""
PCM = WireFormat(rate=RATE_HZ)
CLOSED = "closed the connection"
"""What the wire tells of a far end that left in good order."""

SILENT = 16 / 32_768
"""Of full scale, -66 dBFS: below it a decoder's silence lies."""
KEPT_SILENCE_S = 0.2
LONGEST_LOSS_S = 0.5
"""More than that was no loss but a sender that sends no silence."""
ON_ITS_WAY_S = 0.3
"""How long sound from before an interruption may still come: packets, and a receiver's own buffer."""


class RtcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the core needs to know. billed_as: None tells no usage."""

    dialect: Dialect = "plain"
    rtvi: bool = True
    jitter_s: float = 0.06
    billed_as: str | None = None


class RtcCore(StreamCore):
    """One connection."""

    protocol = "webrtc"

    def __init__(self, settings: RtcSettings) -> None:
        super().__init__(RATE_HZ, RATE_HZ, form="Opus", jitter_s=settings.jitter_s, billed_as=settings.billed_as)
        out = RtcOut(self.actions, self.queue, self.clear, self.usage)
        self._words = words_for(settings.dialect, out, rtvi=settings.rtvi)
        self.awaited = self._words.awaited
        self._sound = RtcSound(self.actions, self.queue, self.doubts)
        self._chunks = Chunks(CHUNK)
        self._heard = 0

    @property
    def ready(self) -> bool:
        """Whether the far end has said all that it says before a session."""
        return self._words.ready

    def begin(self, party: Party, *, noisy: bool, world: World | None = None) -> None:
        """Learn which party it plays."""
        self.party = self._words.party = party

    def receive(self, message: Message, at: int) -> None:
        """Act on a message. RemoteError: it ends the session."""
        if "json" in message:
            self._words.receive(message["json"], at)
        elif message.get("type") == OPENED:
            self._words.opened(at)
        elif message.get("type") == "audio":
            samples = PCM.decode(message["audio"])
            self.usage.received(len(samples))
            self._sound.push(samples, int(message["pts"]), at)
        elif "text" in message:
            self._words.receive(message["text"], at)
        if self._words.left:
            self.leave("it told that it leaves", at)

    def lost(self, reason: str, at: int) -> None:
        """The connection is gone: it hung up, if it was ready and closed it. RemoteError else."""
        if not (self.ready and reason == CLOSED):
            raise RemoteError(reason)
        self.leave(reason, at)

    def hear(self, samples: Samples, at: int) -> None:
        """Send what is heard, float32 (n,)."""
        before, self._heard = self._heard, self._heard + len(samples)
        if not self.leaving:
            for piece in self._chunks.cut(samples):
                self.actions.send({"type": "audio", "audio": PCM.encode(piece)}, heard=True)
            if self._heard // RATE_HZ > before // RATE_HZ:
                self._words.heard(self._heard // RATE_HZ)
        self.usage.heard(len(samples), len(samples), at)

    def close(self, at: int) -> None:
        """Account for what is being said."""
        self.account(at, "; does it take the track that it is offered, and has it a greeting?")

    def press(self, digits: str, at: int) -> None:
        """Tell the far end of keys that the other party pressed, where it has a word for them."""
        self._words.keys(digits)

    def clear(self, at: int) -> None:
        """Drop what waits, and what is on its way."""
        self.queue.clear(at)
        self._sound.cut()


class RtcSound:
    """What comes in, made ready for the play-out: losses filled, long silence left out. Samples at 48 kHz."""

    def __init__(self, actions: Actions, queue: PlayQueue, doubts: SoundDoubts) -> None:
        self._actions = actions
        self._queue = queue
        self._doubts = doubts
        self._next: int | None = None
        self._silent = round(KEPT_SILENCE_S * RATE_HZ)
        self._dropping_until: int | None = None

    def push(self, samples: Samples, pts: int, at: int) -> None:
        """Take sound, float32 (n,), whose first sample is the sender's `pts`."""
        missing = 0 if self._next is None else pts - self._next
        self._next = pts + len(samples)
        silent = bool(np.abs(samples).max(initial=0.0) <= SILENT)
        if not silent:
            self._doubts.hear(samples, at)
        if self._dropping_until is not None:
            if not silent and pts < self._dropping_until:
                return
            self._dropping_until = None
        if 0 < missing <= LONGEST_LOSS_S * RATE_HZ and not self._quiet:
            self._actions.note(at, "sound_lost", lost_samples=missing)
            self._queue.push(silence(missing))
        self._silent = self._silent + len(samples) if silent else 0
        if not self._quiet:
            self._queue.push(samples)

    def cut(self) -> None:
        """Leave out what was sent before an interruption and is on its way still."""
        self._dropping_until = (self._next or 0) + round(ON_ITS_WAY_S * RATE_HZ)
        self._silent = round(KEPT_SILENCE_S * RATE_HZ)

    @property
    def _quiet(self) -> bool:
        return self._silent >= KEPT_SILENCE_S * RATE_HZ
