"""The frame loop of the NeMo-Skills server: counts worked out by hand from its description."""

import numpy as np
import pytest

from agents.chat_audio.frame_loop import LoopRules, LoopStep, LoopToken, LoopTurn, turn_steps
from simulator.frame import Samples

RATE, SAID = 16_000, 1764
WORDS = {15: "<s>", 16: " hello", 17: " there", 18: "</s>"}


def played(rules: LoopRules, samples: int, *, loud: range = range(0), start: int = 0) -> LoopTurn:
    """Play a turn of so many samples to a model that says WORDS and sounds in the frames `loud`."""
    turn = LoopTurn(rules, start, 22_050)
    frame = start

    def step() -> LoopStep:
        nonlocal frame
        frames = range(frame, frame + rules.frames)
        frame += rules.frames
        said = {index: LoopToken(9, WORDS[index], pad=False) for index in frames if index in WORDS}
        return LoopStep(pcm=np.concatenate([sound(index in loud) for index in frames]), said=said)

    for _ in turn_steps(np.zeros(samples, np.float32), RATE, rules):
        turn.hear(step())
    while turn.waits:
        turn.wait(step())
    return turn


def sound(loud: bool) -> Samples:
    """A frame."""
    return np.full(SAID, 0.1 if loud else 0.0, np.float32)


@pytest.mark.parametrize(
    ("samples", "padding_s", "frames", "steps"),
    [(16_000, 0, 1, 13), (16_000, 5.0, 1, 75), (16_000, 5.0, 2, 38), (1280, 0, 1, 1), (1281, 0, 2, 1), (0, 5.0, 1, 63)],
)
def test_a_turn_is_cut_into_whole_steps(samples: int, padding_s: float, frames: int, steps: int) -> None:
    """Sound and padding together, 1280 samples a frame, rounded up, and up to a whole step."""
    cut = turn_steps(np.ones(samples, np.float32), RATE, LoopRules(padding_s=padding_s, frames=frames))
    assert [len(step) for step in cut] == [1280 * frames] * steps
    assert np.count_nonzero(np.concatenate(cut)) == samples


def test_eos_ends_after_ten_steps_of_padding() -> None:
    """13 frames are heard; the marks are at 15 and 18, padding from 19 on: the tenth is frame 28."""
    turn = played(LoopRules(mode="eos", padding_s=0), 16_000)
    told = turn.debug(["earlier", turn.text()])
    assert turn.text() == "<|1.2|> hello there<$1.44$>" and turn.text(stamps=False) == "hello there"
    assert {name: value for name, value in told.items() if name != "frame_alignment"} == {
        "start_frame_idx": 0, "final_frame_idx": 29, "turn_frames": 13, "response_frames": 16, "stop_reason": "eos",
        "audio_energy_response_started": False, "turn_texts": ["earlier", "<|1.2|> hello there<$1.44$>"],
        "total_frames": 29, "asr_text": "",
    }  # fmt: skip
    rows = told["frame_alignment"]
    assert rows["frame_idx"] == list(range(29))
    assert rows["user_stream"] == ["user_turn"] * 13 + ["agent_response"] * 16
    assert rows["agent_stream_decoded"][14:19] == ["<SPECIAL_12>", "<s>", " hello", " there", "</s>"]
    assert rows["is_tts_stop"] == [False] * 28 + [True]


def test_eos_counts_steps_and_sees_their_first_frame_alone() -> None:
    """Two frames a step: those at 16 and 18 begin with words, 20 to 38 with padding; every other frame is aligned."""
    turn = played(LoopRules(mode="eos", padding_s=0, frames=2), 16_000)
    assert (turn.turn_frames, turn.response_frames, turn.stopped) == (14, 26, "eos")
    rows = turn.debug()["frame_alignment"]
    assert rows["frame_idx"] == list(range(0, 40, 2))
    assert " there" not in rows["agent_stream_decoded"] and " there" in turn.text()


@pytest.mark.parametrize("window", [1, 3])
def test_the_window_is_how_many_steps_of_padding_end_a_reply(window: int) -> None:
    """Padding begins at frame 19."""
    assert played(LoopRules(mode="eos", padding_s=0, window=window), 16_000).final == 19 + window


def test_energy_ends_after_half_a_second_below() -> None:
    """Loud to frame 19: half a second later, after 26, nothing loud is left in it; seven frames more are half a second.

    0.5 s is 11,025 samples, 6.25 frames of 1,764: seven quiet frames empty the window, and seven fill the count.
    """
    turn = played(LoopRules(mode="energy", padding_s=0), 16_000, loud=range(15, 20))
    assert (turn.final, turn.response_frames, turn.stopped) == (33, 20, "audio_energy")
    assert turn.debug()["audio_energy_response_started"] is True
    assert len(turn.sound) == 33 * SAID and np.flatnonzero(turn.sound)[0] == 15 * SAID


@pytest.mark.parametrize(("frames", "waited"), [(1, 375), (2, 376)])
def test_what_began_before_the_turn_was_over_is_waited_for_30_s(frames: int, waited: int) -> None:
    """Neither rule sees a reply that lies in the padding; nor energy one that is not decoded."""
    for rules, loud in (
        (LoopRules(mode="eos", frames=frames), range(0)),
        (LoopRules(mode="energy", frames=frames), range(15, 20)),
        (LoopRules(mode="energy", padding_s=0, frames=frames, decode=False), range(15, 20)),
    ):
        turn = played(rules, 16_000, loud=loud)
        assert (turn.response_frames, turn.stopped) == (waited, "max_duration")


@pytest.mark.parametrize(("longest", "stopped"), [(16, "eos"), (15, "max_duration")])
def test_a_reply_that_ends_with_the_last_frame_has_ended(longest: int, stopped: str) -> None:
    """The tenth padding is the 16th frame behind the turn: the limit stops what has not ended by then."""
    turn = played(LoopRules(mode="eos", padding_s=0, longest_s=longest * 0.08 + 0.01), 16_000)
    assert (turn.response_frames, turn.stopped) == (longest, stopped)


def test_a_quiet_hum_is_no_reply() -> None:
    """The limit is 0.01 of full scale, root mean square."""
    turn = LoopTurn(LoopRules(padding_s=0), 0, 22_050)
    for level, started in ((0.0099, False), (0.0103, True)):
        for _ in range(8):
            turn.wait(LoopStep(pcm=np.full(SAID, level, np.float32)))
        assert turn.debug()["audio_energy_response_started"] is started


def test_without_sessions_a_turn_is_its_sound_and_its_padding() -> None:
    """A row for every frame, all of them the user's, and no word of how it ended."""
    turn = played(LoopRules(sessions=False, frames=2), 16_000)
    told = turn.debug()
    assert set(told) == {"total_frames", "frame_alignment", "asr_text"}
    assert told["total_frames"] == len(told["frame_alignment"]["frame_idx"]) == 76
    assert set(told["frame_alignment"]["user_stream"]) == {"user_turn"}
    assert told["frame_alignment"]["agent_stream_decoded"][17] == " there"


def test_stamps_begin_anew_each_turn_while_frames_run_on() -> None:
    """A second turn from frame 10 on: its mark at frame 15 is 0.4 s into it."""
    turn = played(LoopRules(mode="eos", padding_s=0), 1280, start=10)
    assert turn.text() == "<|0.4|> hello there<$0.64$>"
    assert turn.debug()["frame_alignment"]["frame_idx"][0] == 10
    assert turn.debug()["total_frames"] == turn.final == 29
