"""The caller: hears with its own ears, thinks when its moment has come, speaks with a voice of ours.

    waiting   for what watching.py lists; all of it begins to wait when the last was said or decided. While a tool
              takes its time, for the answer alone, with which the mind is asked again
       -> thinking   what was heard is recognised, the mind is asked; on the virtual clock it is waited for (thinking
                     time is `latency`), on the wall clock the caller goes on hearing meanwhile
       -> speaking   what came to mind, worded by its manner; it stops when the other talks over it for too long
       -> waiting    nothing came, or the other went on before the thought was ready
       -> gone       said goodbye: `hung_up`

Every decision is an event, `decided`, with its reason, and with what a script needs to do the same (`cue`, `say`).
"""

from collections.abc import Awaitable
from typing import Any

import anyio

from agents.caller.head import Head, hears_noise
from agents.caller.ids import read_out
from agents.caller.mind import MindContext, Occurred, Thought
from agents.caller.parts import CallerParts
from agents.caller.timing import HumanTiming
from agents.caller.watching import Occasion, Planner, Watching
from agents.caller.wording import worded
from agents.caller.yielding import Yielding
from agents.thinking import Thinking
from simulator.actor import BlockActor, Context
from simulator.engines.spending import tell_spent
from simulator.frame import AudioFrame, Samples
from simulator.languages.lookup import known
from simulator.speaking.cues import NEVER
from simulator.speaking.ears import SileroEars, make_ears
from simulator.speaking.hearing import HeardSound
from simulator.speaking.voice import Role, Say, Voice, spoken
from simulator.spec import encode
from simulator.traits import StepTraits
from simulator.world.port import ToolPort


class Caller(BlockActor):
    """Plays a party that wants something."""

    traits = StepTraits(threaded=False, on_grid=True)

    def __init__(self, parts: CallerParts) -> None:
        self._parts = parts
        self._mind = parts.mind.build()
        self._voice: Voice | None = None
        self._thinking = Thinking()
        self._prepared: tuple[str, Thought] | None = None
        """What to cut in with, and what was heard when it was thought of."""
        self._leaving = False
        self._goes_on = False
        self._answer_at: int | None = None
        """When the answer to what it called is there, where it is not yet."""
        self._now = self._stretches = 0
        self._over_at: int | None = None
        """When its words were over, until what was heard by then is in: then it begins to wait again."""
        self._injected_end = 0

    async def start(self, context: Context) -> None:
        """Load ears, recogniser and voice, and whatever it thinks by."""
        parts = self._parts
        self._context = context
        self._ears = make_ears(parts.ears, context.input_rate, noisy=hears_noise(context))
        self._speaker = parts.speaker(context.party)
        if isinstance(self._ears, SileroEars):
            await anyio.to_thread.run_sync(self._ears.warm)
        self._timing = HumanTiming(parts.manner, context.rng)
        self._sound = HeardSound(context.input_rate, self._ears.activity)
        self._voice = Voice(context.emit, f"{context.party}-", context.output_rate)
        self._yielding = Yielding(parts.manner.patience, context.input_rate)
        self._planner = Planner(context.party, self._timing, context.input_rate)
        self._watching: Watching | None = self._watch(first=True, now=0)
        recognizer: Any = parts.recognizer.shared()
        loading = recognizer.warm() if hasattr(recognizer, "warm") else None
        self._head = Head(self._mind, recognizer, self._sound)
        await self._mind.start(
            MindContext(
                party=context.party,
                brief=parts.brief,
                manner=parts.manner,
                seed=context.seed,
                rate=context.output_rate,
                emit=context.emit,
                port=ToolPort(
                    context.world, context.party, context.emit, context.clock, context.output_rate, waits=False
                ),
                language=parts.language,
            )
        )
        if loading is not None:
            await anyio.to_thread.run_sync(loading.join)
        silero = isinstance(self._ears, SileroEars)
        context.emit(0, "manner", **parts.told(context.party, bias=self._timing.bias, silero=silero))

    def hear(self, heard: AudioFrame) -> Awaitable[None] | None:
        """Take what is heard, frame by frame, and look whether a moment has come."""
        count, tick = len(heard.samples), self._context.input_samples
        for start in range(0, count, tick):
            if start + tick >= count and self._over_at is not None:
                # As a script does: armed before the last frame is heard.
                self._watching, self._over_at = self._watch(now=self._over_at), None
            samples = heard.samples if count == tick else heard.samples[start : start + tick]
            self._ears.hear(AudioFrame(heard.start + start, samples))
            self._sound.hear(heard.start + start, samples)
        return self._look(heard.start + count)

    def settled(self, now: int) -> int:
        """Until its moment may have come, its words are said, or it has been talked over for too long."""
        voice, heard = self._mouth, self._ears.activity
        if voice.speaking:
            return max(now + 1, min(now + voice.remaining(), self._yielding.earliest(heard)))
        if self._watching is None:
            return NEVER if self.done else now + 1
        return self._watching.earliest(now, heard, max(voice.last_end, self._injected_end))

    def say(self, now: int, count: int) -> Samples:
        """Say the next samples; a block ends with the frame in which its words do."""
        voice = self._mouth
        samples = voice.take(now, count)
        if self._watching is None and not self._thinking.under_way and not voice.speaking and not self.done:
            self._over_at = now + count
            if self._leaving:
                self._over_at, self.done = None, True
                self._context.emit(max(now, voice.last_end), "hung_up")
        return samples

    async def close(self) -> None:
        """Stop thinking, account for what the end of the session cuts off."""
        self._thinking.stop()
        if self._voice is not None:
            self._voice.close()
        await self._mind.close()

    @property
    def _mouth(self) -> Voice:
        assert self._voice is not None
        return self._voice

    def _watch(self, *, now: int, first: bool = False) -> Watching:
        """Begin to wait, at sample `now`."""
        heard, context = self._ears.activity, self._context
        if self._answer_at is not None:
            plan = self._planner.answered(self._answer_at / context.output_rate)
        else:
            plan = self._planner.first() if first else self._planner.next(heard, goes_on=self._goes_on)
        return Watching(plan, now, heard, own=context.party, rate=context.input_rate, rng=context.rng)

    def _look(self, now: int) -> Awaitable[None] | None:
        """See what has come, and what is to be done about it; something to be waited for where it has to think."""
        voice = self._mouth
        self._now = now
        if voice.speaking:
            if self._yielding.yields(self._ears.activity):
                self._yield(now, voice)
            return None
        if self._watching is None:
            self._drop_late_thought()
            return None
        return self._take(self._occasion(now, self._watching), now, self._watching)

    def _occasion(self, now: int, watching: Watching) -> Occasion | None:
        busy = self._context.injecting()
        self._injected_end = now if busy else self._injected_end
        free_since = max(self._mouth.last_end, self._injected_end)
        return watching.look(now, self._ears.activity, busy=busy, free_since=free_since)

    def _take(self, occasion: Occasion | None, now: int, watching: Watching) -> Awaitable[None] | None:
        if occasion == "backchannel":
            self._backchannel(watching)
        elif occasion == "barge_in":
            self._barge_in(watching)
        elif occasion == "prepare":
            return self._think(occasion, now, watching)
        elif occasion is not None:
            self._watching = None
            return self._think(occasion, now, watching)
        return None

    def _think(self, occasion: Occasion, now: int, watching: Watching) -> Awaitable[None] | None:
        """Think, at once on the virtual clock; else beside hearing, and what was thought of before is forgotten."""
        occurred = watching.occurred(occasion, self._ears.activity)
        if not self._context.realtime:
            return self._think_now(occasion, occurred, now, watching)
        self._stretches = self._ears.activity.stretches
        assert self._context.tasks is not None
        self._thinking.begin(self._context.tasks, lambda: self._think_now(occasion, occurred, now, watching))
        return None

    async def _think_now(self, occasion: Occasion, occurred: Occurred, now: int, watching: Watching) -> None:
        heard, thought = await self._head.think(occurred, now)
        self._answer_at = thought.until
        if occasion == "prepare" and thought.until is None:
            self._prepare(heard, thought, watching)
            again = None if self._context.realtime else self._take(self._occasion(now, watching), now, watching)
            if again is not None:
                await again
        elif thought.choice == "wait":
            self._watching = None  # who called a tool while the other speaks cuts in with nothing
            self._decided("wait", watching, occasion, reason=thought.reason, heard=heard)
            self._goes_on = False
        else:
            self._sound.forget()
            self._speak(occasion, heard, thought, watching)

    def _drop_late_thought(self) -> None:
        """The other goes on before anything was said (wall clock): what is thought of answers half a turn."""
        if self._thinking.under_way and self._ears.activity.stretches != self._stretches:
            self._thinking.stop()
            self._context.emit(self._now, "decided", choice="wait", reason="the other went on before it was ready")

    def _prepare(self, heard: str, thought: Thought, watching: Watching) -> None:
        """Keep what it will cut in with; nothing, and it lets the other finish."""
        if thought.choice == "wait":
            self._planner.let_finish()
            watching.drop("barge_in")
            self._context.emit(self._now, "decided", choice="wait", reason=thought.reason, heard=heard)
        else:
            self._prepared = (heard, thought)
            self._context.emit(
                self._now, "decided", choice="prepare", reason=thought.reason, heard=heard, text=thought.say
            )

    def _barge_in(self, watching: Watching) -> None:
        """Cut in with what was prepared, if the other has not made it idle."""
        prepared, self._prepared = self._prepared, None
        self._thinking.stop()
        if prepared is None:
            reason = "what to cut in with was not ready"
            self._context.emit(self._now, "decided", choice="wait", reason=reason)
            return
        self._watching = None
        heard, thought = prepared
        self._sound.forget()
        self._speak("barge_in", heard, thought, watching)

    def _backchannel(self, watching: Watching) -> None:
        self._watching, self._goes_on = None, True
        choices = known(self._parts.language).backchannels
        words = choices[self._timing.one_of(len(choices))]
        self._say_line(words, "backchannel", watching, "backchannel", reason="the other goes on")

    def _speak(self, occasion: Occasion, heard: str, thought: Thought, watching: Watching) -> None:
        """Say what came to mind."""
        self._prepared, self._goes_on = None, False
        self._leaving = thought.choice == "hang_up"
        role: Role = "interruption" if occasion == "barge_in" else "turn"
        said = read_out(thought.say, self._parts.brief.facts)
        words = worded(said, self._parts.manner, self._timing, self._parts.language)
        self._head.said(heard, thought.say)
        self._say_line(words, role, watching, occasion, reason=thought.reason, heard=heard)

    def _say_line(self, say: Say, role: Role, watching: Watching, occasion: Occasion, **told: str) -> None:
        parts = self._parts
        line = spoken(say, self._speaker, self._context.output_rate, words_per_minute=parts.words_per_minute)
        tell_spent(self._context.emit, self._now, self._speaker)
        name = self._mouth.say(line, role)
        self._yielding.begin(self._now, role, last=self._leaving)
        choice = "hang_up" if self._leaving else "say" if role == "turn" else occasion
        self._decided(choice, watching, occasion, id=name, say=encode(say), **told)

    def _decided(self, choice: str, watching: Watching, occasion: Occasion, **fields: Any) -> None:
        cue = encode(watching.script_cue(occasion))
        told = {name: value for name, value in fields.items() if value}
        self._context.emit(self._now, "decided", choice=choice, cue=cue, **told)

    def _yield(self, now: int, voice: Voice) -> None:
        said = voice.stop()
        self._head.cut(said)
        self._context.emit(now, "yielded", heard_since=self._ears.activity.since, said_text=said)
