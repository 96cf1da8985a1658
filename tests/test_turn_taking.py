"""When a turn is over and when an agent yields, from the activity of what it hears."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.errors import ScenarioError
from simulator.frame import AudioFrame, silence
from simulator.speaking.ears import Activity, AnyEars, EarsSpec, LevelEars, LevelEarsSpec, SileroEarsSpec, make_ears
from simulator.speaking.turn_taking import TurnPolicy, TurnTaker
from simulator.spec import decode, encode, ms
from simulator.testing import burst
from tests.conversations import voiced

RATE, FRAME = 24_000, 480


def verdicts(
    spoken: list[tuple[float, float]], speaking: list[tuple[float, float]], seconds: float = 5.0, **policy: Any
) -> list[tuple[float, str]]:
    """Play the other's speech (s) against a turn-taker that speaks at given times; gives (moment, verdict)."""
    ears = LevelEars(RATE)
    taker = TurnTaker(TurnPolicy(**policy), RATE, ears.activity)
    sound = burst(FRAME)
    found: list[tuple[float, str]] = []
    mouth = list(speaking)
    for start in range(0, round(seconds * RATE), FRAME):
        middle = (start + FRAME / 2) / RATE
        samples = sound if any(a <= middle < b for a, b in spoken) else silence(FRAME)
        ears.hear(AudioFrame(start, samples))
        verdict = taker.hear(start, samples, speaking=any(a <= middle < b for a, b in mouth))
        if verdict:
            found.append(((start + FRAME) / RATE, verdict))
            taker.take() if verdict == "turn" else None
            mouth = [] if verdict == "yield" else mouth
    return found


def test_a_turn_is_over_after_the_endpoint_silence() -> None:
    """Silence of `endpoint` after speech ends the turn; a shorter pause does not."""
    assert verdicts([(1.0, 2.0)], []) == [(pytest.approx(2.6, abs=0.021), "turn")]
    assert verdicts([(1.0, 2.0), (2.5, 3.0)], []) == [(pytest.approx(3.6, abs=0.021), "turn")]
    assert len(verdicts([(1.0, 2.0), (2.5, 3.0)], [], endpoint=ms(300))) == 2


def test_a_barge_in_makes_it_yield_and_becomes_the_next_turn() -> None:
    """Speech of the other over one's own for `yield_after`: yield; what was said is heard as a turn."""
    assert verdicts([(2.0, 3.0)], [(1.0, 4.0)]) == [
        (pytest.approx(2.5, abs=0.021), "yield"), (pytest.approx(3.6, abs=0.021), "turn"),
    ]  # fmt: skip


def test_a_backchannel_is_let_pass() -> None:
    """Shorter speech over one's own is no turn, unless backchannels are not ignored."""
    assert verdicts([(2.0, 2.3)], [(1.0, 4.0)]) == []
    assert verdicts([(2.0, 2.3)], [(1.0, 2.1)], ignore_backchannels=False) == [(pytest.approx(2.9, abs=0.021), "turn")]


def test_an_agent_may_be_told_never_to_yield() -> None:
    """`barge_in: ignore` talks through."""
    assert [what for _, what in verdicts([(2.0, 3.0)], [(1.0, 4.0)], barge_in="ignore")] == ["turn"]


def test_a_turn_holds_its_sound_with_a_little_before_it() -> None:
    """The sound of a turn begins up to 300 ms before the ears noticed and ends with the last frame heard."""
    ears = LevelEars(RATE)
    taker = TurnTaker(TurnPolicy(), RATE, ears.activity)
    for start in range(0, 3 * RATE, FRAME):
        samples = burst(FRAME) if RATE <= start < 2 * RATE else silence(FRAME)
        ears.hear(AudioFrame(start, samples))
        if taker.hear(start, samples, speaking=False) == "turn":
            break
    sound, since, until = taker.take()
    assert (since, until) == (RATE, 2 * RATE)
    assert not sound[: round(0.3 * RATE)].any()
    assert sound[round(0.3 * RATE) : round(0.3 * RATE) + FRAME].any()


def test_level_ears_hear_speech_at_the_nominal_level_and_not_the_room() -> None:
    """Frames down to 24 dB below nominal count as speech, quieter ones do not."""
    ears = LevelEars(RATE)
    ears.hear(AudioFrame(0, burst(FRAME) * np.float32(10 ** (-22 / 20))))
    assert ears.activity.speaking
    quiet = LevelEars(RATE)
    quiet.hear(AudioFrame(0, burst(FRAME) * np.float32(10 ** (-26 / 20))))
    assert not quiet.activity.speaking


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
def test_silero_ears_point_at_where_the_speech_was(rate: int) -> None:
    """Whatever the rate, the stretch begins within 100 ms of the speech and its end is not far behind."""
    from simulator.speaking.voice import spoken

    speech = spoken("Good evening, how can I help you?", "en-gb-x-rp", rate).samples
    sound = np.concatenate([np.zeros(rate, np.float32), speech, np.zeros(rate, np.float32)])
    ears = make_ears(SileroEarsSpec(), rate, noisy=True)
    frame = rate // 50
    begun: int | None = None
    for start in range(0, len(sound) - frame, frame):
        ears.hear(AudioFrame(start, sound[start : start + frame]))
        begun = ears.activity.since if begun is None and ears.activity.speaking else begun
    assert begun is not None
    assert abs(begun - rate) < 0.1 * rate
    assert abs(ears.activity.last_end - rate - len(speech)) < 0.2 * rate
    assert not ears.activity.speaking


@pytest.mark.parametrize(("rate", "frame"), [(8_000, 160), (16_000, 160), (22_050, 441), (24_000, 480), (48_000, 3840)])
def test_silero_ears_know_the_same_after_a_block_as_after_its_frames(rate: int, frame: int) -> None:
    """Wherever a block ends, as much is judged as frame by frame, and judged the same: bounds do not hang on blocks.

    Those that give the frames of a block one by one know after each what is known frame by frame.
    """
    rng = np.random.default_rng(rate)
    speech = voiced("Good evening, how can I help you?", "en-gb-x-rp", rate)
    sound = np.concatenate([0.001 * rng.standard_normal(rate).astype(np.float32), speech, np.zeros(rate, np.float32)])
    by_frames, by_blocks, in_frames = (make_ears(SileroEarsSpec(), rate, noisy=True) for _ in range(3))
    first, last = 0, len(sound) // frame
    while first < last:
        end = min(last, first + int(rng.integers(1, 40)))
        block = AudioFrame(first * frame, sound[first * frame : end * frame])
        for index, given in zip(range(first, end), in_frames.hear_frames(block, frame), strict=True):
            by_frames.hear(AudioFrame(index * frame, sound[index * frame : (index + 1) * frame]))
            assert given.start == index * frame and np.array_equal(given.samples, sound[given.start :][:frame])
            assert told(in_frames.activity) == told(by_frames.activity)
        by_blocks.hear_block(block, frame)
        assert told(by_blocks.activity) == told(by_frames.activity)
        first = end
    assert by_blocks.activity.stretches


def told(activity: Activity) -> tuple[bool, int, int, int, int]:
    """All that an activity says."""
    return activity.speaking, activity.since, activity.last_end, activity.stretches, activity.until


def test_ears_are_silero_where_the_line_is_impaired() -> None:
    """Default: silero when the incoming line has channels, else level."""
    assert isinstance(make_ears(None, RATE, noisy=False), LevelEars)
    assert not isinstance(make_ears(None, RATE, noisy=True), LevelEars)
    assert isinstance(make_ears(LevelEarsSpec(), RATE, noisy=True).activity, Activity)


@pytest.mark.parametrize(
    ("said", "spec", "written"),
    [
        ("level", LevelEarsSpec(), "level"),
        ({"kind": "silero"}, SileroEarsSpec(), "silero"),
        ({"kind": "level", "margin_db": 12}, LevelEarsSpec(margin_db=12), {"kind": "level", "margin_db": 12}),
    ],
)
def test_ears_are_a_word_or_a_mapping(said: Any, spec: EarsSpec, written: Any) -> None:
    """Written back as short as it can be said; thresholds that contradict each other are refused."""
    found: Any = decode(said, AnyEars, source="t", folder=Path())
    assert (found, encode(found)) == (spec, written)
    with pytest.raises(ScenarioError, match=r"still is 0\.6; it must not be above threshold, 0\.5"):
        decode({"kind": "silero", "still": 0.6}, AnyEars, source="t", folder=Path())


def test_a_smaller_margin_hears_less() -> None:
    """Sound 20 dB under nominal is speech to ears that go down to 24, and none to ears that go down to 12."""
    frame = AudioFrame(0, burst(FRAME) * np.float32(0.1))
    by_margin = {margin: LevelEarsSpec(margin_db=margin).build(RATE) for margin in (24, 12)}
    for ears in by_margin.values():
        ears.hear(frame)
    assert by_margin[24].activity.speaking and not by_margin[12].activity.speaking


def test_after_a_long_wait_a_turn_is_still_what_was_heard_in_its_place() -> None:
    """What is forgotten is the oldest: a turn at 4 s has the very samples of the 300 ms before it and of its own."""
    ears = LevelEars(RATE)
    taker = TurnTaker(TurnPolicy(), RATE, ears.activity)
    heard = np.arange(6 * RATE, dtype=np.float32) * np.float32(1e-10)  # every sample another one, none to be heard
    heard[4 * RATE : 5 * RATE] += np.tile(burst(FRAME), RATE // FRAME)
    for start in range(0, len(heard), FRAME):
        ears.hear(AudioFrame(start, heard[start : start + FRAME]))
        if taker.hear(start, heard[start : start + FRAME], speaking=False) == "turn":
            break
    sound, since, until = taker.take()
    assert (since, until) == (4 * RATE, 5 * RATE)
    assert np.array_equal(sound, heard[since - 7200 : since - 7200 + len(sound)])
    assert len(sound) >= 7200 + RATE


def test_of_a_turn_that_is_too_long_the_beginning_is_forgotten() -> None:
    """Of 130 s the last 120 s and what came after them are kept, each sample in its place."""
    ears = LevelEars(RATE)
    taker = TurnTaker(TurnPolicy(), RATE, ears.activity)
    loud = np.tile(burst(FRAME), 130 * RATE // FRAME) * np.linspace(0.5, 1, 130 * RATE, dtype=np.float32)
    heard = np.concatenate([loud, np.zeros(RATE, np.float32)])
    now = 0
    while taker.hear(now, heard[now : now + FRAME], speaking=False) != "turn":
        now += FRAME
        ears.hear(AudioFrame(now, heard[now : now + FRAME]))
    sound, _, until = taker.take()
    assert until == 130 * RATE
    assert 120 * RATE <= len(sound) <= 120 * RATE + FRAME
    assert np.array_equal(sound, heard[now + FRAME - len(sound) : now + FRAME])
