"""tiny_duplex: the model contract, and that it takes turns."""

from pathlib import Path

import numpy as np
import pytest

from agents.duplex.model import Placement
from agents.duplex.tiny_duplex import STEP, Bank, TinyDuplexSpec, TinyPrompt
from simulator.errors import ScenarioError
from simulator.frame import Samples
from simulator.scenario import check
from simulator.testing import ModelCase, model_contract
from simulator.testing.models import Part, Said, play
from tests import duplex_sessions as sessions

pytest.importorskip("torch", reason="needs the torch extra")
pytest.importorskip("silero_vad", reason="needs the torch extra")
pytestmark = pytest.mark.torch

SPEC = TinyDuplexSpec(voice="hum")
PLACEMENT = Placement(slots=3)


def speech(length_s: float) -> Samples:
    """Somebody speaks: float32 (n,) at 24 kHz."""
    from simulator.speaking.voice import spoken

    text = "I would like to book a table for two people tonight, please, if that is at all possible. " * 2
    return spoken(text, "en-gb-x-rp", 24_000).samples[: int(length_s * 24_000)]


def heard(*parts: float) -> Samples:
    """Silence, speech, silence, speech ... in seconds: float32 (frames, STEP)."""
    pieces = [
        speech(length) if index % 2 else np.zeros(int(length * 24_000), np.float32)
        for index, length in enumerate(parts)
    ]
    line = np.concatenate(pieces)
    return line[: len(line) // STEP * STEP].reshape(-1, STEP)


def says(said: Said) -> list[bool]:
    """In which frames it speaks."""
    return [bool(frame.any()) for frame in said.pcm]


def run(prompt: TinyPrompt, sound: Samples) -> Said:
    """Let a fresh model hear it."""
    with SPEC.scope(PLACEMENT):
        return play(SPEC.load(PLACEMENT), [Part(slot=1, prompt=prompt, seed=3, heard=sound)])[0]


class TestContract(model_contract()):
    """The suite every model passes."""

    @classmethod
    def case(cls) -> ModelCase:
        """Three rows, one that speaks first."""
        return ModelCase(spec=SPEC, placement=PLACEMENT, prompts=(TinyPrompt(opening=True), TinyPrompt()), frames=30)


def test_answers_when_the_turn_is_over() -> None:
    """It is silent while the other speaks and answers 560 ms after the end, words in order."""
    said = run(TinyPrompt(), heard(0.4, 1.6, 5.0))
    began = says(said).index(True)
    assert not any(says(said)[: int(2.0 / 0.08)])
    assert 2.0 + 0.4 < began * 0.08 < 2.0 + 0.9
    words = "".join(text for _, _, token, text in said.pieces if token)
    assert words.strip() in SPEC.replies


def test_yields_when_it_is_talked_over() -> None:
    """It stops within half a second of being talked over, fading out, and answers afterwards."""
    sound = heard(0.4, 1.2, 0.9, 2.5, 2.0)
    speaking = says(run(TinyPrompt(), sound))
    begin = speaking.index(True)
    stop = begin + speaking[begin:].index(False)
    assert 2.5 < stop * 0.08 < 3.2
    assert any(speaking[int(5.3 / 0.08) :])


def test_does_not_yield_to_a_backchannel() -> None:
    """240 ms of speech do not stop a reply, and it is no turn to be answered."""
    quiet = says(run(TinyPrompt(opening=True), heard(4.0)))
    disturbed = says(run(TinyPrompt(opening=True), heard(0.8, 0.22, 3.0)))
    assert quiet[: len(disturbed)] == disturbed[: len(quiet)]


def test_long_turns_get_a_backchannel() -> None:
    """A breath in a long turn is answered with a backchannel, which is not a reply."""
    said = run(TinyPrompt(), heard(0.2, 3.6, 0.4, 2.0))
    words = "".join(text for _, _, token, text in said.pieces if token).strip()
    assert words in SPEC.backchannels


def test_the_bank_knows_where_its_words_begin() -> None:
    """Every word of a clip is a piece, in its own step."""
    bank = Bank(SPEC)
    steps = -(-int(bank.length[0]) // STEP)
    text = "".join(text for step in range(steps) for _, text in bank.words(0, step))
    assert text.strip() == SPEC.replies[0]


def test_tiny_duplex_is_the_default_model_and_holds_a_conversation(tmp_path: Path) -> None:
    """`{kind: duplex_model}` answers a caller after the caller's turn, with words at their times."""
    user = {"kind": "scripted", "turns": [{"at": "500ms", "say": "I would like to book a table, please."}]}
    made = sessions.scenario(tmp_path, user=user, duration="8s")
    check(made, "t.yaml")
    session, played = sessions.run(tmp_path, made)[0]
    assert played.problem is None
    ended = session.by_type["speech_end"][0].at
    words = [event for event in session.by_type["token"] if event.text]
    assert words
    assert ended < words[0].at < ended + 1.5 * 24_000
    assert session.said("agent", words[0].at, words[0].at + 24_000).any()
    assert not session.said("agent", 0, ended).any()


@pytest.mark.parametrize("device", ["cuda", "gpu", "cuda:99"])
def test_a_device_that_is_not_there_is_refused_before_anything_runs(tmp_path: Path, device: str) -> None:
    """The field is named, and what there is."""
    import torch

    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    made = sessions.scenario(tmp_path, agent={"kind": "duplex_model", "device": device})
    with pytest.raises(ScenarioError, match=r"agent\.device: .*(not available|no torch device|not there)"):
        check(made, "t.yaml")


def test_tiny_duplex_talks_to_itself(tmp_path: Path) -> None:
    """One side begins, the other answers, and so on: both speak."""
    first = {"kind": "duplex_model", "model": {"kind": "tiny_duplex", "prompt": {"opening": True}}}
    session, played = sessions.run(tmp_path, sessions.scenario(tmp_path, user=first, duration="12s"))[0]
    assert played.problem is None
    assert session.said("user").any()
    assert session.said("agent").any()
