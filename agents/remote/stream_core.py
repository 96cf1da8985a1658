"""What the cores of streams have in common: protocols whose sound has no items, only bytes, heard at its own pace.

A far end's sound waits in a play-out with a position; what is doubtful about it, the keys in it and its seconds are
told. A far end that has hung up is still heard to the end of what it said.
"""

from agents.remote.doubts import SoundDoubts
from agents.remote.peer_core import Actions, Message
from agents.remote.play_queue import PlayQueue
from agents.remote.usage import UsageTally
from simulator.events import Party
from simulator.frame import Samples
from simulator.sound.dtmf import KeyEars
from simulator.traits import AudioFormat
from simulator.world.world import World


class HeardKeys:
    """Listens to what a far end says, at `rate` Hz."""

    def __init__(self, rate: int, actions: Actions) -> None:
        self._ears = KeyEars(rate)
        self._actions = actions

    def hear(self, samples: Samples, at: int) -> Samples:
        """Take what is said at `at`, float32 (n,), and give it back; keys that are over are told, up to 0.1 s late."""
        for key in self._ears.hear(samples, at):
            self._actions.note(at, "keys_pressed", digits=key.digit, band="in", since=key.start)
        return samples


class StreamCore:
    """One connection. input_rate, output_rate: Hz of sound to the far end and from it.

    form: how a sentence calls its sound. jitter_s: what a burst waits for. billed_as: None tells no usage.
    """

    version = 1
    ended = True
    """Nothing is waited for when the session is over: a goodbye of theirs has no common word."""

    def __init__(self, input_rate: int, output_rate: int, *, form: str, jitter_s: float, billed_as: str | None) -> None:
        self.format = AudioFormat(input_rate=input_rate, output_rate=output_rate)
        self.actions = Actions()
        self.queue = PlayQueue(output_rate, jitter_s, self.actions)
        self.doubts = SoundDoubts(self.actions, form, output_rate)
        self.usage = UsageTally(self.actions, billed_as, input_rate, output_rate)
        self.party: Party = "agent"
        self.leaving = False
        self._keys = HeardKeys(output_rate, self.actions)

    @property
    def done(self) -> bool:
        """Whether the far end has left and all it said before was heard."""
        return self.leaving and not self.queue.buffered

    def begin(self, party: Party, *, noisy: bool, world: World | None = None) -> None:
        """Learn which party it plays."""
        self.party = party

    def opening(self) -> list[Message]:
        """Nothing before the connection is told to be open."""
        return []

    def came(self, samples: Samples, at: int) -> None:
        """Take sound of the far end's, float32 (n,)."""
        self.doubts.hear(samples, at)
        self.usage.received(len(samples))
        self.queue.push(samples)

    def say(self, count: int, at: int) -> Samples:
        """Say what is due."""
        return self._keys.hear(self.queue.take(count, at), at)

    def leave(self, reason: str | None, at: int) -> None:
        """The far end hangs up; what waits is still heard."""
        if not self.leaving:
            self.leaving = True
            self.queue.done()
            self.actions.note(at, "hang_up", reason=reason)

    def account(self, at: int, hint: str) -> None:
        """The session is over: tell of doubts, of what is being said, of seconds. hint: as for `SoundDoubts.close`."""
        self.doubts.close(self.queue, at, hint)
        self.queue.clear(at)
        self.usage.tell(at)
