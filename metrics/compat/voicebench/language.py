"""The language of a text as langdetect finds it, its chance taken out: the same text has the same language.

langdetect counts three letters at a time, in Python, and draws from them until it is sure; a long answer takes it some
5 ms. Here the letters are kept per word, as they never look across a space, and the draws and their products are made
many at a time (language_draws.py): the same draws in a fraction of the time. Texts that differ in asterisks and white
space alone, as the variants of an answer do, are looked at once: to langdetect all of these are spaces.
"""

import re
from functools import cache, lru_cache
from typing import Any

import numpy as np

from metrics.compat.voicebench.language_draws import Draws, Floats, languages_drawn
from simulator.errors import ScenarioError
from simulator.texts import install_of

_SEED = 0
_BLANK = re.compile(r"[* \t\n\r]+")
_LONGEST = 10_000
"""langdetect reads no more, and takes addresses out first: such texts are left as they are."""


def is_language(text: str, code: str) -> bool:
    """Whether a text is in a language (ISO 639-1); a text in which none can be found counts as being in it.

    ScenarioError without the package.
    """
    plain = len(text) <= _LONGEST and "@" not in text and "://" not in text
    return _language_of(_BLANK.sub(" ", text) if plain else text, plain) in (code, None)


@lru_cache(maxsize=4096)
def _language_of(text: str, plain: bool) -> str | None:
    package, make = _langdetect()
    detector = make()
    try:
        if plain and text.isascii():
            detector.text = text  # nothing in it that `append`, letter by letter, would leave out or write otherwise
        else:
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
        raise ScenarioError(f"finding a language needs langdetect: {install_of('data')}") from None
    detector_factory.init_factory()
    factory = detector_factory._factory
    kind = _quick_detector(len(factory.word_lang_prob_map), len(factory.langlist))
    return langdetect, lambda: kind(factory)


def _quick_detector(gram_count: int, language_count: int) -> Any:
    """Give langdetect's detector with its loops done otherwise, to the same draws."""
    from langdetect.detector import Detector

    draws = Draws(_SEED)
    rows_of: dict[str, list[int]] = {}
    row_of: dict[str, int] = {}
    shares: Floats = np.empty((gram_count, language_count))  # a row is filled when its letters are first met

    class QuickDetector(Detector):  # type: ignore[misc]  # the package has no types
        text: str

        def cleaning_text(self) -> None:
            if not self.text.isascii():  # foreign letters are counted against Latin ones
                Detector.cleaning_text(self)

        def _detect_block(self) -> None:
            self.cleaning_text()
            rows = self._rows()
            if not rows:
                Detector._detect_block(self)  # which raises that there is nothing to go by
            self.langprob = languages_drawn(shares, rows, draws).tolist()

        def _rows(self) -> list[int]:
            """The letters of each word, which begins anew behind every space, as rows of `shares`."""
            *words, last = self.text.split(" ")
            found: list[int] = []
            for word in (*(f"{word} " for word in words), last):
                if word not in rows_of:
                    rows_of[word] = self._rows_of(word)
                found += rows_of[word]
            return found

        def _rows_of(self, word: str) -> list[int]:
            whole, self.text = self.text, word
            grams: list[str] = self._extract_ngrams()
            self.text = whole
            for gram in grams:
                if gram not in row_of:
                    shares[len(row_of)] = self.word_lang_prob_map[gram]
                    row_of[gram] = len(row_of)
            return [row_of[gram] for gram in grams]

    return QuickDetector
