"""Metamorphic rules: what is done to a recording without changing the conversation changes no verdict and no time."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.metamorphic import (
    DITHERS,
    SAME_CONVERSATION,
    SAME_SOUND,
    UNCHANGED,
    WITHIN_S,
    Change,
    Stereo,
    changed,
    differences,
    generated,
    measured,
    recorded,
    verdicts,
)

CLIPS = ("ami-en2002b-take-0930", "ami-en2002b-take-1069", "ami-es2002a-take-0677")


@pytest.fixture
def clip(real_audio: Path, request: pytest.FixtureRequest) -> tuple[Stereo, int]:
    """A clip of a real meeting."""
    return recorded(real_audio / "conversations_ami" / f"{request.param}.example.wav")


def assert_nothing_moves(recording: tuple[Stereo, int], changes: Sequence[Change], folder: Path) -> None:
    """Every change leaves all that is measured as it was: the same sound gives the same numbers."""
    before, *after = changed(*recording, [UNCHANGED, *changes], folder)
    assert list(measured(before))
    for change, session in zip(changes, after, strict=True):
        assert not differences(list(measured(before)), list(measured(session)), 0.0), change.name


def assert_verdicts_hold(recording: tuple[Stereo, int], changes: Sequence[Change], folder: Path) -> None:
    """Every change leaves the verdicts as they were, and their times within 10 ms."""
    before, *after = changed(*recording, [UNCHANGED, *changes], folder)
    assert verdicts(before)
    for change, session in zip(changes, after, strict=True):
        assert not differences(verdicts(before), verdicts(session, change.later_s), WITHIN_S), change.name


def test_the_same_sound_is_measured_the_same(tmp_path: Path) -> None:
    """In another container, with silence behind it, with its channels swapped and read in the other order."""
    assert_nothing_moves(generated(tmp_path, 0), SAME_SOUND, tmp_path)


@pytest.mark.parametrize("clip", CLIPS, indirect=True)
def test_the_same_real_sound_is_measured_the_same(clip: tuple[Stereo, int], tmp_path: Path) -> None:
    """As of generated voices."""
    assert_nothing_moves(clip, SAME_SOUND, tmp_path)


@pytest.mark.parametrize("change", [*DITHERS, *SAME_CONVERSATION], ids=lambda change: change.name)
def test_an_inaudible_change_of_a_talk_changes_no_verdict(change: Change, tmp_path: Path) -> None:
    """Later by whole frames, 6 dB up or down, a dither or another: the same conversation."""
    assert_verdicts_hold(generated(tmp_path, 1), [change], tmp_path)


@pytest.mark.parametrize("clip", CLIPS, indirect=True)
def test_dither_changes_no_verdict_on_real_speech(clip: tuple[Stereo, int], tmp_path: Path) -> None:
    """Whatever its seed: it is 40 dB below what these microphones hear in silence."""
    assert_verdicts_hold(clip, DITHERS, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("change", SAME_CONVERSATION, ids=lambda change: change.name)
@pytest.mark.parametrize("clip", CLIPS, indirect=True)
def test_time_and_level_change_no_verdict_on_real_speech(
    clip: tuple[Stereo, int], change: Change, tmp_path: Path
) -> None:
    """The same rule as for generated voices."""
    assert_verdicts_hold(clip, [change], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [16_000, 24_000])
@pytest.mark.parametrize("seed", range(2, 14))
def test_many_talks_keep_their_verdicts(seed: int, rate: int, tmp_path: Path) -> None:
    """Every change on every talk, at the rate of the detector and at the simulator's own."""
    talk = generated(tmp_path, seed, rate)
    assert_nothing_moves(talk, SAME_SOUND, tmp_path)
    assert_verdicts_hold(talk, [*DITHERS, *SAME_CONVERSATION], tmp_path)
