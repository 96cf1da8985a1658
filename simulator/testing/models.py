"""The model suite: what the host of a duplex model relies on, over any model that steps a batch of rows."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples


class StepShape(Protocol):
    """What a step hears and says, in samples."""

    input_samples: int
    output_samples: int


class ToldToken(Protocol):
    """A token the model said or heard."""

    slot: int
    stream: Any
    frame: int
    token: int
    text: str


class Stepped(Protocol):
    """What a step gives: float32 (slots, output_samples), and tokens."""

    pcm: Samples
    pieces: Any


class SteppedModel(Protocol):
    """A loaded model; agents/duplex/model.py tells what each call must keep."""

    slots: int

    def open(self, slot: int, prompt: Any, seed: int) -> int:
        """Begin a session in a slot; gives its lead-in steps."""
        ...

    def step(self, pcm: Samples, active: NDArray[np.bool_]) -> Stepped:
        """Advance the active slots by one step."""
        ...

    def close(self, slot: int) -> None:
        """Give the slot back."""
        ...


class LoadingSpec(Protocol):
    """A model's spec."""

    def audio(self) -> StepShape:
        """What a step hears and says."""
        ...

    def scope(self, placement: Any) -> AbstractContextManager[None]:
        """What the model is called in."""
        ...

    def load(self, placement: Any) -> SteppedModel:
        """Load it."""
        ...


class ModelCase(msgspec.Struct, frozen=True, kw_only=True):
    """A model to try: its spec, where it is loaded (3 slots or more), two prompts, and what it may hear."""

    spec: Any
    placement: Any
    prompts: tuple[Any, Any]
    frames: int = 12
    loudness: float = 0.1


def model_contract(case: Callable[[], ModelCase] | None = None) -> type["ModelContract"]:
    """Give the tests that every duplex model passes: `TestMine = model_contract(lambda: ModelCase(...))`.

    case(): is called once, when the tests run. A subclass may define a classmethod `case` instead, where making one
    needs fixtures; its own tests get the case as `one` and the loaded model as `model`.
    """
    import pytest

    class Suite(ModelContract):
        @pytest.fixture(scope="class")
        @classmethod
        def one(cls) -> ModelCase:
            return case() if case is not None else cls.case()

        @pytest.fixture(scope="class")
        @classmethod
        def model(cls, one: ModelCase) -> Iterator[SteppedModel]:
            with one.spec.scope(one.placement):
                yield one.spec.load(one.placement)

    return Suite


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A session in a play: slot, the step it opens in, prompt, seed, what it hears, the steps it misses."""

    slot: int
    begin: int = 0
    prompt: Any = None
    seed: int = 1
    heard: Samples
    misses: frozenset[int] = frozenset()


class Said(msgspec.Struct, kw_only=True):
    """What a part came to: its lead-in, the frames said after it, the pieces without their slot."""

    lead_in: int
    pcm: list[Samples] = []
    pieces: list[tuple[str, int, int, str]] = []


def play(model: SteppedModel, parts: list[Part]) -> list[Said]:
    """Step the model through all parts at once, each from its own step on, lead-ins included."""
    said: dict[int, Said] = {}
    step = 0
    while any(index not in said or len(said[index].pcm) < len(part.heard) for index, part in enumerate(parts)):
        for index, part in enumerate(parts):
            if part.begin == step:
                said[index] = Said(lead_in=model.open(part.slot, part.prompt, part.seed))
        _one_step(model, parts, said, step)
        step += 1
    return [said[index] for index in range(len(parts))]


def _one_step(model: SteppedModel, parts: list[Part], said: dict[int, Said], step: int) -> None:
    pcm = np.zeros((model.slots, parts[0].heard.shape[1]), np.float32)
    active = np.zeros(model.slots, bool)
    talking = []
    for index, part in enumerate(parts):
        one = said.get(index)
        if one is None or step in part.misses or len(one.pcm) == len(part.heard):
            continue
        active[part.slot] = True
        if one.lead_in > 0:
            one.lead_in -= 1
        else:
            pcm[part.slot] = part.heard[len(one.pcm)]
            talking.append((part, one))
    output = model.step(pcm, active)
    for part, one in talking:
        one.pcm.append(output.pcm[part.slot].copy())
        one.pieces += [_without_slot(piece) for piece in output.pieces if piece.slot == part.slot]
        if len(one.pcm) == len(part.heard):
            model.close(part.slot)


def _without_slot(piece: ToldToken) -> tuple[str, int, int, str]:
    return piece.stream, piece.frame, piece.token, piece.text


def same(one: Said, other: Said) -> bool:
    """Whether two parts said exactly the same, bit for bit."""
    return bool(np.array_equal(one.pcm, other.pcm)) and one.pieces == other.pieces


class ModelContract:
    """A row depends on its prompt, its seed and what it hears, and on nothing else in the batch."""

    @classmethod
    def case(cls) -> ModelCase:
        """The model under test, where the factory was given none."""
        raise NotImplementedError

    def sound(self, one: ModelCase, seed: int, frames: int | None = None) -> Samples:
        """Bursts and silences: float32 (frames, input_samples)."""
        rng = np.random.default_rng(seed)
        count = frames or one.frames
        noise = rng.standard_normal((count, one.spec.audio().input_samples)).astype(np.float32)
        return noise * np.float32(one.loudness) * (rng.random((count, 1)) < 0.7)

    def test_a_row_does_not_depend_on_its_neighbours(self, one: ModelCase, model: SteppedModel) -> None:
        """A session says the same alone in slot 0 and in slot 2 beside others that start, end and differ."""
        first, second = one.prompts
        alone = play(model, [Part(slot=0, prompt=first, seed=7, heard=self.sound(one, 1))])[0]
        crowd = [
            Part(slot=0, begin=0, prompt=second, seed=8, heard=self.sound(one, 2)),
            Part(slot=2, begin=1, prompt=first, seed=7, heard=self.sound(one, 1)),
            Part(slot=1, begin=4, prompt=second, seed=9, heard=self.sound(one, 3, 5)),
        ]
        assert same(alone, play(model, crowd)[1])

    def test_a_row_that_is_not_active_stays_as_it_is(self, one: ModelCase, model: SteppedModel) -> None:
        """Steps that pass a session by leave no trace in what it says."""
        prompt = one.prompts[0]
        steady = Part(slot=1, prompt=prompt, seed=3, heard=self.sound(one, 4))
        halting = msgspec.structs.replace(steady, misses=frozenset({1, 2, 5, 9, 13}))
        other = Part(slot=0, prompt=one.prompts[1], seed=4, heard=self.sound(one, 5, one.frames + 8))
        assert same(play(model, [steady])[0], play(model, [halting, other])[0])

    def test_a_slot_can_be_used_again_at_once(self, one: ModelCase, model: SteppedModel) -> None:
        """What a slot was used for before cannot be heard."""
        part = Part(slot=0, prompt=one.prompts[0], seed=5, heard=self.sound(one, 6))
        fresh = play(model, [part])[0]
        play(model, [Part(slot=0, prompt=one.prompts[1], seed=6, heard=self.sound(one, 7, 5))])
        assert same(fresh, play(model, [part])[0])

    def test_a_slot_can_be_closed_in_its_lead_in(self, one: ModelCase, model: SteppedModel) -> None:
        """Closing before, in and after the lead-in is safe, twice too, and leaves no trace."""
        part = Part(slot=1, prompt=one.prompts[0], seed=5, heard=self.sound(one, 6))
        fresh = play(model, [part])[0]
        model.open(1, one.prompts[1], 1)
        model.close(1)
        model.open(1, one.prompts[1], 1)
        active = np.zeros(model.slots, bool)
        active[1] = True
        model.step(np.zeros((model.slots, one.spec.audio().input_samples), np.float32), active)
        model.close(1)
        model.close(1)
        assert same(fresh, play(model, [part])[0])

    def test_what_a_step_gave_is_not_touched_by_the_next(self, one: ModelCase, model: SteppedModel) -> None:
        """Results are the caller's own: float32, finite, of the promised shape."""
        model.open(0, one.prompts[0], 1)
        active = np.zeros(model.slots, bool)
        active[0] = True
        outputs, copies = [], []
        for frame in self.sound(one, 8):
            pcm = np.zeros((model.slots, len(frame)), np.float32)
            pcm[0] = frame
            outputs.append(model.step(pcm, active).pcm)
            copies.append(outputs[-1].copy())
        model.close(0)
        assert np.array_equal(np.stack(outputs)[:, 0], np.stack(copies)[:, 0])
        assert outputs[0].dtype == np.float32
        assert np.isfinite(np.stack(outputs)[:, 0]).all()
        assert outputs[0].shape == (model.slots, one.spec.audio().output_samples)

    def test_frames_of_the_said_stream_are_counted_without_a_gap(self, one: ModelCase, model: SteppedModel) -> None:
        """Every own frame said has a piece, padding too, in order; none lies ahead of its step."""
        said = play(model, [Part(slot=0, prompt=one.prompts[0], seed=2, heard=self.sound(one, 9))])[0]
        frames = [frame for stream, frame, _, _ in said.pieces if stream == "said" and frame >= 0]
        assert frames == sorted(frames)
        assert set(frames) >= set(range(one.frames - 2))
        assert max(frames) < one.frames
