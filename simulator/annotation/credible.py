"""Credible words: what a recogniser may have heard in so much sound, and what it must have made up.

Trained on sentences, it makes one of any sound: six words of half a second of "mm-hmm", "Them." of a hum. Two rules
hold it: nobody says more words than a mouth can, and a sound shaped like a backchannel is one of the few things that
are said so short beside another's speech, in the field's spelling, or nothing.
"""

import math
import re
from unicodedata import east_asian_width

WORDS_PER_S = 8
"""More than the fastest voices here say (450 words a minute), and than people do in bursts (some 7 a second)."""

LETTERS_PER_S = 60
"""So many letters are more than anybody says; a Chinese or Japanese sign, of which no spaces part words, is five."""

BACKCHANNEL_S = 0.6
"""Sound shorter than this, alone and mostly inside the other's speech, is shaped like a backchannel. Longer ones carry
enough for a recogniser, and are as often the beginning of a barge-in."""

_TOKENS = {
    "mm-hmm": "mm mmm mhm mmhm mmhmm hm hmm umhum uhhum hmhm",
    "uh-huh": "uhhuh uhuh ahhuh ahuh huhuh",
    "yeah": "yeah yea yeh yah ya",
}
"""What transcribers of conversation write for the three most common backchannels, and how recognisers spell them."""

_SAID_SHORT = frozenset(
    """
    yes yep yup no nope nah okay ok alright right sure true exactly indeed really course good great nice fine cool
    oh ah aha uh um huh wow well see know what who when where why how please thanks thank sorry hey hi hello bye
    stop wait hold hang look listen now on so and actually i i'm it me you of got
    """.split()  # noqa: SIM905  # a list of so many would be a page
)
"""Words of backchannels, short answers and short interruptions ("I see", "of course", "hold on", "thank you")."""

_LONE = frozenset({"you", "i", "it", "me", "of", "and", "so", "on", "now"})
"""Of these none is said by itself: a recogniser puts "You" where it hears nothing."""

_SPELLING = {heard: token for token, spellings in _TOKENS.items() for heard in spellings.split()}


def believed(text: str, length_s: float, *, like_backchannel: bool = False) -> tuple[str, str]:
    """Give what to believe of a recognised text, and why not all of it; the reason is empty where it is kept.

    length_s: seconds of speech it was recognised in. like_backchannel: the sound has the shape of one.
    """
    words = text.split()
    most = math.ceil(WORDS_PER_S * length_s)
    if len(words) > most:
        return "", f"{len(words)} words in {length_s:.2f} s of sound; no more than {most} can be said in it"
    letters = sum(5 if east_asian_width(sign) == "W" else 1 for sign in text if sign.isalpha())
    if letters > LETTERS_PER_S * max(length_s, 0.25):
        return "", f"{letters} letters in {length_s:.2f} s of sound; no more than {LETTERS_PER_S} a second can be said"
    if like_backchannel and words:
        return _as_backchannel(words)
    return text, ""


def _as_backchannel(words: list[str]) -> tuple[str, str]:
    plain = [re.sub(r"[^\w']", "", word).lower() for word in words]
    if (len(plain) == 1 and plain[0] in _LONE) or not all(word in _SPELLING or word in _SAID_SHORT for word in plain):
        return "", "a sound as short as a backchannel, beside the other's speech; such words are not said so"
    return " ".join(_SPELLING.get(bare, word) for bare, word in zip(plain, words, strict=True)), ""
