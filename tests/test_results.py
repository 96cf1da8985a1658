"""Rules of reading runs back: one struct for each kind of file, the same that writes it, and damage is told."""

import json
import os
from pathlib import Path

import msgspec
import pytest

from simulator.call.surroundings import Pacing
from simulator.errors import SessionError
from simulator.files import append_lines
from simulator.reading.cost import Cost
from simulator.results import HostInfo, Judged, Row, RowScore, RunInfo, SessionWall, Verdict, load_run, load_session
from simulator.results.judged import read_judged, write_judged
from simulator.results.row_file import append_row, completed_ids, end_last_line, read_rows
from simulator.results.run_info import read_info, write_info
from simulator.score import Evidence, Score
from tests.report_sessions import make_run

INFO = RunInfo(
    command=["simulate", "s.yaml"], started="2026-01-02T03:04:05Z", wall_s=1.5, exit_code=None,
    versions={"duplex-simulator": "1"}, host=HostInfo(system="Linux", machine="x86_64", python="/bin/python"),
    sessions={
        "s-0": SessionWall(status="completed", wall_s=1.25, pacing=None),
        "s-1": SessionWall(status="completed", wall_s=0.5, pacing=Pacing(lateness_p50_ms=0.25)),
        "s-2": SessionWall(status="interrupted"),
    },
)  # fmt: skip

INFO_TEXT = """{
  "command": [
    "simulate",
    "s.yaml"
  ],
  "started": "2026-01-02T03:04:05Z",
  "wall_s": 1.5,
  "exit_code": null,
  "versions": {
    "duplex-simulator": "1"
  },
  "host": {
    "system": "Linux",
    "machine": "x86_64",
    "python": "/bin/python"
  },
  "sessions": {
    "s-0": {
      "status": "completed",
      "wall_s": 1.25,
      "pacing": null
    },
    "s-1": {
      "status": "completed",
      "wall_s": 0.5,
      "pacing": {
        "lateness_p50_ms": 0.25,
        "lateness_p99_ms": 0.0,
        "lateness_max_ms": 0.0
      }
    },
    "s-2": {
      "status": "interrupted"
    }
  }
}
"""


def test_run_json_has_the_form_that_others_read(tmp_path: Path) -> None:
    """Keys in this order; what a run over scenarios alone has comes last, and only then."""
    write_info(tmp_path, INFO)
    assert (tmp_path / "run.json").read_text() == INFO_TEXT
    assert read_info(tmp_path) == INFO
    ended = msgspec.structs.replace(INFO, exit_code=0, model_hosts=[{"name": "m"}], costs={"s": Cost(value=2.0)})
    write_info(tmp_path, ended)
    told = json.loads((tmp_path / "run.json").read_text())
    assert list(told)[-2:] == ["model_hosts", "costs"] and told["costs"] == {"s": {"value": 2.0, "reason": None}}
    assert read_info(tmp_path) == ended


def test_a_row_has_the_form_that_others_read(tmp_path: Path) -> None:
    """One line, every key; scores by metric id, without evidence."""
    score = RowScore(value=None, unit="s", n=0, reason="no answers", parts={"values": []})
    append_row(tmp_path, Row(id="s-0", scenario="s", scores={"latency.response_p50_s": score}))
    assert (tmp_path / "results.jsonl").read_text() == (
        '{"id":"s-0","scenario":"s","trial":0,"seed":0,"status":"completed","problem":null,"sample":"",'
        '"duration_s":null,"agent":"","sound":"","settings":"","invalid":"",'
        '"scores":{"latency.response_p50_s":{"value":null,"unit":"s","n":0,"reason":"no answers",'
        '"parts":{"values":[]}}}}\n'
    )


def test_rows_come_in_the_order_the_sessions_ended_last(tmp_path: Path) -> None:
    """A session that was played again stands where it ended last; half a line is told and costs only itself."""
    for name, status in (("a", "interrupted"), ("b", "completed"), ("a", "completed")):
        append_row(tmp_path, Row(id=name, scenario="s", status=status))
    with (tmp_path / "results.jsonl").open("ab") as file:
        file.write(b'{"id":"c","scen')
    end_last_line(tmp_path)
    append_row(tmp_path, Row(id="d", scenario="s"))
    rows, notes = read_rows(tmp_path)
    assert [(row.id, row.status) for row in rows] == [("b", "completed"), ("a", "completed"), ("d", "completed")]
    assert notes == ["results.jsonl: line 4 is not whole and was left out"]


def test_a_session_is_completed_by_its_last_row(tmp_path: Path) -> None:
    """Whatever it was before; half a line completes nothing, nor does a folder without rows."""
    assert completed_ids(tmp_path) == set()
    for name, status in (("a", "interrupted"), ("b", "completed"), ("a", "completed"), ("b", "failed")):
        append_row(tmp_path, Row(id=name, scenario="s", status=status))
    with (tmp_path / "results.jsonl").open("ab") as file:
        file.write(b'{"id":"c","scen')
    assert completed_ids(tmp_path) == {"a"}


def test_a_whole_last_line_stays_as_it_is(tmp_path: Path) -> None:
    """There is nothing to end, and where there are no rows yet nothing is made."""
    end_last_line(tmp_path)
    assert not (tmp_path / "results.jsonl").exists() and read_rows(tmp_path) == ([], [])
    append_row(tmp_path, Row(id="a", scenario="s"))
    before = (tmp_path / "results.jsonl").read_bytes()
    end_last_line(tmp_path)
    assert (tmp_path / "results.jsonl").read_bytes() == before


def test_scores_json_has_the_form_that_others_read(tmp_path: Path) -> None:
    """Scores with their evidence, then what became of the expectations."""
    judged = Judged(
        scores=[Score(id="a.b", value=1.0, unit="s", n=1, evidence=[Evidence(start=3, end=5, party="user")])],
        expectations=[Verdict(text="a.b < 2", metric="a.b", op="<", bound=2.0, found=1.0, passed=True)],
    )
    write_judged(tmp_path, judged)
    told = json.loads((tmp_path / "scores.json").read_text())
    assert list(told) == ["scores", "expectations"]
    assert told["scores"][0] == {
        "id": "a.b", "value": 1.0, "unit": "s", "n": 1, "ci95": None, "ci95_reason": None, "reason": None, "parts": {},
        "evidence": [{"start": 3, "end": 5, "party": "user"}], "definition": "",
    }  # fmt: skip
    assert read_judged(tmp_path) == judged
    assert read_judged(tmp_path / "never scored") == Judged()


def test_a_run_is_read_with_types(tmp_path: Path) -> None:
    """Rows, run.json, verdicts by scenario, and the sessions with their sound and events."""
    make_run(tmp_path, sessions=4, duration_s=8)
    run = load_run(tmp_path)
    assert [row.id for row in run.rows] == [
        "book-a-table-0", "noisy-phone-line-0", "book-a-table-1", "noisy-phone-line-1",
    ]  # fmt: skip
    assert run.scenarios == ("book a table", "noisy phone line") == tuple(run.verdicts)
    assert (run.info.command[0], run.info.wall_s, run.info.exit_code) == ("simulate", 12.5, None)
    assert run.info.sessions["noisy-phone-line-1"].status == "failed"
    assert [session.id for session in run.sessions()] == [row.id for row in run.rows]
    assert all(len(session.said("user")) == 8 * session.sample_rate for session in run.sessions())
    first = load_session(tmp_path / "book-a-table-0")
    assert first.events and first.speech.recognizer == "moonshine"


def test_what_is_gone_or_damaged_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    """A session folder that was deleted keeps its row; a run.json that is no JSON is a note."""
    make_run(tmp_path, sessions=2, duration_s=4)
    (tmp_path / "book-a-table-0" / "session.json").unlink()
    (tmp_path / "run.json").write_text("{")
    run = load_run(tmp_path)
    assert len(run.rows) == 2 and [session.id for session in run.sessions()] == ["noisy-phone-line-0"]
    assert run.duration_s(run.rows[0]) == 0 and run.duration_s(run.rows[1]) == 4
    assert run.info == RunInfo() and len(run.notes) == 1 and "run.json: cannot be read" in run.notes[0]
    with pytest.raises(SessionError, match=r"not a run folder: run\.json and results\.jsonl are missing"):
        load_run(tmp_path / "nothing")


def test_ticks_are_summed_up_in_milliseconds() -> None:
    """Of 0, 1 ... 99 ms the 50 % are at 50, the 99 % at 99; a session without ticks was late by nothing."""
    pacing = Pacing()
    pacing.sum_up([])
    assert (pacing.lateness_p50_ms, pacing.lateness_p99_ms, pacing.lateness_max_ms) == (0, 0, 0)
    pacing.sum_up([(99 - ms) / 1000 for ms in range(100)])
    assert (pacing.lateness_p50_ms, pacing.lateness_p99_ms, pacing.lateness_max_ms) == (50, 99, 99)


def test_what_several_add_to_is_read_by_all_and_written_by_its_owner(tmp_path: Path) -> None:
    """The mode of a file that anybody's program makes, less what the user's own mask takes away."""
    before = os.umask(0)
    try:
        append_lines(tmp_path / "kept" / "history.jsonl", [b"{}"])
    finally:
        os.umask(before)
    assert (tmp_path / "kept" / "history.jsonl").stat().st_mode & 0o777 == 0o644
