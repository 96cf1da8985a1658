"""When a pause ends a turn: what is asked when, what each kind answers, and that nobody waits on the wall clock."""

from collections.abc import Callable
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.speaking_spec import SpeakingSpec
from simulator.cli import main
from simulator.engines.smart_turn_model import load, log_mel, model_file
from simulator.errors import ScenarioError
from simulator.frame import AudioFrame, Samples, silence
from simulator.session import read_session
from simulator.speaking.ears import LevelEars
from simulator.speaking.endpointing import AnyEndpointing
from simulator.speaking.smart_turn import SmartTurnSpec
from simulator.speaking.turn_taking import TurnPolicy, TurnTaker
from simulator.speaking.vad_adaptive import VadAdaptiveSpec
from simulator.speaking.voice import spoken
from simulator.spec import Duration, decode, ms
from simulator.testing import burst

RATE, FRAME = 24_000, 480

needs_model = pytest.mark.skipif(find_spec("pipecat") is None, reason="needs pipecat-ai's model")

Tell = Callable[[Duration], None]


def turns(spoken_at: list[tuple[float, float]], judge: Callable[[float, Tell], None], **policy: Any) -> list[float]:
    """When turns end of somebody who speaks then (s); judge gets the moment of its being asked."""
    ears = LevelEars(RATE)
    now = 0

    def asked(sound: Samples, tell: Tell) -> None:
        assert sound.any() and not sound[-FRAME:].any()
        judge(round(now / RATE, 3), tell)

    taker = TurnTaker(TurnPolicy(**policy), RATE, ears.activity, looks_after=ms(300), judge=asked)
    found: list[float] = []
    for start in range(0, 8 * RATE, FRAME):
        middle = (start + FRAME / 2) / RATE
        samples = burst(FRAME) if any(a <= middle < b for a, b in spoken_at) else silence(FRAME)
        ears.hear(AudioFrame(start, samples))
        now = start + FRAME
        # What it says it will not do before a moment, it does not do.
        bound = taker.settled(start, speaking=False)
        if taker.hear(start, samples, speaking=False) == "turn":
            assert now >= min(bound, now)
            found.append(round(now / RATE, 3))
            taker.take()
    return found


def test_each_pause_is_judged_once_and_ends_when_it_was_said() -> None:
    """0.3 s into it; a turn that is over ends there, another after the silence that it was given."""
    asked: list[float] = []

    def judge(now: float, tell: Tell) -> None:
        asked.append(now)
        tell(Duration(1.5) if len(asked) == 1 else Duration())

    assert turns([(1.0, 2.0), (3.0, 4.0)], judge) == [4.3]
    assert asked == [2.3, 4.3]
    asked.clear()
    assert turns([(1.0, 2.0), (5.0, 6.0)], judge) == [3.5, 6.3]


def test_an_answer_that_comes_late_counts_from_the_pause_and_not_after_it() -> None:
    """Until it comes the turn goes on; where the other speaks again meanwhile, it is for nothing."""
    waiting: list[tuple[float, Tell]] = []

    def judge(now: float, tell: Tell) -> None:
        for _, earlier in waiting:
            earlier(Duration())
        waiting.append((now, tell))

    assert turns([(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)], judge) == []
    assert [now for now, _ in waiting] == [2.3, 4.3, 6.3]


def test_the_kind_is_left_out_where_it_is_not_said() -> None:
    """A scenario without it is written back as it always was."""
    spec: Any = decode({"kind": "speaking"}, _Speaking, source="t", folder=Path())
    assert spec.policy().endpoint == ms(600)
    said: Any = decode({"kind": "speaking", "endpointing": "smart_turn"}, _Speaking, source="t", folder=Path())
    assert said.endpointing == SmartTurnSpec()


class _Speaking(SpeakingSpec, frozen=True, kw_only=True, tag="speaking"):
    pass


def decoded(said: Any) -> Any:
    """The kind that is said."""
    return decode(said, AnyEndpointing, source="t", folder=Path())


def test_the_silence_that_ends_a_turn_follows_the_hesitation() -> None:
    """Behind "and" it is 2 s, behind a whole sentence `endpoint`, and behind silence too."""
    judge = decoded({"kind": "vad_adaptive", "hesitation": "2s"}).build(ms(600))
    assert judge.looks_after == ms(300)
    for text, needed in (("I would like the soup and", 2.0), ("I would like the soup, please.", 0.6)):
        said = np.pad(spoken(text, "en-gb-x-rp", RATE, words_per_minute=150).samples, (RATE, RATE // 3))
        assert judge.silence(said, RATE) == needed, text
    assert judge.silence(np.zeros(RATE, np.float32), RATE) == ms(600)
    assert decoded({"kind": "vad_adaptive"}).build(ms(200)).looks_after == ms(200)
    assert VadAdaptiveSpec(words=("please",)).build(ms(600)).silence(said, RATE) == 3 * ms(600)


def test_silence_alone_judges_nothing() -> None:
    """The kind that is the default in all but name."""
    assert decoded("silence").build(ms(600)) is None


@needs_model
def test_the_spectrogram_is_the_one_that_the_model_was_made_with() -> None:
    """Beside the features of the package's own code: noise, speech, silence, shorter and longer than 8 s."""
    # By its path: the package itself wants more than its model.
    file = model_file().parents[1] / "_whisper_features.py"
    theirs = spec_from_file_location("their_features", file)
    assert theirs is not None and theirs.loader is not None
    module = module_from_spec(theirs)
    theirs.loader.exec_module(module)
    speech = spoken("I would like the soup, please.", "en-us", 16_000).samples
    noise = np.random.default_rng(1).standard_normal(200_000).astype(np.float32)
    for sound in (speech, np.tile(speech, 6), noise, np.zeros(16_000, np.float32)):
        whole = np.pad(sound, (max(0, 128_000 - len(sound)), 0))[-128_000:]
        assert np.allclose(log_mel(sound), module.compute_whisper_log_mel_features(whole), atol=1e-4)


@needs_model
def test_smart_turn_tells_a_whole_sentence_from_half_of_one() -> None:
    """Judged by sound alone; a threshold of 0 takes everything for over, one of 1 nothing."""
    whole = spoken("What time do you open on Sunday?", "en-us+f2", RATE).samples
    judge = SmartTurnSpec(incomplete=Duration(2.5)).build(ms(600))
    assert judge.looks_after == ms(200)
    assert judge.silence(np.pad(whole, (0, RATE // 5)), RATE) in (ms(200), Duration(2.5))
    assert SmartTurnSpec(threshold=0).build(ms(600)).silence(whole, RATE) == ms(200)
    assert SmartTurnSpec(threshold=1).build(ms(600)).silence(whole, RATE) == 3 * ms(600)


def test_a_model_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or that is none: a sentence, before anything starts."""
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(ScenarioError, match=r"x\.onnx: is no model of Smart Turn: onnxruntime does not take it"):
        SmartTurnSpec(model=tmp_path / "x.onnx").check()
    with pytest.raises(ScenarioError, match=r"y\.onnx: is no model of Smart Turn"):
        SmartTurnSpec(model=tmp_path / "y.onnx").check()
    monkeypatch.setattr("simulator.engines.weights.find_spec", lambda name: None)
    with pytest.raises(ScenarioError, match="smart_turn is not installed; pip install"):
        model_file()


CALL = """
name: pauses
duration: 12s
clock: CLOCK
user:
  kind: scripted
  turns: [{at: 500ms, say: ["I would like the soup and", {pause: 1300ms}, "a glass of water, please."]}]
agent: {kind: cascade, ears: level, endpoint: 700ms, endpointing: KIND, replies: [{say: Certainly.}]}
scorers: [takeover]
"""


@pytest.mark.parametrize(
    ("kind", "clock", "heard"),
    [("silence", "virtual", 2), ("{kind: vad_adaptive, hesitation: 2s}", "virtual", 1),
     pytest.param("{kind: vad_adaptive, hesitation: 2s}", "wall", 1, marks=pytest.mark.slow)],
)  # fmt: skip
def test_a_patient_agent_lets_the_other_finish(tmp_path: Path, kind: str, clock: str, heard: int) -> None:
    """With silence alone the agent answers inside the pause, in which it hears two turns; the patient one hears one."""
    (tmp_path / "call.yaml").write_text(CALL.replace("KIND", kind).replace("CLOCK", clock))
    assert main([str(tmp_path / "call.yaml"), "--out", str(tmp_path / "out")]) == 0
    session = read_session(tmp_path / "out" / "pauses-0")
    assert len(session.by_type["turn_heard"]) == heard


@needs_model
def test_a_call_with_smart_turn_is_played(tmp_path: Path) -> None:
    """The model is loaded before the call begins; twice the same call is the same session."""
    (tmp_path / "call.yaml").write_text(CALL.replace("KIND", "smart_turn").replace("CLOCK", "virtual"))
    for name in ("one", "two"):
        assert main([str(tmp_path / "call.yaml"), "--out", str(tmp_path / name)]) == 0
    one, two = (tmp_path / name / "pauses-0" for name in ("one", "two"))
    assert (one / "events.jsonl").read_bytes() == (two / "events.jsonl").read_bytes()
    assert load(model_file()) is load(model_file())
    assert read_session(one).by_type["turn_heard"]
