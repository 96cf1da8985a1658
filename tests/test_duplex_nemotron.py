"""Nemotron's loop: the model contract with small modules, batched and not, one frame per step and several."""

from typing import Any, Literal

import numpy as np
import pytest

from agents.duplex.model import Placement
from agents.duplex.nemotron import NemotronPrompt, NemotronSpec
from simulator.errors import ScenarioError
from simulator.testing import ModelCase, model_contract
from simulator.testing.models import Part, play

pytest.importorskip("torch", reason="needs the torch extra")
pytestmark = pytest.mark.torch

TINY = "tests.tiny_nemotron:load"


def test_parts_that_are_not_there_are_refused() -> None:
    """The path is named, and how it should look."""
    with pytest.raises(ScenarioError, match=r"'nobody:load' is not found; expected module:function"):
        NemotronSpec(parts="nobody:load").check()


class _Contract(model_contract()):
    frames_per_step = 1
    history: Literal["auto", "embeddings"] = "auto"

    @classmethod
    def case(cls) -> ModelCase:
        """The small modules; one prompt with text, one without."""
        spec = NemotronSpec(parts=TINY, frames_per_step=cls.frames_per_step, history=cls.history)
        prompts = (NemotronPrompt(), NemotronPrompt(text="speak like a pirate"))
        return ModelCase(spec=spec, placement=Placement(slots=3), prompts=prompts, frames=40 // cls.frames_per_step)

    def test_frames_of_the_said_stream_are_counted_without_a_gap(self, one: ModelCase, model: Any) -> None:
        """Every frame of both streams has its piece, `frames_per_step` of them per step."""
        said = play(model, [Part(slot=0, prompt=one.prompts[0], seed=2, heard=self.sound(one, 9))])[0]
        for stream in ("said", "heard"):
            frames = [frame for name, frame, _, _ in said.pieces if name == stream]
            assert frames == list(range(one.frames * self.frames_per_step))

    def test_the_lead_in_is_as_long_as_the_prompt_or_the_speaker(self, one: ModelCase, model: Any) -> None:
        """Without a text the speaker's two frames, with one its tokens, in whole steps."""
        lengths = [model.open(0, prompt, 1) for prompt in one.prompts]
        model.close(0)
        assert lengths == [-(-2 // self.frames_per_step), -(-19 // self.frames_per_step)]


class TestContract(_Contract):
    """One frame per step; the language model is batched."""


class TestContractThreeFrames(_Contract):
    """Three frames per step."""

    frames_per_step = 3


class TestContractOneByOne(_Contract):
    """A language model that is looped over the rows."""

    history = "embeddings"


def test_looped_and_batched_parts_say_the_same() -> None:
    """The same modules, batched or one row at a time: the same tokens."""
    tokens = []
    for history in ("auto", "embeddings"):
        spec = NemotronSpec(parts=TINY, history=history)
        with spec.scope(Placement()):
            model = spec.load(Placement(slots=2))
            sound = np.random.default_rng(3).standard_normal((50, 1280)).astype(np.float32) * np.float32(0.1)
            said = play(model, [Part(slot=1, prompt=NemotronPrompt(text="hi"), heard=sound)])[0]
        tokens.append([piece[:3] for piece in said.pieces])
    assert tokens[0] == tokens[1]


def test_a_turn_begins_with_a_new_voice_and_the_same_thoughts() -> None:
    """What is said and heard goes on as without it; the sound is another, as the voice has forgotten its own."""
    pieces, sounds = [], []
    for anew in (False, True):
        spec = NemotronSpec(parts=TINY)
        with spec.scope(Placement()):
            model = spec.load(Placement(slots=1))
            quiet, everybody = np.zeros((1, 1280), np.float32), np.ones(1, bool)
            for _ in range(model.open(0, NemotronPrompt(), 3) + 20):
                model.step(quiet, everybody)
            if anew:
                model.begin_turn(0)
            steps = [model.step(quiet, everybody) for _ in range(20)]
        pieces.append([piece for step in steps for piece in step.pieces])
        sounds.append(np.concatenate([step.pcm[0] for step in steps]))
    assert pieces[0] == pieces[1]
    assert not np.array_equal(sounds[0], sounds[1])
