"""Full-Duplex-Bench v2's judge replies and tables."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.fdb.v2 import V2Spec, bins
from metrics.compat.fdb.v2_reply import EVENTS_KEY, TASK_KEY, ReplyReader
from simulator.errors import ScenarioError
from simulator.scoring.corpus import CorpusResult

AS_ORIGINAL, LENIENT = ReplyReader(), ReplyReader(lenient=True)
E1 = ((2.5, 3.5), 4, 5)


def reply(events: str, task: str = "3") -> str:
    """A reply in the requested shape around these events."""
    return f'{{\n "{EVENTS_KEY}": [\n {events}\n ],\n "{TASK_KEY}": {task}\n}}'


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ("[2.5, 3.5]: 4, 5", [E1]),
        ("[2.5, 3.5]: 4, 5,\n [6, 8.25]: 3, 2,", [E1, ((6.0, 8.25), 3, 2)]),
        ("[[2.5, 3.5], 4, 5]", [E1]),
        ("[[2.5, 3.5], [6, 7], 4, 5]", [E1, ((6.0, 7.0), 4, 5)]),
        ("[[2.5, 3.5], [6, 7]]: 4, 5", [E1, ((6.0, 7.0), 4, 5)]),
        ('["0:02.5", "0:03.5"]: 4, 5', [E1]),
        ('[["1:05", "1:10"], 4, 5]', [((65.0, 70.0), 4, 5)]),
        ('["0:01:05", "70"]: "4", "5"', [((65.0, 70.0), 4, 5)]),
        ('[{"start_time": 2.5, "end_time": 3.5}, 4, 5]', [E1]),
        ('[{"end_time": "0:03.5", "start_time": 2.5}, 4, 5]', [E1]),
        ("{2.5, 3.5}: 4, 5", []),
        ("[{2.5, 3.5}]: 4, 5", [E1]),
        ("[2.5, 3.5]: 4.7, 5.9", [E1]),
        ("[2.5, 3.5]: null, 5", [((2.5, 3.5), None, 5)]),
        ('[[2.5, 3.5], "N/A", 5]', [((2.5, 3.5), None, 5)]),
        ("[2.5, 3.5]: 4", [((2.5, 3.5), 4, None)]),
        ("[{8.1}, {29.7}]: 4, 5", []),
        ("[1:05, 1:10]: 4, 5", []),
        ("[2.5, 3.5] 4, 5, [6, 7]: 1, 2", [((6.0, 7.0), 1, 2)]),
        ("[2.5, 3.5,]: 4, 5", [E1]),
        ("[[2.5, 3.5], 4]", []),
        ("", []),
    ],
)
def test_what_events_are_read_from(events: str, found: list[Any]) -> None:
    """JSON, the requested colon form, braces, named times, clock times; several intervals share their scores."""
    read = AS_ORIGINAL.read(reply(events))
    assert list(read.events) == found and read.task_score == 3


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ("[{8.1}, {29.7}]: 4, 5", ((8.1, 29.7), 4, 5)),
        ("[1:05, 1:10]: 4, 5", ((65.0, 70.0), 4, 5)),
        ("{2.5, 3.5}: 4, 5", E1),
        ("[2.5, 3.5]: 4.7, 5", ((2.5, 3.5), 4.7, 5)),
    ],
)
def test_strict_reads_the_template_and_bare_clock_times(events: str, found: Any) -> None:
    """What the original loses is read, and scores keep their decimals."""
    assert LENIENT.read(reply(events)).events == (found,)


def test_fenced_blocks_are_read_one_by_one() -> None:
    """Blocks that name the events count, text around them does not; the last task score wins."""
    blocks = (reply("[2.5, 3.5]: 4, 5", "2"), reply("[6, 7]: 1, 2", "4"), "[8, 9]")
    text = "Thinking [1, 2]: 5, 5\n" + "\nand\n".join(f"```json\n{block}\n```" for block in blocks)
    read = AS_ORIGINAL.read(text)
    assert [event[0] for event in read.events] == [(2.5, 3.5), (6.0, 7.0)] and read.task_score == 4


@pytest.mark.parametrize(
    ("text", "score"),
    [
        (reply("[2.5, 3.5]: 4, 5", '"4"'), 4),
        (reply("[2.5, 3.5]: 4, 5", "4.6"), 4),
        (reply("[[2.5, 3.5], 4, 5]", "4.6"), 4.6),
        (reply("[2.5, 3.5]: 4, 5", "0"), 0),
        (reply("[2.5, 3.5]: 4, 5", "null"), None),
        (reply("[2.5, 3.5]: 4, 5", "{score}"), None),
        (f"{{'{EVENTS_KEY}': [[2.5, 3.5]: 4, 5], '{TASK_KEY}': 2}}", 2),
        (f'{{"{TASK_KEY}": 5, "{EVENTS_KEY}": [[2.5, 3.5]: 4, 5]}}', 5),
        (f'{{"{TASK_KEY}": 5}}', 5),
        (f'"{TASK_KEY}": 5', None),
    ],
)
def test_what_the_task_score_is_read_from(text: str, score: float | None) -> None:
    """JSON gives it as it stands, the colon form cuts it to a whole number and needs a list of events."""
    assert AS_ORIGINAL.read(text).task_score == score


@given(st.text(alphabet="[]{}:,\"' 0159.\n\\", max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Anything is read as far as it goes."""
    for reader in (AS_ORIGINAL, LENIENT):
        reader.read(reply(text)), reader.read(text)


def write(root: Path, **files: str) -> Path:
    """Write replies; `Daily__a` is Daily/a.json."""
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def score(root: Path, **options: Any) -> CorpusResult:
    """Score a folder of replies."""
    return V2Spec(**{"mode": "strict", **options}).score_corpus([root])


def test_events_weigh_the_same_over_the_corpus(tmp_path: Path) -> None:
    """Means over events with both scores; the task score is a mean over dialogues; n counts what entered."""
    root = write(
        tmp_path, Daily__a=reply("[0, 5]: 4, 5, [6, 7]: 1, 1, [8, 9]: null, 5"), Safety__b=reply("[0, 5]: 4, 3", "5")
    )
    result = score(root, mode="compat")
    assert result.metrics["turn_taking"].value == 3.0 and result.metrics["turn_taking"].n == 3
    assert result.metrics["instruction_following"].value == 3.0
    assert result.metrics["task_score"].value == 4.0 and result.metrics["task_score"].n == 2
    first = result.samples[0]
    assert first.id == "a" and first.metrics["turn_taking"] == 2.5 and len(first.metrics["events"]) == 3


def test_bins_weigh_scores_by_seconds() -> None:
    """A score enters each 15 s bin with the seconds of its event there; empty events and bins give nothing."""
    fluency, following = bins([((10.0, 20.0), 4, 5), ((14.0, 15.0), 1, 1), ((130.0, 140.0), 1, 1), ((5.0, 5.0), 1, 1)])
    assert fluency == [pytest.approx((4 * 5 + 1 * 1) / 6), 4.0, *[None] * 6]
    assert following[1] == 5.0 and len(following) == 8


def rows(path: Path) -> list[list[str]]:
    """The rows of a CSV file."""
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_both_tables_are_written_where_asked(tmp_path: Path) -> None:
    """judge_summary.csv and judge_summary_binned.csv hold one row per dialogue, rounded to 3 decimals."""
    root = write(
        tmp_path / "in",
        Daily__a=reply("[0, 30]: 4, 5, [20, 50]: 1, 1, [50, 40]: 2, 2"),
        Daily__sub__n=reply("[0, 5]: 4, 3", "null"),
    )
    score(root, mode="compat", write=tmp_path / "out")
    summary = rows(tmp_path / "out" / "judge_summary.csv")
    assert summary[0][:4] == ["setup", "subtask", "n_files", "n_events"]
    assert summary[1] == ["Daily", "a", "1", "3", "2.333", "2.667", "3.0"]
    assert summary[2] == ["Daily", "n", "0", "1", "4.0", "3.0", ""]
    binned = rows(tmp_path / "out" / "judge_summary_binned.csv")
    assert binned[0][4:6] == ["TT[0-15]", "IF[0-15]"] and len(binned[0]) == 20
    assert binned[1][:8] == ["Daily", "a", "1", "2", "4.0", "5.0", "2.8", "3.4"]
    assert binned[2][4:] == [""] * 16  # files in sub-folders are not binned by the original
    written = json.loads((tmp_path / "out" / "Daily" / "a_processed.json").read_text())
    assert written[EVENTS_KEY][0] == [[0.0, 30.0], 4, 5] and written[TASK_KEY] == 3


def test_processed_files_are_read_where_there_is_no_raw_reply(tmp_path: Path) -> None:
    """<name>_processed.json stands in for the raw reply, and is passed over beside one."""
    processed = json.dumps({EVENTS_KEY: [[[0, 5], 2, 3], "junk", [[0, 1], None, 3]], TASK_KEY: 5})
    root = write(tmp_path, Daily__a_processed=processed, Daily__b=reply("[0, 5]: 4, 5"), Daily__b_processed=processed)
    result = score(root, mode="compat")
    assert [sample.id for sample in result.samples] == ["a", "b"]
    assert [sample.metrics["turn_taking"] for sample in result.samples] == [2.0, 4.0]
    assert result.samples[0].metrics["events"] == (((0.0, 5.0), 2, 3), ((0.0, 1.0), None, 3))


def test_strict_bins_sub_folders_and_drops_impossible_scores(tmp_path: Path) -> None:
    """Scores outside 1 to 5 are no scores; a nested file is binned like any other."""
    root = write(tmp_path, Daily__sub__n=reply("[0, 5]: 4, 3, [5, 6]: 9, 9", "0"))
    strict, compat = score(root).samples[0].metrics, score(root, mode="compat").samples[0].metrics
    assert strict["turn_taking"] == 4.0 and strict["bins_tt"][0] == 4.0 and strict["task_score"] is None
    assert compat["turn_taking"] == 6.5 and compat["bins_tt"] == [None] * 8 and compat["task_score"] == 0.0


def test_input_folders_are_never_written_to(tmp_path: Path) -> None:
    """write=DIR inside a PATH is refused before anything is scored."""
    root = write(tmp_path / "in", Daily__a=reply("[2.5, 3.5]: 4, 5"))
    with pytest.raises(ScenarioError, match="never written to"):
        score(root, write=root / "Daily" / "out")
    assert [path.name for path in root.rglob("*")] == ["Daily", "a.json"]


def test_unreadable_replies_are_told(tmp_path: Path) -> None:
    """A reply without events or task score has nulls and notes; the rest is scored."""
    root = write(tmp_path, Daily__a="I cannot judge this.", Daily__b=reply("[0, 5]: 4, 5"))
    result = score(root)
    assert result.samples[0].notes == [
        "no event could be read from the reply",
        "no task score could be read from the reply",
    ]
    assert result.metrics["turn_taking"].value == 4.0


def test_repeated_names_become_paths_and_nothing_is_refused_silently(tmp_path: Path) -> None:
    """The id is the file's stem, or its path below PATH when stems repeat; an empty folder is refused."""
    root = write(tmp_path / "in", Daily__a=reply("[0, 5]: 4, 5"), Safety__a=reply("[0, 5]: 4, 5"))
    assert [sample.id for sample in score(root).samples] == ["Daily/a", "Safety/a"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScenarioError, match="raw judge replies"):
        score(tmp_path / "empty")
