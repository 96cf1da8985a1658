"""Actors: what plays a party. The primitive is a step: hear a frame, say a frame of the same length.

A new kind of actor is one file: a spec class that says what the YAML holds, and an Actor whose `step` answers. All
times an actor knows are counted on its own streams, in samples of its own rate: it hears frame after frame from
sample 0, and what it returns for the frame heard in [s, s+n) is said from s+n. The runner maps that to the session
(its latency, its frame length, its sample rate): `at`, `since`, `until`, `model_at`, `words` and `pauses` of an event
count on the stream it says, `heard_since` and `heard_until` on the stream it hears.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

import anyio.abc
import msgspec
import numpy as np

from simulator.clock import Clock
from simulator.errors import ScenarioError
from simulator.events import Emit, Party
from simulator.frame import AudioFrame, Samples
from simulator.logs import log
from simulator.plugins import Kind
from simulator.reading.secrets import references
from simulator.spec import Convert, Duration, Spec, walk
from simulator.texts import quoted
from simulator.traits import PartyTraits, StepTraits, joined
from simulator.world.tool import Tool
from simulator.world.world import World


class Latency(str):
    """`free`, `measured`, or a duration such as `300ms`, as written in a scenario."""

    @classmethod
    def __decode__(cls, value: object, _convert: Convert) -> "Latency":
        if value not in ("free", "measured"):
            try:
                Duration.__decode__(value, _convert)
            except ValueError as error:
                raise ValueError(f"expected free, measured or a duration, found {quoted(value)}") from error
        return cls(value)

    def __encode__(self) -> str:
        return str(self)

    @property
    def fixed(self) -> Duration:
        """The fixed time: zero for `free` and `measured`."""
        return Duration() if self in ("free", "measured") else Duration.__decode__(str(self), lambda value, kind: value)


class PartSpec(Protocol):
    """A spec that a party answers through: a responder's, a chat endpoint's."""

    def traits(self) -> PartyTraits:
        """What a run must know of it."""
        ...


class ActorSpec(Spec, frozen=True, kw_only=True):
    """What every actor's spec has; a kind adds its keys and builds its actor.

    latency: its thinking time on the virtual clock: free, a fixed time, or measured (cost times `speed`). speed: a
    measured thinking time counts so many times. language: the code of what it speaks, for whoever recognises and scores
    it; what it says by default follows it.
    """

    latency: Latency = Latency("free")
    speed: float = 1.0
    language: str | msgspec.UnsetType = msgspec.UNSET

    def traits(self) -> PartyTraits:
        """What a run must know of it before it is built: what its parts are, unless the kind says otherwise."""
        return joined(part.traits() for part in self.parts())

    def parts(self) -> tuple[PartSpec, ...]:
        """The specs it answers through, if any."""
        return ()

    def check(self, setting: "Setting") -> None:
        """Refuse what cannot work before anything starts: ScenarioError, without the file's name (added outside)."""

    def environment(self) -> list[str]:
        """Give the environment variables without which the party cannot work: the `${NAME}` written in its spec."""
        found: list[str] = []
        walk(self, lambda where, value: found.extend(references(value) if isinstance(value, str) else ()))
        return list(dict.fromkeys(found))

    def own_tools(self) -> tuple[Tool, ...]:
        """Give the tools that the spec itself answers, beside those of the session's world."""
        return ()

    def offering(self, tools: Sequence[Tool], instructions: str = "") -> Self:
        """Give the spec of a party that may call these tools of the world; itself, if its start tells it.

        instructions: what it is to know of the world beside them.
        """
        return self

    def in_turns(self) -> Self:
        """Give a party with the same words, or the same wish, that does not begin to speak while the other does.

        ValueError: nobody here decides when it speaks.
        """
        raise ValueError("nobody here decides when it speaks, so it cannot be made to wait for its turn")

    def build(self) -> "Actor":
        """Make the actor; cheap, no I/O (that is for `start`)."""
        raise NotImplementedError


if TYPE_CHECKING:
    AnyActor = ActorSpec
else:

    class AnyActor(Kind):
        """The spec of any actor that is installed."""

        group = "actors"
        spec = ActorSpec


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a spec may ask about the scenario around it when it is checked.

    where: the path of the spec in the file. line_has_channels: whether what this party hears is impaired.
    other: the other party's spec, where there is one. tools: those of the world that the party may call.
    """

    party: Party
    where: str
    sample_rate: int
    frame_ms: float
    realtime: bool
    line_has_channels: bool
    other: "ActorSpec | None" = None
    tools: tuple[Tool, ...] = ()

    def refuse(self, field: str, complaint: str) -> ScenarioError:
        """Make the error that names a field of the spec (`.voice`) and says what is wrong with it."""
        return ScenarioError(f"{self.where}{field}: {complaint}")


class Context(msgspec.Struct, kw_only=True):
    """What the runner gives an actor at its start. Rates and frame are the actor's own (its traits' format).

    emit(at, type, **fields): notes an event at sample `at` of the actor's own output stream (its first answered frame
    starts at 0). rng: seeded by session, party and position. injecting(): whether an injector of this party is
    speaking now (a script waits for it). trace(record): appends a message to the session's trace.jsonl. tasks: a task
    group that lives as long as the session. pressed(key): whether a key was pressed in a live session since last asked.
    shared: one dict per run, for what the sessions of a process share (a model host). specs: both parties' specs.
    world: what its tools are called in, where the session has one. turn_heard(): in which turn of the other party the
    session is, as the end of a sentence: `, in turn 2 of the user ('I would like ...')`; "" before the first.
    """

    party: Party
    input_rate: int
    output_rate: int
    input_samples: int
    output_samples: int
    clock: Clock
    realtime: bool
    line_has_channels: bool
    rng: np.random.Generator
    emit: Emit
    log: Any = log
    injecting: Callable[[], bool] = lambda: False
    trace: Callable[[Mapping[str, Any]], None] = lambda record: None
    tasks: anyio.abc.TaskGroup | None = None
    session_id: str = ""
    seed: int = 0
    pressed: Callable[[str], bool] = lambda key: False
    shared: dict[Any, Any] = msgspec.field(default_factory=dict)
    specs: Mapping[Party, "ActorSpec"] = msgspec.field(default_factory=dict)
    world: World | None = None
    turn_heard: Callable[[], str] = lambda: ""


class Actor:
    """What plays a party. `step` may be plain or async; plain ones cost a function call per frame.

    traits: how it is stepped; a kind's class states them, or its `__init__` where they depend on the spec.
    """

    traits: StepTraits = StepTraits()
    done: bool = False
    """True when the actor has said all it ever will: `duration: {after: user}` ends on it."""
    last_cost_s: float | None = None
    """Real seconds charged for the last own frame under `latency: measured`; None lets the runner measure."""

    async def start(self, context: Context) -> None:
        """Get ready: open sockets, load models. Session time 0 begins when both actors have started."""

    def step(self, heard: AudioFrame) -> AudioFrame | Awaitable[AudioFrame]:
        """Hear a frame of [start, start+n) samples and give the one said in the n samples after it."""
        raise NotImplementedError

    def press(self, digits: str, at_s: float) -> None:
        """The other presses keys beside the sound, at a time of the session; who hears sound alone learns nothing."""

    async def close(self) -> None:
        """Let go of everything; called once, also after a failed start or a cancelled session."""


class PunctualActor(Actor):
    """An actor that is asked for what it says when that is due: what came in from a far end until then still counts.

    Its step has two halves. On the wall clock `hear` is called as soon as a frame is heard and `answer` when the next
    one is due, a frame later; elsewhere one follows the other. Both run in the tick itself: neither may take long.
    """

    def hear(self, heard: AudioFrame) -> None:
        """Take the frame that is heard."""
        raise NotImplementedError

    def answer(self) -> AudioFrame:
        """Give the frame that is said after it; called once for every `hear`."""
        raise NotImplementedError

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Hear a frame, say the next one."""
        self.hear(heard)
        return self.answer()


class BlockActor(Actor):
    """An actor that takes and gives many frames at once, where it knows that nothing it hears can change what it says.

    Its step is made of three parts, and the virtual clock calls them for blocks of frames (docs/engine.md):

        hear(heard)    takes what is heard, one frame or several, and decides what follows from it
        settled(now)   says up to which sample, at least the next one, what it says is decided, whatever it hears from
                       `now` on; a bound too low costs time, a bound too high is another session
        say(now, n)    gives the n samples said from `now` on, a whole number of frames; n stays below the bound rounded
                       up to a whole frame

    Bounds are in samples of the session. What it says in a block it must say to the sample as if it had been stepped.
    """

    def hear(self, heard: AudioFrame) -> Awaitable[None] | None:
        """Take what is heard; something to be waited for where what follows is not known at once."""
        raise NotImplementedError

    def settled(self, now: int) -> int:
        """Give the sample up to which what is said is decided."""
        return now + 1

    def say(self, now: int, count: int) -> Samples:
        """Give what is said in [now, now + count): float32 (count,)."""
        raise NotImplementedError

    def step(self, heard: AudioFrame) -> AudioFrame | Awaitable[AudioFrame]:
        """Hear a frame, say the next one."""
        waiting = self.hear(heard)
        count = len(heard.samples)
        now = heard.start + count
        return AudioFrame(now, self.say(now, count)) if waiting is None else self._say_later(waiting, now, count)

    async def _say_later(self, waiting: Awaitable[None], now: int, count: int) -> AudioFrame:
        await waiting
        return AudioFrame(now, self.say(now, count))
