"""Parts: what a caller is made of, and what of it its session tells."""

from typing import Any

import msgspec

from agents.caller.brief import Brief
from agents.caller.manner import Manner
from agents.caller.mind import MindSpec
from simulator.engines.kinds import RecognizerSpec, VoiceSpec
from simulator.events import Party
from simulator.languages.lookup import ENGLISH
from simulator.speaking.ears import EarsSpec
from simulator.speaking.voice import DEFAULT_VOICES
from simulator.spec import encode


class CallerParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller is made of."""

    brief: Brief
    manner: Manner
    mind: MindSpec
    voice: VoiceSpec | None
    words_per_minute: int
    ears: EarsSpec | None
    recognizer: RecognizerSpec
    language: str = ENGLISH

    def speaker(self, party: Party) -> VoiceSpec:
        """The voice it speaks with: its party's, unless it names one."""
        return self.voice or DEFAULT_VOICES[party]

    def told(self, party: Party, *, bias: float, silero: bool) -> dict[str, Any]:
        """Give the fields of the event `manner`, which a script is made of. bias: of its times in this session."""
        return {
            "preset": self.manner.preset,
            "bias": round(bias, 4),
            "voice": encode(self.speaker(party)),
            "words_per_minute": self.words_per_minute,
            "ears": "silero" if silero else "level",
            "recognizer": encode(self.recognizer),
        }
