"""Rules of runs: whatever becomes of a session the others are kept, whoever plays them."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from simulator.batch.book import RunBook
from simulator.batch.executor import InTurn
from simulator.batch.folder import RunFolder
from simulator.batch.in_pool import InPool, run_job
from simulator.batch.job import Outcome, Played, finish, play
from simulator.batch.one_loop import OneLoop
from simulator.batch.run import Assigned, Result, assign, assign_elsewhere, run_plan
from simulator.call.surroundings import Surroundings
from simulator.planning.job import Job
from simulator.planning.plan import Plan, plan_of
from simulator.results import load_run
from simulator.results.row import Row
from simulator.results.row_file import RESULTS
from simulator.session import ASIDE, read_meta
from simulator.testing import scenario_of
from tests import choir

QUIET: dict[str, Any] = {"user": "silent", "agent": "silent", "duration": "200ms", "scorers": []}


@pytest.fixture(autouse=True)
def _kinds(tmp_path: Path) -> Iterator[None]:
    with choir.installed(tmp_path / "site"):
        yield


class Told:
    """A watcher that remembers; `at_end` is called with the session that has ended."""

    def __init__(self, at_end: Callable[[str], None] = lambda _session: None) -> None:
        self.sessions = 0
        self.reached: dict[str, int] = {}
        self.rows: list[Row] = []
        self._at_end = at_end

    def begin(self, sessions: int) -> None:
        """So many are to be run."""
        self.sessions = sessions

    def progress(self, job: Job, samples: int) -> None:
        """A session has got so far."""
        self.reached[job.id] = samples

    def ended(self, job: Job, row: Row, wall_s: float) -> None:
        """A session has ended."""
        assert wall_s >= 0
        self.rows.append(row)
        self._at_end(job.id)


def plan(folder: Path, *scenarios: dict[str, Any]) -> Plan:
    """A plan of quiet scenarios with these fields."""
    taken = [scenario_of(QUIET | fields, folder) for fields in scenarios]
    return plan_of({str(number): scenario for number, scenario in enumerate(taken)})


def run(
    plan: Plan, out: Path, concurrency: int = 1, watcher: Told | None = None, *, resume: bool = False,
    assign: Callable[[Sequence[Job], int], Assigned] = assign,
) -> Result:  # fmt: skip
    """Run a plan into a folder, with its run.json as the command writes it."""
    folder = RunFolder(out, resume=resume)
    folder.write(["simulate"], None)
    result = run_plan(plan, folder, concurrency, watcher or Told(), assign)
    folder.write(["simulate"], 0, model_hosts=result.hosts, costs=result.costs)
    return result


def statuses(result: Result) -> dict[str, str]:
    """What became of the sessions, in plan order."""
    return {row.id: row.status for row in result.rows}


def by(*executors: Any) -> Callable[[Sequence[Job], int], Assigned]:
    """Let these play all jobs, one executor after the other with a job each, the last one with the rest."""

    def assigned(jobs: Sequence[Job], _concurrency: int) -> Assigned:
        firsts = [(executor, [job]) for executor, job in zip(executors[:-1], jobs, strict=False)]
        return [*firsts, (executors[-1], list(jobs[len(executors) - 1 :]))]

    return assigned


def test_who_plays_what(tmp_path: Path) -> None:
    """What shares a host goes on one loop; the rest into workers where it gains by it, in turn otherwise."""
    jobs = plan(tmp_path, {"name": "a", "agent": "choir"}, {"name": "b", "repeat": 2}).jobs

    def told(concurrency: int, some: Sequence[Job]) -> list[tuple[str, list[str]]]:
        return [(type(one).__name__, [job.id for job in given]) for one, given in assign(some, concurrency)]

    assert told(1, jobs) == [("OneLoop", ["a-0"]), ("InTurn", ["b-0", "b-1"])]
    assert told(2, jobs) == [("OneLoop", ["a-0"]), ("InPool", ["b-0", "b-1"])]
    assert told(2, jobs[:2]) == [("OneLoop", ["a-0"]), ("InTurn", ["b-0"])]
    assert told(2, []) == []


def test_who_plays_what_of_a_run_that_is_played_elsewhere(tmp_path: Path) -> None:
    """All but what keeps the wall clock, which stays here."""
    elsewhere = InTurn()
    jobs = plan(tmp_path, {"name": "there", "agent": "choir"}, {"name": "here", "clock": "wall"}).jobs
    assigned = assign_elsewhere(elsewhere)(jobs, 1)
    assert [(one is elsewhere, [job.id for job in given]) for one, given in assigned] == [
        (True, ["there-0"]),
        (False, ["here-0"]),
    ]


def test_sessions_in_turn_leave_a_run_that_reads(tmp_path: Path) -> None:
    """One row each, told as they end, in the folder and in the result alike; what fails costs itself alone."""
    watcher = Told()
    whole = plan(tmp_path, {"name": "fails", "agent": "deadly"}, {"name": "fine", "repeat": 2})
    result = run(whole, tmp_path / "out", watcher=watcher)
    assert statuses(result) == {"fails-0": "failed", "fine-0": "completed", "fine-1": "completed"}
    assert "no voice today" in str(result.rows[0].problem)
    assert watcher.sessions == 3 and watcher.rows == result.rows == list(load_run(tmp_path / "out").rows)
    assert [row.duration_s for row in result.rows[1:]] == [0.2, 0.2]


def test_a_resumed_run_is_at_hand_as_its_folder_reads(tmp_path: Path) -> None:
    """With what the earlier one left and the plan has no more, lines by their numbers of now, and what was played."""
    run(plan(tmp_path, {"name": "fails", "agent": "deadly"}, {"name": "fine"}), tmp_path / "out")
    with (tmp_path / "out" / RESULTS).open("ab") as file:
        file.write(b'{"id":"cut')
    run(plan(tmp_path, {"name": "fails", "agent": "deadly"}), tmp_path / "out", resume=True)
    folder = RunFolder(tmp_path / "out", resume=True)
    result = run_plan(plan(tmp_path, {"name": "fails"}, {"name": "more"}), folder, 1, Told())
    at_hand, read = folder.read(result.rows), load_run(tmp_path / "out")
    assert [row.id for row in at_hand.rows] == ["fine-0", "fails-0", "more-0"]
    assert (at_hand.rows, at_hand.notes) == (read.rows, read.notes)
    assert read.notes == (f"{RESULTS}: line 2 is not whole and was left out",)


def test_a_session_that_the_tester_failed_is_invalid(tmp_path: Path) -> None:
    """The user's failure says nothing of the agent; the agent's own is its result."""
    whole = plan(tmp_path, {"name": "ours", "user": "deadly"}, {"name": "its", "agent": "deadly"})
    ours, its = run(whole, tmp_path / "out").rows
    assert (ours.status, its.status) == ("failed", "failed")
    assert ours.invalid.startswith("simulator error: the user (deadly)") and its.invalid == ""


def test_a_resumed_run_plays_what_is_missing_and_sets_the_rest_aside(tmp_path: Path) -> None:
    """Completed sessions stay, rows of the plan come in its order, an unfinished folder is kept under another name."""
    whole = plan(tmp_path, {"name": "s", "repeat": 3})
    run(Plan(name="s", scenarios=whole.scenarios, jobs=whole.jobs[1:2]), tmp_path / "out")
    (tmp_path / "out" / "s-2").mkdir()
    watcher = Told()
    result = run(whole, tmp_path / "out", watcher=watcher, resume=True)
    assert [row.id for row in watcher.rows] == ["s-0", "s-2"]
    assert statuses(result) == dict.fromkeys(("s-0", "s-1", "s-2"), "completed")
    assert (tmp_path / "out" / f"s-2{ASIDE}1").is_dir()
    assert list(load_run(tmp_path / "out").info.sessions) == ["s-1", "s-0", "s-2"]


class Backwards:
    """An executor of somebody else's: the last job first."""

    def play(self, jobs: Sequence[Job], book: RunBook) -> None:
        """Play jobs, last one first, for as long as the book allows."""
        for job in reversed(jobs):
            if book.may_start(job):
                played = anyio.run(play, job, book.folder, Surroundings())
                book.ended(job, Outcome(finish(job, book.folder, played), 1.25, played))


class Stopped:
    """An executor under which Ctrl-C is pressed when its first session has begun."""

    def play(self, jobs: Sequence[Job], book: RunBook) -> None:
        """Begin a session, and no more."""
        (book.folder / jobs[0].id).mkdir()
        raise KeyboardInterrupt


def test_an_executor_of_ones_own_is_one_class(tmp_path: Path) -> None:
    """It asks and tells the book; rows come in plan order whatever the order they ended in."""
    watcher = Told()
    result = run(plan(tmp_path, {"repeat": 3}), tmp_path / "out", watcher=watcher, assign=by(Backwards()))
    assert [row.id for row in watcher.rows] == ["test-2", "test-1", "test-0"]
    assert [row.id for row in result.rows] == ["test-0", "test-1", "test-2"]
    assert load_run(tmp_path / "out").info.sessions["test-1"].wall_s == 1.25


def test_ctrl_c_keeps_what_was_done_and_marks_what_had_begun(tmp_path: Path) -> None:
    """What had not begun has no row at all: a resumed run plays it."""
    result = run(plan(tmp_path, {"repeat": 3}), tmp_path / "out", assign=by(InTurn(), Stopped(), InTurn()))
    assert result.interrupted
    assert statuses(result) == {"test-0": "completed", "test-1": "interrupted"}


def test_a_row_that_finds_no_room_costs_its_session(tmp_path: Path) -> None:
    """A results.jsonl that cannot be written to is told as the session's failure, not as the run's."""
    (tmp_path / "out").mkdir()
    folder = RunFolder(tmp_path / "out", resume=False)
    (tmp_path / "out" / "results.jsonl").mkdir()
    result = run_plan(plan(tmp_path, {}), folder, 1, Told())
    assert statuses(result) == {"test-0": "failed"}
    assert "directory" in str(result.rows[0].problem)


PAID = {"agent": "metered", "duration": "6s", "max_cost": 0.4, "prices": {"metered": {"session_minute": 6.0}}}


@pytest.mark.parametrize(("concurrency", "tells"), [(1, True), (1, False), (2, True)])
def test_a_budget_stops_a_session_and_keeps_others_from_starting(tmp_path: Path, concurrency: int, tells: bool) -> None:
    """4 s are paid for, at 0.1 a second: the session that reaches them ends there, and the next ones do not begin."""
    fields = PAID | {"agent": {"kind": "metered", "tells": tells}, "repeat": 3}
    result = run(plan(tmp_path, fields), tmp_path / "out", concurrency)
    first, *others = result.rows
    assert (first.status, first.duration_s) == ("completed", 4.0)
    assert first.problem == "stopped early: max_cost: 0.4 of 0.4 is spent"
    assert [row.problem for row in others] == ["not started: max_cost: 0.4 of 0.4 is spent"] * 2
    assert not (tmp_path / "out" / "test-1").exists()
    assert result.costs["test"].value == pytest.approx(0.4)


def test_workers_play_and_score_side_by_side(tmp_path: Path) -> None:
    """The bytes are those of sessions played in turn, whichever process they ran in."""
    scored = {"agent": {"kind": "scripted", "turns": ["Hello."]}, "duration": "2s", "scorers": ["turns"], "repeat": 3}
    in_workers = run(plan(tmp_path, scored), tmp_path / "workers", 2)
    in_turn = run(plan(tmp_path, scored), tmp_path / "turn")
    assert in_workers.rows == in_turn.rows
    for row in in_turn.rows:
        assert row.scores
        for file in ("session.json", "scenario.yaml", "conversation.wav", "events.jsonl", "scores.json"):
            there, here = (tmp_path / where / row.id / file for where in ("workers", "turn"))
            assert there.read_bytes() == here.read_bytes(), file


def test_a_worker_plays_no_longer_than_it_is_allowed(tmp_path: Path) -> None:
    """It looks every five seconds of session time; Ctrl-C marks the session, and its row comes back all the same."""
    (job,) = plan(tmp_path, {"duration": "6s"}).jobs
    row, wall_s, played = run_job(job, tmp_path / "allowed", 1.5)
    assert (row.status, row.duration_s, played.status) == ("completed", 5.0, "completed") and wall_s > 0
    (job,) = plan(tmp_path, {"agent": "pressing", "duration": "6s"}).jobs
    row, _, _ = run_job(job, tmp_path / "pressed", float("inf"))
    assert (row.status, row.problem) == ("interrupted", "interrupted by Ctrl-C")
    assert read_meta(tmp_path / "pressed" / job.id).status == "interrupted"


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    """Its session is failed with a sentence, with the one beside it at most; what waited is played by new workers."""
    result = run(
        plan(tmp_path, {"name": "deadly", "agent": "deadly"}, {"name": "late", "repeat": 3}), tmp_path / "out", 2
    )
    assert statuses(result)["deadly-0"] == "failed"
    assert "worker process died" in str(result.rows[0].problem)
    # Which session is beside it when it dies is a matter of how long a worker takes to start.
    lost = [row for row in result.rows[1:] if row.status != "completed"]
    assert len(result.rows) == 4 and len(lost) <= 1
    assert all("worker process died" in str(row.problem) for row in lost)


def test_ctrl_c_gives_sessions_in_workers_time_to_end_and_then_ends_them(tmp_path: Path) -> None:
    """The one under way is closed and marked, the waiting one is not begun; the first stays completed."""

    def press(session: str) -> None:
        if session == "short-0":
            while not list((tmp_path / "out").glob("long-0/events.jsonl")):
                os.sched_yield()
            raise KeyboardInterrupt

    long = {"duration": "10min", "clock": "wall"}
    whole = plan(tmp_path, {"name": "long", **long}, {"name": "short"}, {"name": "never", **long})
    pool = by(InPool(2, leave_s=0.1))
    result = run(whole, tmp_path / "out", watcher=Told(press), assign=pool)
    assert result.interrupted
    assert statuses(result) == {"long-0": "interrupted", "short-0": "completed"}
    assert read_meta(tmp_path / "out" / "long-0").status == "interrupted"


SINGING = {"agent": {"kind": "choir", "slots": 2}, "repeat": 7}


def test_sessions_on_one_loop_share_a_host_that_is_closed_at_the_end(tmp_path: Path) -> None:
    """As many as find a place and two more; the host tells what it saw, once, and is let go."""
    result = run(plan(tmp_path, SINGING), tmp_path / "out")
    assert set(statuses(result).values()) == {"completed"} and len(result.rows) == 7
    assert result.hosts == [{"singers": 7, "inside": 0, "most": 4, "closed": True}]
    assert load_run(tmp_path / "out").info.model_hosts == result.hosts


def test_sessions_on_one_loop_stop_at_ctrl_c_and_the_host_is_closed(tmp_path: Path) -> None:
    """What goes on is marked interrupted; nobody is left inside."""
    whole = plan(tmp_path, SINGING | {"duration": "10min"}, {"name": "short", "agent": "choir"})
    watcher = Told(lambda session: signal.raise_signal(signal.SIGINT) if session == "short-0" else None)
    # Who starts the suite in the background may have had Ctrl-C ignored; then a run ignores it, too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = run(whole, tmp_path / "out", 8, watcher)
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.interrupted and statuses(result)["short-0"] == "completed"
    assert set(statuses(result).values()) == {"completed", "interrupted"}
    assert result.hosts[0]["inside"] == 0 and result.hosts[0]["closed"]


def test_a_spent_budget_keeps_sessions_on_one_loop_from_starting(tmp_path: Path) -> None:
    """They give their place back at once."""
    whole = plan(tmp_path, SINGING | {"user": "metered"} | {"max_minutes": 0})
    result = run(whole, tmp_path / "out")
    assert {row.status for row in result.rows} == {"failed"}
    assert result.hosts == [] and "not started: max_minutes" in str(result.rows[6].problem)


def test_scores_are_made_here_where_the_scoring_worker_dies(tmp_path: Path) -> None:
    """The sessions were played in this process, so a dead worker costs none of them."""
    result = run(
        plan(tmp_path, SINGING | {"repeat": 2, "scorers": ["deadly"]}), tmp_path / "out", assign=by(OneLoop(1))
    )
    assert statuses(result) == {"test-0": "completed", "test-1": "completed"}
    assert [row.value("deadly.survived") for row in result.rows] == [1, 1]


def test_how_a_session_was_played_is_told_of_the_wall_clock_alone(tmp_path: Path) -> None:
    """run.json tells how well the wall clock was kept; on the virtual clock there is nothing to keep."""
    run(plan(tmp_path, {"name": "real", "clock": "wall"}, {"name": "made"}), tmp_path / "out")
    told = load_run(tmp_path / "out").info.sessions
    assert told["real-0"].pacing and told["made-0"].pacing is None
    assert Played(status="completed").pacing is None
