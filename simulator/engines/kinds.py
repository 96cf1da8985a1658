"""Voices and recognisers as kinds: what `voice` and `recognizer` mean wherever a scenario or an option names one.

    voice: en-us+f3                            a word: a voice of espeak ...
    voice: en_US-joe-medium                    ... or of Piper, which names them so ...
    voice: piper                               ... or a kind that needs no more to be said
    voice: {kind: espeak, name: en-us+f3}      a mapping: a kind with its keys
    recognizer: moonshine
    recognizer: [moonshine, whisper]           a list: those that vote

A spec is the request and the key: an engine is made once a process for each spec, and what a voice says is kept on disk
under the spec and the engine's version. Written back, a spec is the word again where a word says it all.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.engines import Recognizer, Synthesizer
from simulator.engines.remembered import RememberingRecognizer
from simulator.errors import ScenarioError
from simulator.plugins import Kind, installed, load
from simulator.spec import Spec, decode, encode_struct
from simulator.traits import PartyTraits

SEVERAL = " + "
"""Between the labels of engines that work together."""


class EngineSpec(Spec, frozen=True, kw_only=True, omit_defaults=True):
    """What every engine's spec has. Its fields can be hashed: engines are shared by spec."""

    def __encode__(self) -> Any:
        """Give the kind alone where nothing else is said, else the mapping."""
        plain = encode_struct(self)
        return plain["kind"] if len(plain) == 1 else plain

    def traits(self) -> PartyTraits:
        """What it makes of the party that uses it."""
        return PartyTraits()

    def check(self) -> None:
        """Refuse what cannot work before anything starts: ScenarioError without a place (added outside)."""

    @property
    def label(self) -> str:
        """What it is called in tables and files: the kind, then what tells it from others of its kind."""
        return str(self.__struct_config__.tag)


class VoiceSpec(EngineSpec, frozen=True, kw_only=True, omit_defaults=True):
    """What every voice's spec does: make its synthesiser, and say which language it speaks."""

    def build(self) -> Synthesizer:
        """Make the synthesiser; cheap, models load on first use."""
        raise NotImplementedError

    def shared(self) -> Synthesizer:
        """Give the process's synthesiser of this spec."""
        return _voice(self)

    def speaks(self) -> str:
        """Give the code of its language (ISO 639); empty where nobody says. ScenarioError: it cannot be known here."""
        return ""


class RecognizerSpec(EngineSpec, frozen=True, kw_only=True, omit_defaults=True):
    """What every recogniser's spec does: make its recogniser."""

    def build(self) -> Recognizer:
        """Make the recogniser; cheap, models load on first use."""
        raise NotImplementedError

    def shared(self) -> Recognizer:
        """Give the process's recogniser of this spec, which remembers what it heard."""
        return _recognizer(self)

    def digest(self) -> str:
        """Give what its words depend on besides its keys: versions, the model. ScenarioError: it is not here."""
        return ""

    @classmethod
    def languages(cls, detail: str) -> tuple[str, ...]:
        """Give the languages it was made for (ISO 639), all it can tell of what it hears; none where nobody says.

        detail: what its label adds to the kind.
        """
        return ()


_PIPER = re.compile(r"[a-z]{2,3}_[A-Z]{2}-\w+-(x_low|low|medium|high)|.*piper-voice.*")
"""What voices of Piper and packages of them are called; espeak calls none of its own so."""

if TYPE_CHECKING:
    AnyVoice = VoiceSpec
    AnyRecognizer = RecognizerSpec
else:

    class AnyVoice(Kind):
        """The spec of any voice: a mapping, a kind's name, or the name of a voice of espeak's or Piper's."""

        group = "synthesizers"
        spec = VoiceSpec
        any_word: ClassVar[bool] = True

        @classmethod
        def expand(cls, word: str) -> Mapping[str, Any]:
            if word in installed(cls.group):
                return {"kind": word}
            return {"kind": "piper" if _PIPER.fullmatch(word) else "espeak", "name": word}

    class AnyRecognizer(Kind):
        """The spec of any recogniser: a mapping, a kind's name, or a list of those that vote."""

        group = "recognizers"
        spec = RecognizerSpec
        any_list: ClassVar[bool] = True

        @classmethod
        def expand(cls, short: str | list[object]) -> Mapping[str, Any]:
            return {"kind": short} if isinstance(short, str) else {"kind": "vote", "of": short}


def voice_of(said: object) -> VoiceSpec:
    """Give the voice that a word or a mapping names. ScenarioError: it names none."""
    return said if isinstance(said, VoiceSpec) else decode(said, AnyVoice, source="voice", folder=Path())


def recognizer_of(said: object) -> RecognizerSpec:
    """Give the recogniser that a word or a mapping names. ScenarioError: it names none."""
    return said if isinstance(said, RecognizerSpec) else decode(said, AnyRecognizer, source="recognizer", folder=Path())


def languages_heard(label: str) -> tuple[str, ...]:
    """Give the languages a recogniser of this label hears, by their codes; none where nobody says, or it is unknown."""
    each = [_languages(one) for one in label.split(SEVERAL)]
    return tuple(code for code in each[0] if all(not known or code in known for known in each))


def _languages(label: str) -> tuple[str, ...]:
    kind, _, detail = label.partition(" ")
    try:
        return tuple(load("recognizers", kind).languages(detail))
    except (ScenarioError, AttributeError):
        return ()


@cache
def _voice(spec: VoiceSpec) -> Synthesizer:
    return spec.build()


@cache
def _recognizer(spec: RecognizerSpec) -> Recognizer:
    return RememberingRecognizer(spec.build(), encode_struct(spec))
