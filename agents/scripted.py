"""A scripted party: says its turns at their cues with a synthesised voice."""

from collections.abc import Sequence
from typing import Literal, Self

import msgspec

from simulator.actor import ActorSpec, Context, PartSpec, Setting
from simulator.engines.kinds import AnyRecognizer, AnyVoice, VoiceSpec
from simulator.engines.moonshine import MoonshineSpec
from simulator.engines.spending import tell_spent
from simulator.errors import located
from simulator.events import PARTIES, other_party
from simulator.sound.dtmf import check_keys
from simulator.speaking.accent import check_accent, spoken_by
from simulator.speaking.alternatives import lines_of
from simulator.speaking.disfluency import Disfluent, stumbled
from simulator.speaking.ears import AnyEars
from simulator.speaking.prepared import told_beside
from simulator.speaking.script import Script, Turn, TurnKeys, check_cues, in_turns
from simulator.speaking.voice import (
    DEFAULT_VOICES,
    FADE_S,
    Band,
    PreparedSpeech,
    Say,
    WordsPerMinute,
    check_say,
    check_voice,
    pressed,
    spoken,
)
from simulator.spec import Decibels, Duration

Effort = Literal["normal", "whisper", "shout"]
EFFORT_DB = {"normal": 0.0, "whisper": -15.0, "shout": 12.0}
"""Against speech at its usual level: within what 16 bits and a nominal level of -26 dBFS leave, ours."""


class ScriptedTurn(TurnKeys, frozen=True, kw_only=True, omit_defaults=True):
    """A turn: a text (with pauses inside), or one of several alternatives drawn by the seed; and its cue.

    wait: the moment passes in silence, and the next turn waits from then on. role: what it is said as, where its cue
    does not tell. cut: so much of it is said. hang_up: the call is over when it was said. hears: what the other is to
    have said since the script's last words; another answer is noted as `diverged`. press: keys of a telephone
    instead of words; band: tones (`in`) or beside the sound (`out`), not given: beside it where the other takes them.
    words_per_minute, disfluent: of this turn alone. level_db: how much louder it is. effort: a whisper is 15 dB
    quieter, a shout 12 dB louder, or as much as there is room for. say: a text, or texts and pauses. choose: several of
    them, one is drawn.
    """

    say: Say | None = None
    press: str | None = None
    band: Band | None = None
    choose: list[Say] = []
    wait: bool = False
    role: Literal["turn", "interruption", "backchannel"] = "turn"
    cut: Duration | None = None
    hang_up: bool = False
    hears: str = ""
    words_per_minute: WordsPerMinute | None = None
    level_db: Decibels = 0.0
    effort: Effort = "normal"
    disfluent: Disfluent | None = None

    def __post_init__(self) -> None:
        if (self.say is not None) + bool(self.choose) + self.wait + (self.press is not None) != 1:
            raise ValueError("a turn has exactly one of say, choose and wait, or press")
        if self.press is not None:
            check_keys(self.press)
        elif self.band is not None:
            raise ValueError("band goes with press")
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
    recognizer: what tells whether a turn `hears` what it is to. accent: voices that the trials speak with in turn, or
    the word for them (`scottish`). disfluent: how disfluent it is, by rule (docs/languages.md). turns: what is said,
    each at its cue. ears: what hears the other for the cues (default: by level, silero on a noisy line).
    """

    turns: list[ScriptedTurn | str]
    voice: AnyVoice | None = None
    words_per_minute: WordsPerMinute = 150
    ears: AnyEars | None = None
    recognizer: AnyRecognizer = MoonshineSpec()
    accent: list[AnyVoice] = []
    disfluent: Disfluent | None = None

    def __post_init__(self) -> None:
        self.told()

    def told(self) -> list[ScriptedTurn]:
        """The turns, those written as a text alone in full."""
        return [ScriptedTurn(say=turn) if isinstance(turn, str) else turn for turn in self.turns]

    def check(self, setting: Setting) -> None:
        """Refuse an unknown voice, or a cue about what the script cannot hear."""
        check_voice(self.voice or DEFAULT_VOICES[setting.party], f"{setting.where}.voice")
        check_accent(self.accent, self.voice, setting.where)
        check_cues(self.told(), setting, f"{setting.where}.turns")
        for index, turn in enumerate(self.told()):
            if turn.band == "out" and setting.other is not None and not setting.other.traits().takes_keys:
                complaint = "the other party takes no keys beside the sound; `band: in` sends tones"
                raise setting.refuse(f".turns[{index}].band", complaint)
        if any(turn.hears for turn in self.told()):
            located(f"{setting.where}.recognizer", self.recognizer.check)

    def in_turns(self) -> Self:
        """Give the same turns, each said when the other is silent."""
        return msgspec.structs.replace(self, turns=in_turns(self.told()))

    def parts(self) -> tuple[PartSpec, ...]:
        """Its voice, where it names one."""
        return (*self.accent, *((self.voice,) if self.voice else ()))

    def build(self) -> Script:
        """Make the actor."""
        return Script(self._turns, self.ears, self.recognizer)

    def _turns(self, context: Context) -> Sequence[Turn]:
        voice = self.voice or DEFAULT_VOICES[context.party]
        other = context.specs.get(other_party(context.party))
        taken = other is not None and other.traits().takes_keys
        turns = [
            Turn(
                cue=turn.cue(),
                lines=self._lines(turn, place, context, keys_taken=taken),
                repeat=turn.repeat,
                role=turn.role,
                hang_up=turn.hang_up,
                hears=turn.hears,
            )
            for place, turn in enumerate(self.told())
        ]
        tell_spent(context.emit, 0, voice)
        return turns

    def _lines(self, turn: ScriptedTurn, place: int, context: Context, *, keys_taken: bool) -> Sequence[PreparedSpeech]:
        """Give the lines of a turn, stumbled over by a seed of their own: nothing else is drawn otherwise for it."""
        rate = context.output_rate
        if turn.press is not None:
            return (pressed(turn.press, rate, beside=told_beside(turn.band, taken=keys_taken)),)
        voice = self.voice or DEFAULT_VOICES[context.party]
        disfluent = self.disfluent if turn.disfluent is None else turn.disfluent
        language = self.language or spoken_by(self.voice)
        said: list[Say] = []
        for way, text in enumerate(turn.alternatives()):
            seed = (context.seed, PARTIES.index(context.party), place, way)
            said.append(text if disfluent is None else stumbled(text, disfluent, language, seed))

        def prepare(text: Say) -> PreparedSpeech:
            return self._line(turn, text, voice, rate)

        return lines_of(said, voice, prepare, realtime=context.realtime)

    def _line(self, turn: ScriptedTurn, text: Say, voice: VoiceSpec, rate: int) -> PreparedSpeech:
        line = spoken(text, voice, rate, words_per_minute=turn.words_per_minute or self.words_per_minute)
        by_db = turn.level_db + EFFORT_DB[turn.effort]
        line = line.raised(by_db) if by_db > 0 else line.louder(by_db)
        return line if turn.cut is None else line.cut(turn.cut.samples(rate), round(FADE_S * rate))
