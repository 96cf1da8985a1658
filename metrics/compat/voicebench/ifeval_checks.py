"""IFEval's 25 instructions as VoiceBench checks them: each becomes a check of a text.

A builder takes an instruction's arguments and gives its check. An argument that is missing is drawn, in the original's
order and from its ranges, so that the same seed gives the same checks. One thing cannot be drawn here: words of the
original's own list; a word that no text holds stands for them.
"""

import json
import random
import re
import string
from collections.abc import Callable
from typing import Any

from metrics.compat.sentences import sentence_count
from metrics.compat.voicebench.language import is_language
from metrics.compat.voicebench.tokens import upper_tokens

Check = Callable[[str], bool]
Draws = random.Random
Builder = Callable[..., Check]

RELATIONS = ("less than", "at least")
WORDS_TO_DRAW_FROM = 1525  # as many as the original's list has, so that the draws after this one stay in step
NO_WORD = "\ue000"
# fmt: off
_LANGUAGES = (
    "en", "es", "pt", "ar", "hi", "fr", "ru", "de", "ja", "it", "bn", "uk", "th", "ur", "ta", "te", "bg", "ko", "pl",
    "he", "fa", "vi", "ne", "sw", "kn", "mr", "gu", "pa", "ml", "fi",
)
# fmt: on
_ENDINGS = ("Any other questions?", "Is there anything else I can help with?")


def _count_of(value: Any, draws: Draws, low: int, high: int) -> Any:
    """Give a count, drawn where it is missing or negative."""
    return draws.randint(low, high) if value is None or value < 0 else value


def _compare(relation: Any, draws: Draws) -> Callable[[int, Any], bool]:
    """Give how a number is held against its bound; the relation is drawn where it is missing."""
    relation = draws.choice(RELATIONS) if relation is None else relation
    if relation not in RELATIONS:
        raise ValueError(f"the relation {relation!r} is none of {', '.join(RELATIONS)}")
    if relation == RELATIONS[0]:
        return lambda number, bound: bool(number < bound)
    return lambda number, bound: bool(number >= bound)


def _words(draws: Draws, count: int) -> list[str]:
    draws.sample(range(WORDS_TO_DRAW_FROM), k=count)
    return [NO_WORD] * count


def _existence(draws: Draws, *, keywords: Any = None) -> Check:
    wanted = sorted(keywords or _words(draws, 2))
    return lambda text: all(re.search(word, text, flags=re.IGNORECASE) for word in wanted)


def _frequency(draws: Draws, *, keyword: Any = None, frequency: Any = None, relation: Any = None) -> Check:
    word = keyword.strip() if keyword else _words(draws, 1)[0]
    bound = _count_of(frequency, draws, 1, 3)
    compare = _compare(relation, draws)
    return lambda text: compare(len(re.findall(word, text, flags=re.IGNORECASE)), bound)


def _forbidden_words(draws: Draws, forbidden_words: Any = None) -> Check:
    unwanted = sorted(set(forbidden_words) if forbidden_words else _words(draws, 2))
    return lambda text: not any(re.search(rf"\b{word}\b", text, flags=re.IGNORECASE) for word in unwanted)


def _letter_frequency(
    draws: Draws, *, letter: Any = None, let_frequency: Any = None, let_relation: Any = None
) -> Check:
    known = bool(letter) and len(letter) == 1 and "a" <= letter.lower() <= "z"
    wanted = (letter.strip() if known else draws.choice(string.ascii_letters)).lower()
    bound = _count_of(let_frequency, draws, 1, 10)
    compare = _compare(let_relation, draws)
    return lambda text: compare(text.lower().count(wanted), bound)


def _response_language(draws: Draws, *, language: Any = None) -> Check:
    code = draws.choice(_LANGUAGES) if language is None else language
    return lambda text: is_language(text, code)


def _number_sentences(draws: Draws, *, num_sentences: Any = None, relation: Any = None) -> Check:
    bound = _count_of(num_sentences, draws, 1, 20)
    compare = _compare(relation, draws)
    return lambda text: compare(sentence_count(text), bound)


def _number_paragraphs(draws: Draws, *, num_paragraphs: Any = None) -> Check:
    wanted = _count_of(num_paragraphs, draws, 1, 5)

    def check(text: str) -> bool:
        parts = [bool(part.strip()) for part in re.split(r"\s?\*\*\*\s?", text)]
        return all(parts[1:-1]) and len(parts) - _empty_ends(parts) == wanted

    return check


def _empty_ends(parts: list[bool]) -> int:
    """Count the blank parts at the start and the end; a lone part is both."""
    return sum(not part for part in parts[:1] + parts[1:][-1:])


def _number_words(draws: Draws, *, num_words: Any = None, relation: Any = None) -> Check:
    bound = _count_of(num_words, draws, 100, 500)
    compare = _compare(relation, draws)
    return lambda text: compare(len(re.findall(r"\w+", text)), bound)


def _nth_paragraph_first_word(
    draws: Draws, num_paragraphs: Any = None, nth_paragraph: Any = None, first_word: Any = None
) -> Check:
    paragraphs = _count_of(num_paragraphs, draws, 1, 5)
    if nth_paragraph is None or nth_paragraph <= 0 or nth_paragraph > paragraphs:
        nth_paragraph = draws.randint(1, paragraphs + 1)
    wanted = (_words(draws, 1)[0] if first_word is None else first_word).lower()

    def check(text: str) -> bool:
        parts = text.split("\n\n")
        count = sum(bool(part.strip()) for part in parts)
        if nth_paragraph > count or not parts[nth_paragraph - 1].strip():
            return False
        word = parts[nth_paragraph - 1].split()[0].lstrip("'").lstrip('"')
        return bool(count == paragraphs and re.split(r"[.,?!'\"]", word)[0].lower() == wanted)

    return check


def _number_placeholders(draws: Draws, *, num_placeholders: Any = None) -> Check:
    least = _count_of(num_placeholders, draws, 1, 4)
    return lambda text: bool(len(re.findall(r"\[.*?\]", text)) >= least)


def _postscript(draws: Draws, *, postscript_marker: Any = None) -> Check:
    marker = draws.choice(("P.S.", "P.P.S")) if postscript_marker is None else postscript_marker.strip()
    known = {"P.P.S": r"\s*p\.\s?p\.\s?s.*$", "P.S.": r"\s*p\.\s?s\..*$"}
    pattern = known.get(marker, rf"\s*{marker.lower()}.*$")
    return lambda text: re.search(pattern, text.lower(), flags=re.MULTILINE) is not None


def _number_bullet_lists(draws: Draws, *, num_bullets: Any = None) -> Check:
    wanted = _count_of(num_bullets, draws, 1, 5)

    def check(text: str) -> bool:
        stars = re.findall(r"^\s*\*[^\*].*$", text, flags=re.MULTILINE)
        dashes = re.findall(r"^\s*-.*$", text, flags=re.MULTILINE)
        return bool(len(stars) + len(dashes) == wanted)

    return check


def _constrained_response(_draws: Draws) -> Check:
    return lambda text: any(f"My answer is {word}." in text for word in ("yes", "no", "maybe"))


def _number_highlighted_sections(draws: Draws, *, num_highlights: Any = None) -> Check:
    least = _count_of(num_highlights, draws, 1, 4)

    def check(text: str) -> bool:
        single = [part for part in re.findall(r"\*[^\n\*]*\*", text) if part.strip("*").strip()]
        double = [part for part in re.findall(r"\*\*[^\n\*]*\*\*", text) if part[2:-2].strip()]
        return bool(len(single) + len(double) >= least)

    return check


def _multiple_sections(draws: Draws, *, section_spliter: Any = None, num_sections: Any = None) -> Check:
    splitter = draws.choice(("Section", "SECTION")) if section_spliter is None else section_spliter.strip()
    least = _count_of(num_sections, draws, 1, 5)
    return lambda text: bool(len(re.split(rf"\s?{splitter}\s?\d+\s?", text)) - 1 >= least)


def _json_format(_draws: Draws) -> Check:
    def check(text: str) -> bool:
        text = text.strip()
        for fence in ("```json", "```Json", "```JSON", "```"):
            text = text.removeprefix(fence)
        try:
            json.loads(text.removesuffix("```").strip())
        except ValueError:
            return False
        return True

    return check


def _title(_draws: Draws) -> Check:
    return lambda text: any(title.lstrip("<").rstrip(">").strip() for title in re.findall(r"<<[^\n]+>>", text))


def _two_responses(_draws: Draws) -> Check:
    def check(text: str) -> bool:
        parts = [part.strip() for part in text.split("******")]
        full = [part for part in parts if part]
        return all(parts[1:-1]) and len(full) == 2 and full[0] != full[1]

    return check


def _repeat_prompt(_draws: Draws, *, prompt_to_repeat: Any = None) -> Check:
    if not prompt_to_repeat:
        raise ValueError("prompt_to_repeat is missing")
    start = prompt_to_repeat.strip().lower()
    return lambda text: text.strip().lower().startswith(start)


def _end_checker(draws: Draws, *, end_phrase: Any = None) -> Check:
    end = (draws.choice(_ENDINGS) if end_phrase is None else end_phrase).strip().lower()
    return lambda text: text.strip().strip('"').lower().endswith(end)


def _quotation(_draws: Draws) -> Check:
    def check(text: str) -> bool:
        text = text.strip()
        return len(text) > 1 and text.startswith('"') and text.endswith('"')

    return check


def _capital_word_frequency(draws: Draws, capital_frequency: Any = None, capital_relation: Any = None) -> Check:
    bound = draws.randint(1, 20) if capital_frequency is None else capital_frequency
    compare = _compare(capital_relation, draws)
    return lambda text: compare(upper_tokens(text), bound)


def _english_capital(_draws: Draws) -> Check:
    return lambda text: text.isupper() and is_language(text, "en")


def _english_lowercase(_draws: Draws) -> Check:
    return lambda text: text.islower() and is_language(text, "en")


def _no_comma(_draws: Draws) -> Check:
    return lambda text: "," not in text


BUILDERS: dict[str, Builder] = {
    "keywords:existence": _existence,
    "keywords:frequency": _frequency,
    "keywords:forbidden_words": _forbidden_words,
    "keywords:letter_frequency": _letter_frequency,
    "language:response_language": _response_language,
    "length_constraints:number_sentences": _number_sentences,
    "length_constraints:number_paragraphs": _number_paragraphs,
    "length_constraints:number_words": _number_words,
    "length_constraints:nth_paragraph_first_word": _nth_paragraph_first_word,
    "detectable_content:number_placeholders": _number_placeholders,
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": _number_bullet_lists,
    "detectable_format:constrained_response": _constrained_response,
    "detectable_format:number_highlighted_sections": _number_highlighted_sections,
    "detectable_format:multiple_sections": _multiple_sections,
    "detectable_format:json_format": _json_format,
    "detectable_format:title": _title,
    "combination:two_responses": _two_responses,
    "combination:repeat_prompt": _repeat_prompt,
    "startend:end_checker": _end_checker,
    "startend:quotation": _quotation,
    "change_case:capital_word_frequency": _capital_word_frequency,
    "change_case:english_capital": _english_capital,
    "change_case:english_lowercase": _english_lowercase,
    "punctuation:no_comma": _no_comma,
}
