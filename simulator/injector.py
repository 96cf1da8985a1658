"""Injectors: speech added to a party's mouth at cued moments, known to the sample.

An injector gets both clean said tracks (before any injector, before the lines) up to the last tick and adds its
samples to its party's frame. Whether a party speaks is judged once for all injectors, on the clean tracks.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

import msgspec
import numpy as np

from simulator.engines.kinds import AnyVoice, VoiceSpec
from simulator.engines.spending import tell_spent
from simulator.errors import located
from simulator.events import Emit, Party
from simulator.frame import Samples
from simulator.plugins import Kind
from simulator.speaking.cue_watch import CueWatch
from simulator.speaking.cues import Cue, in_turn
from simulator.speaking.ears import Activity
from simulator.speaking.script import draw
from simulator.speaking.voice import (
    DEFAULT_VOICES,
    Level,
    PreparedSpeech,
    Role,
    Say,
    Voice,
    WordsPerMinute,
    check_say,
    check_voice,
    played,
    spoken,
)  # fmt: skip
from simulator.spec import Decibels, Spec


class InjectorContext(msgspec.Struct, frozen=True, kw_only=True):
    """What an injector is built with.

    prefix: what its utterance ids begin with. others_speaking(): whether another injector of its party speaks.
    injected_end(): one past the last sample that any injector of its party has said. takes_keys: whether keys reach the
    other party beside the sound.
    """

    sample_rate: int
    rng: np.random.Generator
    emit: Emit
    prefix: str
    pressed: Callable[[str], bool] = lambda key: False
    others_speaking: Callable[[], bool] = lambda: False
    injected_end: Callable[[], int] = lambda: 0
    takes_keys: bool = False


class Tracks(msgspec.Struct, kw_only=True):
    """Both parties' activity on the clean said tracks."""

    user: Activity
    agent: Activity


class Injector(Protocol):
    """Adds speech to one party's mouth."""

    @property
    def speaking(self) -> bool:
        """Whether it added sound to the last frame, or has more to add."""
        ...

    @property
    def last_end(self) -> int:
        """One past its last sample."""
        ...

    def inject(self, now: int, count: int, tracks: Tracks) -> Samples | None:
        """Give the samples to add to the frame [now, now + count), or None for nothing."""
        ...

    def close(self, now: int) -> None:
        """Account for what the end of the session cuts off."""
        ...


@runtime_checkable
class BlockInjector(Injector, Protocol):
    """An injector that knows ahead what it adds; `inject` then takes several frames at once.

    Where one of a call's injectors does not, the whole call goes tick by tick.
    """

    def settled(self, now: int, count: int, tracks: Tracks) -> int:
        """Decide what is added from `now` on, and give the sample up to which that holds, whatever is said meanwhile.

        Asked before the `inject` of the same moment, which decides nothing anew. count: samples of a frame. At least
        now + 1; a bound too low costs time, a bound too high is another session.
        """
        ...


class InjectorSpec(Spec, frozen=True, kw_only=True):
    """What every injector's spec has: whose mouth; a kind adds its keys and builds its injector.

    party: whose mouth.
    """

    party: Party = "user"

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse what cannot work before anything starts; `where` is its path in the file. ScenarioError."""

    def in_turns(self) -> Self:
        """Give the same injector, whose party does not begin to speak while the other does."""
        return self

    def build(self, context: InjectorContext) -> Injector:
        """Make the injector for one session."""
        raise NotImplementedError


if TYPE_CHECKING:
    AnyInjector = InjectorSpec
else:

    class AnyInjector(Kind):
        """The spec of any injector that is installed."""

        group = "injectors"
        spec = InjectorSpec


class SpeechInjectorSpec(InjectorSpec, frozen=True, kw_only=True):
    """What the injectors that speak have in common: when, and what.

    Exactly one of say (a text), choose (alternatives drawn by the seed) and file (`text`: what is said in it, where it
    is known). level_db is relative to nominal. cue: when. say: a text, or texts and pauses. choose: several of them,
    one is drawn. file: a recording. channel: of a file with several, from 0. text: what is said in the file. voice: who
    speaks (default: the party's). words_per_minute: 80 to 450. level: `nominal` scales to -26 dBFS active level, `keep`
    leaves it. level_db: louder or quieter than that, in dB.
    """

    role: ClassVar[Role] = "interruption"

    cue: Cue
    say: Say | None = None
    choose: list[Say] = []
    file: Path | None = None
    channel: int | None = None
    text: str = ""
    voice: AnyVoice | None = None
    words_per_minute: WordsPerMinute = 150
    level: Level = "nominal"
    level_db: Decibels = 0.0

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse what cannot be said. ScenarioError."""
        if self.file is None:
            check_voice(self.speaker(), f"{where}.voice")
        else:
            located(f"{where}.file", lambda: self._lines(sample_rate))

    def in_turns(self) -> Self:
        """Give the same words behind what the other says."""
        return msgspec.structs.replace(self, cue=in_turn(self.cue, self.party))

    def speaker(self) -> VoiceSpec:
        """The voice it speaks with: its party's, unless it names one."""
        return self.voice or DEFAULT_VOICES[self.party]

    def texts(self) -> list[Say]:
        """What it may say."""
        return self.choose or ([self.say] if self.say is not None else [])

    def build(self, context: InjectorContext) -> Injector:
        """Make the injector with its sound ready."""
        lines = self._lines(context.sample_rate)
        tell_spent(context.emit, 0, self.speaker())
        return SpeechInjector(self.party, self.cue, self.role, lines, context)

    def _lines(self, sample_rate: int) -> list[PreparedSpeech]:
        if self.file is not None:
            lines = [played(self.file, sample_rate, self.channel, self.level, self.text)]
        else:
            lines = [
                spoken(text, self.speaker(), sample_rate, words_per_minute=self.words_per_minute)
                for text in self.texts()
            ]
        return [line.louder(self.level_db) for line in lines]


def one_source(spec: SpeechInjectorSpec) -> None:
    """Refuse an injector with nothing to say, or with two things. ValueError."""
    given = [name for name in ("say", "choose", "file") if getattr(spec, name)]
    if len(given) != 1:
        raise ValueError(f"an injector has exactly one of say, choose, file; found {', '.join(given) or 'none'}")
    if spec.text and spec.file is None:
        raise ValueError("text goes with file: it tells what is said in the recording")
    for text in spec.texts():
        check_say(text)


class SpeechInjector:
    """Watches its cue and says a line when it fires; what it said, when, is in the events with its role."""

    def __init__(
        self, party: Party, cue: Cue, role: Role, lines: Sequence[PreparedSpeech], context: InjectorContext
    ) -> None:
        self.party = party
        self._role = role
        self._lines = lines
        self._context = context
        self._watch = CueWatch(cue, context.sample_rate, context.rng, party, context.pressed)
        self._voice = Voice(context.emit, context.prefix, context.sample_rate)
        self._watched: Any = cue.watched or party
        self._decided: int | None = None
        """The moment for which it is decided what is added, and nothing was added yet."""
        self._first_end = 0
        self._missed = False
        self._fell_due = False
        self.speaking = False

    def settled(self, now: int, count: int, tracks: Tracks) -> int:
        """Decide; then to the end of what is being said, else until the cue may come true."""
        self._decide(now, count, tracks)
        if self._voice.speaking:
            return now + self._voice.remaining()
        own, heard = self._sides(tracks)
        return self._watch.earliest(now, heard, max(own.last_end, self._context.injected_end()))

    def inject(self, now: int, count: int, tracks: Tracks) -> Samples | None:
        """Give the samples to add to the frame [now, now + count), or None for nothing."""
        if self._decided is None:
            self._decide(now, count, tracks)
        self._decided = None
        if self._missed:
            self._missed = False
            self._context.emit(now, "cue_missed", role=self._role)
        return self._voice.take(now, count) if self._voice.speaking else None

    def _decide(self, now: int, count: int, tracks: Tracks) -> None:
        if not self._voice.speaking:
            self.speaking = False
            own, heard = self._sides(tracks)
            busy = own.speaking or self._context.others_speaking()
            other = tracks.agent if self.party == "user" else tracks.user
            free_since = max(own.last_end, self._context.injected_end())
            verdict = self._watch.check(now, heard, busy, free_since, other)
            # Told when it is its turn to add: the file has its party's own events of the moment first.
            self._missed = verdict == "miss"
            self._fell_due = self._fell_due or verdict is not None
            if verdict == "fire":
                self._voice.say(draw(self._context.rng, self._lines), self._role)
                self.speaking = True
        self._decided = now
        self._first_end = now + min(count, self._voice.remaining())

    def _sides(self, tracks: Tracks) -> tuple[Activity, Activity]:
        """The activity of its own party, and of the one that its cue is about."""
        own = tracks.user if self.party == "user" else tracks.agent
        return own, tracks.user if self._watched == "user" else tracks.agent

    @property
    def last_end(self) -> int:
        """One past the last sample said; of a frame that is decided and not said yet, that frame's."""
        return self._first_end if self._decided is not None and self._voice.speaking else self._voice.last_end

    def close(self, now: int) -> None:
        """Account for what the end of the session cuts off."""
        if not self._fell_due:
            self._context.emit(now, "cue_unfired", role=self._role, cue=self._watch.cue.condition)
        self._voice.close()
