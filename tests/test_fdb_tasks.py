"""`dataset: {kind: fdb_v2}`: one call per task of a checkout in miniature, with the staged caller."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from simulator.batch.job import finish, play
from simulator.call.surroundings import Surroundings
from simulator.datasets.fdb_v2 import FdbV2DatasetSpec
from simulator.errors import ScenarioError
from simulator.planning.job import Job
from simulator.planning.plan import Wishes, make_plan
from simulator.session import read_session
from tests.chat_endpoint import chat_endpoint, says
from tests.test_fdb_v2_live import PROMPTS, REPLY

pytestmark = pytest.mark.usefixtures("own_cache")

ROLE = "Your task this time: **Play a guest who books a table..**\n\n**Turns:** T1 and so on."
AGENT = """
agent:
  kind: cascade
  replies:
    - {match: two, say: "And at what time?"}
    - {match: eight, say: "It is booked. Goodbye."}
    - {say: "How many people?"}
"""


def task(name: str, **more: Any) -> dict[str, Any]:
    """A task with two goals, in words of ours."""
    goals = {"T1": "Book a table.", "T2": "It is for two.", "T3": "“Come at eight.”"}
    return {
        "id": name,
        "scenario_title": "A table (T2 before T3)",
        "examiner_task_prompt": ROLE,
        "staged_reveal": goals,
        **more,
    }


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Two families, one of them with two tasks and with one that is none."""
    folder = tmp_path / "checkout" / "v2"
    (folder / "eval").mkdir(parents=True)
    (folder / "eval" / "eval_prompts.json").write_text(json.dumps(PROMPTS))
    splits = {
        "Daily": {"tasks": [task("Daily.a.001"), task("Daily.a.002"), {"id": "Daily.a.003"}]},
        "EntityTracking": {"tasks": [task("EntityTracking.001", examiner_task_prompt="")]},
    }
    (folder / "prompts_staged_200.json").write_text(json.dumps({"version": 6, "splits": splits}))
    return folder.parent


def planned(checkout: Path, keys: str = "", rest: str = "") -> list[Job]:
    """The jobs of a scenario over the checkout."""
    path = checkout.parent / "tasks.yaml"
    path.write_text(f"name: tasks\ndataset: {{kind: fdb_v2, path: checkout{keys}}}\n{rest or AGENT}")
    return make_plan([path], Wishes()).jobs


def test_each_task_is_a_call_of_its_own(checkout: Path) -> None:
    """With the task's role, title and stages, and the benchmark's scorer; what has no stages is no task.

    A mind of patterns says its goal first: that is the first stage, and a goal in quotes is said as it stands.
    """
    jobs = planned(checkout)
    patterns: Any = jobs[0].scenario.user
    assert (patterns.goal, [stage.say for stage in patterns.stages]) == ("Book a table.", ["", "Come at eight."])
    jobs = planned(checkout, ", llm: {model: m, base_url: 'http://127.0.0.1:1/v1'}")
    assert [job.sample["id"] for job in jobs] == ["Daily.a.001", "Daily.a.002", "EntityTracking.001"]
    user: Any = jobs[0].scenario.user
    assert (user.goal, user.persona) == ("A table", "Play a guest who books a table.")
    assert [stage.goal for stage in user.stages] == ["Book a table.", "It is for two.", "“Come at eight.”"]
    assert [str(spec.__struct_config__.tag) for spec in jobs[0].scenario.scorers or []] == ["fdb:v2"]
    assert jobs[0].length_s() == 120.0
    assert jobs[2].sample["family"] == "EntityTracking"


def test_families_and_tasks_are_chosen(checkout: Path) -> None:
    """In any writing; so many of each family; a family that there is not is refused with those that there are."""
    for families in ('["entity tracking"]', "[EntityTracking]", "[entity_tracking]"):
        assert [job.sample["id"] for job in planned(checkout, f", families: {families}")] == ["EntityTracking.001"]
    assert len(planned(checkout, ", limit: 1")) == 2
    assert [job.sample["id"] for job in planned(checkout, ", only: [Daily.a.002]")] == ["Daily.a.002"]
    with pytest.raises(ScenarioError, match="no family 'Weekly'; there are Daily, EntityTracking"):
        planned(checkout, ", families: [Weekly]")


def test_pacing_is_the_manner_of_the_caller(checkout: Path) -> None:
    """A fast one is not patient."""
    manners = [planned(checkout, f", limit: 1, pacing: {pacing}")[0].scenario.user for pacing in ("slow", "fast")]
    assert [user.manner.patience for user in manners] == ["high", "low"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        (", llm: {kind: dreams}", "no kind of llm"),
        (", pacing: hasty", "'hasty'"),
        (", voice: nobody-at-all", "nobody-at-all"),
        (", llm: {base_url: 'http://127.0.0.1:1/v1', model: m, api_key: secret-words}", "write it as"),
    ],
)
def test_a_caller_that_cannot_be_is_refused(checkout: Path, keys: str, complaint: str) -> None:
    """Before anything starts."""
    with pytest.raises(ScenarioError, match=complaint):
        planned(checkout, keys)


def test_a_folder_without_tasks_is_refused(tmp_path: Path) -> None:
    """With the file that is missing."""
    with pytest.raises(ScenarioError, match=r"prompts_staged_200\.json cannot be read"):
        FdbV2DatasetSpec(path=tmp_path).read()


@pytest.mark.slow
def test_a_task_is_played_to_its_end_and_judged(checkout: Path) -> None:
    """The stages come one after the other, the caller hangs up, the judge is told the task's goals."""
    with chat_endpoint(says(REPLY)) as endpoint:
        judge = f"judge: {{model: gemini, base_url: '{endpoint.base_url}'}}\n"
        (job,) = planned(checkout, ", only: [EntityTracking.001]", judge + AGENT)
        folder = checkout.parent / "runs"
        played = anyio.run(play, job, folder, Surroundings())
        row = finish(job, folder, played)
        asked = endpoint.asked[0]["messages"][0]["content"]
    session = read_session(folder / job.id)
    said = [event.data["text"] for event in session.by_type["speech_start"] if event.party == "user"]
    wishes = [place for place, words in enumerate(said) for goal in ("table", "two", "eight") if goal in words]
    assert wishes == sorted(wishes) and len(set(wishes)) >= 3
    assert session.by_type["hung_up"][0].party == "user" and session.duration < 60 * session.sample_rate
    assert row.scores["fdb:v2.task_score"].value == 3
    assert "T3: “Come at eight.”" in asked and "ENTITIES" in asked
