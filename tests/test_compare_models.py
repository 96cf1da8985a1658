"""Models side by side: a NeMo-Skills fork's report out of its folders, here and elsewhere, and our own table."""

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from metrics.compat.asr.scorer import AsrWerSpec
from metrics.compat.mmau.scorer import MmauProSpec
from metrics.compat.nemo.eval_folders import eval_folder
from metrics.compat.voicebench.mcq import McqSpec
from metrics.compat.voicebench.open import OpenSpec
from simulator.cli import INCOMPLETE, OK, REFUSED
from simulator.errors import RemoteError, ScenarioError
from simulator.remote.ssh import over_ssh
from simulator.results.models import models_of, models_table
from simulator.results.row import Row, RowScore
from simulator.results.row_file import append_row
from simulator.results.run import Run, load_run
from tests.command_line import simulate
from tests.judge_endpoint import endpoint
from tests.prediction_files import write_rows

REPORT = """\
# Evaluation Comparison Report

Comparing 2 model(s):

- A
- B

## S2S Demo Evaluation

| Metric | B | A |
|---|---|---|
| Samples Evaluated | 3 | 0 |
| **Turn-Taking** | | |
|   Latency (ms) ↓ | **410.0** | 500.2 |
|   Precision (%) ↑ | N/A | 70.0 |
|   Recall (%) ↑ | N/A | N/A |
|   F1 (%) ↑ | N/A | N/A |
| **Barge-In** | | |
|   Success Rate (%) ↑ | **50.0** | 50.0 |
|   Latency (ms) ↓ | N/A | N/A |
| **Backchanneling** | | |
|   Accuracy (%) ↑ | **0.0** | 0.0 |
| **User Speech (ASR)** | | |
|   WER (%) ↓ | N/A | N/A |
|   OOB Ratio ↓ | 0.013 | **0.000** |
| **Agent Speech (TTS)** | | |
|   WER (%) ↓ | N/A | N/A |
|   CER (%) ↓ | N/A | N/A |
|   Hallucination (%) ↓ | N/A | N/A |
| **LLM Judge (1-5)** | | |
|   Overall Rating ↑ | 3.00 | **3.46** |
|   Full Response ↑ | N/A | N/A |
|   Sounded Response ↑ | N/A | N/A |

## VoiceBench Evaluation

### Summary

| Model | Total Samples | Subtests |
|---|---|---|
| A | 5 | 2 |
| B | 2 | 1 |

### Per-Subtest Metrics

#### mmsu

| Metric | A | B |
|---|---|---|
| Samples | 3 | 2 |
| acc ↑ | **41.67** | 40.00 |
| fail ↓ | 4.00 | **1.50** |

#### sd_qa

| Metric | A | B |
|---|---|---|
| Samples | 1 | N/A |
| panda ↑ | 12.00 | N/A |

---
*↑ = higher is better, ↓ = lower is better, **bold** = best value*"""


def eval_set(folder: Path, name: str, metrics: object, lines: int = 0) -> None:
    """Write one set of a folder of results."""
    place = folder / "eval-results" / name
    place.mkdir(parents=True)
    (place / "metrics.json").write_text(metrics if isinstance(metrics, str) else json.dumps(metrics))
    (place / "output.jsonl").write_text("{}\n" * lines)


def subtest(folder: Path, name: str, lines: int, **metrics: float) -> None:
    """Write one set of VoiceBench."""
    eval_set(folder, f"voicebench.{name}", {f"voicebench.{name}": {"greedy": metrics}}, lines)


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """The folders of two models, as the report wants them written."""
    demo = {
        "num_samples_evaluated": 3, "turn_taking": {"avg_latency_ms": 410.04}, "barge_in": {"avg_success_rate": 50.0},
        "backchanneling": {"avg_accuracy": 0.0}, "user_speech": {"out_of_bounds_word_ratio": 0.0125001},
        "llm_judge": {"overall": {"avg_rating": 3.0}},
    }  # fmt: skip
    other = {
        "turn_taking": {"avg_latency_ms": 500.2, "avg_precision": 70, "avg_recall": None},
        "barge_in": {"avg_success_rate": 50}, "backchanneling": {"avg_accuracy": 0},
        "user_speech": {"avg_wer": None, "out_of_bounds_word_ratio": 0},
        "llm_judge": {"overall": {"avg_rating": 3.456}},
    }  # fmt: skip
    eval_set(tmp_path / "b", "s2s_demo.demo", {"dataset_metrics": demo, "args": {}})
    eval_set(tmp_path / "a", "s2s_demo.demo", other)
    subtest(tmp_path / "av", "mmsu", 3, acc=41.666, fail=4)
    subtest(tmp_path / "av", "sd_qa", 1, panda=12)
    eval_set(tmp_path / "av", "voicebench.bbh", {"voicebench.bbh": {}}, 1)
    subtest(tmp_path / "bv", "mmsu", 2, acc=40, fail=1.5)
    return [f"{tmp_path}/b:B", f"{tmp_path}/a:A", f"{tmp_path}/av/:A", f"{tmp_path}/bv:B"]


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An `ssh` that knows one host, this machine: `gone` is none, `slow` never answers."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ssh").write_text(
        '#!/bin/sh\ncase $1 in gone) echo "no route to gone" >&2; exit 255;; slow) sleep 600;; esac\n'
        'shift\nexec sh -c "$*"\n'
    )
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_the_forks_report_is_written_byte_for_byte(folders: list[str], tmp_path: Path, capsys: Any) -> None:
    """Groups, decimals, arrows, N/A, the first best of equal ones in bold: as the fork writes it, and nothing more."""
    assert simulate("compare", "--as", "nemo_s2s", *folders, "--out", tmp_path / "report.md") == OK
    assert (tmp_path / "report.md").read_text() == REPORT
    assert capsys.readouterr().out == f"{REPORT}\n"


def test_folders_on_other_machines_are_read_through_ssh(folders: list[str], ssh: None, capsys: Any) -> None:
    """host:path:name gives the same report, with blanks in a path, too."""
    assert simulate("compare", "--as", "nemo_s2s", *(f"far:{folder}" for folder in folders)) == OK
    assert capsys.readouterr().out == f"{REPORT}\n"


def test_what_cannot_be_used_is_told_and_the_others_are_compared(folders: list[str], ssh: None, capsys: Any) -> None:
    """Exit code 3; 2 where nothing is left, and then no report is written."""
    bad = ["gone:/x", "far:/nowhere", "relative:Name"]
    assert simulate("compare", "--as", "nemo_s2s", folders[3], *bad) == INCOMPLETE
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "simulate: gone: ssh could not connect: no route to gone"
    assert told[1].startswith("simulate: far:/nowhere: no eval-results/s2s_demo.* or eval-results/voicebench.* there")
    assert "a folder here begins with / or ." in told[2]
    assert simulate("compare", "--as", "nemo_s2s", "gone:/x") == REFUSED
    assert simulate("compare", "--as", "turns", folders[0]) == REFUSED
    assert "nemo_s2s has one" in capsys.readouterr().err


def test_damaged_metrics_cost_their_folder(tmp_path: Path, capsys: Any) -> None:
    """A sentence says which file, and what is wrong with it."""
    for name, content in (("a", "{"), ("b", "[]"), ("c", '{"dataset_metrics": 3}'), ("d", "{}")):
        eval_set(tmp_path / name, "s2s_demo.x", content)
    assert simulate("compare", "--as", "nemo_s2s", *(tmp_path / name for name in "abcd")) == REFUSED
    wrong = (
        "is not JSON",
        "is no JSON object",
        "dataset_metrics is no JSON object",
        "no metrics.json, or an empty one",
    )
    for line, what in zip(capsys.readouterr().err.splitlines(), wrong, strict=True):
        assert what in line


def test_ssh_has_a_limit_and_ends_with_all_it_started(ssh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that says nothing is given up, one that is an option refused, and so is a machine without ssh."""
    with pytest.raises(RemoteError, match=r"slow: ssh gave no answer within 0.2 s"):
        over_ssh("slow", "true", limit_s=0.2)
    assert over_ssh("far", "echo hi; exit 4") == (4, b"hi\n")
    with pytest.raises(ScenarioError, match="names no host"):
        over_ssh("-oProxyCommand=x", "true")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ScenarioError, match="no `ssh` on the PATH"):
        over_ssh("far", "true")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a/b/", ("", "a/b/", "b")),
        ("/a/b:Name", ("", "/a/b", "Name")),
        ("./b:Name", ("", "./b", "Name")),
        ("host:/a/b", ("host", "/a/b", "b")),
        ("b:Name", ("b", "Name", "Name")),
        ("host:/a:Name", ("host", "/a", "Name")),
        ("host:/a:b:Name", ("host", "/a:b", "Name")),
    ],
)
def test_how_a_folder_is_written(written: str, read: tuple[str, str, str]) -> None:
    """Of two parts it is here only if the first begins with / or a dot."""
    assert tuple(eval_folder(written)) == read


def test_nemo_skills_results_are_written_beside_the_rows(tmp_path: Path, capsys: Any) -> None:
    """By set: percent, the mean of the rows' error rates, half of the empty answers in compat, null where untold."""
    rows = [
        {"text": "a b c d", "pred_text": "a b c d", "dataset": "ami", "num_generated_tokens": 4} | times(10, 12),
        {"text": "a b c d", "pred_text": "", "dataset": "ami", "num_generated_tokens": 7} | times(11, 14.5),
        {"text": "a b c d", "pred_text": "a b c", "dataset": "tedlium"},
    ]
    file = write_rows(tmp_path / "rows.jsonl", rows)
    result = AsrWerSpec(write=tmp_path / "w").score_corpus([file])
    ami = {"avg_tokens": 5, "gen_seconds": 4, "success_rate": 50.0, "no_answer": 25.0, "wer": 50.0, "num_entries": 2}
    assert metrics_of(tmp_path / "w", "asr-leaderboard.ami") == {"pass@1": ami}
    other = metrics_of(tmp_path / "w", "asr-leaderboard.tedlium")["pass@1"]
    assert other["wer"] == 25.0 and other["avg_tokens"] is None and other["gen_seconds"] is None
    assert (
        result.told[-2]
        == "evaluation_mode | avg_tokens | gen_seconds | success_rate | no_answer | wer    | num_entries"
    )
    assert result.told[-1] == "pass@1          | -          | -           | 100.00%      | 0.00%     | 25.00% | 1"
    AsrWerSpec(write=tmp_path / "s", mode="strict").score_corpus([file])
    assert metrics_of(tmp_path / "s", "asr-leaderboard.ami")["pass@1"]["no_answer"] == 50.0


def times(begin: float, end: float) -> dict[str, float]:
    """When an answer was generated, in seconds."""
    return {"generation_start_time": begin, "generation_end_time": end}


def metrics_of(folder: Path, name: str) -> dict[str, Any]:
    """What metrics.json says of a set."""
    found: dict[str, Any] = json.loads((folder / "eval-results" / name / "metrics.json").read_text())[name]
    return found


def test_open_questions_succeed_by_their_correctness(tmp_path: Path) -> None:
    """Of MMAU-Pro's groups the open one has the mean correctness of five, whatever the overall rating."""
    told = "CORRECTNESS: 2\nRELEVANCE: 5\nCOMPLETENESS: 5\nCLARITY: 5\nOVERALL: 4.5"
    row = {"category": "open", "generation": "x", "answer": "y", "question": "z", "judgement": told}
    MmauProSpec(write=tmp_path / "w").score_corpus([write_rows(tmp_path / "rows.jsonl", [row])])
    assert metrics_of(tmp_path / "w", "mmau-pro.open_ended")["pass@1"]["success_rate"] == pytest.approx(40.0)


def test_what_voicebench_scorers_write_is_compared_by_the_forks_report(tmp_path: Path, capsys: Any) -> None:
    """The set's name comes from the file, its rows are counted, and both models stand in the report."""
    for model, answer in (("m1", "The answer is B."), ("m2", "hm")):
        file = tmp_path / f"{model}-openbookqa-test-audio.jsonl"
        write_rows(file, [{"prompt": "q", "response": answer, "reference": "B"}])
        McqSpec(write=tmp_path / model).score_corpus([file])
    assert simulate("compare", "--as", "nemo_s2s", f"{tmp_path}/m1:one", f"{tmp_path}/m2:two") == OK
    assert "#### openbookqa\n\n| Metric | one | two |\n|---|---|---|\n| Samples | 1 | 1 |\n" in capsys.readouterr().out


def test_a_judges_questions_end_with_the_suffix(tmp_path: Path) -> None:
    """prompt_suffix is the end of the last message of the user, in what is sent."""
    file = write_rows(tmp_path / "m-commoneval-test-audio.jsonl", [{"prompt": "q", "response": "r"}])
    with endpoint(["4"]) as (url, asked):
        judge = json.dumps({"model": "m", "base_url": url, "prompt_suffix": " /no_think"})
        assert simulate("score", file, "--as", "voicebench:open", "--set", f"judge={judge}") == OK
    assert [message["role"] for message in asked[0]["messages"]] == ["system", "user"]
    assert asked[0]["messages"][1]["content"].endswith(" /no_think")
    assert not asked[0]["messages"][0]["content"].endswith(" /no_think")
    assert OpenSpec().judge is None


def run_of(folder: Path, agent: str, yields: list[int], samples: tuple[str, ...] = ("",)) -> Path:
    """Write a run: a barge-in per session that is yielded to or not, and an answer to a question of VoiceBench."""
    folder.mkdir(parents=True, exist_ok=True)
    for trial, value in enumerate(yields):
        scores = {
            "barge_in.yield_rate": RowScore(value=value, unit="ratio", n=1, parts={"count": value, "of": 1}),
            "turns.user_share": RowScore(value=0.5, unit="ratio", n=1, parts={"count": 1, "of": 2}),
            "voicebench:mcq.acc": RowScore(value=100.0 * value, unit="%", n=1, parts={"count": value, "of": 1}),
        }
        sample = samples[trial % len(samples)]
        row = Row(id=f"{agent}-{trial}", scenario="s", trial=trial, agent=agent, sample=sample, sound=f"{agent}{trial}",
                  scores=scores)  # fmt: skip
        append_row(folder, row)
    (folder / "run.json").write_text("{}")
    return folder


def test_one_table_over_models_with_intervals_and_the_best_in_bold(tmp_path: Path, capsys: Any) -> None:
    """Groups in bold rows; of VoiceBench a row per set; 8 of 8 is better than 6 of 8, and only that is bold."""
    sets = tuple(f"{name}-{trial}" for trial in range(4) for name in ("mmsu-law", "sd-qa-usa"))
    first = run_of(tmp_path / "old", "moshi", [1, 1, 1, 1, 1, 1, 0, 0], sets)
    second = run_of(tmp_path / "new", "moshi", [1] * 8, sets)
    assert simulate("compare", first, second, "--format", "markdown") == OK
    out = capsys.readouterr().out
    table = out[out.index("### models") :].splitlines()[2:]
    assert table[2:4] == ["| sessions | 8 | 8 |", "| **Barge-in** | | |"]
    assert table[4].startswith("| barge_in.yield_rate, ratio ↑ | 0.750 [") and "| **1 [" in table[4]
    assert table[5] == "| **VoiceBench** | | |"
    assert table[6].startswith("| voicebench:mcq.acc (mmsu), %") and table[7].startswith("| voicebench:mcq.acc (sd-qa)")
    assert not any("turns.user_share" in line for line in table)


def test_models_that_met_nothing_in_common_stand_side_by_side(tmp_path: Path, capsys: Any) -> None:
    """Nothing can be paired then, so a gate is refused; the table is written where --out names a Markdown file."""
    first, second = run_of(tmp_path / "old", "x", [1, 0, 1]), run_of(tmp_path / "new", "x", [1, 1, 1])
    rows = (second / "results.jsonl").read_text().replace('"scenario":"s"', '"scenario":"t"')
    (second / "results.jsonl").write_text(rows)
    words = ("compare", first, second, "--format", "markdown", "--out", tmp_path / "t.md")
    assert simulate(*words) == OK
    table = (tmp_path / "t.md").read_text()
    assert table.startswith("| metric | old | new |\n") and table in capsys.readouterr().out
    assert simulate(*words, "--fail-on", "worse") == REFUSED
    assert "shares no scenario and trial" in capsys.readouterr().err


def test_the_table_in_latex_and_csv(tmp_path: Path, capsys: Any) -> None:
    """LaTeX needs no package and has nothing unescaped; CSV has full precision; agents of one run are models, too."""
    run = run_of(run_of(tmp_path / "sweep_1", "moshi", [1, 0, 0]), "cascade", [1, 1, 0])
    assert simulate("compare", run, "--format", "csv", "--out", tmp_path / "t.csv") == OK
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (tmp_path / "t.csv").is_file()
    yielded = [row for row in rows if row["metric"] == "barge_in.yield_rate"]
    assert [(row["model"], float(row["value"]), row["best"]) for row in yielded] == [
        ("sweep_1 · moshi", 1 / 3, "0"), ("sweep_1 · cascade", 2 / 3, "1"),
    ]  # fmt: skip
    assert simulate("compare", run, "--format", "latex") == OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == r"\begin{tabular}{lrr}" and lines[-1] == r"\end{tabular}"
    assert r"sweep\_1 $\cdot$ moshi" in lines[3] and all(
        line.endswith(r"\\") for line in lines[3:-2] if line != r"\hline"
    )
    assert simulate("compare", run, "--format", "markdown") == OK
    assert capsys.readouterr().out.startswith("| metric | sweep_1 · moshi | sweep_1 · cascade |\n")
    assert simulate("compare", run, "--format", "csv", "--fail-on", "worse") == REFUSED


def test_equal_values_have_no_best(tmp_path: Path) -> None:
    """And one model alone makes no table."""
    runs = [load_run(run_of(tmp_path / name, "x", [1, 0])) for name in ("a", "b")]
    table = models_table(models_of(runs), everything=True)
    assert all(not row.best for row in table.rows) and {row.group for row in table.rows} >= {"Turn-taking", "Barge-in"}
    assert simulate("compare", tmp_path / "a", "--format", "latex") == REFUSED
    assert list(models_of([runs[0], Run(tmp_path / "c" / "a", runs[0].rows)])) == [
        str(tmp_path / "a"),
        str(tmp_path / "c" / "a"),
    ]
