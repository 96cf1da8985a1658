"""The validator's scores on results worked out by hand."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from metrics.compat.bittensor.scorer import BittensorSpec
from metrics.compat.bittensor.v2v import V2vSpec, wer_score
from simulator.cli import main
from simulator.errors import ScenarioError
from simulator.scoring.corpus import CorpusResult
from tests.prediction_files import scored, values


def judged(folder: Path, results: Any, texts: list[str], **options: Any) -> CorpusResult:
    """Score results with these texts of a judge."""
    file, replies = folder / "results.json", folder / "replies.json"
    file.write_text(json.dumps(results))
    replies.write_text(json.dumps(texts))
    return BittensorSpec(judge_replies=replies, **options).score_corpus([file])


def answers(*texts: str, rate: float = 1.0, **more: Any) -> dict[str, Any]:
    """A set with these responses."""
    rows = [{"prompt": "p", "response": text, "reference": "", **more} for text in texts]
    return {"success_rate": rate, "responses": rows}


def test_sets_are_weighted_and_scaled_by_their_success(tmp_path: Path) -> None:
    """An open set of weight 2 at (5, 1, 5 clamped, 1 for no number) and a refusal set of weight 1."""
    results = {"commoneval_test": answers("a", "b", rate=0.5), "advbench_test": answers("Sorry", "Sure")}
    result = judged(tmp_path, results, ["5", "1", "9", "1", "Yes", "5"])
    # (4 + 0 + 4 + 0 + 0 + 4) / 6 / 4 = 0.5; 0.5 of two refuse
    assert values(result)["commoneval_test.score"] == 0.5 and values(result)["advbench_test.score"] == 0.5
    assert values(result)["commoneval_test.weight"] == 2 and values(result)["advbench_test.success_rate"] == 1
    assert values(result)["voicebench_score"] == pytest.approx((2 * 0.5 * 0.5 + 1 * 0.5) / 3)
    assert values(result)["combined"] is None


def test_a_failed_call_ends_an_answers_calls(tmp_path: Path) -> None:
    """It leaves the single rating 1; the next answer has the next text; an empty answer is not asked about."""
    result = judged(tmp_path, {"wildvoice_test": answers("a", "", "b")}, ["5", "RAISE", "5", "5", "3"])
    assert values(result)["wildvoice_test.score"] == pytest.approx((0 + 0 + 4 + 4 + 2) / 5 / 4)
    with pytest.raises(ScenarioError, match="holds 1 texts"):
        judged(tmp_path, {"wildvoice_test": answers("a")}, ["5"])


def test_a_set_that_cannot_be_evaluated_scores_nothing_and_keeps_its_weight(tmp_path: Path) -> None:
    """An error, no responses, an instruction that nobody knows."""
    row = {"prompt": "p", "response": "a", "instruction_id_list": ["no:such"], "kwargs": [{}]}
    good = {**row, "instruction_id_list": ["punctuation:no_comma"]}
    results = {
        "alpacaeval_test": {"error": "boom"},
        "bbh_test": {"success_rate": 1, "responses": []},
        "ifeval_test": {"success_rate": 1, "responses": [row, good]},
        "advbench_test": answers("Sorry"),
    }
    result = judged(tmp_path, results, [])
    assert values(result)["voicebench_score"] == pytest.approx(1 / 5.5)
    assert [bool(sample.notes) for sample in result.samples] == [True, True, True, False]
    strict = judged(tmp_path, results, [], mode="strict")
    assert values(strict)["ifeval_test.score"] == 1.0


@pytest.mark.parametrize("mode", ["compat", "strict"])
def test_a_set_without_any_instruction_scores_nothing(tmp_path: Path, mode: str) -> None:
    """There is no share of no instructions, for the validator neither: such a set cannot be evaluated."""
    result = judged(tmp_path, {"ifeval_test": answers("a"), "advbench_test": answers("Sorry")}, [], mode=mode)
    assert values(result)["ifeval_test.score"] == 0 and values(result)["voicebench_score"] == pytest.approx(1 / 2.5)
    assert [bool(sample.notes) for sample in result.samples] == [True, False]


def test_draws_follow_one_seed_over_the_whole_file(tmp_path: Path) -> None:
    """Between two sets the validator picks ten responses for its report with the same generator."""
    refused = answers(*["Sorry"] * 11)
    results = {"advbench_test": refused, "mmsu_law": answers("hm", "hm", "hm", "hm", "hm", reference="D")}
    draws = random.Random(3)
    draws.sample(range(11), 10)
    right = sum(draws.choice("ABCD") == "D" for _ in range(5))
    assert values(judged(tmp_path, results, [], seed=3))["mmsu_law.score"] == pytest.approx(right / 5)


def test_an_opinion_score_of_the_file_is_combined(tmp_path: Path) -> None:
    """0.7 and 0.3."""
    results = {"results": {"advbench_test": answers("Sorry", "Sure")}, "voice_mos_score": 0.8}
    assert values(judged(tmp_path, results, []))["combined"] == pytest.approx(0.7 * 0.5 + 0.3 * 0.8)


def test_straight_apostrophes_alone_are_known(tmp_path: Path) -> None:
    """Where VoiceBench knows one phrase with a typographic one."""
    results = {"advbench_test": answers("I can\u2019t assist with that request", "I can't")}
    assert values(judged(tmp_path, results, []))["advbench_test.score"] == 0.5


@pytest.mark.parametrize("content", ["no json", "[]", "{}", '{"a": 1}'])
def test_files_of_another_kind_are_refused(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, one sentence."""
    file = tmp_path / "results.json"
    file.write_text(content)
    assert main(["score", str(file), "--as", "bittensor"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_longer_text_is_the_reference() -> None:
    """Errors over the longer one, so the value can be negative only where the texts are as long as each other."""
    assert wer_score("a b", "a b c d") == 0.5 and wer_score("a b c d", "a b") == 0.5
    assert wer_score("", "a") == 0.0 and wer_score("a b", "a b") == 1.0


def test_what_needs_a_model_is_undefined_unless_the_row_tells_it(tmp_path: Path) -> None:
    """0.2 x 0.5 + 0.45 x 0.4 + 0.17 x 0.3 + 0.18 x 1."""
    bare = {"text": "a b", "pred_text": "a b"}
    result = scored(V2vSpec(), tmp_path, [bare])
    assert values(result)["wer_score"] == 1.0 and values(result)["combined"] is None
    assert "pesq_score" in (result.metrics["combined"].reason or "")
    told = {**bare, "pesq_score": 0.5, "anti_spoofing_score": 0.4, "mimi_score": 0.3}
    assert values(scored(V2vSpec(), tmp_path, [told]))["combined"] == pytest.approx(0.511)
