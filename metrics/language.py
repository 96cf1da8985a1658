"""Language: which one a party speaks, from what the session says of its voice, else from the script of its text.

What a scenario says of a party is asked first; nothing else decides then.
"""

import unicodedata
from collections import Counter

import msgspec

from simulator.annotation.party_language import said_language, voice_language
from simulator.engines.kinds import voice_of
from simulator.events import Party, other_party
from simulator.session import Session
from simulator.spec import encode

ENGLISH = "en"
UNDETERMINED = "und"
"""A language that the script does not tell (ISO 639-2)."""

_OF_SCRIPT = {
    "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "THAI": "th", "LAO": "lo", "KHMER": "km", "MYANMAR": "my",
    "HANGUL": "ko", "GREEK": "el", "HEBREW": "he", "ARMENIAN": "hy", "GEORGIAN": "ka", "TAMIL": "ta", "TELUGU": "te",
}  # fmt: skip
"""Scripts that (nearly) one language is written in. Others, as Cyrillic or Devanagari, leave the language open."""

UNSPACED = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"})
"""Scripts that set no spaces between words."""

_OF_VOICE = {"cmn": "zh", "yue": "zh", "hak": "zh"}


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """A language by its code (ISO 639), and what told it: "the voice is de", "the text is written in Thai"."""

    code: str
    told_by: str = ""


def main_script(text: str) -> str:
    """Give the script that most of a text is in, as Unicode names it ("LATIN", "CJK"); empty without a letter.

    Letters of scripts without spaces are about a word each, so that one weighs as much as a word of another script:
    a Chinese sentence with a brand name in it is Chinese. Chinese characters beside kana are Japanese.
    """
    weights: Counter[str] = Counter()
    for word in unicodedata.normalize("NFKC", text).split():
        scripts = Counter(_script(letter) for letter in word if letter.isalpha())
        unspaced = {script: count for script, count in scripts.items() if script in UNSPACED}
        weights.update(unspaced or {script: 1 for script, _ in scripts.most_common(1)})
    if not weights:
        return ""
    script = weights.most_common(1)[0][0]
    kana = max(("HIRAGANA", "KATAKANA"), key=lambda name: weights[name])
    return kana if script == "CJK" and weights[kana] else script


def _script(letter: str) -> str:
    """The script of a letter: the first word of its Unicode name ("KATAKANA-HIRAGANA PROLONGED SOUND MARK" too)."""
    return unicodedata.name(letter, "UNNAMED").replace("-", " ").split()[0]


def spoken_language(session: Session, party: Party, text: str) -> Language:
    """Give the language of what a party says. text: all that is known of it, to look at its script.

    The scenario tells it, else a foreign voice, then a script that is not Latin, then the other's voice where its own
    is not known (two who talk speak one language), else it is English.
    """
    if said := said_language(session, party):
        return Language(code=said, told_by=f"the scenario says that the {party} speaks {said}")
    own = _voice_language(session, party)
    if own and own.code != ENGLISH:
        return own
    script = main_script(text)
    if script not in ("", "LATIN"):
        name = "Chinese" if script == "CJK" else script.capitalize()
        return Language(code=_OF_SCRIPT.get(script, UNDETERMINED), told_by=f"the text is written in {name}")
    return own or _voice_language(session, other_party(party)) or Language(code=ENGLISH)


def _voice_language(session: Session, party: Party) -> Language | None:
    """The language of the voice that a party's spec names, where it is one of ours; services name theirs otherwise."""
    code = voice_language(session, party)
    if not code:
        return None
    voice = voice_of(session.meta.parties[party].spec["voice"])
    return Language(code=_OF_VOICE.get(code, code), told_by=f"the voice is {_shown(encode(voice))}")


def _shown(voice: object) -> str:
    """A voice as a sentence names it: without espeak's variant, which is a speaker and no language."""
    return str(voice).strip().lower().partition("+")[0] if isinstance(voice, str) else str(voice)
