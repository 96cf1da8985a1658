"""A tau2-bench checkout as a world, in a child process: a miniature one that the tests make."""

import sys
from pathlib import Path
from typing import Any

import pytest

from metrics.task import Task
from simulator.errors import ActorError, ScenarioError
from simulator.files import write_json
from simulator.judging.spec import JudgeSpec
from simulator.planning.checks import check_expectations
from simulator.reading.expect import read_expectation
from simulator.session import Session
from simulator.testing.sessions import play_session, scenario_of
from simulator.testing.take import Take
from simulator.world.record import WORLD, WorldVerdict, read_world, recorded
from simulator.world.tau2 import Tau2WorldSpec
from tests.chat_endpoint import calls, chat_endpoint, says
from tests.judged_session import NO, YES, answer, judged_session
from tests.tau2_checkout import write_checkout

Json = dict[str, Any]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout for all tests here."""
    return write_checkout(tmp_path_factory.mktemp("tau2") / "checkout")


def spec_of(checkout: Path, task: str | int = "buy", **more: Any) -> Tau2WorldSpec:
    """A task of the shop."""
    return Tau2WorldSpec(**{"path": checkout, "python": sys.executable, "domain": "shop", "task": task, **more})


def test_it_has_tools_for_both_parties_and_tells_each_what_it_is_to_know(checkout: Path) -> None:
    """The policy is the agent's, the scenario the user's."""
    spec = spec_of(checkout)
    spec.check("$.world")
    assert [tool.name for tool in spec.tools("agent")] == ["sell", "price"]
    assert [tool.name for tool in spec.tools("user")] == ["look"]
    assert spec.tools("agent")[0].parameters["required"] == ["lamp"]
    assert (spec.instructions("agent"), spec.instructions("user")) == ("Sell lamps that are there.", "You want a lamp.")


def test_calls_change_its_data_and_its_own_evaluator_judges_them(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors are the domain's own; the child sees no keys."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nothing")
    world = spec_of(checkout).open()
    try:
        before = world.state()
        assert world.call("agent", "price", {"lamp": "7"}).answer == 10
        assert world.call("user", "look", {}).answer == "a dark room"
        assert world.verdict().reward == 0
        assert world.call("agent", "sell", {"lamp": "7"}).answer == {"sold": "7"}
        refused = world.call("agent", "sell", {"lamp": "7"})
        assert (refused.fault, refused.answer) == ("refused", {"error": "it is sold"})
        assert world.call("agent", "sell", {}).fault == "refused"
        assert world.call("agent", "look", {}).fault == "unknown"
        told = world.verdict()
        assert (told.reward, told.basis, told.communicate) == (1.0, ["DB", "COMMUNICATE"], ["1,010 dollars"])
        (change,) = recorded(before, world.state()).diff
        assert (change.path, change.before, change.after) == ("agent.lamps.7.sold", False, True)
    finally:
        world.close()


@pytest.mark.parametrize(("task", "reward"), [("leave", 1.0), (2, 0.0), ("again", 0.0)])
def test_doing_nothing_is_right_only_where_nothing_was_to_be_done(
    checkout: Path, task: str | int, reward: float
) -> None:
    """A task is named by its id or its place; one may have a history."""
    world = spec_of(checkout, task).open()
    assert world.verdict().reward == reward
    world.close()


def test_every_session_begins_anew(checkout: Path) -> None:
    """Two worlds of one task do not meet."""
    first, second = spec_of(checkout).open(), spec_of(checkout).open()
    first.call("agent", "sell", {"lamp": "7"})
    assert second.call("agent", "sell", {"lamp": "7"}).answer == {"sold": "7"}
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"path": "."}, "is no tau2-bench checkout: it has no src/tau2"),
        ({"python": "no-such-python"}, "tau2 cannot be started with 'no-such-python'"),
        ({"python": "/bin/true"}, "are its packages installed|went away"),
        ({"domain": "airport"}, "tau2 could not open: KeyError: 'airport'"),
        ({"task": "fly"}, "shop has no task 'fly'; there are buy, leave, please"),
        ({"tasks": "small"}, "KeyError: 'small'"),
    ],
)
def test_a_checkout_that_cannot_be_used_is_refused(checkout: Path, tmp_path: Path, more: Json, complaint: str) -> None:
    """In one sentence, before anything starts."""
    world = {"kind": "tau2", "path": str(checkout), "python": sys.executable, "domain": "shop", "task": "buy", **more}
    with pytest.raises(ScenarioError, match=complaint) as caught:
        scenario_of({"user": "silent", "agent": "silent", "world": world}, tmp_path)
    assert "$.world" in str(caught.value)


def test_a_child_that_is_gone_is_told(checkout: Path) -> None:
    """In the session's own words."""
    world = spec_of(checkout).open()
    world._child._process.kill()
    with pytest.raises(ActorError, match="tau2"):
        world.call("agent", "price", {"lamp": "7"})
    world.close()


def test_a_session_is_played_in_it(checkout: Path, tmp_path: Path) -> None:
    """The model is told the policy, sells the lamp, and the verdict stands in world.json."""
    world = {"kind": "tau2", "path": str(checkout), "python": sys.executable, "domain": "shop", "task": "buy"}
    with chat_endpoint(says("", calls("sell", lamp="7")), says("That is one thousand and ten dollars.")) as endpoint:
        agent = {"kind": "cascade", "chat": {"base_url": endpoint.base_url, "model": "test", "system": "Be short."}}
        user = {"kind": "scripted", "turns": ["I want the lamp."]}
        session = play_session(
            {"user": user, "agent": agent, "world": world, "duration": "10s"}, tmp_path, annotate=True
        )
    assert endpoint.asked[0]["messages"][0]["content"] == "Be short.\n\nSell lamps that are there."
    record = read_world(session.folder)
    assert record is not None
    assert record.verdict is not None
    assert record.verdict.reward == 1
    assert found_in(session) is True


def found_in(session: Session, judge: JudgeSpec | None = None) -> bool | None:
    """Whether the world's own verdict is success."""
    *_, own = Task([read_expectation({"world": "succeeded"}, "t")], judge).score(session)
    return None if own.value is None else bool(own.value)


@pytest.mark.parametrize(
    ("replies", "gate", "expected"),
    [
        ((YES, YES), True, True),
        ((YES, NO), True, False),
        ((YES, {"no": "verdict"}), True, None),
        ((YES, YES), False, None),
    ],
)
def test_criteria_of_language_are_a_judges_whose_word_counts(
    tmp_path: Path, own_cache: None, replies: tuple[Json, Json], gate: bool, expected: bool | None
) -> None:
    """One question for each; a judge that may not gate is not asked, and one verdict that is missing leaves it open."""
    session = judged_session(tmp_path)
    verdict = WorldVerdict(reward=1, language=["It is polite.", "It is short."])
    write_json(session.folder / WORLD, recorded({}, {}, verdict))
    with chat_endpoint(*(answer(**reply) for reply in replies)) as endpoint:
        judge = JudgeSpec(model="m", base_url=endpoint.base_url, gate=gate, retries=0)
        assert found_in(session, judge) is expected
        assert len(endpoint.asked) == (2 if gate else 0)


@pytest.mark.parametrize(
    ("verdict", "said", "expected"),
    [
        (WorldVerdict(reward=1, basis=["DB"]), "goodbye", True),
        (WorldVerdict(reward=0.0, basis=["DB"]), "goodbye", False),
        (WorldVerdict(reward=1, communicate=["10"]), "it costs ten dollars", True),
        (WorldVerdict(reward=1, communicate=["1,010 Dollars"]), "one thousand and ten dollars", True),
        (WorldVerdict(reward=1, communicate=["10"]), "it costs nine dollars", False),
        (WorldVerdict(reward=1, communicate=["10"]), "", False),
        (WorldVerdict(reward=1, language=["It was polite."]), "goodbye", None),
        (WorldVerdict(reward=0, language=["It was polite."]), "goodbye", False),
        (None, "goodbye", None),
    ],
)
def test_words_are_held_against_the_verdict(
    tmp_path: Path, verdict: WorldVerdict | None, said: str, expected: bool | None
) -> None:
    """Numbers may be said in words; what only a judge can tell is undefined."""
    take = Take(tmp_path / "take", 12.0)
    take.say("user", 0.5, 1.0)
    if said:
        words = [(word, 2.0 + place / 2) for place, word in enumerate(said.split())]
        take.say("agent", 2.0, 2.0 + len(words) / 2, text=said, words=words)
    session = take.annotated()
    write_json(session.folder / WORLD, recorded({}, {}, verdict))
    assert found_in(session) is expected


def test_a_verdict_is_expected_only_of_a_world_that_has_one(tmp_path: Path) -> None:
    """A scenario's own world has none."""

    scenario = scenario_of(
        {"user": "silent", "agent": "silent", "world": {}, "expect": [{"world": "succeeded"}]}, tmp_path
    )
    with pytest.raises(ScenarioError, match="and this one has none"):
        check_expectations(scenario)
