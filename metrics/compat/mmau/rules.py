"""MMAU-Pro's 27 rules of instruction following: each holds a text against a row's arguments."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from metrics.compat.sentences import sentence_count

Arguments = Mapping[str, Any]
Rule = Callable[[str, Arguments], bool]

PROMPT = "prompt_transcription"
"""The argument with what was asked, which a row holds beside its others."""


def _words(text: str) -> int:
    return len(text.split())


def _capitals(text: str) -> int:
    return sum(word.isupper() for word in text.split())


def _between(count: Callable[[str], int]) -> dict[str, Rule]:
    """Give the rules that hold a count against its bounds."""
    return {
        "at least": lambda text, given: count(text) >= given.get("N", 0),
        "at most": lambda text, given: count(text) <= given.get("N", 0),
        "range": lambda text, given: given.get("N1", 0) <= count(text) <= given.get("N2", 999),
    }


def _exactly(count: Callable[[str], int]) -> Rule:
    return lambda text, given: count(text) == given.get("N", 0)


def _found(pattern: str) -> Callable[[str], int]:
    compiled = re.compile(pattern)
    return lambda text: len(compiled.findall(text))


def _paragraphs(text: str) -> int:
    return sum(bool(part.strip()) for part in text.split("***"))


def _frequency(text: str, given: Arguments) -> bool:
    keyword = re.escape(given.get("keyword", "").lower())
    return bool(len(re.findall(rf"\b{keyword}\b", text.lower())) == given.get("N", 0))


def _holds(text: str, words: str) -> list[bool]:
    return [word.lower() in text.lower() for word in words.split(", ")]


def _sections(text: str, given: Arguments) -> bool:
    splitter = re.escape(given.get("section_splitter", ""))
    parts = re.split(rf"\s*{splitter}\s*", text.strip())
    return bool(sum(bool(part.strip()) for part in parts) == given.get("N", 0))


def _two_responses(text: str, _given: Arguments) -> bool:
    parts = [part.lower().strip() for part in text.split("******")]
    return len(parts) == 2 and parts[0] != parts[1]


def _letters(text: str, kept: str = "") -> str:
    return re.sub(rf"[^a-zA-Z{kept}]", "", text).lower()


def _spoken_sentences(text: str) -> int:
    return sum(bool(part.strip()) for part in re.split(r"[.!?]+", text.strip()))


def _named(name: str, rules: Mapping[str, Rule]) -> dict[str, Rule]:
    return {f"{name} ({bound})": rule for bound, rule in rules.items()}


RULES: dict[str, Rule] = {
    "Include Keywords": lambda text, given: all(_holds(text, given.get("keywords", ""))),
    "Keyword Frequency": _frequency,
    "Forbidden Words": lambda text, given: not any(_holds(text, given.get("forbidden_words", ""))),
    "Number Paragraphs": _exactly(_paragraphs),
    **_named("Number Words", _between(_words)),
    **_named("Number Sentences", _between(sentence_count)),
    "Postscript": lambda text, given: _letters(given.get("postscript_marker", "")) in _letters(text),
    "Number Placeholder": _between(_found(r"\[[^\]]+\]"))["at least"],
    "Number Bullets": _exactly(_found(r"(?:^|\n)\s*\*\s+")),
    "Title": lambda text, _given: re.search(r"<<[^>]+>>", text) is not None,
    "Minimum Number Highlighted Section": _between(_found(r"\*([^*]+)\*"))["at least"],
    "Multiple Sections": _sections,
    "Repeat Prompt": lambda text, given: text.strip().lower().startswith(given.get(PROMPT, "").strip().lower()),
    "Two Responses": _two_responses,
    "All Uppercase": lambda text, _given: text.isupper(),
    "All Lowercase": lambda text, _given: text.islower(),
    **_named("All-capital Words", _between(_capitals)),
    "Start Checker": lambda text, given: _letters(text, " ").startswith(_letters(given.get("start_phrase", ""), " ")),
    "End Checker": lambda text, given: _letters(text, " ").endswith(_letters(given.get("end_phrase", ""), " ")),
    "Quotation": lambda text, _given: text.strip().startswith('"') and text.strip().endswith('"'),
    "No Commas": lambda text, _given: "," not in text,
}
NEMO_RULES: dict[str, Rule] = RULES | _named("Number Sentences", _between(_spoken_sentences))
"""NeMo-Skills counts sentences at runs of . ! and ?."""
