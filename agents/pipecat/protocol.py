"""The client's side of a Pipecat WebSocket, without I/O: frames as wire.py gives them, RTVI inside them.

    state    what happens                     what is done                                                 next
    dialled  `opened`                         client-ready; open at once, where `rtvi` is false            waiting
    waiting  bot-ready                        `remote_ready`                                               open
             sound                            `remote_error`: it speaks too soon; kept, heard at once      waiting
    open     a frame is heard                 audio: its sound, PCM16                                      open
             audio                            it waits to be heard, at its own pace: it comes twice as     open
                                              fast as it is heard, in pieces of 40 ms
             interruption, bot-interrupted    what waits is dropped at the sample heard                    open
             text, transcription              `transcript`                                                 open
             keys pressed by the other        RTVI dtmf                                                    open
             closed by it                     what waits is heard, then it is gone                         leaving

Nothing is told to the bot of what was heard: its protocol has no word for that. What RTVI means is in rtvi.py, the
play-out in agents/remote/play_queue.py.
"""

from collections.abc import Callable, Mapping

import msgspec

from agents.pipecat.frames import PipecatFrame
from agents.pipecat.rtvi import NO_RTVI, RtviEars
from agents.remote.far_end import left_politely
from agents.remote.foreign_json import inner
from agents.remote.peer_core import Message
from agents.remote.socket_wire import OPENED
from agents.remote.stream_core import StreamCore
from agents.remote.wire_audio import WireFormat, sound_bytes
from simulator.errors import RemoteError
from simulator.events import Party, other_party
from simulator.frame import Samples
from simulator.world.world import World

_PCM = WireFormat()


class PipecatSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the core needs to know. Rates in Hz; rtvi: whether it speaks RTVI; billed_as: None tells no usage."""

    input_rate: int
    output_rate: int
    rtvi: bool = True
    jitter_s: float = 0.1
    billed_as: str | None = None


class PipecatCore(StreamCore):
    """One connection."""

    protocol = "pipecat"

    def __init__(self, settings: PipecatSettings) -> None:
        rate = settings.output_rate
        super().__init__(
            settings.input_rate, rate,
            form=f"pcm16 at {rate} Hz", jitter_s=settings.jitter_s, billed_as=settings.billed_as,
        )  # fmt: skip
        self.settings = settings
        self.rtvi = RtviEars(self.actions, self.queue)
        self.awaited = NO_RTVI
        self._early = False

    @property
    def ready(self) -> bool:
        """Whether the bot has answered, or is not asked."""
        return self.rtvi.ready

    def begin(self, party: Party, *, noisy: bool, world: World | None = None) -> None:
        """Learn which party it plays."""
        self.party = self.rtvi.party = party

    def receive(self, message: Message, at: int) -> None:
        """Act on a message. RemoteError: it is none of Pipecat's."""
        _ACTS[str(message["type"])](self, message, at)

    def lost(self, reason: str, at: int) -> None:
        """The connection is gone: it hung up, if it was ready and left in good order. RemoteError else."""
        if self.ready and left_politely(reason):
            self.leave(reason, at)
            return
        full = "; it serves one client at a time" if "code 1013" in reason else ""
        raise RemoteError(reason + full)

    def hear(self, samples: Samples, at: int) -> None:
        """Send what is heard, float32 (n,)."""
        if not self.leaving:
            rate = self.settings.input_rate
            self.actions.send({"type": "audio", "audio": _PCM.encode(samples), "sample_rate": rate}, heard=True)
        self.usage.heard(len(samples), len(samples), at)

    def close(self, at: int) -> None:
        """Account for what is being said; the bot takes the end of the connection for a goodbye."""
        self.account(at, "; does its pipeline end in a transport's output, and has it a greeting?")

    def press(self, digits: str, at: int) -> None:
        """Tell the bot of keys that the other party pressed."""
        self.actions.send({"type": "message", "json": self.rtvi.keys(digits)})

    def sound(self, message: Message, at: int) -> None:
        """Sound came. RemoteError: at another rate than described."""
        rate, channels = int(message["sample_rate"]), int(message["channels"])
        frame = PipecatFrame(kind="audio", audio=sound_bytes(message["audio"]), sample_rate=rate, channels=channels)
        if frame.sample_rate != self.settings.output_rate:
            raise RemoteError(
                f"sends sound at {frame.sample_rate} Hz; described are {self.settings.output_rate} Hz (`output_rate`)"
            )
        if not (self.ready or self._early):
            self._early = True
            self.actions.note(at, "remote_error", code="early", message="it speaks before it has answered client-ready")
        self.came(frame.samples(), at)


def _opened(core: PipecatCore, _message: Message, at: int) -> None:
    """The connection stands."""
    if core.settings.rtvi:
        core.actions.send({"type": "message", "json": core.rtvi.greet()})
    else:
        core.rtvi.ready = True
        core.actions.note(at, "remote_ready", server="pipecat")


def _transcript(core: PipecatCore, message: Message, at: int) -> None:
    """A text is what the bot says, a transcription what it understood."""
    text = str(message["text"]).strip()
    if text:
        of = core.party if message["type"] == "text" else other_party(core.party)
        core.actions.note(at, "transcript", of=of, text=text)


_ACTS: Mapping[str, Callable[[PipecatCore, Message, int], None]] = {
    OPENED: _opened,
    "audio": PipecatCore.sound,
    "text": _transcript,
    "transcription": _transcript,
    "message": lambda core, message, at: core.rtvi.receive(inner(message, "json"), at),
    "interruption": lambda core, message, at: core.rtvi.interrupted(at),
}
