"""A scripted party: says its turns at their cues with a synthesised voice."""

from collections.abc import Sequence

from simulator.actor import ActorSpec, Context, PartSpec, Setting
from simulator.engines.kinds import AnyVoice
from simulator.engines.spending import tell_spent
from simulator.speaking.ears import AnyEars
from simulator.speaking.script import Script, Turn, TurnKeys, check_cues
from simulator.speaking.voice import DEFAULT_VOICES, Say, WordsPerMinute, check_say, check_voice, spoken


class ScriptedTurn(TurnKeys, frozen=True, kw_only=True, omit_defaults=True):
    """A turn: a text (with pauses inside), or one of several alternatives drawn by the seed; and its cue."""

    say: Say | None = None
    choose: list[Say] = []

    def __post_init__(self) -> None:
        if (self.say is None) == (not self.choose):
            raise ValueError("a turn has exactly one of say and choose")
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
    """

    turns: list[ScriptedTurn | str]
    voice: AnyVoice | None = None
    words_per_minute: WordsPerMinute = 150
    ears: AnyEars | None = None

    def __post_init__(self) -> None:
        self.told()

    def told(self) -> list[ScriptedTurn]:
        """The turns, those written as a text alone in full."""
        return [ScriptedTurn(say=turn) if isinstance(turn, str) else turn for turn in self.turns]

    def check(self, setting: Setting) -> None:
        """Refuse an unknown voice, or a cue about what the script cannot hear."""
        check_voice(self.voice or DEFAULT_VOICES[setting.party], f"{setting.where}.voice")
        check_cues(self.told(), setting, f"{setting.where}.turns")

    def parts(self) -> tuple[PartSpec, ...]:
        """Its voice, where it names one."""
        return (self.voice,) if self.voice else ()

    def build(self) -> Script:
        """Make the actor."""
        return Script(self._turns, self.ears)

    def _turns(self, context: Context) -> Sequence[Turn]:
        voice = self.voice or DEFAULT_VOICES[context.party]
        turns = [
            Turn(
                cue=turn.cue(),
                lines=tuple(
                    spoken(text, voice, context.output_rate, words_per_minute=self.words_per_minute)
                    for text in turn.alternatives()
                ),
                repeat=turn.repeat,
            )
            for turn in self.told()
        ]
        tell_spent(context.emit, 0, voice)
        return turns
