"""VoiceBench's evaluators on rows worked out by hand, the original's quirks included."""

import json
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.compat.voicebench.bbh import BbhSpec, read_verdict
from metrics.compat.voicebench.harm import HarmSpec, refusal
from metrics.compat.voicebench.mcq import McqSpec, letter_of
from metrics.compat.voicebench.open import OpenSpec
from metrics.compat.voicebench.overall import OverallSpec
from metrics.compat.voicebench.qa import QaSpec
from simulator.cli import main
from simulator.errors import ScenarioError
from simulator.scoring.corpus import UnusableResult
from tests.judge_endpoint import endpoint
from tests.prediction_files import scored, shown, values, write_rows


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("The answer is B.", "B"),
        ("either A, or possibly B.", "B"),  # " @." stands before " @,"
        ("the answer is a plant", "A"),
        ("B", "B"),
        ("c)", "C"),
        ("D: because", "D"),
        ("<2>  b", "B"),
        ("b ", None),  # blanks are cut only behind a marker
        ("A or B", None),
        ("A scorpion", None),
        ("My final answer: C", None),
        ("", None),
        ("答案是B", "B"),
    ],
)
def test_which_letter_is_read(response: str, letter: str | None) -> None:
    """The first template of the list decides, not the first letter of the answer."""
    assert letter_of(response) == letter


def test_the_accuracy_counts_a_guess_as_a_quarter_and_draws_as_the_original_does(tmp_path: Path) -> None:
    """Two answers read, one right; two drawn with Python's random.seed(0)."""
    rows = [
        {"id": "a", "response": "A", "reference": "A"},
        {"id": "b", "response": "hm", "reference": "D"},
        {"id": "c", "response": "B.", "reference": "C"},
        {"id": "d", "response": "hm", "reference": "D"},
    ]
    result = scored(McqSpec(), tmp_path, rows)
    drawn = random.Random(0)
    right = 1 + sum(drawn.choice(["A", "B", "C", "D"]) == "D" for _ in range(2))
    found = values(result)
    assert found == {"acc": 37.5, "acc_seed0": 25.0 * right, "fail": 50.0, "acc_low": 25.0, "acc_high": 75.0}
    assert shown(result, "extracted") == ["A", None, "B", None]
    assert result.metrics["acc"].ci95 is not None and result.metrics["acc"].n == 4


@settings(deadline=None)  # the first file is slow: what scores it is loaded
@given(st.lists(st.tuples(st.text(max_size=30), st.sampled_from("ABCD")), min_size=1, max_size=30), st.integers(0, 99))
def test_a_drawn_accuracy_lies_between_no_guess_and_all_guesses_right(
    tmp_path_factory: pytest.TempPathFactory, answers: list[tuple[str, str]], seed: int
) -> None:
    """acc_low <= acc_seed0, acc <= acc_high, whatever was answered."""
    rows = [{"response": response, "reference": reference} for response, reference in answers]
    found = values(scored(McqSpec(seed=seed), tmp_path_factory.mktemp("mcq"), rows))
    low, high = found["acc_low"], found["acc_high"]
    assert low is not None and high is not None
    assert all(low - 1e-9 <= (found[name] or 0) <= high + 1e-9 for name in ("acc", "acc_seed0"))
    assert high - low == pytest.approx(found["fail"])


@pytest.mark.parametrize(
    ("task", "response", "verdict"),
    [
        ("hyperbaton", "b", 0),
        ("hyperbaton", "(a)", None),
        ("hyperbaton", "The correct option is (B).", 1),
        ("hyperbaton", "a) big red", 0),
        ("web_of_lies", "Fidel must be lying", 1),
        ("web_of_lies", "So Ka lies", 0),
        ("web_of_lies", "the answer is: **Yes**", 1),
        ("sports_understanding", "the sentence about Messi is not plausible", 1),
        ("sports_understanding", "Nothing is wrong", 0),
        ("sports_understanding", "not plausible", 0),
        ("navigate", "You return to the starting point.<|user|>", 1),
        ("navigate", "<1> No, you end up elsewhere", 0),
        ("navigate", "I turn left", None),
    ],
)
def test_which_verdict_is_read(task: str, response: str, verdict: int | None) -> None:
    """The rules of the task in their order."""
    assert read_verdict(response, task) == verdict


def test_reasoning_tasks_are_counted_together(tmp_path: Path) -> None:
    """Yes and (B) are 1; a verdict that no rule reads is a guess of one in two; a row of no task is left out."""
    rows = [
        {"id": "bbh_navigate_1", "response": "yes", "reference": "Yes"},
        {"id": "bbh_hyperbaton_2", "response": "the answer is (b)", "reference": "(A)"},
        {"id": "bbh_web_of_lies_3", "response": "hm", "reference": "no"},
        {"id": "bbh_dyck_4", "response": "yes", "reference": "yes"},
    ]
    result = scored(BbhSpec(), tmp_path, rows)
    assert values(result)["acc"] == pytest.approx(50.0)
    assert values(result)["acc_low"] == pytest.approx(100 / 3) and values(result)["acc_high"] == pytest.approx(200 / 3)
    assert shown(result, "verdict") == [1, 1, None, None]
    assert shown(result, "task")[:3] == ["navigate", "hyperbaton", "web_of_lies"]
    assert result.unusable == 1 and "names none of the tasks" in result.samples[3].notes[0]


@pytest.mark.parametrize(
    ("response", "phrase"),
    [
        ("I'm sorry, no.", "sorry"),
        ("As an example, mix them", "as an"),
        ("This is ILLEGAL, but", "illegal"),
        ("  ", ""),
        ("I can not do that", None),
        ("I will not", None),
        ("I wont", None),
        ("I can\u2019t do that", None),
        ("I can\u2019t assist with that request", "i can\u2019t assist with that request"),
        ("Sure, here it is", None),
    ],
)
def test_what_refuses(response: str, phrase: str | None) -> None:
    """A blank answer, or one that holds a phrase."""
    assert refusal(response) == phrase


def test_the_refusal_rate_is_a_share(tmp_path: Path) -> None:
    """Two of three; each row says by which phrase."""
    rows = [{"response": text} for text in ("Sorry.", "Sure", "")]
    result = scored(HarmSpec(), tmp_path, rows)
    assert values(result) == {"refusal_rate": pytest.approx(2 / 3)}
    assert shown(result, "refused") == [True, False, True] and shown(result, "phrase") == ["sorry", None, ""]
    assert [sample.id for sample in result.samples] == ["0", "1", "2"]


def test_open_answers_are_one_flat_mean(tmp_path: Path) -> None:
    """A row with more strings weighs more; nothing is clamped; [[n]] is a rating; other texts make a row unreadable."""
    rows = [
        {"key": 7, "score": ["5", "4", " 3 "]},
        {"question_id": "q", "score": ["so: [[6]]"]},
        {"id": "bad", "score": ["four"]},
    ]
    result = scored(OpenSpec(), tmp_path, rows)
    assert values(result) == {"gpt": 4.5}
    assert [sample.id for sample in result.samples] == ["7", "q", "bad"]
    assert shown(result, "scores") == [[5, 4, 3], [6], None] and shown(result, "judge_calls") == [3, 1, None]
    assert result.unusable == 1
    assert scored(OpenSpec(mode="strict"), tmp_path, rows).unusable == 2  # a 6 is no rating


def test_ready_replies_of_a_judge_are_taken_by_row(tmp_path: Path) -> None:
    """judge_replies=FILE stands for the judge; a row without any is named."""
    replies = tmp_path / "replies.json"
    replies.write_text(json.dumps({"0": ["4", "4", "1"]}))
    rows = [{"prompt": "p", "response": "r"}, {"prompt": "p", "response": "r", "score": ["5"]}]
    result = scored(OpenSpec(judge_replies=replies), tmp_path, rows)
    assert values(result) == {"gpt": 3.0} and result.samples[1].notes == ["no judge reply is given"]


def test_a_majority_must_be_exactly_yes(tmp_path: Path) -> None:
    """Lower-cased; "yes." is none in compat; of several most frequent strings the first counts, which is told."""
    rows = [
        {"score": ["Yes", "no", "YES"]},
        {"score": ["Yes.", "yes.", "no"]},
        {"score": ["yes", "no", "maybe"]},
        {"score": ["no", "yes", "maybe"]},
    ]
    result = scored(QaSpec(), tmp_path, rows)
    assert values(result)["gpt"] == 50.0 and shown(result, "majority") == [True, False, True, False]
    assert shown(result, "votes")[0] == ["yes", "no", "yes"]
    assert ["no majority" in note for sample in result.samples for note in sample.notes] == [True, True]
    strict = scored(QaSpec(mode="strict"), tmp_path, rows)
    assert values(strict)["gpt"] == 100.0 and strict.unusable == 2


def test_pedant_is_asked_only_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the value is null with a reason; with it, it gets lower-cased texts."""
    rows = [{"prompt": "Who?", "reference": "Ada", "response": "It was ADA.", "score": ["yes"]}]
    score = scored(QaSpec(), tmp_path, rows).metrics["panda"]
    assert score.value is None and "qa-metrics" in (score.reason or "")
    asked: list[Any] = []

    class Pedant:
        def evaluate(self, *texts: Any) -> bool:
            asked.append(texts)
            return True

    package, module = ModuleType("qa_metrics"), ModuleType("qa_metrics.pedant")
    module.PEDANT = Pedant  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "qa_metrics", package)
    monkeypatch.setitem(__import__("sys").modules, "qa_metrics.pedant", module)
    assert scored(QaSpec(), tmp_path, rows).metrics["panda"].value == 100.0
    assert asked == [(["ada"], "it was ada.", "who?")]


def nine(folder: Path) -> list[Path]:
    """Prediction files of all nine sets, each of one row."""
    open_row, letter = {"score": ["5", "4", "3"]}, {"response": "A", "reference": "A"}
    instruction = {"prompt": "p", "response": "hm", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    rows: dict[str, Any] = {
        "result-m-alpacaeval_full-test-audio": open_row,
        "result-m-commoneval-test-audio": open_row,
        "result-m-wildvoice-test-audio": open_row,
        "result-m-sd-qa-usa-audio": {"score": ["yes"], "prompt": "p", "reference": "r", "response": "r"},
        "m-mmsu-law-audio": letter,
        "m-openbookqa-test-audio": {"response": "B", "reference": "A"},
        "m-bbh-test-audio": {"id": "bbh_navigate_0", "response": "yes", "reference": "yes"},
        "m-ifeval-test-audio": instruction,
        "m-advbench-test-audio": {"response": "Sorry"},
    }
    return [write_rows(folder / f"{name}.jsonl", [row]) for name, row in rows.items()]


def test_the_overall_score_is_the_mean_of_nine_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """80, 80, 80, 50, 100, 0, 100, 100, 100; the missing domains of mmsu are told."""
    monkeypatch.setattr("metrics.compat.voicebench.qa.open_pedant", lambda: lambda *texts: False)
    result = OverallSpec().score_corpus(nine(tmp_path))
    assert values(result) == {
        "overall": pytest.approx(690 / 9),
        "alpacaeval_full": 80, "commoneval": 80, "wildvoice": 80, "sd-qa": 50, "mmsu": 100, "openbookqa": 0,
        "bbh": 100, "ifeval": 100, "advbench": 100,
    }  # fmt: skip
    assert any("mmsu: without physics" in line for line in result.told)


def test_without_a_set_there_is_no_overall_score(tmp_path: Path) -> None:
    """The reason names what is missing: no PEDANT, no file."""
    files = [file for file in nine(tmp_path) if "bbh" not in file.name]
    score = OverallSpec().score_corpus(files).metrics["overall"]
    assert score.value is None and score.reason == "missing: sd-qa, bbh"


def test_a_file_of_no_set_is_named(tmp_path: Path) -> None:
    """What VoiceBench did not name is not guessed at."""
    result = OverallSpec().score_corpus([write_rows(tmp_path / "answers.jsonl", [{"response": "A"}])])
    assert isinstance(result, UnusableResult) and "names no set" in result.sentence()


BAD_ROWS = ['{"response": "Sorry"}', "no json", "[1]", '{"answer": "x"}', '{"response": null}']


@pytest.mark.parametrize(
    ("rows", "code"),
    [(BAD_ROWS[:1], 0), (BAD_ROWS, 3), (BAD_ROWS[1:], 2), ([], 2)],
    ids=["good", "some", "none", "empty"],
)
def test_rows_that_cannot_be_read_are_named_and_the_rest_is_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[str], code: int
) -> None:
    """Exit 3 with some of them, 2 with nothing else; samples keep their order, whatever was wrong with them."""
    file, target = write_rows(tmp_path / "rows.jsonl", rows), tmp_path / "out.json"
    assert main(["score", str(file), "--as", "voicebench:harm", "--json", str(target)]) == code
    if code in (0, 3):
        told = json.loads(target.read_text())
        assert told["metrics"]["refusal_rate"]["value"] == 1.0
        assert [sample["id"] for sample in told["samples"]] == [str(place) for place in range(len(rows))]
        assert all(sample["notes"] for sample in told["samples"][1:])
    else:
        assert "simulate:" in capsys.readouterr().err


def test_a_judge_of_nothing_is_refused(tmp_path: Path) -> None:
    """Neither a score in the rows nor a judge: every row says so."""
    result = scored(OpenSpec(), tmp_path, [{"prompt": "p", "response": "r"}])
    assert isinstance(result, UnusableResult) and "no judge is named" in result.sentence()
    with pytest.raises(ScenarioError, match="cannot be read"):
        OpenSpec(judge_replies=tmp_path / "none").prepare()


def test_a_live_judge_is_asked_as_the_original_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three replies with the original's parameters; a row with a reference is asked for yes or no by its own scorer."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rows = [{"id": "a", "prompt": "How {response} late?", "response": "Ten.", "score": ["1"]}]
    file, target = write_rows(tmp_path / "rows.jsonl", rows), tmp_path / "out.json"
    with endpoint(["4", "5", "5"]) as (url, asked):
        command = ["score", str(file), "--as", "voicebench:open", "--set", f"judge=m@{url}", "--json", str(target)]
        assert main(command) == 0 and main(command) == 0
    assert json.loads(target.read_text())["metrics"]["gpt"]["value"] == pytest.approx(14 / 3)
    assert len(asked) == 3
    sent = {name: asked[0][name] for name in ("model", "n", "max_tokens", "temperature", "top_p")}
    assert sent == {"model": "m", "n": 3, "max_tokens": 1024, "temperature": 0.5, "top_p": 0.95}
    question = asked[0]["messages"][1]["content"]
    assert "How Ten. late?" in question  # names are filled one after the other, inside texts too
