"""The built-in voice: espeak-ng. Word onsets are truth, same text and voice give the same bits, no downloads.

espeak-ng is GPL-3 and is loaded at run time from the package espeakng-loader.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache, cached_property
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np

from simulator.engines import Utterance, Word
from simulator.engines.espeak_library import (
    FASTEST_WPM,
    SAMPLE_RATE,
    SLOWEST_WPM,
    PhonemeEvent,
    Spoken,
    WordEvent,
    speak,
)
from simulator.engines.kinds import VoiceSpec
from simulator.engines.trimmed import audible
from simulator.errors import ScenarioError
from simulator.frame import from_pcm16

# Samples under this part of the peak (-60 dB) are silence when the two ends are trimmed.
_INAUDIBLE = 0.001

# English sounds that espeak would spell letter by letter ("em em aitch em"), in its own phoneme names.
_SOUNDS = {
    "mm-hm": "m'mh'm",
    "mm-hmm": "m'mh'm",
    "mmhm": "m'mh'm",
    "mhm": "m'mh'm",
    "mm": "m'mm",
    "mmm": "m'mm",
    "hm": "h'@m",
    "shh": "SSS",
    "sh": "SSS",
}
_TOKEN = re.compile(r"(\W*)(.*?)(\W*)", re.DOTALL)


class EspeakSpec(VoiceSpec, frozen=True, kw_only=True, tag="espeak", omit_defaults=True):
    """The built-in voices: `voice: en-us+f3`, a language or an accent and a variant of the speaker.

    name: language, accent and variant, as `simulate list voices` has them.
    """

    name: str = "en-gb-x-rp"

    def __encode__(self) -> str:
        """Give the name: words are espeak's voices unless they say otherwise."""
        return self.name

    @property
    def label(self) -> str:
        """What it is called."""
        return f"espeak {self.name}"

    def check(self) -> None:
        """Refuse an unknown voice: ScenarioError that names voices like it."""
        identifier_of(self.name)

    def speaks(self) -> str:
        """The code that the voice's name begins with."""
        self.check()
        return self.name.strip().lower().partition("+")[0].partition("-")[0]

    def build(self) -> "Espeak":
        """Make the voice."""
        return Espeak(self.name)


class Espeak:
    """Text to speech by espeak-ng at 22,050 Hz: over 100 voices, each with over 100 variants (`en-us+f3`)."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def version(self) -> str:
        """What its sound depends on: the package's version and that of the treatment here."""
        return f"{version('espeakng-loader')}/1"

    def synthesize(self, text: str, words_per_minute: int = 160) -> Utterance:
        """Say the text: both ends trimmed, pauses between clauses kept, every word with its onset and end.

        A word is what stands between spaces. A text with nothing to pronounce gives no samples.
        ScenarioError: an unknown voice, or a speed outside 80 to 450 words per minute.
        """
        identifier = identifier_of(self._name)
        if not SLOWEST_WPM <= words_per_minute <= FASTEST_WPM:
            allowed = f"{SLOWEST_WPM} to {FASTEST_WPM} words per minute"
            raise ScenarioError(f"espeak cannot speak at {words_per_minute}; allowed are {allowed}")
        tokens = text.split()
        written = [readable(token, english=identifier.startswith("gmw/en")) for token in tokens]
        phonemes = any("[[" in word for word in written)
        spoken = speak(" ".join(written), identifier, words_per_minute=words_per_minute, phonemes=phonemes)
        # Every clause ends in about 0.3 s of silence; int16 has no magnitude of its lowest value.
        start, end = audible(spoken.pcm.astype(np.int32), SAMPLE_RATE, under=_INAUDIBLE, margin_s=0)
        onsets = [min(max(onset, start), end) - start for onset in _onsets(written, spoken, start, end)]
        return Utterance(
            text=text,
            samples=from_pcm16(spoken.pcm[start:end]),
            sample_rate=SAMPLE_RATE,
            words=_words(tokens, [*onsets, end - start], [event.sample - start for event in _pauses(spoken)]),
        )


def voices() -> list[str]:
    """Give the names of espeak's voices; any of them may be followed by `+` and a variant."""
    return sorted(_languages())


def variants() -> list[str]:
    """Give the names of its variants: other speakers of the same language."""
    return sorted(_variants())


def identifier_of(voice: str) -> str:
    """Give espeak's own name of a voice; espeak itself says nothing about a variant it does not know.

    ScenarioError: an unknown voice; it names voices like it.
    """
    language, plus, variant = voice.strip().lower().partition("+")
    if language not in _languages():
        raise ScenarioError(_unknown("voice", language, voices()))
    if not plus:
        return _languages()[language]
    if variant not in _variants():
        raise ScenarioError(_unknown("voice variant", variant, variants()))
    return f"{_languages()[language]}+{_variants()[variant]}"


@cache
def _languages() -> dict[str, str]:
    """Voice name -> espeak's identifier: the name of the voice's file, and the codes of its language."""
    root = _data_folder()
    names: dict[str, str] = {}
    codes: dict[str, str] = {}
    for file in sorted(path for path in (root / "lang").rglob("*") if path.is_file()):
        if not (root / f"{file.name.split('-')[0]}_dict").exists():
            continue  # a voice without its dictionary only spells letters
        names[file.name.lower()] = identifier = file.relative_to(root / "lang").as_posix()
        for code in re.findall(r"^language\s+(\S+)", file.read_text("utf-8", "replace"), re.MULTILINE):
            codes.setdefault(code.lower(), identifier)
    return codes | names


@cache
def _variants() -> dict[str, str]:
    return {file.name.lower(): file.name for file in (_data_folder() / "voices" / "!v").iterdir()}


def _data_folder() -> Path:
    found = find_spec("espeakng_loader")
    if found is None or found.origin is None:
        raise ScenarioError("the voice engine espeak is not installed; pip install espeakng-loader")
    return Path(found.origin).parent / "espeak-ng-data"


def _unknown(what: str, name: str, known: list[str]) -> str:
    if close := get_close_matches(name, known, n=5, cutoff=0.5):
        return f"espeak has no {what} {name!r}; close to it are {', '.join(close)}"
    examples = [voice for voice in known if voice.startswith("en")] or known[:12]
    return f"espeak has no {what} {name!r}; some that it has are {', '.join(examples)}"


def readable(token: str, *, english: bool) -> str:
    """Write a token as espeak is to read it: phonemes for what it would spell, no brackets of the user."""
    plain = "".join(letter if letter.isprintable() and letter != "[" else " " for letter in token)
    match = _TOKEN.fullmatch(plain)
    sound = _SOUNDS.get(match[2].lower()) if match and english else None
    return f"{match[1]}[[{sound}]]{match[3]}" if match and sound else plain


def _pauses(spoken: Spoken) -> list[PhonemeEvent]:
    return [event for event in spoken.phonemes if event.pause]


def _words(tokens: Sequence[str], onsets: Sequence[int], pauses: Sequence[int]) -> tuple[Word, ...]:
    """Give the words; each ends at the next onset, or at a pause before it. onsets: one more than tokens."""
    return tuple(
        Word(text=token, start=onset, end=min([following, *(pause for pause in pauses if pause > onset)]))
        for token, (onset, following) in zip(tokens, pairwise(onsets), strict=True)
    )


def _onsets(written: Sequence[str], spoken: Spoken, start: int, end: int) -> list[int]:
    """Give the first sample of every token: from its event, or by the phonemes where espeak fuses words."""
    known = {0: start} | _known_onsets(written, spoken.words) if written else {}
    onsets: list[int] = []
    for first, last in pairwise([*sorted(known), len(written)]):
        onsets += _share(written[first:last], known[first], known.get(last, end), spoken.phonemes)
    return onsets


def _known_onsets(written: Sequence[str], events: Sequence[WordEvent]) -> dict[int, int]:
    """Token index -> onset, for tokens with a word event of their own (the first: numbers have several)."""
    owner = [index for index, word in enumerate(written) for _ in word + " "]
    spaces = {int(position) - 1 for position in np.cumsum([len(word) + 1 for word in written])}
    known: dict[int, int] = {}
    latest = -1
    for event in sorted(events):
        letters = (at for at in range(event.first, event.first + event.length) if at not in spaces)
        token = next((owner[at] for at in letters if 0 <= at < len(owner)), -1)
        if token > latest:
            known[token] = event.sample
            latest = token
    return known


def _share(fused: Sequence[str], start: int, until: int, phonemes: Sequence[PhonemeEvent]) -> list[int]:
    """Share a stretch among the tokens said in it by their letters; onsets move to the nearest phoneme."""
    if len(fused) == 1:
        return [start]
    until = min([until, *(event.sample for event in phonemes if event.pause and event.sample > start)])
    places = [event.sample for event in phonemes if start <= event.sample < until] + [until]
    letters = np.cumsum([0, *(sum(map(str.isalnum, word)) for word in fused)])
    wanted = start + (until - start) * letters[1:-1] / max(1, letters[-1])
    return [start, *(min(places, key=lambda place: abs(place - onset)) for onset in wanted)]
