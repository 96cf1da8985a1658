"""Scripts: turns said one after the other, each at its cue, judged by the script's own ears.

A scripted user and a player of recordings are the same actor; they differ in where a turn's sound comes from.
Turn i+1 starts to wait for its cue when turn i has been said (or missed). A turn without a cue: the first is said at
500 ms, later ones after the other's turn.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
import numpy as np

from simulator.actor import BlockActor, Context, Setting
from simulator.engines.kinds import RecognizerSpec
from simulator.engines.moonshine import MoonshineSpec
from simulator.errors import ScenarioError
from simulator.events import Party, other_party
from simulator.frame import AudioFrame, Samples
from simulator.speaking.cue_watch import CueWatch
from simulator.speaking.cues import NEVER, OTHER_SILENT, Cue, CueKeys
from simulator.speaking.ears import Ears, EarsSpec, make_ears
from simulator.speaking.hearing import Listening
from simulator.speaking.voice import PreparedSpeech, Role, Voice
from simulator.spec import LONGEST_S, Duration, ms
from simulator.traits import StepTraits

FIRST_TURN = ms(500)
AT_LATEST = Duration(8.0)
"""After so much silence a script goes on by itself: it must not hang on an agent that says nothing."""

TO_THE_END = Duration(LONGEST_S)
"""A turn that fell due waits for its party's injector however long that speaks: a lost turn is another conversation."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a script: its cue (None: the default), the lines it may choose from, whether it comes again.

    No lines: the moment passes in silence. hang_up: the call is over when it was said. hears: what the other is to have
    said since the script's last words.
    """

    cue: Cue | None
    lines: Sequence[PreparedSpeech]
    repeat: bool = False
    role: Role = "turn"
    hang_up: bool = False
    hears: str = ""


Lines = Callable[[Context], Sequence[Turn]]
"""Makes a script's turns once the session's rate is known."""


class Script(BlockActor):
    """Says its turns at their cues; hears with its own ears, so it reacts to sound and not to anybody's transcript."""

    traits = StepTraits(on_grid=True)

    def __init__(self, turns: Lines, ears: EarsSpec | None, recognizer: RecognizerSpec | None = None) -> None:
        self._make_turns = turns
        self._ears_kind = ears
        self._recognizer = recognizer or MoonshineSpec()
        self._listening: Listening | None = None
        self._started = False

    async def start(self, context: Context) -> None:
        """Prepare every turn's sound; nothing is synthesised while the session runs."""
        self._context = context
        self._rate = context.output_rate
        self._turns = list(self._make_turns(context))
        self._ears: Ears = make_ears(self._ears_kind, context.input_rate, noisy=context.line_has_channels)
        if any(turn.hears for turn in self._turns):
            self._listening = Listening(context.input_rate, self._ears.activity, self._recognizer)
        self._voice = Voice(context.emit, f"{context.party}-", self._rate)
        self._tick = context.output_samples
        self._index = 0
        self._injected_end = self._heard_until = 0
        self._over_at: int | None = None
        """When the turn was over that was said last, until what was heard by then is in: the next one is armed then."""
        self._watch = self._watched = self._watch_turn(0)
        self._heeds = not self.done
        """Whether what it hears may decide anything any more: not behind its last cue, whatever is said then."""
        self._started = True
        # To recognise words takes too long for a tick.
        self.traits = msgspec.structs.replace(self.traits, prompt=self._listening is None)

    def hear(self, heard: AudioFrame) -> None:
        """Take what is heard, and look whether the turn's moment has come."""
        if not self._heeds:
            return
        count = len(heard.samples)
        if count == self._tick or self._listening is not None:
            self._hear_frames(heard, self._listening)
        else:
            self._hear_block(heard)
        if self._watch is not None:
            self._look(heard.start + count)

    def settled(self, now: int) -> int:
        """To the end of what is being said; else until the cue may come true."""
        if self._voice.speaking:
            return now + self._voice.remaining()
        if self._watch is None:
            return NEVER if self.done else now + 1
        return self._watch.earliest(now, self._ears.activity, max(self._voice.last_end, self._injected_end))

    def say(self, now: int, count: int) -> Samples:
        """Say the next samples; a block ends with the frame in which a turn does."""
        samples = self._voice.take(now, count)
        if self._watch is None and not self._voice.speaking and not self.done:
            if self._turns[self._index].hang_up:
                self.done = True
                self._context.emit(max(now, self._voice.last_end), "hung_up")
            elif self._is_last():
                self.done = True
            else:
                self._over_at = now + count
        return samples

    def _hear_frames(self, heard: AudioFrame, listening: Listening | None) -> None:
        """Take one frame, or several one by one: what is kept of the other's words begins with a frame."""
        count, tick = len(heard.samples), self._tick
        for start in range(0, count, tick):
            if start + tick >= count and self._over_at is not None:
                self._go_on(self._over_at)
            samples = heard.samples if count == tick else heard.samples[start : start + tick]
            self._ears.hear(AudioFrame(heard.start + start, samples))
            if listening is not None:
                listening.hear(heard.start + start, samples)

    def _hear_block(self, heard: AudioFrame) -> None:
        """Take several frames. A turn that ended with them was over before the last of them was heard."""
        if self._over_at is None:
            self._ears.hear_block(heard, self._tick)
            return
        cut = len(heard.samples) - self._tick
        self._ears.hear_block(AudioFrame(heard.start, heard.samples[:cut]), self._tick)
        self._go_on(self._over_at)
        self._ears.hear(AudioFrame(heard.start + cut, heard.samples[cut:]))

    async def close(self) -> None:
        """Account for what the end of the session cuts off."""
        if self._started:
            self._voice.close()
        if self._listening is not None:
            for fields in await self._listening.diverged():
                self._context.emit(self._heard_until, "diverged", **fields)

    def _look(self, now: int) -> None:
        watch = self._watch
        self._heard_until = now
        if watch is None:
            return
        busy = self._context.injecting()
        if busy:
            self._injected_end = now
        free_since = max(self._voice.last_end, self._injected_end)
        verdict = watch.check(now, self._ears.activity, busy, free_since, self._ears.activity)
        if verdict is None:
            return
        self._watched = watch
        turn = self._turns[self._index]
        if verdict == "fire":
            if self._listening is not None:
                self._listening.turn(self._index, turn.hears, now, so_far=turn.role == "interruption")
                if turn.lines and turn.role != "backchannel":
                    self._listening.forget()  # who only listens hears more of the same turn
            if turn.lines:
                self._voice.say(draw(self._context.rng, turn.lines), self._role(turn, watch.cue))
        else:
            self._context.emit(now, "cue_missed", turn=self._index)
        self._watch = None
        self._heeds = self._listening is not None or not (turn.hang_up or self._is_last())

    def _role(self, turn: Turn, cue: Cue) -> Role:
        """The role a turn is said in: one that waited for the other to speak is meant as an interruption.

        Not where the other is silent all the same (`at_latest`): that turn interrupts nobody.
        """
        return "interruption" if turn.role == "turn" and cue.interrupts and self._ears.activity.speaking else turn.role

    def _go_on(self, now: int) -> None:
        """Wait for the next cue, now that the turn is over."""
        self._over_at = None
        turn, watched = self._turns[self._index], self._watched
        if watched is not None and self._comes_again():
            self._watch = self._watch_again(now, turn.cue, watched)
            return
        self._index += 1
        self._watch = self._watch_turn(now)

    def _comes_again(self) -> bool:
        watched = self._watched
        return self._turns[self._index].repeat and watched is not None and not watched.spent

    def _is_last(self) -> bool:
        return self._index + 1 >= len(self._turns) and not self._comes_again()

    def _watch_again(self, now: int, cue: Cue | None, watched: CueWatch) -> CueWatch | None:
        """Watch the cue of a turn that comes again: the same watch, which knows the stretch it has fired in."""
        if cue is None or (cue.at is not None and cue.every is None):
            return self._watch_turn(now)
        watched.arm(now)
        return watched

    def _watch_turn(self, now: int) -> CueWatch | None:
        if not self._turns:
            self.done = True
            return None
        party = self._context.party
        cue = self._turns[self._index].cue or default_cue(party, first=now == 0 and self._index == 0)
        if cue.at_latest is None and cue.watched is not None:
            cue = msgspec.structs.replace(cue, at_latest=AT_LATEST)
        if cue.within is None:
            cue = msgspec.structs.replace(cue, within=TO_THE_END)
        watch = CueWatch(cue, self._rate, self._context.rng, party, self._context.pressed)
        watch.arm(now)
        watch.pass_over(self._ears.activity)
        return watch


def draw(rng: np.random.Generator, lines: Sequence[PreparedSpeech]) -> PreparedSpeech:
    """Choose one of the lines; a single one costs no random number."""
    return lines[int(rng.integers(len(lines)))] if len(lines) > 1 else lines[0]


def default_cue(party: Party, *, first: bool) -> Cue:
    """Give the cue of a turn that names none."""
    if first:
        return Cue(at=FIRST_TURN)
    return Cue(after="agent_turn" if other_party(party) == "agent" else "user_turn")


def check_cues(turns: Sequence["TurnKeys"], setting: Setting, where: str) -> None:
    """Refuse a cue about the script's own party, whom its ears do not hear. ScenarioError."""
    for index, turn in enumerate(turns):
        cue = turn.cue()
        if cue is not None and cue.watched == setting.party:
            raise ScenarioError(
                f"{where}[{index}]: {cue.condition} is about the {setting.party} itself, whom a script does not hear; "
                f"its cues are about the {other_party(setting.party)}"
            )


class TurnKeys(CueKeys, frozen=True, kw_only=True, omit_defaults=True):
    """What every kind of turn has in a scenario: the keys of its cue, and whether it comes again (`times` at most).

    repeat: whether the turn comes again.
    """

    repeat: bool = False

    def cue(self) -> Cue | None:
        """The turn's cue; None when it names no condition and no modifier."""
        given = {name: getattr(self, name) for name in Cue.__struct_fields__ if getattr(self, name) != _DEFAULT[name]}
        if given and not self.conditions():
            raise ValueError(f"{', '.join(given)} needs a condition beside it, such as `after: agent_turn`")
        if not self.repeat and (self.every is not None or self.times is not None):
            raise ValueError("every and times are for a turn that comes again; write `repeat: true` beside them")
        return Cue(**given) if given else None


TurnLike = TypeVar("TurnLike", bound=TurnKeys)


def in_turns(turns: Sequence[TurnLike]) -> list[TurnLike]:
    """Give turns that begin while the other is silent: those that have a condition of their own wait for it."""
    return [
        turn
        if turn.cue() is None or turn.after is not None
        else msgspec.structs.replace(turn, other_silent=OTHER_SILENT)
        for turn in turns
    ]


_DEFAULT = dict(zip(CueKeys.__struct_fields__, CueKeys.__struct_defaults__, strict=True))
