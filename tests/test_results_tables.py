"""Rules of tables: what a run holds as rows of plain values, in every format, and as data frames."""

import csv
import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.cli import INCOMPLETE, OK, REFUSED
from simulator.errors import ScenarioError
from simulator.files import write_json
from simulator.reading.expect import Expectation, judge
from simulator.results import load_run
from simulator.results.columns import TABLES
from simulator.results.judged import Judged, write_judged
from simulator.results.row import Row, RowScore
from simulator.results.row_file import append_row
from simulator.results.streaming import run_for_tables
from simulator.results.tables import batches
from simulator.score import Evidence, Score
from simulator.sweep.sweep import Point
from simulator.testing import Take
from tests import results_page
from tests.command_line import simulate

P50, YIELD = "latency.response_p50_s", "barge_in.yield_rate"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two sessions, of which the second has no folder: a question, an answer, a barge-in, a call."""
    run = tmp_path_factory.mktemp("tables") / "my_run"
    take = Take(run / "s-0", duration=10.0)
    take.say("user", 1.0, 2.0, text="Cancel it.", words=[("Cancel", 1.0), ("it.", 1.5)])
    take.say("agent", 2.5, 6.25, text="Of course I will do", words=[("Of", 2.5), ("course", 3.0)], cut=True)
    take.say("user", 5.0, 7.0, text="No wait", words=[("No", 5.0), ("wait", 5.75)])
    take.say("agent", 8.0, 9.0, text="Yes", words=[("Yes", 8.0)])
    take.note(2.25, "tool_call", "agent", id="c1", name="cancel", arguments={"order": "12"})
    take.note(2.75, "tool_result", "agent", id="c1", name="cancel", answer={"error": "late"}, fault="refused")
    take.note(9.5, "tool_call", "agent", id="c2", name="wait", arguments="soon")
    session = take.annotated()
    write_json(session.folder / "speech.json", session.speech)
    score = Score(id=P50, value=0.5, unit="s", n=1, parts={"values": [0.5]},
                  evidence=[Evidence(start=32_000, end=40_000), Evidence(start=112_000, end=128_000)])  # fmt: skip
    expected = [judge(Expectation(text), {P50: score}) for text in (f"{P50} < 0.4", f"{YIELD} >= 1")]
    write_judged(session.folder, Judged(scores=[score], expectations=expected))
    known = RowScore(value=0.5, unit="s", n=1, parts={"values": [0.5]})
    lacking = RowScore(value=None, unit="ratio", reason="the user | did not barge in")
    append_row(run, Row(id="s-0", scenario="s", agent="moshi", sound="a", duration_s=10.0, scores={P50: known}))
    second = Row(id="s-1", scenario="s", trial=1, seed=1, agent="moshi", sound="b", scores={P50: known, YIELD: lacking})
    append_row(run, msgspec.structs.replace(second, point=Point(sweep="s", at={"x": 2})))
    (run / "run.json").write_text("{}")
    return run


def rows_of(run: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table by column, without the run's name."""
    names = [column.name for column in TABLES[table].columns]
    found = [row for batch in batches([load_run(run)], [table]) for row in batch.rows]
    return [{name: value for name, value in zip(names, row, strict=False) if name != "run"} for row in found]


def test_turns_with_the_offset_at_which_they_took_the_floor(stored: Path) -> None:
    """Half a second after the question; 1.25 s before the end of what is barged into; 1 s after the barge-in."""
    turns = [(row["party"], row["start_s"], row["end_s"], row["fto_s"], row["cut"]) for row in rows_of(stored, "turns")]
    assert turns == [
        ("user", 1.0, 2.0, None, False),
        ("agent", 2.5, 6.25, pytest.approx(0.5, abs=1e-3), True),
        ("user", 5.0, 7.0, pytest.approx(-1.25, abs=1e-3), False),
        ("agent", 8.0, 9.0, pytest.approx(1.0, abs=1e-3), False),
    ]
    assert [row["text"] for row in rows_of(stored, "turns")] == ["Cancel it.", "Of course", "No wait", "Yes"]


def test_words_utterances_and_overlaps(stored: Path) -> None:
    """In time order, in seconds; both speak from 5 s until the agent stops."""
    assert [(row["start_s"], row["text"]) for row in rows_of(stored, "words")][:3] == [
        (1.0, "Cancel"), (1.5, "it."), (2.5, "Of"),
    ]  # fmt: skip
    assert [row["role"] for row in rows_of(stored, "utterances")] == ["turn"] * 4
    (both,) = rows_of(stored, "overlaps")
    assert both["start_s"] == pytest.approx(5.0, abs=0.01) and both["end_s"] == pytest.approx(6.25, abs=0.01)
    assert both["duration_s"] == pytest.approx(both["end_s"] - both["start_s"])


def test_barge_ins_say_when_the_other_fell_silent_and_came_back(stored: Path) -> None:
    """It stopped 1.25 s after the barge-in began, and spoke again at 8 s."""
    (case,) = rows_of(stored, "barge_ins")
    assert (case["party"], case["outcome"], case["start_s"]) == ("user", "yielded", 5.0)
    assert case["latency_s"] == pytest.approx(1.25, abs=0.01) and case["stop_s"] == pytest.approx(6.25, abs=0.01)
    assert case["back_s"] == pytest.approx(8.0, abs=0.01) and case["text"] == "No wait"


def test_calls_with_their_answers(stored: Path) -> None:
    """Arguments and answers are JSON; a call that nobody answered has no end."""
    first, second = rows_of(stored, "calls")
    assert (first["start_s"], first["end_s"], first["name"], first["fault"]) == (2.25, 2.75, "cancel", "refused")
    assert json.loads(first["arguments"]) == {"order": "12"} and json.loads(first["answer"]) == {"error": "late"}
    assert (second["end_s"], second["answer"], json.loads(second["arguments"])) == (None, None, "soon")


def test_expectations_of_sessions_and_over_all_trials(stored: Path) -> None:
    """With the stretch they rest on; over all trials the session is empty."""
    mine, undefined, *over = rows_of(stored, "expectations")
    assert (mine["session"], mine["outcome"], mine["found"], mine["bound"]) == ("s-0", "failed", 0.5, 0.4)
    assert (mine["start_s"], mine["end_s"]) == (2.0, 8.0)
    assert undefined["found"] is None and undefined["start_s"] is None and undefined["outcome"] == "failed"
    assert [row["session"] for row in over] == ["", ""] and over[0]["found"] == 0.5


def test_every_format_holds_the_same_rows(stored: Path, tmp_path: Path, capsys: Any) -> None:
    """A file per table, printed; CSV as it is read by csv, JSON lines by json; what has no value is null."""
    for form in ("csv", "jsonl", "markdown", "latex"):
        assert simulate("export", stored, "--to", form, "--out", tmp_path / form) == OK
        assert len(capsys.readouterr().out.splitlines()) == len(TABLES) == len(list((tmp_path / form).iterdir()))
    with (tmp_path / "csv" / "long.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["run"], row["session"], row["metric"], row["value"]) for row in rows] == [
        ("my_run", "s-0", P50, "0.5"), ("my_run", "s-1", P50, "0.5"), ("my_run", "s-1", YIELD, ""),
    ]  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "jsonl" / "long.jsonl").read_text().splitlines()]
    assert lines[0]["parts"] == {"values": [0.5]} and lines[2]["value"] is None
    wide = [json.loads(line) for line in (tmp_path / "jsonl" / "wide.jsonl").read_text().splitlines()]
    assert wide[0][P50] == 0.5 and wide[0][YIELD] is None and wide[0]["point"] is None and wide[1]["point"] == {"x": 2}
    table = (tmp_path / "markdown" / "long.md").read_text().splitlines()
    assert len({line.count("|") for line in table}) == 1 and "the user / did not barge in" in table[-1]
    latex = (tmp_path / "latex" / "long.tex").read_text()
    assert r"my\_run & s & s-0" in latex and latex.startswith(r"\begin{tabular}{lllrr") and "$|$" in latex


def test_parquet_has_types(stored: Path, tmp_path: Path) -> None:
    """Numbers are numbers, whole ones whole, and a table without rows has its columns all the same."""
    parquet = pytest.importorskip("pyarrow.parquet")
    assert simulate("export", stored, "--to", "parquet", "--out", tmp_path) == OK
    turns = parquet.read_table(tmp_path / "turns.parquet")
    assert turns.column("start_s").to_pylist() == [1.0, 2.5, 5.0, 8.0] and str(turns.schema.field("cut").type) == "bool"
    long = parquet.read_table(tmp_path / "long.parquet")
    assert str(long.schema.field("n").type) == "int64" and long.column("value").to_pylist() == [0.5, 0.5, None]
    assert simulate("export", stored, "--to", "parquet", "--table", "wide", "--out", tmp_path / "one.parquet") == OK
    assert parquet.read_table(tmp_path / "one.parquet").column(YIELD).to_pylist() == [None, None]


def test_parquet_needs_its_package(stored: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the sentence says how it is installed."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert simulate("export", stored, "--to", "parquet", "--out", tmp_path) == REFUSED
    assert 'pip install "duplex-simulator[data]"' in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["pandas", "polars"])
def test_a_run_gives_data_frames(stored: Path, engine: str) -> None:
    """Null is missing, not a number and not a word."""
    pytest.importorskip(engine)
    frame = load_run(stored).frame("turns", engine)
    assert list(frame.columns) == [column.name for column in TABLES["turns"].columns] and len(frame) == 4
    assert float(frame["start_s"].sum()) == 16.5
    assert (
        len(load_run(stored).frame("long", engine)) == 3 and len(load_run(stored).frame("wide", engine).columns) == 14
    )


def test_what_cannot_be_asked_for_is_refused(stored: Path, tmp_path: Path, capsys: Any) -> None:
    """An unknown table, a session, two tables in one file, a file that is there, a frame of nothing we know."""
    for words, why in (
        (("--to", "csv", "--table", "turn"), "--table turn: there is none; choose one of long"),
        (
            ("--to", "csv", "--table", "long", "--table", "wide", "--out", tmp_path / "a.csv"),
            "is one file, and 2 tables",
        ),
        (("--to", "parquet", "--table", "agents"), "is for markdown, latex, csv"),
        (("--to", "srt", "--table", "long"), "--table: only of runs, with --to csv"),
    ):
        assert simulate("export", stored, *words) == REFUSED
        assert why in capsys.readouterr().err
    assert simulate("export", stored / "s-0", "--to", "jsonl", "--out", tmp_path) == REFUSED
    assert "is no run folder" in capsys.readouterr().err
    for code in (OK, REFUSED):
        assert simulate("export", stored, "--to", "jsonl", "--table", "wide", "--out", tmp_path) == code
    for table, engine in (("turn", None), ("turns", "excel")):
        with pytest.raises(ScenarioError, match=r"is no table|makes no data frames"):
            load_run(stored).frame(table, engine)


def test_a_row_that_cannot_be_read_is_told_and_half_a_line_is_not(stored: Path, tmp_path: Path, capsys: Any) -> None:
    """Of two rows of one session the last counts; exit code 3 where one is left out."""
    run = tmp_path / "r"
    run.mkdir()
    rows = (stored / "results.jsonl").read_text()
    (run / "run.json").write_text("{}")
    (run / "results.jsonl").write_text(rows.replace('"value":0.5', '"value":9.5', 1) + rows + '{"id": "ha')
    assert simulate("export", run, "--to", "jsonl", "--table", "long", "--out", tmp_path / "a") == OK
    lines = (tmp_path / "a" / "long.jsonl").read_text().splitlines()
    assert [json.loads(line)["value"] for line in lines] == [0.5, 0.5, None]
    (run / "results.jsonl").write_text('{"id": 7}\n' + rows)
    assert simulate("export", run, "--to", "jsonl", "--table", "long", "--out", tmp_path / "b") == INCOMPLETE
    assert "line 1 cannot be used and was left out" in capsys.readouterr().err


def test_metrics_by_agents_for_a_paper(stored: Path, tmp_path: Path) -> None:
    """The table over models, as compare has it."""
    assert simulate("export", stored, "--to", "latex", "--table", "agents", "--out", tmp_path) == OK
    assert r"latency.response\_p50\_s, s $\downarrow$ & 0.500" in (tmp_path / "agents.tex").read_text()


def test_the_page_tells_of_every_column() -> None:
    """Every column has a meaning, times have seconds for a unit, and docs/results.md is what is written from them."""
    for kind in TABLES.values():
        assert len({column.name for column in kind.columns}) == len(kind.columns)
        for column in kind.columns:
            assert column.told and (column.unit == "s" if column.name.endswith("_s") else True)
    assert results_page.PAGE.read_text(encoding="utf-8") == results_page.page()


def test_rows_are_read_one_by_one(tmp_path: Path) -> None:
    """What Python holds at once does not grow with the run: its rows here would take three times the limit."""
    values = {f"turns.m{number}": RowScore(value=1.0, n=9, parts={"values": [1.5] * 9}) for number in range(40)}
    with (tmp_path / "results.jsonl").open("wb") as file:
        for number in range(300):
            file.write(msgspec.json.encode(Row(id=f"s-{number}", scenario="s", trial=number, scores=values)) + b"\n")
    run = run_for_tables(tmp_path)
    tracemalloc.start()
    assert sum(len(batch.rows) for batch in batches([run], ["long"])) == 12_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2e6
