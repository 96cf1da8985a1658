"""The spec of whoever answers turn by turn with ears and a voice of ours: the keys that all such kinds share."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from simulator.actor import ActorSpec, PartSpec, Setting
from simulator.engines.kinds import AnyVoice
from simulator.errors import located
from simulator.speaking.accent import check_accent
from simulator.speaking.ears import AnyEars
from simulator.speaking.endpointing import AnyEndpointing
from simulator.speaking.turn_taking import TurnPolicy
from simulator.speaking.voice import DEFAULT_VOICES, WordsPerMinute, check_voice
from simulator.spec import Duration, ms


class SpeakingSpec(ActorSpec, frozen=True, kw_only=True):
    """What every turn-based kind has: how it listens, when it yields, with which voice it speaks.

    endpoint: so much silence ends the other's turn; endpointing: what else decides that. yield_after: so much of the
    other's speech makes it stop. ignore_backchannels: shorter speech of the other is let pass. opening: what it says
    first, at opening_at. accent: voices that the trials speak with in turn, or the word for them (`scottish`). voice:
    who speaks (default: one for the user, another for the agent). words_per_minute: 80 to 450. ears: what hears speech
    (default: by level, silero on a noisy line). barge_in: whether it stops when the other speaks over it. opening_at:
    when the opening begins.
    """

    voice: AnyVoice | None = None
    words_per_minute: WordsPerMinute = 160
    ears: AnyEars | None = None
    endpoint: Duration = ms(600)
    yield_after: Duration = ms(500)
    endpointing: AnyEndpointing | msgspec.UnsetType = msgspec.UNSET
    barge_in: Literal["yield", "ignore"] = "yield"
    ignore_backchannels: bool = True
    opening: str = ""
    opening_at: Duration = ms(300)
    accent: list[AnyVoice] = []

    def check(self, setting: Setting) -> None:
        """Refuse an unknown voice, and an end of turn that cannot be told here."""
        check_voice(self.voice or DEFAULT_VOICES[setting.party], f"{setting.where}.voice")
        check_accent(self.accent, self.voice, setting.where)
        if self.endpointing is not msgspec.UNSET:
            located(f"{setting.where}.endpointing", self.endpointing.check)

    def parts(self) -> tuple[PartSpec, ...]:
        """Its voice, where it names one."""
        return (*self.accent, *((self.voice,) if self.voice else ()))

    def policy(self) -> TurnPolicy:
        """When a turn is over, when to yield."""
        return TurnPolicy(
            endpoint=self.endpoint,
            yield_after=self.yield_after,
            barge_in=self.barge_in,
            ignore_backchannels=self.ignore_backchannels,
        )


def check_called(called: Sequence[str], setting: Setting, field: str) -> None:
    """Refuse a call of a tool that the party's world does not have. ScenarioError."""
    names = [tool.name for tool in setting.tools]
    unknown = [name for name in called if name not in names]
    if unknown:
        raise setting.refuse(field, f"calls {unknown[0]!r}, which is no tool of the world; there are "
                                    f"{', '.join(names) or 'none'}")  # fmt: skip
