"""Kinds for tests that decide by every sample they get: an end of turn by a coin, a recogniser of letters."""

import hashlib
import threading

from simulator.engines import Recognition
from simulator.engines.kinds import RecognizerSpec
from simulator.frame import Samples
from simulator.speaking.endpointing import EndpointingSpec
from simulator.spec import Duration, ms

GROUPS = {
    "endpointing": {"coin": "tests.judging_kinds:CoinSpec"},
    "recognizers": {"letters": "tests.judging_kinds:LettersSpec"},
}


class CoinSpec(EndpointingSpec, frozen=True, kw_only=True, tag="coin", omit_defaults=True):
    """Whether a turn is over hangs on every sample of it."""

    after: Duration = ms(250)
    long: Duration = ms(1200)

    def build(self, endpoint: Duration) -> "Coin":
        return Coin(self)


class Coin:
    """Tosses a coin that falls alike for the same sound."""

    def __init__(self, spec: CoinSpec) -> None:
        self.looks_after = spec.after
        self._long = spec.long

    def silence(self, samples: Samples, sample_rate: int) -> Duration:
        return self._long if hashlib.sha256(samples.tobytes()).digest()[0] % 2 else Duration()


class LettersSpec(RecognizerSpec, frozen=True, kw_only=True, tag="letters", omit_defaults=True):
    """Hears a word that hangs on every sample."""

    def build(self) -> "Letters":
        return Letters()


class Letters:
    """Hears the first letters of the sound's hash."""

    def warm(self) -> threading.Thread | None:
        return None

    def recognize(self, samples: Samples, sample_rate: int) -> Recognition:
        return Recognition(text=hashlib.sha256(samples.tobytes()).hexdigest()[:6])
