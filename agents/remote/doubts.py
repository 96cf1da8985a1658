"""Doubts about a far end's sound: mistakes that no message shows, found in what the sound is like.

    wrong_codec   louder than any speech: G.711 read as PCM, floats as PCM or PCM as G.711 are near full scale
    wrong_rate    sound that ends again and again before more comes, at a steady part of its pace
    never_spoke   nothing came

Each is told once, as a `remote_error` with its sentence; the session goes on.
"""

import numpy as np

from agents.remote.peer_core import Actions
from agents.remote.play_queue import PlayQueue
from simulator.frame import Samples

LOUD_DBFS = -9.0
"""Of a second of sound: speech is at -26, and -12 is a shout. Wrongly decoded speech lies between -7 and -3."""
LISTENED_S = 1.0
STEADY = 5
"""So often sound has to run out before its rate is doubted: a network's stall comes now and then."""
SLOW = 0.9
INSIDE_S = 0.1
"""What is told of the end must lie inside the session, whatever the delay of the party's own rate."""


class SoundDoubts:
    """Listens to what comes. form: how a sentence calls what is described (`mulaw at 8000 Hz`)."""

    def __init__(self, actions: Actions, form: str, rate: int) -> None:
        self._actions = actions
        self._form = form
        self._rate = rate
        self._energy = 0.0
        self._listened = 0
        self._first_at: int | None = None
        self._last_at = 0
        self._came = 0

    def hear(self, samples: Samples, at: int) -> None:
        """Take sound that came, float32 (n,)."""
        if self._first_at is None:
            self._first_at = at
        self._last_at, self._came = at, self._came + len(samples)
        if not 0 <= self._listened < LISTENED_S * self._rate:
            return
        loud = samples[np.abs(samples) > 0.001]
        self._energy += float(np.dot(loud, loud))
        self._listened += len(loud)
        if self._listened >= LISTENED_S * self._rate:
            level = 10 * np.log10(self._energy / self._listened)
            self._listened = -1
            if level > LOUD_DBFS:
                loud_told = f"its sound is at {level:.0f} dBFS, louder than any speech: is it really {self._form}?"
                self._tell(at, "wrong_codec", loud_told)

    def close(self, queue: PlayQueue, at: int, hint: str) -> None:
        """Look back when the session is over. hint: what else may be the matter with a far end that said nothing."""
        length_s, at = max(0, at) / self._rate, at - round(INSIDE_S * self._rate)
        if self._first_at is None:
            self._tell(at, "never_spoke", f"it sent no sound in {length_s:.1f} s{hint}")
            return
        pace = self._came / max(1, self._last_at - self._first_at)
        if queue.starved >= STEADY and pace < SLOW:
            self._tell(at, "wrong_rate",
                       f"its sound ran out {queue.starved} times and comes at {pace:.2f} of its pace: is it really "
                       f"{self._form}, or rather {pace * self._rate:.0f} Hz?")  # fmt: skip

    def _tell(self, at: int, code: str, sentence: str) -> None:
        self._actions.note(max(0, at), "remote_error", code=code, message=sentence)
