"""Keys that a far end presses as tones: found in what it says, told as events."""

from agents.remote.peer_core import Actions
from simulator.frame import Samples
from simulator.sound.dtmf import KeyEars


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
