"""Runs and sessions read back: the public, typed way to what `simulate` leaves in a folder.

    from simulator.results import load_run

    run = load_run(Path("runs/book-a-table"))
    for row in run.rows:                              # one per session, in the order they ended
        print(row.id, row.status, row.value("latency.response_p50_s"))
    for session in run.sessions():                    # sound, events and annotation, read when asked for
        print(session.id, session.duration / session.sample_rate, "s")
    print(run.info.exit_code, run.verdicts)           # run.json; expectations on values pooled over trials
    view = view_session(run.folder / run.rows[0].id)  # for assertions: turns, calls, overlaps, barge-ins in seconds
    assert "eight" in view.agent.turns[2].text and view.calls("lookup_order")

Reading needs neither the actors nor the models of a run. What is named here is stable; the modules behind it are not.
"""

from simulator.reading.expect import Verdict
from simulator.results.conversation_text import told_conversation
from simulator.results.judged import Judged, read_judged
from simulator.results.row import Row, RowScore
from simulator.results.run import Run, is_run, load_run
from simulator.results.run_info import HostInfo, RunInfo, SessionWall
from simulator.results.session_view import (
    PartyView,
    SeenBargeIn,
    SessionView,
    SharedStretch,
    SpokenTurn,
    ToolUse,
    view_session,
)
from simulator.score import Evidence, Score
from simulator.session import PartyMeta, Session, SessionMeta, is_session
from simulator.session import read_session as load_session

__all__ = [
    "Evidence", "HostInfo", "Judged", "PartyMeta", "PartyView", "Row", "RowScore", "Run", "RunInfo", "Score",
    "SeenBargeIn", "Session", "SessionMeta", "SessionView", "SessionWall", "SharedStretch", "SpokenTurn", "ToolUse",
    "Verdict", "is_run", "is_session", "load_run", "load_session", "read_judged", "told_conversation", "view_session",
]  # fmt: skip
