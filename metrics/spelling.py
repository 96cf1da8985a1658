"""Spelling: one form of a text, so that two spellings of the same words are equal.

English is normalised as Whisper's evaluation does it (case, punctuation, contractions, numbers, British spellings;
fillers such as "um" and "mm-hm" are dropped), so that "25 dollars" equals "twenty-five dollars". Those rules know no
other language: there "um" is a word and marks are letters. Elsewhere only case, punctuation and compatibility forms
go, and numbers in words are digits where the language's are known; scripts without spaces are told apart by character.
Numbers that stand behind each other are one number everywhere.

Each text is normalised for itself: Whisper's rules drop what stands in brackets, and a bracket that one text leaves
open must not reach into the next.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from typing import Literal

from metrics.language import ENGLISH, UNSPACED, main_script
from metrics.number_reader import words_in_digits
from metrics.number_words import joined_numbers, numerals_in_digits

Orthography = Literal["english", "words", "characters"]
"""How a text is counted: in words after Whisper's English rules, in words as they stand, or in characters."""

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u201b\uff07", "'"))
_STAND_INS = re.compile(r"(?<=\w)[`\u00b4](?=\w)")
"""A backtick or an acute accent is an apostrophe only inside a word: "don`t"."""

_INVISIBLE = "Cf"
"""Soft hyphens, joiners, byte order marks: no reader sees them, and they must not make two words of one."""

_EMOTICON = re.compile(r"(?<!\w)[:;=]['-]?(?:[()\[\]<>]|[DPp](?!\w))|<3(?!\w)|<?[-=]+>|<[-=]+")
"""Faces, hearts and arrows hold brackets that enclose nothing."""

_BRACKETED = re.compile(r"([<\[])([^>\]]*)([>\]])|(\()([^)]+)(\))|[<>\[\]()]")
"""What Whisper's rules take for an aside that nobody says, or a bracket without its partner."""
_BRACKET = re.compile(r"[<>\[\]()]")

_GAP = r"[-\s\u2010-\u2015]"

_ONE_SPELLING = tuple(
    (re.compile(rf"\b(?:{pattern})(?!\w)", re.IGNORECASE), spelling)
    for pattern, spelling in (
        (r"ok|o\.k\.|o\.k", "okay"),
        (rf"wi{_GAP}fi", "wifi"),
        (rf"e{_GAP}mail(s|ed|ing|)", r"email\1"),
        (rf"uh{_GAP}?huh|uhuh", "uhhuh"),
        (rf"all{_GAP}right", "alright"),
        (rf"good{_GAP}bye", "goodbye"),
        (rf"on{_GAP}line", "online"),
        (r"cannot", "can not"),
        (r"([ap])\.\s?m\b\.?", r"\1m"),
    )
)
"""What English writes in several ways and Whisper's rules leave apart; its loan words other languages write, too."""

_TRAILING = re.compile(r"\.{2,}|\u2026")
_DETACHED_PERCENT = re.compile(r"(?<=\d)\s+%")
"""At a text's end Whisper's rules make a word of the last of several dots; a percent sign they know at its number."""

_HALF_FILLER = "hm"
"""What Whisper's normaliser leaves of "mm-hm", while it drops "mm-hmm" whole."""


_LONE_ONE = "one"
"""What Whisper's normaliser makes of a 1 that stands alone."""


def orthography_of(text: str, language: str = ENGLISH) -> Orthography:
    """Give how a text is counted. language: a code (ISO 639); a script that is not Latin overrules "en"."""
    script = main_script(text)
    if script in UNSPACED:
        return "characters"
    return "english" if language == ENGLISH and script in ("", "LATIN") else "words"


def normalised(texts: Sequence[str], orthography: Orthography | None = None, language: str = "") -> list[str]:
    """Normalise texts, each for itself: its units (words or characters) with one space between.

    orthography: None takes that of each text. language: whose number words are digits, a code; English needs none.
    """
    return [_normalised(text, orthography or orthography_of(text), language) for text in texts]


def side_by_side(texts: Iterable[str]) -> str:
    """Give texts as one, in which no bracket of the one meets that of another."""
    return " ".join(word for text in texts for word in _BRACKETED.sub(_closed, _EMOTICON.sub(" ", text)).split())


def _closed(found: re.Match[str]) -> str:
    opening, inside, closing = [part for part in found.groups() if part is not None] or [" ", "", ""]
    return opening + _BRACKET.sub(" ", inside) + closing


def opened(text: str) -> str:
    """Give a text with what stands in brackets as if they were not there: a voice may have said it."""
    return _BRACKET.sub(" ", _EMOTICON.sub(" ", text))


@lru_cache(maxsize=16_384)  # 0.2 ms a text: trials of a run say the same scripts over and over
def _normalised(text: str, orthography: Orthography, language: str) -> str:
    seen = "".join(sign for sign in text.translate(_APOSTROPHES) if unicodedata.category(sign) != _INVISIBLE)
    plain = _EMOTICON.sub(" ", _STAND_INS.sub("'", seen))
    if orthography != "characters":
        for pattern, spelling in _ONE_SPELLING:
            plain = pattern.sub(spelling, plain)
    if orthography == "english":
        return _english(plain)
    tokens = _as_written(plain).split()
    if orthography == "characters":
        return " ".join(numerals_in_digits("".join(tokens)))
    return " ".join(joined_numbers(words_in_digits(" ".join(tokens), language).split()))


def _english(text: str) -> str:
    text = _DETACHED_PERCENT.sub("%", _TRAILING.sub(" ", text.replace("_", " ")))
    tokens = whisper()(text).split()
    tokens = [token for token in tokens if token != _HALF_FILLER and any(map(str.isalnum, token))]
    return " ".join(joined_numbers(tokens, one=_LONE_ONE))


def _as_written(text: str) -> str:
    """Fold case, compatibility forms, digits; drop punctuation; marks stay: vowel signs and dakuten are the word's."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(map(_plain_sign, folded))


def _plain_sign(sign: str) -> str:
    """Give a digit of any script as recognisers write it, and a space for a mark of punctuation."""
    digit = unicodedata.decimal(sign, None)
    return str(digit) if digit is not None else " " if unicodedata.category(sign)[0] in "PS" else sign


@cache
def whisper() -> Callable[[str], str]:
    """Give Whisper's English normaliser, of the package whisper-normalizer."""
    from whisper_normalizer.english import EnglishTextNormalizer

    normalize: Callable[[str], str] = EnglishTextNormalizer()
    return normalize
