"""The `nemo_s2s` scorer on results folders: fresh rows, kept rows, damaged rows, its own files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from metrics.compat.nemo.s2s import EndTimes, NemoS2sSpec
from simulator.errors import ScenarioError, SessionError
from simulator.plugins import load
from simulator.score import value_of
from simulator.session import Session
from simulator.spec import decode

USER, AGENT = [[1.0, 2.5], [6.0, 7.0]], [[3.0, 5.0], [7.5, 9.0]]


def row(name: str, **fields: Any) -> dict[str, Any]:
    """A generated row with an alignment of 125 frames."""
    heard, meant = ["<SPECIAL_12>"] * 125, ["<SPECIAL_12>"] * 125
    heard[14], heard[20], meant[40], meant[42] = " book", " table", " of", " course"
    alignment = {"frame_idx": list(range(125)), "asr_stream_decoded": heard, "agent_stream_decoded": meant}
    return {
        "audio_path": f"data/{name}.flac",
        "generation": "",
        "audio": {"path": f"/elsewhere/{name}.wav"},
        "debug_info": {"total_frames": 125, "frame_alignment": alignment},
    } | fields


def results(folder: Path, rows: list[Any], *, sound: bool = True, name: str = "output.jsonl") -> Path:
    """Write a results folder; a row that is text is written as it stands. Sound: 10 s of stereo silence."""
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    lines = [one if isinstance(one, str) else json.dumps(one) for one in rows]
    (folder / name).write_text("\n".join(lines) + "\n")
    for one in rows:
        if sound and isinstance(one, dict) and "audio" in one:
            path = folder / "audio" / Path(one["audio"]["path"]).name
            soundfile.write(path, np.zeros((80000, 2), np.float32), 8000)
    return folder


def given(folder: Path, name: str, value: Any) -> Path:
    """Write an option's file."""
    (folder / name).write_text(json.dumps(value))
    return folder / name


def options(folder: Path, **fields: Any) -> NemoS2sSpec:
    """A scorer for samples `a` and `b` whose segments and texts are known."""
    sides = {"user": USER, "agent": AGENT}
    texts = {"user": ["Book a table.", ""], "agent": ["Of course", "and more"]}
    return NemoS2sSpec(
        segments=given(folder, "segments.json", {"a": sides, "b": sides}),
        texts=given(folder, "texts.json", {"a": texts, "b": texts}),
        **fields,
    )


def test_a_row_is_scored_from_given_segments_and_texts(tmp_path: Path) -> None:
    """Numbers that can be checked by hand, under the original's dotted names."""
    result = options(tmp_path).score_corpus([results(tmp_path / "r", [row("a")])])
    values = {name: metric.value for name, metric in result.metrics.items()}
    assert values["turn_taking.avg_latency_ms"] == 500.0
    assert values["turn_taking.avg_precision"] == 100.0
    assert values["turn_taking.avg_recall"] == 100.0
    assert values["user_speech.avg_wer"] == pytest.approx(100 / 3)  # "a" was not heard
    assert values["agent_speech.avg_wer"] == 100.0  # two words nobody meant to say over two that were
    assert values["agent_speech.hallucination_rate"] == 50.0
    assert values["user_speech.out_of_bounds_word_ratio"] == 0.0
    assert values["num_samples_evaluated"] == 1
    assert result.samples[0].id == "a"
    assert result.samples[0].metrics["turn_taking"]["latency"] == 0.5


def test_stamps_come_before_detection(tmp_path: Path) -> None:
    """The agent's stamped text gives its segments; use_audio_segmentation ignores it."""
    folder = results(tmp_path / "r", [row("a", generation="<|3.04|>of course<$4.0$>")])
    stamped = options(tmp_path).score_corpus([folder]).samples[0].metrics
    assert [part["start"] for part in stamped["agent_speech"]["per_segment"]] == [3.04]
    heard = options(tmp_path, use_audio_segmentation=True).score_corpus([folder]).samples[0].metrics
    assert [part["start"] for part in heard["agent_speech"]["per_segment"]] == [3.0, 7.5]


def test_what_was_never_measured_is_a_sentinel_or_null(tmp_path: Path) -> None:
    """Compat gives the original's 9999 and 0 with the reason `sentinel`; strict gives null."""
    folder = results(tmp_path / "r", [row("a")])
    nobody = given(tmp_path, "nobody.json", {"a": {"user": [], "agent": []}})
    compat = NemoS2sSpec(segments=nobody).score_corpus([folder])
    strict = NemoS2sSpec(segments=nobody, mode="strict").score_corpus([folder])
    assert compat.samples[0].metrics["turn_taking"]["latency"] == 9999.0
    assert strict.samples[0].metrics["turn_taking"]["latency"] is None
    for name in ("turn_taking.avg_latency_ms", "barge_in.avg_latency_ms", "backchanneling.avg_accuracy"):
        assert (compat.metrics[name].value, compat.metrics[name].reason) == (0.0, "sentinel"), name
        assert strict.metrics[name].value is None, name
        assert strict.metrics[name].reason != "sentinel", name
    assert compat.metrics["turn_taking.avg_precision"].value == 0.0
    assert strict.metrics["turn_taking.avg_precision"].value is None
    assert "no speech of the user was found" in compat.samples[0].notes


def test_backchannel_times_are_one_list_for_all_rows(tmp_path: Path) -> None:
    """Accuracy over end_time: inside the agent's speech it must still speak a threshold later."""
    result = options(tmp_path, end_time=EndTimes((0.0, 3.2, 4.0, 8.9))).score_corpus(
        [results(tmp_path / "r", [row("a")])]
    )
    assert result.samples[0].metrics["backchanneling"]["failures"] == [False, False, True, True]
    assert result.metrics["backchanneling.avg_accuracy"].value == 50.0
    assert result.metrics["backchanneling.avg_accuracy"].reason is None


@pytest.mark.parametrize("written", ["[1,2.5]", "1, 2.5", [1, 2.5]])
def test_end_times_are_read_as_the_original_reads_them(written: object) -> None:
    """With or without brackets, or as a list."""
    spec = decode({"kind": "nemo_s2s", "end_time": written}, load("scorers", "nemo_s2s"), source="x", folder=Path())
    assert spec.end_time == (1.0, 2.5)


def test_end_times_that_are_no_numbers_are_refused() -> None:
    """The sentence says what is expected."""
    with pytest.raises(ScenarioError, match=r"expected times such as"):
        decode({"kind": "nemo_s2s", "end_time": "soon"}, load("scorers", "nemo_s2s"), source="x", folder=Path())


def test_what_is_written_scores_the_same_without_audio(tmp_path: Path) -> None:
    """output_with_eval.jsonl is enough: the same tree where no words per second are counted."""
    folder = results(tmp_path / "r", [row("a"), row("b")])
    first = options(tmp_path, write=tmp_path / "out").score_corpus([folder])
    results(
        tmp_path / "kept",
        (tmp_path / "out" / "output_with_eval.jsonl").read_text().splitlines(),
        name="output_with_eval.jsonl",
    )
    again = NemoS2sSpec().score_corpus([tmp_path / "kept"])
    for name, metric in first.metrics.items():
        assert again.metrics[name].value == metric.value, name
    assert [sample.metrics for sample in again.samples] == [sample.metrics for sample in first.samples]


def test_kept_lines_are_preferred_unless_all_is_computed_anew(tmp_path: Path) -> None:
    """force_recompute goes back to output.jsonl and its sound."""
    folder = results(tmp_path / "r", [row("a")])
    kept = {
        "original_entry": row("a"),
        "segmentation": {
            "user_segments": [{"start": 1, "end": 2}],
            "agent_segments": [{"start": 3, "end": 4}],
        },
        "transcription": {"user": {"1.000-2.000": "hi"}, "agent": {}},
    }
    results(folder, [kept], sound=False, name="output_with_eval.jsonl")
    assert options(tmp_path).score_corpus([folder]).metrics["turn_taking.avg_latency_ms"].value == 1000.0
    anew = options(tmp_path, force_recompute=True).score_corpus([folder])
    assert anew.metrics["turn_taking.avg_latency_ms"].value == 500.0


def test_the_originals_files_are_written(tmp_path: Path) -> None:
    """metrics.json with its field names, a line and two questions per sample; never into the input."""
    folder = results(tmp_path / "r", [row("a"), "not json"])
    options(tmp_path, write=tmp_path / "out").score_corpus([folder])
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert set(metrics) == {"dataset_metrics", "args"}
    assert set(metrics["dataset_metrics"]) == {
        "turn_taking",
        "barge_in",
        "backchanneling",
        "user_speech",
        "agent_speech",
        "num_samples_evaluated",
    }
    assert metrics["dataset_metrics"]["num_samples_evaluated"] == 1
    (line,) = (tmp_path / "out" / "output_with_eval.jsonl").read_text().splitlines()
    assert set(json.loads(line)) == {"original_entry", "eval_metrics", "segmentation", "transcription"}
    assert json.loads(line)["transcription"]["user"]["1.000-2.500"] == "Book a table."
    asked = [json.loads(one) for one in (tmp_path / "out" / "llm_judge_input.jsonl").read_text().splitlines()]
    assert [one["item_id"] for one in asked] == ["a.flac_full", "a.flac_sounded"]
    assert asked[0]["category"] == "open"
    assert asked[0]["subset_for_metrics"] == "full"
    with pytest.raises(ScenarioError, match="never written to"):
        options(tmp_path, write=folder / "inside").score_corpus([folder])


def test_ratings_enter_the_table_and_the_samples(tmp_path: Path) -> None:
    """Compat looks samples up without the file's suffix, which its own ids carry; strict finds them."""
    folder = results(tmp_path / "r", [row("a")])
    replies = tmp_path / "replies.jsonl"
    replies.write_text(
        "\n".join(
            json.dumps({"item_id": f"a.flac_{subset}", "generation": text})
            for subset, text in (("full", "Good. Rating: 4"), ("sounded", "Rating: ?"))
        )
    )
    compat = options(tmp_path, judge_replies=replies, write=tmp_path / "out").score_corpus([folder])
    raw = [json.loads(line)["generation"] for line in (tmp_path / "out" / "judge.jsonl").read_text().splitlines()]
    assert raw == ["Good. Rating: 4", "Rating: ?"]
    assert compat.metrics["llm_judge.overall.avg_rating"].value == 4.0
    assert compat.metrics["llm_judge.full.judge_score"].value == 80.0
    assert "llm_judge.sounded.count" not in compat.metrics
    assert compat.samples[0].metrics["llm_judge_scores"]["full"]["rating"] is None
    assert any("a.flac_sounded" in note for note in compat.samples[0].notes)
    strict = options(tmp_path, judge_replies=replies, mode="strict").score_corpus([folder])
    assert strict.samples[0].metrics["llm_judge_scores"]["full"] == {"rating": 4.0, "score": 80.0}


def test_damaged_rows_are_told_and_do_not_stop_the_rest(tmp_path: Path) -> None:
    """No JSON, no object, no sound, mono, an unreadable stamp, odd kept segments: skipped with a note."""
    odd = {
        "original_entry": row("odd"),
        "segmentation": {"user_segments": [{"start": "x"}]},
        "transcription": {"user": 1},
    }
    folder = results(tmp_path / "r", [row("a"), "{", "[1]", row("mono"), row("stamp", generation="<|1.2.3|>"), odd])
    results(
        folder,
        [row("a"), "{", "[1]", row("gone"), row("mono"), row("stamp", generation="<|1.2.3|>"), odd],
        sound=False,
    )
    soundfile.write(folder / "audio" / "mono.wav", np.zeros(8000), 8000)
    result = options(tmp_path).score_corpus([folder])
    notes = {sample.id: " ".join(sample.notes) for sample in result.samples}
    assert result.n == 1
    assert result.metrics["num_samples_evaluated"].value == 1
    assert notes["a"] == ""
    assert "not JSON" in notes["output.jsonl:2"]
    assert "object" in notes["output.jsonl:3"]
    assert "missing" in notes["gone"]
    assert "channel" in notes["mono"]
    assert "stamp" in notes["stamp"]
    assert "kept" in notes["odd"]
    assert all(sample.metrics["user_speech.avg_wer"] is None for sample in result.samples if sample.id != "a")


def test_a_broken_alignment_is_told_and_odd_tokens_are_empty(tmp_path: Path) -> None:
    """Frames that are no numbers skip the row; a token that is no text counts as silence."""
    broken, odd = row("a"), row("b")
    broken["debug_info"]["frame_alignment"]["frame_idx"][3] = "x"
    odd["debug_info"]["frame_alignment"]["asr_stream_decoded"][14] = None
    result = options(tmp_path).score_corpus([results(tmp_path / "r", [broken, odd])])
    assert "frame_idx" in result.samples[0].notes[0]
    assert result.samples[1].metrics["user_speech"]["per_segment"][0]["hypothesis"] == "table"


def test_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    """An empty file raises; beside another folder it is a sample with a note."""
    empty = results(tmp_path / "empty", [])
    with pytest.raises(SessionError, match="no rows"):
        NemoS2sSpec().score_corpus([empty])
    both = options(tmp_path).score_corpus([empty, results(tmp_path / "r", [row("a")])])
    assert both.n == 1
    assert len(both.samples) == 2


def test_texts_that_do_not_fit_the_segments_are_told(tmp_path: Path) -> None:
    """A list of another length is used as far as it goes, with a note."""
    spec = NemoS2sSpec(
        segments=given(tmp_path, "s.json", {"a": {"user": USER, "agent": AGENT}}),
        texts=given(tmp_path, "t.json", {"a": {"user": ["book"], "agent": ["of course", ""]}}),
    )
    result = spec.score_corpus([results(tmp_path / "r", [row("a")])])
    assert result.samples[0].notes == ["1 texts are given for 2 segments of the user"]


def test_rows_with_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    """A name that repeats in a folder is numbered; two folders give their names in front."""
    folder = results(tmp_path / "r", [row("a"), row("a")])
    assert [sample.id for sample in options(tmp_path).score_corpus([folder]).samples] == ["a", "a#2"]
    two = options(tmp_path).score_corpus([folder, results(tmp_path / "q", [row("a")])])
    assert [sample.id for sample in two.samples] == ["r/a", "r/a#2", "q/a"]


def test_a_stereo_file_is_scored_without_texts(tmp_path: Path) -> None:
    """A recording of ours has timing scores; what needs the model's own text is null."""
    soundfile.write(tmp_path / "a.wav", np.zeros((80000, 2), np.float32), 8000)
    result = options(tmp_path).score_corpus([tmp_path / "a.wav"])
    assert result.metrics["turn_taking.avg_latency_ms"].value == 500.0
    assert result.metrics["agent_speech.avg_wer"].value is None


def test_a_refused_recording_does_not_stop_the_rest(tmp_path: Path) -> None:
    """A mono file is told, with nulls; what is written belongs to the files that are scored."""
    sound = tmp_path / "sound"
    sound.mkdir()
    soundfile.write(sound / "a.wav", np.zeros(80000, np.float32), 8000)
    soundfile.write(sound / "b.wav", np.zeros((80000, 2), np.float32), 8000)
    result = options(tmp_path, write=tmp_path / "out").score_corpus([sound])
    assert [sample.id for sample in result.samples] == ["a", "b"]
    assert "stereo" in result.samples[0].notes[0]
    assert result.samples[1].metrics["turn_taking"]["latency"] == 0.5
    (line,) = (tmp_path / "out" / "output_with_eval.jsonl").read_text().splitlines()
    assert json.loads(line)["original_entry"]["audio_path"] == "b.wav"


def test_scores_of_a_session_carry_their_unit(tmp_path: Path) -> None:
    """A score is in the unit of its metric, ms and percent: its card scales the parts, which are what was measured."""
    soundfile.write(tmp_path / "a.wav", np.zeros((80000, 2), np.float32), 8000)
    spec = options(tmp_path)
    scores = {score.id: score for score in spec.build().score(Session.of_recording(tmp_path / "a.wav"))}
    latency = scores["nemo_s2s.turn_taking.avg_latency_ms"]
    assert latency.value == 500.0
    assert value_of(spec.definitions[latency.id], latency.parts) == 500.0
    precision = scores["nemo_s2s.turn_taking.avg_precision"]
    assert precision.value == 100.0 and precision.parts == {"values": [1.0]}
