"""Nemotron's rules: when the floor is forced upon the agent, when a reply has ended."""

import numpy as np
import pytest

from agents.duplex.nemotron_rules import EndAtPadding, EndAtSilence, TokenHistory, TokenMarks, TurnRule

MARKS = TokenMarks(pad=0, bos=1, eos=2, user_bos=(3,), user_eos=(4,))
WORD = 9


def forced_at(rule: TurnRule, heard: list[int], agent: list[int] | None = None) -> dict[int, int]:
    """Play a rule over what was heard: the frames in which it forces a token, and the token."""
    history, found = TokenHistory(), {}
    for frame, token in enumerate(heard):
        own = agent[frame] if agent else MARKS.pad
        forced = history.forced(rule, MARKS, token)
        if forced is not None:
            found[frame] = own = forced
        history.add(own, token)
    return found


@pytest.mark.parametrize("rule", ["skills", "nemo3"])
def test_a_pause_after_speech_gives_the_agent_the_floor(rule: TurnRule) -> None:
    """25 frames of padding after a word: the frame after them opens the agent's turn, once."""
    assert forced_at(rule, [WORD] * 5 + [0] * 60) == {30: MARKS.bos}


@pytest.mark.parametrize("rule", ["skills", "nemo3"])
def test_silence_from_the_start_forces_nothing(rule: TurnRule) -> None:
    """Padding with no speech before it is no pause, at the edge of the window too."""
    assert forced_at(rule, [0] * 80) == {}
    assert forced_at(rule, [WORD] + [0] * 60) == {26: MARKS.bos}


@pytest.mark.parametrize("rule", ["skills", "nemo3"])
def test_a_turn_that_was_opened_lately_is_not_opened_again(rule: TurnRule) -> None:
    """An opening mark among the agent's last 40 tokens keeps the rule quiet; one 41 frames ago does not."""
    heard = [WORD] * 45 + [0] * 30
    for own, expected in ((30, {}), (29, {70: MARKS.bos})):
        agent = [0] * 75
        agent[own] = MARKS.bos
        assert forced_at(rule, heard, agent) == expected


def test_only_nemo3_obeys_the_users_own_marks() -> None:
    """The user's closing mark opens the agent's turn, the opening mark closes it; not in the first 2 s."""
    heard = [WORD] * 80
    heard[10] = heard[40] = MARKS.user_eos[0]
    heard[60] = MARKS.user_bos[0]
    assert forced_at("nemo3", heard) == {40: MARKS.bos, 60: MARKS.eos}
    assert forced_at("skills", heard) == {}
    assert forced_at("none", [WORD] * 5 + [0] * 60) == {}


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_a_reply_ends_with_ten_padding_frames(frames: int) -> None:
    """Frames are counted, not steps; padding before a reply ends nothing; a second reply ends again."""
    tokens = [0] * 20 + [WORD] * 4 + [0] * 5 + [WORD] + [0] * 20 + [WORD] * 5 + [0] * 15
    end, quiet = EndAtPadding(0), np.zeros(1764 * frames, np.float32)
    steps = [tokens[start : start + frames] for start in range(0, len(tokens), frames)]
    ended = [index for index, step in enumerate(steps) if end.ended(step, quiet)]
    assert ended == [39 // frames, 64 // frames]


def test_a_reply_ends_with_half_a_second_of_silence() -> None:
    """RMS over half a second: speech starts it, half a second below the threshold ends it, once per reply."""
    loud, quiet = np.full(1764, 0.1, np.float32), np.zeros(1764, np.float32)
    end = EndAtSilence()
    frames = [quiet] * 10 + [loud] * 10 + [quiet] * 4 + [loud] * 5 + [quiet] * 40
    ended = [index for index, frame in enumerate(frames) if end.ended([0], frame)]
    assert len(ended) == 1
    # 0.5 s until the window holds no speech, 0.5 s of silence after that.
    assert 29 + 6 + 6 <= ended[0] <= 29 + 7 + 7
