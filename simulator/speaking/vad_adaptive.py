"""End of turn by silence, and by more of it behind a word after which nobody stops ("I would like, um ...")."""

from simulator.engines.kinds import AnyRecognizer
from simulator.engines.moonshine import MoonshineSpec
from simulator.frame import Samples
from simulator.languages.lookup import ENGLISH, tongue
from simulator.speaking.endpointing import EndpointingSpec
from simulator.spec import Duration, ms

LAST_S = 4.0
"""So much of the turn is recognised: its last words, with enough before them to be understood."""

HESITATIONS = tongue(ENGLISH).hesitations
"""Fillers, and words that something must follow."""


class VadAdaptiveSpec(EndpointingSpec, frozen=True, kw_only=True, tag="vad_adaptive", omit_defaults=True):
    """Wait longer behind hesitation words: `endpointing: {kind: vad_adaptive, hesitation: 2s}`.

    after: into a pause, when its last words are recognised; `endpoint` at most. hesitation: the silence that ends a
    turn which breaks off so (default: three times `endpoint`). words: instead of the usual ones, in lower case.
    recognizer: what makes words of the sound.
    """

    after: Duration = ms(300)
    hesitation: Duration | None = None
    words: tuple[str, ...] = HESITATIONS
    recognizer: AnyRecognizer = MoonshineSpec()

    def check(self) -> None:
        """Refuse what the recogniser refuses."""
        self.recognizer.check()

    def warm(self) -> None:
        """Load the recogniser."""
        thread = self.recognizer.shared().warm()
        if thread is not None:
            thread.join()

    def build(self, endpoint: Duration) -> "VadAdaptive":
        """Make it."""
        return VadAdaptive(self, endpoint)


class VadAdaptive:
    """Judges a pause by the words before it."""

    def __init__(self, spec: VadAdaptiveSpec, endpoint: Duration) -> None:
        self.looks_after = Duration(min(spec.after, endpoint))
        self._endpoint = endpoint
        self._hesitation = spec.hesitation if spec.hesitation is not None else Duration(3 * endpoint)
        self._words = frozenset(spec.words)
        self._recognizer = spec.recognizer

    def silence(self, samples: Samples, sample_rate: int) -> Duration:
        """More than `endpoint` behind a hesitation."""
        last = samples[-round(LAST_S * sample_rate) :]
        words = self._recognizer.shared().recognize(last, sample_rate).text.lower().split()
        hesitates = bool(words) and words[-1].strip(".,;:!?-…") in self._words
        return Duration(max(self._hesitation, self._endpoint)) if hesitates else self._endpoint
