"""Three ways in which texts are made alike before their words are compared.

The leaderboard's knows more spellings, names and joined words than Whisper's (d1e99b2, Apache-2.0).
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from metrics.spelling import whisper

# fmt: off
SPELLINGS = {
    "ok": "okay", "kay": "okay", "etcetera": "etc", "archaeology": "archeology", "archaeological": "archeological",
    "cancellation": "cancelation", "cancellations": "cancelations", "flyer": "flier", "mm": "hmm",
    "pummelled": "pummeled", "pummelling": "pummeling", "snowploughs": "snowplows", "travelogue": "travelog",
    "travelogues": "travelogs",
}
"""Spellings that it adds to Whisper's, or turns round."""

KEPT_SPELLINGS = (
    "archeological", "cancelation", "cancelations", "flyer / flier", "travelog", "travelogs",
)
"""Spellings that it leaves as they are and Whisper's normaliser does not."""

NAMES = {
    "allen": "alan allan", "bridget": "bridgette", "charlie": "charly charley", "gary": "garry", "greg": "gregg",
    "jackie": "jacky", "joanne": "joann joane", "kelly": "kellye kelli kelley", "lily": "lilly",
    "michael": "micheal", "michelle": "michele", "molly": "mollie", "philip": "phillip", "sally": "sallie",
    "stacy": "stacey stacie", "tracy": "tracey tracie", "brett": "bret", "carol": "carrol carole carroll",
    "alison": "allison alyson", "russell": "russel", "douglas": "douglass", "dominic": "dominick", "rob": "robb",
    "chris": "kris", "christopher": "kristopher cristopher", "christina": "kristina", "kristin": "kristen",
    "carl": "karl", "cathy": "kathy", "catherine": "katherine kathryn catharine", "eric": "erik erick",
    "karen": "caren caryn karin", "caitlin": "katelyn kaitlyn kaitlin", "nicole": "nikole", "veronica": "veronika",
    "victor": "viktor", "victoria": "viktoria", "kevin": "kevan", "patrick": "patrik",
    "frederick": "frederik fredrick", "lucas": "lukas", "anne": "ann", "john": "jon",
    "jonathan": "johnathan jonathon", "sarah": "sara", "matthew": "mathew", "nicholas": "nicolas",
    "rachel": "rachael", "rebecca": "rebekah", "deborah": "devorah", "teresa": "theresa", "susanne": "suzanne",
    "anthony": "antony", "martin": "martyn", "dennis": "denis", "lawrence": "laurence", "thomas": "tomas",
    "toby": "tobey", "mcarthur": "macarthur", "mccartney": "macartney", "mccarthy": "macarthy maccarthy",
    "mcdonald": "macdonald", "mckay": "mackay", "mckenzie": "mackenzie", "mcleod": "macleod", "mclean": "maclean",
    "mcmillan": "macmillan", "mcintosh": "macintosh", "mcintyre": "macintyre", "mcnamara": "macnamara",
    "mcgowan": "macgowan",
    "mohammed": "mohamad mohamed mohammad muhammad muhamad muhammed mouhamed mouhamad mahomet", "fatima": "fatimah",
    "yousef": "yusuf yusef", "miriam": "myriam", "rajiv": "rajeev", "alfonso": "alphonso", "brian": "bryan",
    "jeffrey": "geoffrey jeffery", "jeff": "geoff", "neil": "neal", "sean": "shaun shawn", "shane": "shayne",
    "steven": "stephen", "tony": "toni", "lee": "leigh", "louis": "lewis", "mark": "marc", "megan": "meghan",
    "natalie": "nathalie", "robin": "robyn", "roger": "rodger", "lindsay": "linsey lindsey",
    "zachary": "zackary zachery", "zach": "zak", "sherry": "sheri cheri sherrie", "terry": "terri", "laurie": "lori",
    "jamie": "jaime", "jason": "jayson", "leslie": "lesley", "linda": "lynda", "lynn": "lynne", "gail": "gayle",
    "ronda": "rhonda", "ivonne": "yvonne", "stuart": "stewart", "walter": "walther", "simon": "symon",
    "colin": "collin", "dylan": "dillon", "aaron": "aron", "arthur": "artur", "henry": "henri", "joseph": "josef",
    "peter": "pieter",
}
"""By the spelling of a name that stays, the others."""

JOINED = {
    r"\bet\s+cetera\b": "etc", r"\bal\s+right\b": "alright", r"\ball\s+right\b": "alright",
    r"\bhow\s+ever\b": "however", r"\bwi\s+fi\b": "wifi", r"\bhi\s+fi\b": "hifi", r"\blo\s+fi\b": "lofi",
    r"\bsci\s+fi\b": "scifi", r"\be\s+mail\b": "email", r"\be\s+book\b": "ebook", r"\be\s+commerce\b": "ecommerce",
    r"\bx\s+ray\b": "xray", r"\bt\s+shirt\b": "tshirt", r"\ba\s+m\b": "am", r"\bp\s+m\b": "pm", r"\bo\s+k\b": "okay",
}
"""Words written apart that become one, by pattern, in this order."""

FILLERS = (
    "hmm", "mm", "mhm", "mmm", "uh", "um", "ah", "aha", "ahh", "ahm", "eh", "ehehe", "em", "hm", "huh", "hum",
    "mhum", "uhm", "umm", "uhuh",
)
# fmt: on


Normalize = Callable[[str], str]

_NOT_EXPANDED = (r"\bkinda\b", r"\bsorta\b", r"\bdunno\b", r"\bcause\b")
_IS = r"\b(it|he|she|what|that|who|here|there|how|when|where|why|this)'s\b"
_FILLERS = re.compile(rf"\b({'|'.join(FILLERS)})\b")
_COMMON_LETTERS = frozenset("ai")
_SPELLED_OUT = 3
_STAMPS = (
    (re.compile(r"\d+\s+\d{2}:\d{2}:\d{2},\d{3}\s+-->\s+\d{2}:\d{2}:\d{2},\d{3}\s+"), ""),
    (re.compile(r"\d{2}:\d{2}:\d{2},\d{3}\s+-->\s+\d{2}:\d{2}:\d{2},\d{3}\s*"), ""),
    (re.compile(r"\\n\d+\s+(?=\d{2}:\d{2})"), " "),
    (re.compile(r"\n\d+\s+(?=\d{2}:\d{2})"), " "),
)
"""The time stamps of subtitles, which some servers leave in a text."""
_DEAF = re.compile(
    r"the speech is in audio format and needs to be transcribed|i do not have access to audio|i cannot access audio"
    r"|i'm sorry.*i do not have access|as an ai language model.*i do not have access",
    re.IGNORECASE,
)
"""A model that says that it hears nothing has transcribed nothing."""
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')
_QUOTED_AT_END = re.compile(r"'(.+?)'\s*\.?\s*$")
_QUOTE_AT_END = re.compile(r"[.!?]?'[.!?]?\s*$")


@cache
def leaderboard() -> Normalize:
    """Give the leaderboard's own normaliser: Whisper's, with other contractions, more spellings, names and letters."""
    from whisper_normalizer.basic import remove_symbols_and_diacritics
    from whisper_normalizer.english import EnglishNumberNormalizer, EnglishTextNormalizer

    rules: dict[str, str] = EnglishTextNormalizer().replacers
    contractions = [
        (re.compile(_IS), r"\1 is") if pattern == r"'s\b" else (re.compile(pattern), text)
        for pattern, text in rules.items()
        if pattern not in _NOT_EXPANDED
    ]
    joined = [(re.compile(pattern), text) for pattern, text in JOINED.items()]
    numbers, spellings = EnglishNumberNormalizer(), _spellings()

    def normalize(text: str) -> str:
        text = re.sub(r"\(([^)]+?)\)", "", re.sub(r"[<\[][^>\]]*[>\]]", "", text.lower()))
        text = re.sub(r"\s+'", "'", _FILLERS.sub("", text))
        for pattern, written in contractions:
            text = pattern.sub(written, text)
        text = re.sub(r"\.([^0-9]|$)", r" \1", re.sub(r"(\d),(\d)", r"\1\2", text))
        text = remove_symbols_and_diacritics(text, keep=".%$¢€£")
        for pattern, written in joined:
            text = pattern.sub(written, text)
        words = [_NAMES.get(word, word) for word in (spellings.get(word, word) for word in numbers(text).split())]
        text = " ".join(_joined_letters(words))
        text = re.sub(r"([^0-9])%", r"\1 ", re.sub(r"[.$¢€£]([^0-9])", r" \1", text))
        return re.sub(r"\s+", " ", text)

    return normalize


def nemo(text: str) -> str:
    """Normalise as NeMo-Skills does in its standard mode."""
    return re.sub(r"\s+", " ", whisper()(text.lower())).strip()


def spoken_part(text: str) -> str:
    """Give what NeMo-Skills takes for the transcript in a reply: without a preamble, empty where the model is deaf."""
    text = text.strip()
    if _DEAF.search(text):
        return ""
    for stamp, instead in _STAMPS:
        text = stamp.sub(instead, text)
    quoted = _QUOTED.search(text)
    text = quoted[1] if quoted else text
    for opening in (": '", ":'"):
        if opening in text:
            return _QUOTE_AT_END.sub("", text.split(opening, 1)[1]).strip()
    at_end = _QUOTED_AT_END.search(text)
    return (at_end[1] if at_end else text).strip()


_NAMES = {other: name for name, others in NAMES.items() for other in others.split()}


def _spellings() -> dict[str, Any]:
    from whisper_normalizer.english import EnglishSpellingNormalizer

    known: dict[str, Any] = EnglishSpellingNormalizer().mapping
    return {word: spelling for word, spelling in known.items() if word not in KEPT_SPELLINGS} | SPELLINGS


def _joined_letters(words: list[str]) -> list[str]:
    """Join letters and digits that stand alone in a row; two are enough unless one of them is a word, a or i."""
    joined: list[str] = []
    run: list[str] = []
    for word in [*words, ""]:
        if len(word) == 1 and word.isalnum():
            run.append(word)
            continue
        least = _SPELLED_OUT if _COMMON_LETTERS & set(run) else 2
        joined += ["".join(run)] if len(run) >= least else run
        run = []
        joined += [word] if word else []
    return joined
