"""The `tau` scorer on experiments, on damaged ones, and on our sessions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from metrics.compat.tau.scorer import TauSpec
from metrics.compat.tau.sessions import session_ticks
from simulator.errors import ScenarioError, SessionError
from simulator.session import Session
from simulator.speech import PartySpeech, Segment, Speech


def ticks(user: str, agent: str) -> list[dict[str, Any]]:
    """Ticks as they stand in a simulation file; x speaks."""
    return [
        {
            "tick_id": index,
            "user_chunk": {"role": "user", "contains_speech": one == "x", "turn_taking_action": None},
            "agent_chunk": {"role": "assistant", "contains_speech": other == "x"},
        }
        for index, (one, other) in enumerate(zip(user, agent, strict=True))
    ]


def experiment(folder: Path, simulations: dict[str, Any], info: dict[str, Any] | None = None) -> Path:
    """Write an experiment folder; a simulation that is text is written as it stands."""
    (folder / "simulations").mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps({"info": info or {}, "tasks": []}))
    for name, simulation in simulations.items():
        text = simulation if isinstance(simulation, str) else json.dumps({"id": name, "ticks": simulation})
        (folder / "simulations" / f"{name}.json").write_text(text)
    return folder


ANSWERED, IGNORED = ticks("xx......", "....xxx."), ticks("xx....xx..", "..........")


def test_rates_are_pooled_over_simulations(tmp_path: Path) -> None:
    """Counts of all simulations are added before dividing, and samples keep their own values."""
    result = TauSpec().score_corpus([experiment(tmp_path / "e", {"a": ANSWERED, "b": IGNORED + ANSWERED})])
    assert result.mode == "compat"
    assert result.n == 2
    assert result.metrics["response_rate"].value == 2 / 4
    assert result.metrics["response_rate"].n == 4
    assert result.metrics["response_latency_mean"].value == pytest.approx(0.4)
    assert result.metrics["counts.n_simulations"].value == 2
    assert [sample.id for sample in result.samples] == ["a", "b"]
    assert result.samples[0].metrics["response_rate"] == 1.0
    assert result.samples[1].metrics["counts.response_total"] == 3


def test_undefined_rates_are_null_with_a_reason(tmp_path: Path) -> None:
    """What never happened has no value, in either mode."""
    result = TauSpec().score_corpus([experiment(tmp_path / "e", {"a": ANSWERED})])
    metric = result.metrics["selectivity_vocal_tic"]
    assert metric.value is None
    assert metric.n == 0
    assert metric.reason == "no vocal tics"


def test_the_tick_length_is_the_experiments(tmp_path: Path) -> None:
    """Latencies follow tick_duration_seconds of results.json."""
    info = {"audio_native_config": {"tick_duration_seconds": 0.1}}
    result = TauSpec().score_corpus([experiment(tmp_path / "e", {"a": ANSWERED}, info)])
    assert result.metrics["response_latency_mean"].value == pytest.approx(0.2)


def test_damaged_simulations_are_told_and_do_not_stop_the_rest(tmp_path: Path) -> None:
    """A file that is no JSON, one without ticks and one of another form are skipped with a note each."""
    broken = {"a": ANSWERED, "cut": '{"ticks": [', "text": "{}", "odd": '{"ticks": [1, 2]}'}
    result = TauSpec().score_corpus([experiment(tmp_path / "e", broken)])
    notes = {sample.id: " ".join(sample.notes) for sample in result.samples}
    assert result.n == 1
    assert result.metrics["counts.n_simulations"].value == 1
    assert "is not JSON" in notes["cut"]
    assert "no ticks" in notes["text"]
    assert "form" in notes["odd"]
    assert result.samples[[*notes].index("cut")].metrics["response_rate"] is None


def test_several_domains_are_averaged_not_pooled(tmp_path: Path) -> None:
    """Over domains a value is the plain mean of theirs, counts are sums, each domain's own are added."""
    for name, simulation in (("retail", ANSWERED), ("airline", IGNORED + ANSWERED)):
        experiment(tmp_path / name, {"same": simulation}, {"environment_info": {"domain_name": name}})
    result = TauSpec().score_corpus([tmp_path])
    assert result.metrics["response_rate"].value == (1 + 1 / 3) / 2
    assert result.metrics["response_rate"].n == 2
    assert result.metrics["counts.response_total"].value == 4
    assert result.metrics["airline:response_rate"].value == 1 / 3
    assert result.metrics["selectivity_vocal_tic"].value is None
    assert [sample.id for sample in result.samples] == ["airline/same", "retail/same"]


def test_an_experiment_without_simulations_is_refused(tmp_path: Path) -> None:
    """A wholly unusable input raises one sentence."""
    with pytest.raises((ScenarioError, SessionError), match="simulation"):
        TauSpec().score_corpus([experiment(tmp_path / "e", {})])


def test_an_unreadable_experiment_does_not_stop_another(tmp_path: Path) -> None:
    """Beside an experiment that can be read, an empty one is a skipped sample with a note."""
    experiment(tmp_path / "good", {"a": ANSWERED})
    experiment(tmp_path / "empty", {})
    result = TauSpec().score_corpus([tmp_path])
    assert result.metrics["response_rate"].value == 1.0
    assert [bool(sample.notes) for sample in result.samples] == [True, False]


def recording(path: Path, seconds: float = 4.0) -> Path:
    """A stereo file of silence."""
    soundfile.write(path, np.zeros((round(seconds * 8000), 2), np.float32), 8000)
    return path


def test_a_refused_recording_does_not_stop_the_rest(tmp_path: Path) -> None:
    """A mono file and channels that are identical are told, with nulls, between files that are scored."""
    recording(tmp_path / "b.wav")
    soundfile.write(tmp_path / "a.wav", np.zeros(8000, np.float32), 8000)
    tone = np.sin(np.arange(16000) * 0.3).astype(np.float32)
    soundfile.write(tmp_path / "c.wav", np.stack([tone, tone], axis=1), 8000)
    (tmp_path / "segments.json").write_text(json.dumps({"b": {"user": [[0.1, 0.9]], "agent": [[1.65, 3.0]]}}))
    result = TauSpec(segments=tmp_path / "segments.json").score_corpus([tmp_path])
    assert [sample.id for sample in result.samples] == ["a", "b", "c"]
    assert [sample.metrics["response_rate"] for sample in result.samples] == [None, 1.0, None]
    assert "stereo" in result.samples[0].notes[0]
    assert "same sound" in result.samples[2].notes[0]


def test_a_stereo_file_is_scored_from_given_segments(tmp_path: Path) -> None:
    """segments=FILE replaces annotation; any sample of speech fills its tick of 0.2 s."""
    recording(tmp_path / "call.wav")
    (tmp_path / "segments.json").write_text(json.dumps({"call": {"user": [[0.1, 0.9]], "agent": [[1.65, 3.0]]}}))
    result = TauSpec(segments=tmp_path / "segments.json").score_corpus([tmp_path / "call.wav"])
    assert result.metrics["response_latency_mean"].value == pytest.approx(0.6)


def test_roles_of_utterances_become_actions_and_inserts(tmp_path: Path) -> None:
    """A backchannel's first tick has its action; an aside is an insert in silence and no speech."""
    session = Session.of_recording(recording(tmp_path / "s.wav"))

    def said(start_s: float, end_s: float, role: str) -> Segment:
        return Segment(start=round(start_s * 8000), end=round(end_s * 8000), source="truth", role=role, text="hm")

    utterances = (said(0.0, 0.35, "turn"), said(1.0, 1.1, "backchannel"), said(2.0, 2.5, "aside"))
    speech = Speech(
        user=PartySpeech(segments=utterances, utterances=utterances),
        agent=PartySpeech(segments=(Segment(start=8000, end=9000, source="vad"),)),
    )
    found = session_ticks(session.with_speech(speech), 0.2)
    assert [index for index, tick in enumerate(found) if tick.user] == [0, 1, 5]
    assert [index for index, tick in enumerate(found) if tick.action] == [5]
    assert [index for index, tick in enumerate(found) if tick.inserts] == [10]
    assert [index for index, tick in enumerate(found) if tick.agent] == [5]
    assert len(found) == 20
