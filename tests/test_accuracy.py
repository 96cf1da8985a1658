"""Accuracy: onsets, barge-ins and backchannels of generated conversations, told and foreign, held against the truth."""

from pathlib import Path

import numpy as np
import pytest

from channels.noises import Color
from metrics.backchannel import BackchannelSpec
from metrics.barge_in import BargeInSpec
from metrics.latency import LatencySpec
from simulator.annotation.annotate import annotate
from simulator.events import PARTIES
from simulator.score import Score
from simulator.scoring.scorer import ScorerSpec
from simulator.session import Session
from tests.conversations import Conversation, conversation, foreign

RATE = 16_000
SEEDS = (0, 1, 2, 3)


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> list[Conversation]:
    folder = tmp_path_factory.mktemp("talks")
    return [conversation(folder / str(seed), seed, rate=RATE) for seed in SEEDS]


@pytest.fixture(scope="module")
def truth(talks: list[Conversation]) -> list[Session]:
    return [talk.take.annotated() for talk in talks]


def listened(talks: list[Conversation], folder: Path, color: Color | None, snr_db: float) -> list[Session]:
    """The same conversations as stereo files that nobody told anything of."""
    sessions = [foreign(talk, folder / f"{i}.wav", color=color, snr_db=snr_db) for i, talk in enumerate(talks)]
    return [session.with_speech(annotate(session, words=False)) for session in sessions]


def onset_errors_ms(truth: list[Session], heard: list[Session]) -> np.ndarray:
    """By how much each utterance of both parties was found late; one that was not found is a second late."""
    errors = []
    for true, found in zip(truth, heard, strict=True):
        for party in PARTIES:
            timeline = found.speech.of(party).timeline()
            for item in true.speech.of(party).utterances:
                there = timeline.within(item.start, item.end)
                errors.append(1000 * (there[0].start - item.start) / RATE if there else 1000.0)
    return np.asarray(errors)


def score_of(spec: ScorerSpec, session: Session, metric: str) -> Score:
    return next(score for score in spec.build().score(session) if score.id == metric)


def planned(talk: Conversation, kind: str) -> list[int]:
    return [event.at for event in talk.events if event.kind == kind]


def test_told_onsets_are_the_first_audible_frame(talks: list[Conversation], truth: list[Session]) -> None:
    """On clean said tracks every utterance begins where its sound does, within the 10 ms of a frame."""
    for talk, session in zip(talks, truth, strict=True):
        starts = [event.at for event in talk.take.events if event.type == "speech_start"]
        found = sorted(item.start for party in PARTIES for item in session.speech.of(party).utterances)
        assert np.abs(np.subtract(found, sorted(starts))).max() <= RATE // 100


def test_clean_foreign_onsets_are_found_within_20_ms(
    talks: list[Conversation], truth: list[Session], tmp_path: Path
) -> None:
    """The detector's 32 ms are refined by energy: 95 % of onsets lie within 20 ms, and none is missed."""
    errors = onset_errors_ms(truth, listened(talks, tmp_path, None, 0))
    assert np.quantile(np.abs(errors), 0.95) <= 20
    assert np.abs(errors).max() < 200


@pytest.mark.parametrize(("color", "snr_db"), [("white", 20), ("babble", 10), ("pink", 10)])
def test_noisy_foreign_recordings_hold_up(
    talks: list[Conversation], truth: list[Session], tmp_path: Path, color: Color, snr_db: float
) -> None:
    """95 % of onsets within 100 ms; every barge-in and every backchannel is found where it was said."""
    heard = listened(talks, tmp_path, color, snr_db)
    assert np.quantile(np.abs(onset_errors_ms(truth, heard)), 0.95) <= 100
    for talk, session in zip(talks, heard, strict=True):
        for kind, spec, metric in (
            ("barge_in", BargeInSpec(), "barge_in.yield_rate"),
            ("backchannel", BackchannelSpec(), "backchannel.kept_floor_rate"),
        ):
            found = [item.start for item in score_of(spec, session, metric).evidence]
            missed = [at for at in planned(talk, kind) if not any(abs(at - there) < RATE // 5 for there in found)]
            assert not missed, (kind, [at / RATE for at in missed])


def test_planned_offsets_and_yields_are_what_is_measured(talks: list[Conversation], truth: list[Session]) -> None:
    """With truth, every gap that is not too early is its answer's latency, every cut its yield latency, to 20 ms."""
    for talk, session in zip(talks, truth, strict=True):
        latency = {
            item.start if (item.value or 0) >= 0 else item.end: item.value
            for item in score_of(LatencySpec(), session, "latency.response_p50_s").evidence
        }
        gaps = {event.at: event.value for event in talk.events if event.kind == "gap" and event.value > -0.5}
        for at, value in gaps.items():
            there = min(latency, key=lambda start: abs(start - at))
            assert latency[there] == pytest.approx(value, abs=0.02)
        yields = {
            item.start: item.value for item in score_of(BargeInSpec(), session, "barge_in.yield_latency_p50_s").evidence
        }
        for event in talk.events:
            if event.kind == "barge_in":
                there = min(yields, key=lambda start: abs(start - event.at))
                assert yields[there] == pytest.approx(event.value, abs=0.02)
