"""Ends of phrases: what is heard of them, and when that tells a cut from an end."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from simulator.annotation.annotate import annotate
from simulator.floor.endings import sounds_cut
from simulator.floor.floor import Floor
from simulator.floor.yields import barge_ins
from simulator.frame import Samples
from simulator.session import Session
from simulator.sound.phrase_end import last_pitch_st, phrase_end
from simulator.speech import PartySpeech, PhraseEnd, Segment
from simulator.testing.take import Take
from tests.conversations import voiced

FADING = [PhraseEnd(fall_db=12.0 + index, pitch_st=-4.0) for index in range(5)]
CUT, OVER, NEITHER = PhraseEnd(fall_db=48.0, pitch_st=0.0), PhraseEnd(fall_db=10.0, pitch_st=-4.5), FADING[0]


def voice(hz: Sequence[float], rate: int, level: float = 0.2) -> Samples:
    """A voice of ten harmonics whose pitch goes straight through these values, half a second apart."""
    at = np.arange(round(0.5 * (len(hz) - 1) * rate)) / rate
    phase = 2 * np.pi * np.cumsum(np.interp(at, 0.5 * np.arange(len(hz)), hz)) / rate
    return (level * sum(np.sin(k * phase) / k for k in range(1, 11))).astype(np.float32)


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
def test_a_buffer_that_is_flushed_is_gone_at_once(rate: int) -> None:
    """As deep as is looked, with an offset beneath, too; the same voice that dies away over 100 ms falls slowly."""
    sound = voice([120, 120, 120], rate)
    assert phrase_end(sound, len(sound), rate).fall_db > 45
    silence = np.zeros(rate, np.float32)
    assert phrase_end(np.concatenate([sound, silence]) + np.float32(0.1), len(sound), rate).fall_db > 45
    fading = sound.copy()
    fading[-rate // 10 :] *= 10 ** (-np.arange(rate // 10) / (rate / 10) * 50 / 20)  # 50 dB in 100 ms: 5 dB in ten
    assert 4 < phrase_end(fading, len(fading), rate).fall_db < 12


def test_a_fall_into_noise_is_no_deeper_than_the_noise() -> None:
    """So nothing that ends in noise is said to be cut."""
    sound = voice([120, 120, 120], 16_000)
    noise = np.random.default_rng(0).normal(0, 0.03, 2 * 16_000).astype(np.float32)
    noise[: len(sound)] += sound
    assert phrase_end(noise, len(sound), 16_000).fall_db < 20


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("base", [90.0, 220.0])
def test_the_last_pitch_is_held_against_the_median(rate: int, base: float) -> None:
    """An octave is twelve semitones; a pitch that stays is at its median."""
    assert last_pitch_st(voice([base] * 4, rate), rate) == pytest.approx(0.0, abs=0.2)
    fallen = voice([base] * 4 + [base * 2 ** (-5 / 12)] * 2, rate)
    assert last_pitch_st(fallen, rate) == pytest.approx(-5.0, abs=0.4)


def test_noise_has_no_pitch() -> None:
    """Nor has what is too short to have a median."""
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    assert last_pitch_st(noise, 16_000) is None
    assert last_pitch_st(voice([120, 120], 16_000)[:2_000], 16_000) is None
    assert last_pitch_st(np.zeros(16_000, np.float32), 16_000) is None


@pytest.mark.parametrize(
    ("heard", "own", "cut"),
    [
        (CUT, FADING, True),
        (OVER, FADING, False),
        (NEITHER, [PhraseEnd(fall_db=12.0, pitch_st=0.0)] * 5, None),  # a speaker whose pitch never falls
        (PhraseEnd(fall_db=48.0, pitch_st=-5.0), FADING, None),
        (CUT, [PhraseEnd(fall_db=43.0, pitch_st=-4.0)] * 5, None),  # a voice that always ends so
        (CUT, FADING[:4], None),
        (PhraseEnd(fall_db=34.0, pitch_st=0.0), FADING, None),
        (PhraseEnd(fall_db=48.0), FADING, True),
    ],
)
def test_an_end_is_judged_beside_the_speakers_own(heard: PhraseEnd, own: list[PhraseEnd], cut: bool | None) -> None:
    """Gone as none of them was: cut. Fallen in pitch as most of them: over. Else nobody knows."""
    assert sounds_cut(heard, own) is cut


def disturbed(folder: Path, ends: Sequence[PhraseEnd], overlap_s: float, role: str = "turn") -> Session:
    """An agent that nobody told of ends a phrase every 10 s; the user begins over the last one."""
    take = Take(folder, duration=10.0 * len(ends) + 5)
    last = 10.0 * len(ends) - 5
    take.say("user", last - overlap_s, last + 2, role=role)
    session = take.annotated()
    segments = tuple(
        Segment(start=take.at(10.0 * index + 1), end=take.at(10.0 * index + 5), source="vad", ending=end)
        for index, end in enumerate(ends)
    )
    return session.with_speech(msgspec.structs.replace(session.speech, agent=PartySpeech(segments=segments)))


@pytest.mark.parametrize(
    ("last", "overlap_s", "role", "outcome"),
    [
        (CUT, 0.6, "turn", "yielded"),
        (CUT, 0.6, "interruption", "yielded"),
        (CUT, 0.1, "turn", "coincident"),
        (OVER, 0.6, "turn", "ended by itself"),
        (OVER, 1.2, "turn", "talked through"),
        (OVER, 0.6, "interruption", "undecided"),
        (PhraseEnd(fall_db=20.0, pitch_st=0.0), 0.6, "turn", "undecided"),
        (PhraseEnd(fall_db=20.0, pitch_st=0.0), 0.6, "interruption", "yielded"),
    ],
)
def test_what_is_heard_decides_a_barge_in(
    tmp_path: Path, last: PhraseEnd, overlap_s: float, role: str, outcome: str
) -> None:
    """As what is told does; where a planned interruption meets an end that sounds over, neither is believed."""
    session = disturbed(tmp_path / "t", [*FADING, last], overlap_s, role)
    assert [case.outcome for case in barge_ins(Floor(session))] == [outcome]


def test_only_undisturbed_ends_say_how_a_speaker_ends(tmp_path: Path) -> None:
    """Where the other spoke, it may have been cut: of such ends nothing is learned."""
    session = disturbed(tmp_path / "t", [*FADING, CUT], 0.6)
    speech = msgspec.structs.replace(
        session.speech.user, segments=(*session.speech.user.segments, Segment(start=0, end=80_000, source="truth"))
    )
    session = session.with_speech(msgspec.structs.replace(session.speech, user=speech))
    assert barge_ins(Floor(session))[-1].outcome == "undecided"


def test_annotation_hears_ends_before_half_a_second_of_silence(tmp_path: Path) -> None:
    """A pause inside a phrase has none, nor has what events tell of."""
    take = Take(tmp_path / "t", 12.0, 16_000)
    line = voiced("The kitchen closes at ten.", "en-us+m3", 16_000)
    take.add("agent", 16_000, line)
    take.add("agent", 16_000 + len(line) + 4_800, line)
    take.say("user", 8.0, 9.0)
    speech = annotate(take.session(), words=False)
    assert [item.ending is None for item in speech.agent.segments].count(False) == 1
    assert speech.agent.segments[-1].ending is not None
    assert all(item.ending is None for item in speech.user.segments)
