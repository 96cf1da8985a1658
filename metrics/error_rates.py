"""Error rates: texts in pairs counted by word or by character, and what was heard where no word was said."""

from collections.abc import Sequence

import msgspec

from metrics.language import ENGLISH, Language
from metrics.spelling import Orthography
from metrics.texts import TextPair, closest, with_words
from simulator.engines.kinds import languages_heard
from simulator.events import Party
from simulator.score import Definition, Evidence, Score, from_parts, share, undefined


class ErrorRates(msgspec.Struct, frozen=True, kw_only=True):
    """How a party's words are judged: by two rates of which one fits the script, heard by a recogniser (if by one).

    apart: what counts the words heard in backchannels. language: what was spoken. recogniser: "" where none is known.
    """

    word: Definition
    character: Definition
    apart: Definition
    language: Language
    orthography: Orthography
    recogniser: str

    def scores(self, pairs: Sequence[TextPair], *, reason: str, cut: bool = False) -> list[Score]:
        """Give the word and the character error rate, one of them undefined, and the words heard apart."""
        if deaf := deaf_to(self.recogniser, self.language):
            return self.undefined(deaf)
        worded, wordless = with_words(pairs, self.orthography)
        by_character = self.orthography == "characters"
        counted, idle = (self.character, self.word) if by_character else (self.word, self.character)
        script = "without spaces between words" if by_character else "in words"
        scores = {
            counted.id: error_rate(
                counted, worded, self.orthography, "agent", reason=reason, cut=cut, language=self.language.code
            ),
            idle.id: undefined(idle, f"the text is written {script}: {counted.id} counts it"),
        }
        return [scores[self.word.id], scores[self.character.id], _apart(self.apart, wordless, self.orthography)]

    def undefined(self, reason: str) -> list[Score]:
        """Give all three undefined for one reason."""
        return [undefined(card, reason) for card in (self.word, self.character, self.apart)]


def deaf_to(recogniser: str, language: Language) -> str | None:
    """Say why a recogniser's words tell nothing of a language; None where it hears it, or nobody knows."""
    known = languages_heard(recogniser) if recogniser else ()
    if not known or language.code in known:
        return None
    names = ", ".join("English" if code == ENGLISH else code for code in known)
    return f"the recogniser hears {names} only; {language.told_by}"


def error_rate(
    definition: Definition,
    pairs: Sequence[TextPair],
    orthography: Orthography,
    party: Party,
    *,
    reason: str,
    cut: bool = False,
    language: str = "",
) -> Score:
    """Make the score of pairs. cut: words missing at the end of a reference were never said and do not count."""
    best = closest(pairs, orthography, language)
    evidence = [
        _shown(pair, party, distance.errors / distance.words if distance.words else None)
        for pair, distance in zip(pairs, best, strict=True)
    ]
    missing = sum(distance.missing_at_end for distance in best) if cut else 0
    count = sum(distance.errors for distance in best) - missing
    return share(definition, count, sum(distance.words for distance in best) - missing, evidence, reason=reason)


def _apart(definition: Definition, pairs: Sequence[TextPair], orthography: Orthography) -> Score:
    """Count the wrong words heard where a backchannel or no word was said; hearing nothing there is no error."""
    wrong = [
        max(0, distance.errors - (distance.words if distance.missing_at_end == distance.words else 0))
        for distance in closest(pairs, orthography)
    ]
    evidence = [_shown(pair, "agent", float(count)) for pair, count in zip(pairs, wrong, strict=True)]
    parts = {"count": sum(wrong), "of": len(pairs)}
    return from_parts(definition, parts, evidence, reason="no backchannel was said there")


def _shown(pair: TextPair, party: Party, value: float | None) -> Evidence:
    label = f"{pair.reference} -> {pair.found}"
    return Evidence(start=pair.start, end=pair.end, party=party, label=label, value=value)
