"""Full-Duplex-Bench's three word tasks: pause handling, smooth turn taking, user interruption."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from metrics.compat.fdb.pause_handling import PauseHandlingSpec
from metrics.compat.fdb.smooth_turn_taking import SmoothTurnTakingSpec
from metrics.compat.fdb.user_interruption import UserInterruptionSpec, parse_rating, parse_rating_strictly
from simulator import clock
from simulator.errors import ScenarioError
from simulator.scoring.corpus import CorpusResult, CorpusScorer
from tests.fdb_folders import rule_r, silence, spoken, voiced, words, write_sample

TURN = [{"text": "[TURN-TAKING]", "timestamp": [2.0, 2.5]}]
INTERRUPT = [{"context": "books?", "interrupt": "no, films", "timestamp": [4.0, 6.0]}]


def by_id(result: CorpusResult) -> dict[str, dict[str, Any]]:
    """What each sample holds."""
    return {sample.id: sample.metrics for sample in result.samples}


def notes(result: CorpusResult, name: str) -> str:
    """All notes of a sample."""
    return "; ".join(next(sample.notes for sample in result.samples if sample.id == name))


# --- pause handling


def test_every_word_file_enters_in_compat(tmp_path: Path) -> None:
    """clean_output.json counts beside output.json, in the sample and over the corpus's files."""
    write_sample(tmp_path / "1", {"output.json": spoken(0, 5), "clean_output.json": words()})
    write_sample(tmp_path / "2", {"output.json": words(("hm", 1.0, 1.2))})
    write_sample(tmp_path / "10", {"x_output.json": spoken(0, 5)})
    result = PauseHandlingSpec(mode="compat").score_corpus([tmp_path])
    assert by_id(result) == {
        "1": {"tor": 0.5, "n_files": 2},
        "2": {"tor": 0.0, "n_files": 1},
        "10": {"tor": 1.0, "n_files": 1},
    }
    assert result.metrics["tor"].value == 2 / 4 and result.metrics["tor"].n == 4 and result.n == 3


def test_the_last_start_stands_in_for_a_missing_end(tmp_path: Path) -> None:
    """Pause handling takes a last word without end as a moment and says so."""
    write_sample(tmp_path / "1", {"output.json": words(("a", 1.0, 1.1), ("b", 2.0, None))})
    result = PauseHandlingSpec(mode="compat").score_corpus([tmp_path])
    assert by_id(result)["1"]["tor"] == 1.0
    assert "word 2 has no end" in notes(result, "1")


def test_strict_pauses_count_from_the_first_pause_on(tmp_path: Path) -> None:
    """Words over the user before the pause answer no pause; without pause.json every word counts."""
    pause = [{"text": "[PAUSE]", "timestamp": [3.0, 3.8]}]
    write_sample(tmp_path / "1", {"output.json": spoken(0, 5), "pause.json": pause})
    write_sample(tmp_path / "2", {"output.json": spoken(3.1, 5), "pause.json": pause})
    write_sample(tmp_path / "3", {"output.json": spoken(0, 5)})
    result = PauseHandlingSpec(mode="strict").score_corpus([tmp_path])
    assert [sample["tor"] for sample in by_id(result).values()] == [0.0, 1.0, 1.0]
    assert "pause.json: missing" in notes(result, "3")
    compat = PauseHandlingSpec(mode="compat").score_corpus([tmp_path])
    assert [sample["tor"] for sample in by_id(compat).values()] == [1.0, 1.0, 1.0]


def test_a_corpus_without_words_is_undefined(tmp_path: Path) -> None:
    """Where the original divides by zero there is null and a reason; every folder is told of."""
    write_sample(tmp_path / "1", {"pause.json": []})
    write_sample(tmp_path / "2", {"notes.txt": "nothing known"})
    result = PauseHandlingSpec(mode="compat").score_corpus([tmp_path])
    assert result.metrics["tor"].value is None and result.metrics["tor"].reason == "output.json: missing"
    assert result.n == 0 and [sample.id for sample in result.samples] == ["1", "2"]
    assert by_id(result)["1"] == {"tor": None, "n_files": 0}


def test_broken_files_are_told_and_the_rest_is_scored(tmp_path: Path) -> None:
    """What is no JSON, or of the wrong shape, is named in the sample's notes."""
    write_sample(tmp_path / "1", {"output.json": "{'no': json"})
    write_sample(tmp_path / "2", {"output.json": {"chunks": [{"text": "a", "timestamp": "soon"}]}})
    write_sample(tmp_path / "3", {"output.json": '{"text": "", "chunks": [{"text": "a", "timestamp": [NaN, 1.0]}]}'})
    write_sample(tmp_path / "4", {"output.json": spoken(0, 5)})
    result = PauseHandlingSpec(mode="compat").score_corpus([tmp_path])
    assert result.metrics["tor"].value == 1.0 and result.metrics["tor"].n == 1
    assert "output.json: is not JSON" in notes(result, "1")
    assert "expected `array`" in notes(result, "2")
    assert "word 1 has no start" in notes(result, "3")


def test_words_out_of_order_are_told_and_sorted_only_when_strict(tmp_path: Path) -> None:
    """compat keeps the file's order as the original does; strict puts words in time order."""
    write_sample(tmp_path / "1", {"output.json": words(("b", 5.0, 5.1), ("a", 0.0, 0.1))})
    compat = PauseHandlingSpec(mode="compat").score_corpus([tmp_path])
    assert by_id(compat)["1"]["tor"] == 0.0 and "word 2 starts before word 1" in notes(compat, "1")
    assert by_id(PauseHandlingSpec(mode="strict").score_corpus([tmp_path]))["1"]["tor"] == 1.0


# --- smooth turn taking


def test_latency_is_from_the_start_of_the_gap(tmp_path: Path) -> None:
    """The user's turn ends where the gap starts; latency enters for takeovers alone, not below 0."""
    write_sample(tmp_path / "1", {"output.json": spoken(3.5, 5), "turn_taking.json": TURN})
    write_sample(tmp_path / "2", {"output.json": words(("hm", 1.0, 1.2)), "turn_taking.json": TURN})
    write_sample(tmp_path / "3", {"output.json": spoken(0.5, 9), "turn_taking.json": TURN})
    result = SmoothTurnTakingSpec(mode="compat").score_corpus([tmp_path])
    samples = by_id(result)
    assert samples["1"] == {"tor": 1.0, "latency_s": 1.5, "latency_raw_s": 1.5}
    assert samples["2"] == {"tor": 0.0, "latency_s": None, "latency_raw_s": None}
    assert samples["3"] == {"tor": 1.0, "latency_s": 0.0, "latency_raw_s": -1.5}
    assert result.metrics["tor"].value == 2 / 3
    assert result.metrics["latency_s"].value == 0.75 and result.metrics["latency_s"].n == 2


def test_strict_latency_needs_something_to_wait_for(tmp_path: Path) -> None:
    """An agent in the middle of a word at the turn's end has no latency; earlier words are not the answer."""
    write_sample(tmp_path / "1", {"output.json": spoken(0.5, 12, 0.37), "turn_taking.json": TURN})
    early = words(("mm-hm", 1.0, 1.2), *((f"w{i}", 3.0 + i, 3.5 + i) for i in range(3)))
    write_sample(tmp_path / "2", {"output.json": early, "turn_taking.json": TURN})
    samples = by_id(SmoothTurnTakingSpec(mode="strict").score_corpus([tmp_path]))
    assert samples["1"]["tor"] == 1.0 and samples["1"]["latency_s"] is None
    assert samples["2"]["latency_s"] == 1.0 and samples["2"]["latency_raw_s"] == -1.0


@pytest.mark.parametrize("mode", ["compat", "strict"])
def test_a_crash_of_the_original_is_null_with_a_reason(tmp_path: Path, mode: Any) -> None:
    """A last word without end, a missing label: null, the reason in the notes, nothing shifts to other samples."""
    write_sample(tmp_path / "1", {"output.json": words(("a", 3.0, 3.1), ("b", 4.0, None)), "turn_taking.json": TURN})
    write_sample(tmp_path / "2", {"output.json": spoken(3.0, 5)})
    write_sample(tmp_path / "3", {"output.json": spoken(4.0, 5), "turn_taking.json": TURN})
    result = SmoothTurnTakingSpec(mode=mode).score_corpus([tmp_path])
    samples = by_id(result)
    assert samples["1"] == samples["2"] == {"tor": None, "latency_s": None, "latency_raw_s": None}
    assert "the last word has no end" in notes(result, "1") and "turn_taking.json: missing" in notes(result, "2")
    assert samples["3"]["latency_s"] == 2.0 and result.n == 1


def test_no_takeover_anywhere_leaves_latency_undefined(tmp_path: Path) -> None:
    """The original dies on an empty mean; here it is null with the reason."""
    write_sample(tmp_path / "1", {"output.json": words(), "turn_taking.json": TURN})
    metric = SmoothTurnTakingSpec(mode="compat").score_corpus([tmp_path]).metrics["latency_s"]
    assert metric.value is None and metric.n == 0 and metric.reason == "the agent did not take the turn"


# --- user interruption


def replies(folder: Path, content: Any) -> Path:
    """Write a file of judge replies."""
    path = folder / "replies.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


GOOD = "Analysis: it fits.\nI would rate the AI's response as 4."


def interruption_root(folder: Path) -> Path:
    """Three samples: two takeovers, one silence."""
    root = folder / "root"
    write_sample(root / "1", {"output.json": spoken(7.0, 5), "interrupt.json": INTERRUPT})
    write_sample(root / "2", {"output.json": spoken(5.0, 9), "interrupt.json": INTERRUPT})
    write_sample(root / "3", {"output.json": words(), "interrupt.json": INTERRUPT})
    return root


def test_unparsed_replies_enter_tor_again_in_compat(tmp_path: Path) -> None:
    """compat lets a sample's tor enter once more per unparsed reply; a silent sample is not judged at all."""
    file = replies(tmp_path, {"1": ["what?", "4 of 5", GOOD, "unused"], "2": [GOOD], "3": [GOOD]})
    spec = UserInterruptionSpec(mode="compat", judge_replies=file)
    result = spec.score_corpus([interruption_root(tmp_path)])
    samples = by_id(result)
    assert samples["1"] == {"tor": 1.0, "latency_s": 1.0, "rating": 4.0, "judge_calls": 3}
    assert samples["2"] == {"tor": 1.0, "latency_s": 0.0, "rating": 4.0, "judge_calls": 1}
    assert samples["3"] == {"tor": 0.0, "latency_s": None, "rating": None, "judge_calls": 0}
    assert result.metrics["tor"].value == 4 / 5 and result.metrics["tor"].n == 5
    assert result.metrics["latency_s"].value == 0.5 and result.metrics["rating"].n == 2


def test_asking_is_bounded(tmp_path: Path) -> None:
    """After judge_tries replies the rating is null with the reason; strict lets tor enter once."""
    file = replies(tmp_path, {"1": ["no"] * 50, "2": [GOOD]})
    root = interruption_root(tmp_path)
    compat = UserInterruptionSpec(mode="compat", judge_replies=file, judge_tries=5).score_corpus([root])
    assert by_id(compat)["1"]["judge_calls"] == 5 and by_id(compat)["1"]["rating"] is None
    assert compat.metrics["tor"].n == 1 + 5 + 1 + 1
    assert "none of 5 judge replies could be parsed" in notes(compat, "1")
    strict = UserInterruptionSpec(mode="strict", judge_replies=file).score_corpus([root])
    assert strict.metrics["tor"].n == 3


def test_replies_may_be_lines(tmp_path: Path) -> None:
    """JSONL of {item_id, generation} is consumed in order per id."""
    lines = "\n".join(
        json.dumps({"item_id": name, "generation": text})
        for name, text in (("1", "?"), ("2", GOOD), ("1", GOOD.replace("4", "2")))
    )
    spec = UserInterruptionSpec(mode="compat", judge_replies=replies(tmp_path, lines))
    samples = by_id(spec.score_corpus([interruption_root(tmp_path)]))
    assert samples["1"]["rating"] == 2.0 and samples["1"]["judge_calls"] == 2 and samples["2"]["rating"] == 4.0


@pytest.mark.parametrize(
    ("reply", "compat", "strict"),
    [
        (GOOD, 4.0, 4.0),
        ("Analysis: a\nI would rate the AI's response as 4.5", 4.0, 4.5),
        ("Analysis: a\nI would rate the AI's response as [3]", None, 3.0),
        ("I would rate the AI's response as 3", None, 3.0),
        ("Analysis: a I would rate the AI's response as 3", None, 3.0),
        (
            "Analysis: a\nI would rate the AI's response as 1\nAnalysis: b\nI would rate the AI's response as 5",
            5.0,
            5.0,
        ),
        ("Analysis: a\nI would rate the AI's response as 9", 9.0, None),
        ("", None, None),
    ],
)
def test_what_a_rating_is_read_from(reply: str, compat: float | None, strict: float | None) -> None:
    """compat reads the original's exact form; strict reads decimals and brackets, but only 0 to 5."""
    assert parse_rating(reply) == compat and parse_rating_strictly(reply) == strict


def test_samples_lie_at_any_depth_and_are_named_by_path(tmp_path: Path) -> None:
    """Sub-folders are visited recursively; repeated names become paths relative to the root."""
    for place in ("1", "a/1", "a/b/7"):
        write_sample(tmp_path / place, {"output.json": spoken(7, 5), "interrupt.json": INTERRUPT})
    result = UserInterruptionSpec(mode="compat").score_corpus([tmp_path])
    assert sorted(by_id(result)) == ["1", "a/1", "a/b/7"]


def test_strict_leaves_out_agents_that_were_silent(tmp_path: Path) -> None:
    """Nobody is interrupted who does not speak: judged by level before the interruption, or by given segments."""
    files = {"output.json": spoken(7, 5), "interrupt.json": INTERRUPT}
    write_sample(tmp_path / "1", {**files, "output.wav": voiced([(0, 4.5)], 10)})
    write_sample(tmp_path / "2", {**files, "output.wav": voiced([(0, 3.2), (7, 9)], 10)})
    write_sample(tmp_path / "3", {**files, "output.wav": silence(10)})
    result = UserInterruptionSpec(mode="strict").score_corpus([tmp_path])
    assert [sample["tor"] for sample in by_id(result).values()] == [1.0, None, None]
    assert result.metrics["tor"].n == 1 and "silent when the user interrupted" in notes(result, "3")
    segments = tmp_path / "segments.json"
    segments.write_text(json.dumps({"1": {"agent": []}, "3": {"agent": [[0, 5]]}}))
    given = UserInterruptionSpec(mode="strict", segments=segments).score_corpus([tmp_path])
    assert [sample["tor"] for sample in by_id(given).values()] == [None, None, 1.0]


def test_a_ready_rating_is_taken_when_there_is_no_judge(tmp_path: Path) -> None:
    """rating.json of an earlier run counts without a judge, and the note says so."""
    write_sample(
        tmp_path / "1",
        {"output.json": spoken(7, 5), "interrupt.json": INTERRUPT, "rating.json": {"analysis": "", "rating": 3}},
    )
    result = UserInterruptionSpec(mode="compat").score_corpus([tmp_path])
    assert by_id(result)["1"]["rating"] == 3.0 and "rating.json" in notes(result, "1")


def test_unusable_options_are_refused(tmp_path: Path) -> None:
    """A file of replies that is none, a missing file of segments: one sentence before anything is scored."""
    root = interruption_root(tmp_path)
    with pytest.raises(ScenarioError, match=r"judge_replies=.*expected"):
        UserInterruptionSpec(mode="strict", judge_replies=replies(tmp_path, "[1, 2]")).score_corpus([root])
    with pytest.raises(ScenarioError, match=r"segments=.*cannot be read"):
        UserInterruptionSpec(mode="strict", segments=tmp_path / "none.json").score_corpus([root])


# --- all of them


def random_root(folder: Path, count: int) -> list[dict[str, Any]]:
    """A dataset of random words for all three tasks, with what is needed to restate the rules."""
    rng = np.random.default_rng(3)
    made: list[dict[str, Any]] = []
    for index in range(count):
        number, start = int(rng.integers(0, 7)), float(rng.uniform(0, 5))
        content = spoken(start, number, float(rng.uniform(0.05, 0.6)))
        label = float(rng.uniform(0, 4))
        write_sample(
            folder / str(index),
            {
                "output.json": content,
                "turn_taking.json": [{"text": "", "timestamp": [label, label + 1]}],
                "interrupt.json": [{"context": "", "interrupt": "", "timestamp": [0.0, label]}],
            },
        )
        made.append({"chunks": content["chunks"], "label": label})
    return made


def test_random_datasets_agree_with_the_rules_restated(tmp_path: Path) -> None:
    """tor and latency over a corpus equal what a few lines of plain Python make of the same files."""
    made = random_root(tmp_path, 60)
    verdicts = [rule_r(item["chunks"]) for item in made]
    waits = [
        max(0.0, item["chunks"][0]["timestamp"][0] - item["label"])
        for item, verdict in zip(made, verdicts, strict=True)
        if verdict
    ]
    for spec in (PauseHandlingSpec, SmoothTurnTakingSpec, UserInterruptionSpec):
        result = spec(mode="compat").score_corpus([tmp_path])
        assert result.metrics["tor"].value == pytest.approx(sum(verdicts) / len(verdicts), abs=1e-15)
        assert [sample.metrics["tor"] for sample in result.samples] == verdicts
        if "latency_s" in result.metrics:
            assert result.metrics["latency_s"].value == pytest.approx(sum(waits) / len(waits), abs=1e-14)
            assert result.metrics["latency_s"].n == len(waits)


def test_intervals_hold_the_value_and_are_the_same_each_time(tmp_path: Path) -> None:
    """A corpus value carries a 95 % interval around it, seeded."""
    random_root(tmp_path, 40)
    first, second = (PauseHandlingSpec(mode="compat").score_corpus([tmp_path]).metrics["tor"] for _ in range(2))
    assert first == second and first.ci95 is not None and first.value is not None
    assert first.ci95[0] < first.value < first.ci95[1]


@pytest.mark.parametrize("spec", [PauseHandlingSpec, SmoothTurnTakingSpec, UserInterruptionSpec])
def test_a_thousand_samples_take_under_two_seconds(tmp_path: Path, spec: type[CorpusScorer]) -> None:
    """Scoring ready words is reading small files."""
    random_root(tmp_path, 1000)
    begin = clock.cpu_seconds()
    spec(mode="compat").score_corpus([tmp_path])
    assert clock.cpu_seconds() - begin < 2.0


def test_results_are_plain_json(tmp_path: Path) -> None:
    """A result encodes and decodes without loss."""
    random_root(tmp_path, 5)
    result = SmoothTurnTakingSpec(mode="compat").score_corpus([tmp_path])
    assert msgspec.json.decode(msgspec.json.encode(result), type=CorpusResult) == result


def test_the_public_examples(real_audio: Path) -> None:
    """The benchmark's own example samples give its numbers to the last digit."""
    root = real_audio / "fdb_examples"
    pause = PauseHandlingSpec(mode="compat").score_corpus([root / "pause_handling_example"])
    turn = SmoothTurnTakingSpec(mode="compat").score_corpus([root / "smooth_turn_taking_example"])
    interruption = UserInterruptionSpec(mode="compat").score_corpus([root / "user_interruption_example"])
    assert pause.metrics["tor"].value == 1.0
    assert turn.metrics["tor"].value == 1.0 and turn.metrics["latency_s"].value == 1.3499999999999983
    assert interruption.metrics["tor"].value == 1.0
    assert interruption.metrics["latency_s"].value == 17.224 - 13.144
