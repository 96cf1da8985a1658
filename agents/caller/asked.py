"""Which facts a question asks for: by a pattern, by the words of their names, or by how they sound."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

from agents.caller.brief import key_words
from agents.caller.phrases import OPEN_QUESTION, REQUEST
from simulator.speaking.hearing import words_of

SOUNDS_LIKE = 0.45
"""Likeness in letters from which a misheard question is one about a fact: "working armor" for "booking number"."""


def facts_asked(facts: Mapping[str, str], patterns: Mapping[str, str], heard: str) -> list[str]:
    """Give the facts that a request names, the longest names first: a question for a dog's name is none for a name.

    patterns: for facts that are asked for in other words than their names'.
    """
    if not REQUEST.search(heard) and not patterns:
        return []
    left, found = set(words_of(heard)), []
    for name in sorted(facts, key=lambda name: -len(key_words(name))):
        pattern = patterns.get(name)
        if pattern is not None and re.search(pattern, heard, re.IGNORECASE):
            found.append(name)
        elif REQUEST.search(heard) and key_words(name) <= left:
            found.append(name)
            left -= key_words(name)
    if not found and OPEN_QUESTION.search(heard):
        found = _sounding_like(facts, heard)
    return [name for name in facts if name in found]


def bare(name: str) -> str:
    """Give a fact's name without an article or `my` before it."""
    return re.sub(r"^(my|the|your|a|an)\s+", "", name.strip(), flags=re.IGNORECASE)


def _sounding_like(facts: Mapping[str, str], heard: str) -> list[str]:
    """The fact whose name sounds most like some words of a question, if any does."""
    words, best = words_of(heard), ("", 0.0)
    for name in facts:
        plain = words_of(bare(name))
        for start in range(len(words) - len(plain) + 1):
            piece = "".join(words[start : start + len(plain)])
            alike = SequenceMatcher(None, "".join(plain), piece, autojunk=False).ratio()
            best = max(best, (name, alike), key=lambda pair: pair[1])
    return [best[0]] if best[1] >= SOUNDS_LIKE else []
