"""Own turns: with a service that detects none, our ears decide what of the heard sound is a turn.

    waiting ──ears: speech──> turn
    turn ──`end_silence` since its last sound──> waiting

The sound of a turn is given from 300 ms before its start on; nothing is given between turns.
"""

from collections import deque
from typing import Literal, NamedTuple

from simulator.floor.ipus import IPU_S
from simulator.frame import AudioFrame, Samples
from simulator.speaking.ears import AnyEars, Ears
from simulator.spec import Duration, Spec, ms

PREROLL_S = 0.3
"""Ears know of speech a little late; the service gets its first sounds all the same."""


class OwnVad(Spec, frozen=True, kw_only=True, omit_defaults=True, tag="none"):
    """`vad: {kind: none}`: the service detects nothing, our ears cut the turns, `end_silence` ends one.

    ears: what hears speech (default: by level, silero on a noisy line). end_silence: so much silence ends a turn.
    interrupt: whether speech cuts the model off.
    """

    ears: AnyEars | None = None
    end_silence: Duration = ms(600)
    interrupt: bool = True


class Hearing(NamedTuple):
    """What a frame meant: whether a turn began or ended with it, and the sound to send."""

    change: Literal["start", "end"] | None
    sound: list[Samples]


class OwnTurns:
    """Cuts turns out of what is heard. Times are samples of the heard stream, at `rate` Hz."""

    def __init__(self, ears: Ears, rate: int, end_silence_s: float) -> None:
        self._ears = ears
        self._silence = round(end_silence_s * rate)
        self._least_silence = round(IPU_S * rate)
        self._preroll = round(PREROLL_S * rate)
        self._kept: deque[Samples] = deque()
        self._kept_samples = 0
        self._heard = 0
        self._open = False

    @property
    def since(self) -> int:
        """The first sample of the current or last turn."""
        return self._ears.activity.since

    def hear(self, samples: Samples) -> Hearing:
        """Take the next frame, float32 (n,)."""
        self._ears.hear(AudioFrame(self._heard, samples))
        self._heard += len(samples)
        activity = self._ears.activity
        if self._open:
            if self._heard - activity.last_end < self._silence:
                return Hearing(None, [samples])
            self._open = False
            return Hearing("end", [samples])
        if activity.speaking and self._heard - activity.last_end < self._silence:
            self._open = True
            return Hearing("start", [*self._release(), samples])
        self._keep(samples)
        return Hearing(None, [])

    def end_if_silent(self) -> bool:
        """End the turn at once if nothing has sounded for a while; say whether that was so."""
        silent = self._heard - self._ears.activity.last_end >= min(self._silence, self._least_silence)
        ended = self._open and silent
        self._open = self._open and not ended
        return ended

    def _keep(self, samples: Samples) -> None:
        self._kept.append(samples)
        self._kept_samples += len(samples)
        while self._kept_samples - len(self._kept[0]) >= self._preroll:
            self._kept_samples -= len(self._kept.popleft())

    def _release(self) -> list[Samples]:
        kept = list(self._kept)
        self._kept.clear()
        self._kept_samples = 0
        return kept
