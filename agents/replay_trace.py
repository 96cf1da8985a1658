"""replay_trace: a recorded trace.jsonl plays a party again, without the network, under the virtual clock.

The trace's format is told in agents/remote/trace.py. Its header names the kind that wrote it; that kind's spec gives
the actor that hands the recorded messages to the protocol core (`replay(trace) -> Actor`). It replays by
time: what it hears changes nothing. Where what it hears differs from what was heard at the recording, one
event `trace_diverged` says up to which sample both agreed, and `strict: true` makes that an error.
"""

import hashlib
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from agents.remote.trace import Trace, TraceHeader, read_header, read_trace
from simulator.actor import Actor, ActorSpec, AnyActor, Context, Setting
from simulator.errors import RemoteError, ScenarioError
from simulator.events import Party
from simulator.frame import AudioFrame, silence, to_pcm16
from simulator.spec import decode
from simulator.traits import PartyTraits, StepTraits


@runtime_checkable
class Replayable(Protocol):
    """A spec whose kind can play a trace of its own."""

    def replay(self, trace: Trace) -> Actor:
        """Make an actor without I/O that acts on the recorded messages, each in the step it was acted on."""
        ...


class ReplayTraceSpec(ActorSpec, frozen=True, kw_only=True, tag="replay_trace"):
    """A recorded remote session played back through its protocol: `{kind: replay_trace, file: runs/call/call-0}`.

    file: a trace.jsonl or the session folder it lies in. party: whose trace, where it holds both.

    strict: fail when this time something else is heard than at the recording, instead of noting
    `trace_diverged`. set: keys of the recorded spec to change (`{placement: contiguous}` lays a paced session
    end to end).
    """

    file: Path
    party: Party | None = None
    strict: bool = False
    set: dict[str, Any] = {}

    def check(self, setting: Setting) -> None:
        """Read the trace and ask its kind for a player; refuse what cannot be replayed."""
        if setting.realtime:
            raise setting.refuse("", "a trace is replayed on the virtual clock; say `clock: virtual`")
        try:
            self.build()
        except ScenarioError as error:
            raise setting.refuse(".file", str(error)) from error

    def build(self) -> Actor:
        """Make the actor: the kind that wrote the trace, on its core alone."""
        trace = read_trace(self.file, self.party)
        spec = self._recorded(trace.header)
        if not isinstance(spec, Replayable):
            raise ScenarioError(f"{self.file}: kind {trace.header.spec.get('kind')!r} cannot replay its traces")
        return ReplayTrace(trace, spec.replay(trace), strict=self.strict)

    def traits(self) -> PartyTraits:
        """Computed before its session where the recorded party was; nothing else of its far end is left."""
        try:
            recorded = self._recorded(read_header(self.file, self.party))
        except ScenarioError:
            return PartyTraits()  # `check` says what is wrong with the file
        return PartyTraits(offline=recorded.traits().offline, calls_tools=recorded.traits().calls_tools)

    def _recorded(self, header: TraceHeader) -> ActorSpec:
        return decode({**header.spec, **self.set}, AnyActor, source=str(self.file), folder=self.file.parent)


class ReplayTrace(Actor):
    """Plays `player` and compares what is heard with the recorded hashes."""

    def __init__(self, trace: Trace, player: Actor, *, strict: bool) -> None:
        self.traits = StepTraits(format=player.traits.format)
        self._player = player
        self._strict = strict
        self._marks = [record for record in trace.records if record.dir == "heard"]
        self._hash = hashlib.sha256()
        self._heard = 0
        self._agreed = 0
        self._context: Context

    async def start(self, context: Context) -> None:
        """Start the player."""
        self._context = context
        await self._player.start(context)

    def step(self, heard: AudioFrame) -> AudioFrame | Awaitable[AudioFrame]:
        """Compare what is heard, then let the player answer."""
        if heard.start < 0 and self._player.traits.skips_first:
            return AudioFrame(0, silence(self._context.output_samples))
        if self._marks and heard.start >= 0:
            self._compare(heard)
        answer = self._player.step(heard)
        self.done = self._player.done
        return answer

    async def close(self) -> None:
        """Close the player."""
        await self._player.close()

    def _compare(self, heard: AudioFrame) -> None:
        self._hash.update(to_pcm16(heard.samples).tobytes())
        self._heard += len(heard.samples)
        mark = self._marks[0]
        if self._heard != mark.samples:
            return
        del self._marks[0]
        if self._hash.hexdigest() == mark.sha256:
            self._agreed = self._heard
        else:
            self._marks.clear()
            self._diverged()

    def _diverged(self) -> None:
        agreed_s = self._agreed / self._context.input_rate
        if self._strict:
            raise RemoteError(
                f"the trace was recorded against other audio from about {agreed_s:.2f} s on"
                f"{self._context.turn_heard()}; "
                "`strict: true` allows no difference"
            )
        answer_at = self._heard * self._context.output_rate // self._context.input_rate
        self._context.emit(answer_at, "trace_diverged", agreed_s=agreed_s)
