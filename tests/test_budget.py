"""Rules of a run's budget: time is counted once, whoever tells it, and a resumed run goes on where it stopped."""

import json
from pathlib import Path

import pytest

from simulator.batch.budget import Budget
from simulator.cassettes.cassette import Cassette, key_of
from simulator.cassettes.store import append
from simulator.planning.plan import Plan, Wishes, make_plan
from simulator.session import ASIDE
from tests.report_sessions import make_session

SCENARIO = """
name: paid
user: {kind: scripted, turns: [{say: Hello.}]}
agent: {kind: openai_live, model: live}
duration: 10min
max_minutes: 10
max_cost: 1
prices: {live: {session_minute: 0.2}}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Two sessions with a system that is billed by the minute."""
    (tmp_path / "paid.yaml").write_text(SCENARIO)
    return make_plan([tmp_path / "paid.yaml"], Wishes(repeat=2))


def test_a_minute_that_was_told_is_not_counted_again(plan: Plan) -> None:
    """Every ten seconds a service tells what it used, while the session goes on: 5 minutes at 0.2 a minute cost 1."""
    budget, (job, other) = Budget(plan), plan.jobs
    for second in range(1, 300):
        budget.reached(job, second)
        if second % 10 == 0:
            budget.used(job, {"model": "live", "session_s": 10.0})
        assert budget.exhausted(job) is None, second
    budget.reached(job, 301)
    assert budget.exhausted(other) == "max_cost: 1 of 1 is spent"


def test_sessions_that_have_told_nothing_count_with_their_time(plan: Plan) -> None:
    """Two side by side, 150 s each; when one has ended, what it did tell stays."""
    budget, (job, other) = Budget(plan), plan.jobs
    budget.reached(job, 150)
    budget.reached(other, 149)
    assert budget.exhausted(job) is None
    assert budget.allowance_s(job) == pytest.approx(1)
    budget.ended(job, Path("nowhere"))
    assert budget.allowance_s(other) == pytest.approx(151)


def test_a_resumed_run_has_spent_what_it_spent(plan: Plan, tmp_path: Path) -> None:
    """Completed sessions count, and so do those that were set aside to be run again."""
    budget, (job, other) = Budget(plan), plan.jobs
    usage = {"at": 0, "type": "usage", "party": "agent", "model": "live", "session_s": 120.0}
    for name in (job.id, f"{other.id}{ASIDE}1"):
        make_session(tmp_path / "run" / name, duration_s=5)
        with (tmp_path / "run" / name / "events.jsonl").open("a") as file:
            file.write(json.dumps(usage) + "\n")
    budget.spent_before(plan.jobs, tmp_path / "run")
    assert budget.allowance_s(job) == pytest.approx(60)
    (cost,) = budget.costs().values()
    assert cost.value == pytest.approx(0.8)


def test_what_a_judge_used_at_any_point_of_a_sweep_comes_from_one_purse(tmp_path: Path) -> None:
    """Two points, 500 tokens each, and 1 for a thousand: together all that there is."""
    prices = "prices: {live: {session_minute: 0.2}, m: {input_text: 1000}}\n"
    judged = "judge: {model: m, base_url: 'http://127.0.0.1:9'}\n"
    judged += "sweep: {length: {path: duration, values: [1min, 2min]}}\n"
    (tmp_path / "paid.yaml").write_text(SCENARIO.partition("prices:")[0] + prices + judged)
    plan = make_plan([tmp_path / "paid.yaml"], Wishes())
    budget, (job, other) = Budget(plan), plan.jobs
    for one in (job, other):
        assert budget.exhausted(job) is None
        request = {"model": "m", "session": one.id}
        key = key_of("judge", request)
        paid = Cassette(key=key, kind="judge", request=request, reply={}, usage={"input_text": 500})
        append(tmp_path / "run" / one.id / "judge.jsonl", [paid])
        budget.ended(one, tmp_path / "run")
    assert budget.exhausted(job) == "max_cost: 1 of 1 is spent"
