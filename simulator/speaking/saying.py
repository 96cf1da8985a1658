"""What a turn says: a text, or parts of it with pauses, breaths, other languages, and words that are not meant.

say: "A table for two, please."
say: ["A table,", {pause: 700ms}, "for two."]
say: [{sound: breath}, "Guten Tag,", {say: "good morning", language: en}]
say: ["A table for", {say: "three, no,", disfluency: self_correction}, "two."]
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from simulator.engines.cache import cached
from simulator.engines.espeak import EspeakSpec
from simulator.engines.kinds import AnyVoice, VoiceSpec, voice_of
from simulator.errors import ScenarioError
from simulator.frame import silence
from simulator.languages.lookup import tongue
from simulator.sound import recordings
from simulator.speaking.body_sounds import BODY_SOUNDS, BodySound
from simulator.speaking.prepared import PreparedSpeech, at_level, joined
from simulator.spec import Duration
from simulator.texts import quoted

LONGEST_PAUSE_S = 600.0
DisfluencyKind = Literal["filler", "pause", "hesitation", "repeat", "false_start", "self_correction"]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What stands in a turn beside texts."""


class Pause(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """A silence inside a turn: `{pause: 700ms}`. pause: how long it is."""

    pause: Duration

    def __post_init__(self) -> None:
        if self.pause > LONGEST_PAUSE_S:
            raise ValueError(f"a pause of {self.pause} is too long; allowed are {LONGEST_PAUSE_S:g}s inside a turn")


class SoundPart(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """A sound of the mouth that is no word: `{sound: breath}`, `{sound: laugh}`. sound: which one."""

    sound: BodySound


class SaidPart(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """A text that is said otherwise than those around: `{say: "good morning", language: en}`.

    say: the text. language: its code; voice: the speaker's in it (default: espeak's same speaker, or the language's own
    voice). disfluency: what it is, where it is no part of what is meant.
    """

    say: str
    language: str = ""
    voice: AnyVoice | None = None
    disfluency: DisfluencyKind | Literal[""] = ""

    def __post_init__(self) -> None:
        if self.language:
            try:
                tongue(self.language)
            except ScenarioError as error:
                raise ValueError(str(error)) from error

    def speaker(self, usual: VoiceSpec) -> VoiceSpec:
        """Give the voice that says it. usual: that of the texts around."""
        if self.voice is not None or not self.language:
            return self.voice or usual
        own = tongue(self.language)
        if isinstance(usual, EspeakSpec):
            return EspeakSpec(name="+".join([own.voice.partition("+")[0], *usual.name.split("+")[1:2]]))
        return EspeakSpec(name=own.voice)


PARTS: dict[str, type[_Part]] = {"pause": Pause, "sound": SoundPart, "say": SaidPart}

if TYPE_CHECKING:
    SayPart = str | Pause | SoundPart | SaidPart
else:

    class _AnyPart(type):
        """Lets msgspec accept what `__decode__` gives."""

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, str | _Part)

    class SayPart(metaclass=_AnyPart):
        """A text or a part of another sort; which one, its key tells."""

        @classmethod
        def __decode__(cls, value: object, convert: Callable[[object, Any], Any]) -> Any:
            if isinstance(value, str):
                return value
            kind = next((name for name in PARTS if name in value), None) if isinstance(value, dict) else None
            if kind is None:
                raise ValueError(f"expected a text or a mapping with one of {', '.join(PARTS)}, found {quoted(value)}")
            return convert(value, PARTS[kind])


Say = str | list[SayPart]
"""What a turn says: a text, or parts in their order."""


def texts_of(say: Say) -> list[str]:
    """Give the texts of a turn, in their order."""
    parts = [say] if isinstance(say, str) else say
    return [part.say if isinstance(part, SaidPart) else part for part in parts if isinstance(part, str | SaidPart)]


def check_say(say: Say) -> None:
    """Refuse a turn that no voice can say: a text without a letter or a digit, or only pauses. ValueError."""
    texts = texts_of(say)
    if not texts or not all(any(character.isalnum() for character in text) for text in texts):
        raise ValueError(f"there is nothing to say in {say!r}; a text holds at least one letter or digit")


def spoken(say: Say, voice: VoiceSpec | str, sample_rate: int, *, words_per_minute: int = 160) -> PreparedSpeech:
    """Synthesise what a turn says, at the nominal level, on the grid. ScenarioError for an unknown voice.

    voice: its spec, or the word for it. Words that are not meant are said in one breath with those around them.
    """
    speaker = voice_of(voice)
    lines: list[PreparedSpeech] = []
    for part in _in_breaths([say] if isinstance(say, str) else say):
        if isinstance(part, Pause):
            length = part.pause.samples(sample_rate)
            lines.append(PreparedSpeech(text="", samples=silence(length), pauses=((0, length),)))
        elif isinstance(part, SoundPart):
            lines.append(PreparedSpeech(text="", samples=BODY_SOUNDS[part.sound](sample_rate)))
        else:
            lines.append(_breath_said(part, speaker, sample_rate, words_per_minute))
    return lines[0] if len(lines) == 1 else joined(lines)


def _in_breaths(parts: Sequence[SayPart]) -> list[Pause | SoundPart | list[str | SaidPart]]:
    """Put texts together that are said in one breath: those with a disfluent one beside them, in one voice."""
    found: list[Pause | SoundPart | list[str | SaidPart]] = []
    for part in parts:
        if isinstance(part, Pause | SoundPart):
            found.append(part)
            continue
        before = found[-1] if found and isinstance(found[-1], list) else None
        if before is not None and _same_breath(before[-1], part):
            before.append(part)
        else:
            found.append([part])
    return found


def _same_breath(one: str | SaidPart, other: str | SaidPart) -> bool:
    disfluent = any(isinstance(part, SaidPart) and part.disfluency for part in (one, other))
    foreign = any(isinstance(part, SaidPart) and (part.language or part.voice) for part in (one, other))
    return disfluent and not foreign


def _breath_said(parts: Sequence[str | SaidPart], usual: VoiceSpec, sample_rate: int, pace: int) -> PreparedSpeech:
    first = parts[0]
    speaker = first.speaker(usual) if isinstance(first, SaidPart) else usual
    marks: list[tuple[int, int, str]] = []
    count = 0
    for part in parts:
        length = len((part.say if isinstance(part, SaidPart) else part).split())
        if isinstance(part, SaidPart) and part.disfluency:
            marks.append((count, count + length, part.disfluency))
        count += length
    text = first if isinstance(first, str) and len(parts) == 1 else " ".join(texts_of(list(parts)))
    line = _synthesised(text, speaker, sample_rate, pace)
    return msgspec.structs.replace(line, disfluent=tuple(marks)) if marks else line


@lru_cache(maxsize=512)
def _synthesised(text: str, voice: VoiceSpec, sample_rate: int, words_per_minute: int) -> PreparedSpeech:
    utterance = cached(voice, text, words_per_minute)
    samples = at_level(
        recordings.resample(utterance.samples, utterance.sample_rate, sample_rate), sample_rate, "nominal"
    )
    scale = sample_rate / utterance.sample_rate
    words = tuple((word.text, round(word.start * scale)) for word in utterance.words)
    return PreparedSpeech(text=text, samples=samples, words=words)
