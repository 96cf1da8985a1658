"""Our sessions as Full-Duplex-Bench samples, and the fdb scorers as scorers of a scenario."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from metrics.compat.fdb.pause_handling import PauseHandlingSpec
from metrics.compat.fdb.smooth_turn_taking import SmoothTurnTakingSpec
from metrics.compat.fdb.timing import TimingSpec
from metrics.compat.fdb.user_interruption import UserInterruptionSpec
from simulator.intervals.observations import Origin
from simulator.plugins import load
from simulator.scoring.corpus import CorpusScorer
from simulator.scoring.pooling import pool
from simulator.session import Session
from simulator.speech import PartySpeech, Segment, Speech, SpokenWord
from tests.distributions import own_kinds

RATE = 16000
Span = tuple[float, float]


def samples(seconds: float) -> int:
    """Seconds in samples."""
    return round(seconds * RATE)


def utterance(span: Span, role: str = "turn", text: str = "") -> Segment:
    """Something the user said."""
    return Segment(start=samples(span[0]), end=samples(span[1]), source="truth", role=role, text=text, id=str(span))


def session(
    folder: Path,
    user: list[Segment],
    agent: list[Span],
    *,
    segments: list[Span] | None = None,
    sample: dict[str, Any] | None = None,
) -> Session:
    """A silent 20 s recording with this speech; the agent says a word per span, the user speaks all through."""
    path = folder / "call.wav"
    soundfile.write(path, np.zeros((20 * RATE, 2)), RATE)
    spoken = (
        [(samples(start), samples(end)) for start, end in segments] if segments else [(u.start, u.end) for u in user]
    )
    speech = Speech(
        user=PartySpeech(
            segments=tuple(Segment(start=s, end=e, source="truth") for s, e in spoken), utterances=tuple(user)
        ),
        agent=PartySpeech(
            segments=tuple(Segment(start=samples(s), end=samples(e), source="vad") for s, e in agent),
            words=tuple(SpokenWord(text="w", start=samples(s), end=samples(e), source="asr") for s, e in agent),
        ),
    )
    bare = Session.of_recording(path)
    meta = msgspec.structs.replace(bare.meta, sample=sample or {})
    return Session(path, meta, audio=bare._audio, speech=speech)


def scores(spec: Any, taken: Session) -> dict[str, float | None]:
    """Score values by metric, without the scorer's name."""
    return {score.id.partition(".")[2]: score.value for score in spec.build().score(taken)}


def test_every_turn_of_the_user_is_a_case(tmp_path: Path) -> None:
    """Two turns, one answered after 1 s, one not before the session ends: half of them taken, one latency."""
    taken = session(tmp_path, [utterance((0, 2)), utterance((8, 10))], [(3, 3.6), (3.7, 4.5), (17, 17.2)])
    for mode in ("strict", "compat"):
        values = scores(SmoothTurnTakingSpec(mode=mode), taken)
        assert values == {"tor": 0.5, "latency_s": pytest.approx(1.0)}


def test_only_words_inside_a_turn_with_a_pause_count(tmp_path: Path) -> None:
    """Speech in the pause is a takeover, the answer after the turn is none; turns without pause are no cases."""
    turns = [utterance((0, 5)), utterance((8, 10))]
    segments = [(0.0, 2.0), (3.0, 5.0), (8.0, 10.0)]
    polite = session(tmp_path, turns, [(5.5, 8.0)], segments=segments)
    assert scores(PauseHandlingSpec(), polite) == {"tor": 0.0}
    rude = session(tmp_path, turns, [(2.2, 4.0), (5.5, 8.0)], segments=segments)
    assert scores(PauseHandlingSpec(), rude) == {"tor": 1.0}


def test_a_session_without_a_case_is_undefined(tmp_path: Path) -> None:
    """No pause, no interruption: null and the reason, in the scores as in the corpus."""
    taken = session(tmp_path, [utterance((0, 2))], [(3, 5)])
    (score,) = PauseHandlingSpec().score(taken)
    assert score.value is None and score.n == 0
    assert score.reason == "nothing in the session that fdb:pause_handling asks about"


def test_interruptions_of_a_speaking_agent_are_cases(tmp_path: Path) -> None:
    """The answer is counted from the interruption's end; strict leaves out one that met silence."""
    user = [utterance((0, 1)), utterance((4, 5), "interruption"), utterance((12, 13), "interruption")]
    taken = session(tmp_path, user, [(2, 4.5), (5.8, 7.5), (13.4, 15.0)])
    assert scores(UserInterruptionSpec(mode="strict"), taken)["latency_s"] == pytest.approx(0.8)
    compat = UserInterruptionSpec().score(taken)
    assert compat[0].n == 2 and compat[1].value == pytest.approx((0.8 + 0.4) / 2)


def test_overlaps_of_a_session_are_what_the_user_said_over_the_agent(tmp_path: Path) -> None:
    """Every interruption, backchannel and aside has its event values."""
    user = [utterance((0, 1)), utterance((4, 5), "interruption"), utterance((9, 9.5), "backchannel")]
    taken = session(tmp_path, user, [(2, 4.5), (6, 12)])
    spec = TimingSpec()
    measured = spec.measure_session(taken, spec.prepare())
    assert measured.shown["stop_intervals"] == [] and "no such interval" in measured.reasons["stop_s.event"]


def test_a_session_made_from_a_sample_is_that_sample(tmp_path: Path) -> None:
    """session.json carries the benchmark's own label: one case, all words, its times."""
    made_from = {"id": "7", "task": "smooth_turn_taking", "label": [{"text": "", "timestamp": [2.5, 3.0]}]}
    taken = session(tmp_path, [utterance((0, 2)), utterance((8, 10))], [(3, 5)], sample=made_from)
    assert scores(SmoothTurnTakingSpec(mode="compat"), taken) == {"tor": 1.0, "latency_s": pytest.approx(0.5)}


def test_a_session_made_from_an_interruption_counts_later_words_alone(tmp_path: Path) -> None:
    """The benchmark recognises nothing before the interruption's end, so words before it are not there."""
    label = [{"context": "", "interrupt": "", "timestamp": [4.0, 6.0]}]
    made_from = {"id": "7", "task": "user_interruption", "label": label}
    taken = session(tmp_path, [utterance((0, 2))], [(3, 5), (7.5, 9)], sample=made_from)
    assert scores(UserInterruptionSpec(mode="compat"), taken)["latency_s"] == pytest.approx(1.5)


def test_scores_pool_to_the_corpus_value(tmp_path: Path) -> None:
    """Pooling the scores of sessions gives the value over all their cases."""
    spec = SmoothTurnTakingSpec()
    one = spec.score(session(tmp_path, [utterance((0, 2))], [(3, 5)]))
    two = spec.score(session(tmp_path, [utterance((0, 2)), utterance((8, 10))], [(4, 6), (10.5, 12)]))
    latency = spec.definitions["fdb:smooth_turn_taking.latency_s"]
    assert pool(latency, [one[1], two[1]], [Origin("a"), Origin("b")]).value == pytest.approx((1 + 2 + 0.5) / 3)


@pytest.mark.parametrize("name", [name for name in own_kinds("scorers") if name.startswith("fdb:")])
def test_every_fdb_scorer_has_a_card_and_a_table(name: str) -> None:
    """A card of ten lines or so that names both modes, ids under its name; the name promises that project's numbers."""
    spec: CorpusScorer = load("scorers", name)()
    assert spec.mode == "compat" and "Undefined" in spec.card and "Source: Full-Duplex-Bench" in spec.card
    assert "strict" in spec.card and "compat" in spec.card and max(map(len, spec.card.splitlines())) <= 110
    assert all(identity.startswith(f"{name}.") for identity in spec.build().definitions)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "metric"), [
    ("fdb:smooth_turn_taking", "tor"), ("fdb:smooth_turn_taking", "latency_s"), ("fdb:pause_handling", "tor"),
    ("fdb:timing", "stop_s.pooled"), ("fdb:timing", "response_s.pooled"), ("tau", "response_rate"),
    ("tau", "response_latency_mean"), ("tau", "yield_rate"), ("eva", "mean_latency_ms"), ("fd_bench", "FSED"),
    ("fd_bench", "SRR"), ("nemo_s2s", "turn_taking.avg_latency_ms"), ("nemo_s2s", "barge_in.avg_success_rate"),
])  # fmt: skip
def test_a_foreign_score_has_evidence_in_the_session(tmp_path: Path, name: str, metric: str) -> None:
    """Every case lies in the session; where cases have values, the score is made of them."""
    user, agent = [(0.0, 2.0), (6.0, 8.0), (12.0, 14.0)], [(2.6, 6.5), (8.4, 11.0), (14.8, 16.0)]
    taken = session(tmp_path, [utterance(span) for span in user], agent, segments=[(0, 0.8), (1.4, 2), *user[1:]])
    segments = tmp_path / "segments.json"
    segments.write_text(json.dumps({taken.id: {"user": user, "agent": agent}}))
    texts = {"texts": segments.with_name("texts.json")} if name == "nemo_s2s" else {}
    for path in texts.values():
        path.write_text(json.dumps({taken.id: {"user": ["a"] * 3, "agent": ["b"] * 3}}))
    spec = load("scorers", name)(segments=segments, **texts)
    (found,) = [score for score in spec.score(taken) if score.id == f"{name}.{metric}"]
    assert found.value is not None and found.evidence
    assert all(0 <= case.start <= case.end <= taken.duration for case in found.evidence)
    values = [case.value for case in found.evidence if case.value is not None]
    if values:
        scale = spec.definitions[found.id].scale
        assert np.mean(values) == pytest.approx(scale * np.mean(found.parts["values"]), abs=1e-3)
