"""The language of a text as langdetect finds it, its chance taken out: the same text has the same language.

langdetect counts three letters at a time, in Python, and draws from them until it is sure; a long answer takes it some
5 ms. Here the same counts are kept per word, as its letters never look across a space, and the languages are multiplied
side by side: the same draws and the same products, a quarter of the time. Texts that differ in asterisks and white
space alone, as the variants of an answer do, are looked at once: to langdetect all of these are spaces.
"""

import re
from functools import cache, lru_cache
from typing import Any

import numpy as np

from simulator.errors import ScenarioError

_SEED = 0
_BLANK = re.compile(r"[* \t\n\r]+")
_LONGEST = 10_000
"""langdetect reads no more, and takes addresses out first: such texts are left as they are."""


def is_language(text: str, code: str) -> bool:
    """Whether a text is in a language (ISO 639-1); a text in which none can be found counts as being in it.

    ScenarioError without the package.
    """
    plain = len(text) <= _LONGEST and "@" not in text and "://" not in text
    return _language_of(_BLANK.sub(" ", text) if plain else text) in (code, None)


@lru_cache(maxsize=4096)
def _language_of(text: str) -> str | None:
    package, make = _langdetect()
    detector = make()
    try:
        detector.append(text)
        return str(detector.detect())
    except package.LangDetectException:
        return None


@cache
def _langdetect() -> Any:
    """Give the package, and what makes a detector."""
    try:
        import langdetect
        from langdetect import detector_factory
    except ImportError:
        raise ScenarioError('finding a language needs langdetect: pip install "duplex-simulator[data]"') from None
    langdetect.DetectorFactory.seed = _SEED
    detector_factory.init_factory()
    factory = detector_factory._factory
    kind = _quick_detector()
    return langdetect, lambda: kind(factory)


def _quick_detector() -> Any:
    """Give langdetect's detector with its two inner loops done otherwise, to the same numbers."""
    from langdetect.detector import Detector

    grams_of: dict[str, list[str]] = {}
    probabilities: dict[str, Any] = {}

    class QuickDetector(Detector):  # type: ignore[misc]  # the package has no types
        text: str

        def _extract_ngrams(self) -> list[str]:
            """The letters of each word, which begins anew behind every space."""
            *words, last = self.text.split(" ")
            found: list[str] = []
            for word in (*(f"{word} " for word in words), last):
                if word not in grams_of:
                    grams_of[word] = self._grams_of(word)
                found += grams_of[word]
            return found

        def _grams_of(self, word: str) -> list[str]:
            whole, self.text = self.text, word
            grams: list[str] = Detector._extract_ngrams(self)
            self.text = whole
            return grams

        def _init_probability(self) -> Any:
            return np.array(Detector._init_probability(self))

        def _update_lang_prob(self, prob: Any, word: str, alpha: float) -> bool:
            if word not in probabilities:
                probabilities[word] = np.array(self.word_lang_prob_map[word])
            prob *= alpha / self.BASE_FREQ + probabilities[word]
            return True

        def _normalize_prob(self, prob: Any) -> float:
            prob /= sum(prob.tolist())  # in their order: numpy adds in another
            return float(prob.max())

    return QuickDetector
