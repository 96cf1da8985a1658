"""`duplex_model`: a duplex model in this process as a party; a run's sessions share it in one batch.

The actor is thin: it hands each frame to the model host of the run and turns the answer into a frame and
`token` events. A token heard by the model carries stream `heard`; `model_at` is where the model itself places
it, `at` is when it became known: the frame heard in [kT, (k+1)T) is answered from (k+1)T. A frame that missed its
step on the wall clock is an event `unheard`: the model never heard it.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from agents.duplex.batch import SlotAnswer, Tenant
from agents.duplex.device import need_torch, torch_device
from agents.duplex.host import ModelHost, shared_host
from agents.duplex.model import AnyModel, Placement, Weights, need_whole_steps
from agents.duplex.tiny_duplex import TinyDuplexSpec
from simulator.actor import Actor, ActorSpec, Context, Setting
from simulator.errors import ScenarioError
from simulator.frame import AudioFrame, freeze, silence
from simulator.spec import Duration, encode
from simulator.traits import AudioFormat, PartyTraits, SharedHost, StepTraits

SEEDS = 2**63


class DuplexModelSpec(ActorSpec, frozen=True, kw_only=True, tag="duplex_model"):
    """A duplex model in this process, frame by frame: `{kind: duplex_model, model: {kind: moshi}, weights: ...}`.

    model: which one, with its settings and prompt. weights: a path, a hub id or `random`. device: cpu, cuda,
    cuda:1. slots: rows of the batch, always all computed; threads: torch's. Both change the last bits of what
    is said, so they are fixed here and never follow the number of sessions. wait: how long a session may
    queue for a slot (default: as long as it takes; on the wall clock not at all). restart: how often a model
    that failed is loaded again.
    """

    model: AnyModel = TinyDuplexSpec()
    weights: Weights | None = None
    device: str = "cpu"
    slots: Annotated[int, Meta(ge=1, le=4096)] = 8
    threads: Annotated[int, Meta(ge=1, le=256)] = 1
    wait: Duration | None = None
    restart: Annotated[int, Meta(ge=0)] = 0

    def check(self, setting: Setting) -> None:
        """Refuse a frame that does not divide the model's step, and what the model itself refuses."""
        model = self.model
        if self.device != "cpu":
            try:
                need_torch(model.name)
                torch_device(self.device)
            except ScenarioError as error:
                raise setting.refuse(".device", str(error)) from error
        try:
            need_whole_steps(model.audio(), setting.frame_ms, setting.sample_rate)
            model.check()
        except ScenarioError as error:
            raise setting.refuse(".model", str(error)) from error

    def build(self) -> "DuplexModelActor":
        """Make the actor; the model is loaded when the first session starts."""
        return DuplexModelActor(self)

    @property
    def placement(self) -> Placement:
        """Where and how large the model is loaded."""
        return Placement(weights=self.weights, device=self.device, slots=self.slots, threads=self.threads)

    def traits(self) -> PartyTraits:
        """Its host is the loaded model, and places are slots."""
        shared = msgspec.json.encode([encode(self.model.shared()), encode(self.placement)])
        return PartyTraits(host=SharedHost(shared.decode(), self.slots))

    def shares_with(self, other: object) -> bool:
        """Whether another party's spec sits in the same batch."""
        if not isinstance(other, DuplexModelSpec):
            return False
        return self.placement == other.placement and self.model.shared() == other.model.shared()


class DuplexModelActor(Actor):
    """A party played by a row of the batch."""

    def __init__(self, spec: DuplexModelSpec) -> None:
        audio = spec.model.audio()
        own = AudioFormat(input_rate=audio.input_rate, output_rate=audio.output_rate, frame_ms=audio.step_ms)
        self.traits = StepTraits(format=own, threaded=False, skips_first=True)
        self._spec = spec
        self._audio = audio
        self._frame = 0
        self._host: ModelHost | None = None
        self._tenant: Tenant | None = None
        self._context: Context | None = None
        self.last_answer: SlotAnswer | None = None
        """What the last frame came to, as the model gave it: for who serves the model's own frames."""

    async def start(self, context: Context) -> None:
        """Take a slot, with the other party if it sits in the same batch, and go through the lead-in."""
        spec = self._spec
        self._context = context
        self._host = shared_host(
            context.shared, spec.model, spec.placement, realtime=context.realtime, restarts=spec.restart
        )
        seed = int(context.rng.integers(SEEDS))
        session = context.session_id or f"session {id(context)}"
        count = _parties_on(spec, context.specs)
        self._tenant = await self._host.claim(session, count, spec.wait)
        await self._tenant.open(spec.model.opening_prompt(), seed)

    def step(self, heard: AudioFrame) -> "asyncio.Future[AudioFrame]":
        """Hand the frame to the batch; the future gives the model's own frame."""
        assert self._tenant is not None
        return self._tenant.submit(heard.samples, self._answered)

    async def begin_turn(self) -> None:
        """Begin the voice anew, where the model can: for who serves it turn by turn."""
        if self._tenant is not None:
            await self._tenant.begin_turn()

    def rest(self) -> None:
        """Hear nothing for a while, so that sessions in the same batch are not kept waiting by this one."""
        if self._tenant is not None:
            self._tenant.rest()

    async def close(self) -> None:
        """Leave the slot, in whatever state it is; the batch no longer waits for this session."""
        tenant, self._tenant = self._tenant, None
        if self._host is not None and tenant is not None:
            self._host.leave(tenant)

    def _answered(self, answer: SlotAnswer) -> AudioFrame:
        self._frame += 1
        self.last_answer = answer
        start = self._frame * self._audio.output_samples
        self.last_cost_s = None if answer.underrun else answer.cost_s
        self._note(answer, start)
        samples = freeze(answer.pcm) if answer.sounds else silence(self._audio.output_samples)
        return AudioFrame(start, samples)

    def _note(self, answer: SlotAnswer, at: int) -> None:
        """Tell the session the pieces; the frames that the model never heard are not in its own count."""
        assert self._context is not None
        emit = self._context.emit
        if answer.underrun:
            emit(at, "unheard", since=at, size=self._audio.output_samples)
            return
        if answer.reply_ended:
            emit(at, "reply_end")
        unheard = self._frame - 1 - answer.frame
        samples = self._audio.output_samples
        for piece in answer.pieces:
            model_at = piece.frame * samples // self._audio.frames + unheard * samples
            emit(
                at,
                "token",
                stream=piece.stream,
                token=piece.token,
                text=piece.text,
                frame=piece.frame,
                model_at=model_at,
            )


def _parties_on(spec: DuplexModelSpec, specs: Mapping[Any, ActorSpec]) -> int:
    """How many parties of the session sit in the same batch: this one, and perhaps the other."""
    return max(1, sum(spec.shares_with(other) for other in specs.values()))
