"""The caller's spec: what a scenario says of a party with a persona, a goal and facts."""

from typing import Self

import msgspec

from agents.caller.actor import Caller
from agents.caller.brief import Brief, Facts, Stages, make_brief
from agents.caller.manner import SLOW_SPEECH, MannerKeys, Preset, manner_of, without_overlap
from agents.caller.minds import AnyMind
from agents.caller.parts import CallerParts
from agents.caller.rules_mind import RulesMindSpec
from agents.speaking_spec import check_called
from simulator.actor import ActorSpec, PartSpec, Setting
from simulator.engines.kinds import AnyRecognizer, AnyVoice
from simulator.engines.moonshine import MoonshineSpec
from simulator.errors import located
from simulator.languages.lookup import ENGLISH, known, plain
from simulator.speaking.accent import check_accent
from simulator.speaking.ears import AnyEars
from simulator.speaking.voice import DEFAULT_VOICES, WordsPerMinute, check_voice


class CallerSpec(ActorSpec, frozen=True, kw_only=True, tag="caller"):
    """Call with a goal: `{kind: caller, goal: A table for two tonight., facts: {name: Ann}, llm: {kind: rules}}`.

    persona (or who): who it is. facts: told only when asked. stages: parts of the goal, each revealed when the one
    before is reached. opening: its first words. llm: what it thinks by, patterns (`{kind: rules}`) or a chat endpoint
    (`{base_url: ..., model: ...}`). manner: how it talks, a preset or numbers. goal: what it calls for. persona, who:
    who it is, in words. voice: who speaks (default: the user's or the agent's). words_per_minute: 80 to 450 (default:
    what its manner has). ears: what hears speech (default: by level, silero on a noisy line). recognizer: what makes
    words of what it hears. accent: voices for the trials in turn, or the word for them.
    """

    goal: str
    llm: AnyMind
    persona: str = ""
    who: str = ""
    facts: Facts = {}
    stages: Stages = []
    opening: str = ""
    manner: Preset | MannerKeys = "cooperative"
    voice: AnyVoice | None = None
    words_per_minute: WordsPerMinute | None = None
    ears: AnyEars | None = None
    recognizer: AnyRecognizer = MoonshineSpec()
    accent: list[AnyVoice] = []

    def __post_init__(self) -> None:
        self.brief()

    def brief(self) -> Brief:
        """What it knows. ValueError: something in it can never be said or asked for."""
        return make_brief(
            persona=self.persona,
            who=self.who,
            goal=self.goal,
            facts=self.facts,
            stages=self.stages,
            opening=self.opening,
        )

    def in_turns(self) -> Self:
        """Give one with the same wish that neither cuts in nor says "mm-hm"; its words may differ, as its talk does."""
        return msgspec.structs.replace(self, manner=without_overlap(self.manner))

    def pace(self) -> int:
        """Words per minute: its own, or its manner's."""
        return self.words_per_minute or SLOW_SPEECH.get(manner_of(self.manner).preset, 160)

    def spoken(self) -> str:
        """The code of what it speaks: what is said of it, else English."""
        return plain(self.language) if self.language else ENGLISH

    def check(self, setting: Setting) -> None:
        """Refuse an unknown voice or recogniser, a mind that cannot work."""
        check_voice(self.voice or DEFAULT_VOICES[setting.party], f"{setting.where}.voice")
        check_accent(self.accent, self.voice, setting.where)
        if self.spoken() != ENGLISH and isinstance(self.llm, RulesMindSpec):
            name = known(self.spoken()).name
            raise setting.refuse(
                ".llm", f"the patterns of `rules` are English, and the caller speaks {name}; name a chat endpoint"
            )
        located(f"{setting.where}.recognizer", self.recognizer.check)
        self.llm.check(self.brief(), f"{setting.where}.llm")
        check_called(self.llm.called(), setting, ".llm.answers")

    def parts(self) -> tuple[PartSpec, ...]:
        """What it thinks by, what it hears with, and its voice, where it names one."""
        return (self.llm, self.recognizer, *self.accent, *((self.voice,) if self.voice else ()))

    def build(self) -> Caller:
        """Make the actor."""
        return Caller(
            CallerParts(
                brief=self.brief(),
                manner=manner_of(self.manner),
                mind=self.llm,
                voice=self.voice,
                words_per_minute=self.pace(),
                ears=self.ears,
                recognizer=self.recognizer,
                language=self.spoken(),
            )
        )
