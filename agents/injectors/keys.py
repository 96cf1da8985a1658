"""Keys: a party presses keys of its telephone, whatever it is saying."""

from typing import ClassVar

from simulator.errors import ScenarioError
from simulator.injector import Injector, InjectorContext, SpeechInjector, SpeechInjectorSpec
from simulator.sound.dtmf import check_keys
from simulator.speaking.prepared import told_beside
from simulator.speaking.voice import Band, PreparedSpeech, Role, check_voice, pressed


class KeysSpec(SpeechInjectorSpec, frozen=True, kw_only=True, tag="keys"):
    """Press keys: `{kind: keys, cue: {agent_speaking: 2s}, press: "1234#"}`.

    press: the keys, 0-9 A-D * #. band: as tones in the sound (`in`) or beside it (`out`); not given: beside it where
    the other can take them so.
    """

    role: ClassVar[Role] = "recording"

    press: str
    band: Band | None = None

    def __post_init__(self) -> None:
        if self.say is not None or self.choose or self.file is not None:
            raise ValueError("keys say nothing: there is no say, choose or file")
        check_keys(self.press)

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse an unknown voice: nothing speaks, but a wrong name is a mistake all the same."""
        if self.voice is not None:
            check_voice(self.voice, f"{where}.voice")

    def build(self, context: InjectorContext) -> Injector:
        """Make the injector with its tones ready."""
        if self.band == "out" and not context.takes_keys:
            raise ScenarioError(
                f"keys of the {self.party} are to be pressed beside the sound, which the other party does not take; "
                "`band: in` sends tones"
            )
        beside = told_beside(self.band, taken=context.takes_keys)
        line = pressed(self.press, context.sample_rate, beside=beside)
        return SpeechInjector(self.party, self.cue, self.role, [line.louder(self.level_db)], context)

    def _lines(self, sample_rate: int) -> list[PreparedSpeech]:
        return [pressed(self.press, sample_rate, beside=False)]
