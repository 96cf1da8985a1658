"""A scripted party: says its turns at their cues with a synthesised voice."""

from collections.abc import Sequence
from typing import Literal

from simulator.actor import ActorSpec, Context, PartSpec, Setting
from simulator.engines.kinds import AnyRecognizer, AnyVoice, VoiceSpec
from simulator.engines.moonshine import MoonshineSpec
from simulator.engines.spending import tell_spent
from simulator.errors import located
from simulator.speaking.ears import AnyEars
from simulator.speaking.script import Script, Turn, TurnKeys, check_cues
from simulator.speaking.voice import (
    DEFAULT_VOICES,
    FADE_S,
    PreparedSpeech,
    Say,
    WordsPerMinute,
    check_say,
    check_voice,
    spoken,
)
from simulator.spec import Duration


class ScriptedTurn(TurnKeys, frozen=True, kw_only=True, omit_defaults=True):
    """A turn: a text (with pauses inside), or one of several alternatives drawn by the seed; and its cue.

    wait: the moment passes in silence, and the next turn waits from then on. role: what it is said as, where its cue
    does not tell. cut: so much of it is said. hang_up: the call is over when it was said. hears: what the other is to
    have said since the script's last words; another answer is noted as `diverged`. say: a text, or texts and pauses.
    choose: several of them, one is drawn.
    """

    say: Say | None = None
    choose: list[Say] = []
    wait: bool = False
    role: Literal["turn", "interruption", "backchannel"] = "turn"
    cut: Duration | None = None
    hang_up: bool = False
    hears: str = ""

    def __post_init__(self) -> None:
        if (self.say is not None) + bool(self.choose) + self.wait != 1:
            raise ValueError("a turn has exactly one of say, choose and wait")
        if self.wait and (self.cut is not None or self.hang_up or self.repeat):
            raise ValueError("a turn that waits says nothing: it has no cut, no hang_up and no repeat")
        for text in self.alternatives():
            check_say(text)
        self.check_modifiers()
        self.cue()

    def alternatives(self) -> list[Say]:
        """What it may say."""
        return self.choose or ([] if self.say is None else [self.say])


class ScriptedSpec(ActorSpec, frozen=True, kw_only=True, tag="scripted"):
    """Say turns at their cues: `{kind: scripted, turns: [{say: Hello}, {after: agent_turn, say: Goodbye}]}`.

    voice: a voice of the engine (default: one for the user, another for the agent). words_per_minute: 80 to 450.
    recognizer: what tells whether a turn `hears` what it is to. turns: what is said, each at its cue. ears: what hears
    the other for the cues (default: by level).
    """

    turns: list[ScriptedTurn | str]
    voice: AnyVoice | None = None
    words_per_minute: WordsPerMinute = 150
    ears: AnyEars | None = None
    recognizer: AnyRecognizer = MoonshineSpec()

    def __post_init__(self) -> None:
        self.told()

    def told(self) -> list[ScriptedTurn]:
        """The turns, those written as a text alone in full."""
        return [ScriptedTurn(say=turn) if isinstance(turn, str) else turn for turn in self.turns]

    def check(self, setting: Setting) -> None:
        """Refuse an unknown voice, or a cue about what the script cannot hear."""
        check_voice(self.voice or DEFAULT_VOICES[setting.party], f"{setting.where}.voice")
        check_cues(self.told(), setting, f"{setting.where}.turns")
        if any(turn.hears for turn in self.told()):
            located(f"{setting.where}.recognizer", self.recognizer.check)

    def parts(self) -> tuple[PartSpec, ...]:
        """Its voice, where it names one."""
        return (self.voice,) if self.voice else ()

    def build(self) -> Script:
        """Make the actor."""
        return Script(self._turns, self.ears, self.recognizer)

    def _turns(self, context: Context) -> Sequence[Turn]:
        voice = self.voice or DEFAULT_VOICES[context.party]
        turns = [
            Turn(
                cue=turn.cue(),
                lines=tuple(self._line(turn, text, voice, context.output_rate) for text in turn.alternatives()),
                repeat=turn.repeat,
                role=turn.role,
                hang_up=turn.hang_up,
                hears=turn.hears,
            )
            for turn in self.told()
        ]
        tell_spent(context.emit, 0, voice)
        return turns

    def _line(self, turn: ScriptedTurn, text: Say, voice: VoiceSpec, rate: int) -> PreparedSpeech:
        line = spoken(text, voice, rate, words_per_minute=self.words_per_minute)
        return line if turn.cut is None else line.cut(turn.cut.samples(rate), round(FADE_S * rate))
