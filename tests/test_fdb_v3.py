"""Full-Duplex-Bench v3: a checkout in miniature, its recordings played to an agent with its tools, and its measures."""

import json
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
import soundfile

from metrics.compat.fdb.v3 import V3Spec, f1, right_arguments, same_arguments
from simulator.batch.job import finish, play
from simulator.call.surroundings import Surroundings
from simulator.datasets.fdb_v3 import FdbV3DatasetSpec
from simulator.datasets.kept_sound import spoken
from simulator.errors import ScenarioError
from simulator.planning.plan import Wishes, make_plan
from simulator.scoring.inputs import find_inputs
from simulator.session import Session, read_session
from simulator.testing import Take
from simulator.world.fdb_v3 import TOOLS, FdbV3WorldSpec

pytestmark = pytest.mark.usefixtures("own_cache")

SPEAKER = "0123456789abcdef01234567"
TRACK = {"function": "track_order", "args": {"order_id": "12345"}}
MOCK = """
from waiting_times import PROFILES
class MockAPIRegistry:
    def __init__(self, latency_profile):
        self.wait = PROFILES[latency_profile]
    def call(self, name, **arguments):
        if name == "book_flight":
            raise RuntimeError("no seats")
        return {"of": name, "wait": self.wait, "got": arguments}
"""


def scenario(name: str, *calls: dict[str, Any]) -> dict[str, Any]:
    """A scenario of the benchmark's file, in words of ours."""
    dialogue = [{"user": "Where is it?", "ai": "One moment."}, {"user": "Yes, 12345.", "ai": "It was shipped."}]
    return {"id": name, "domain": "ecommerce_support", "difficulty": "easy", "title": "An order",
            "expected_tool_calls": list(calls), "dialogue": dialogue}  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Two recordings that can be played, one of an unknown scenario, one that is missing, and replies."""
    root = tmp_path / "checkout" / "v3"
    for name in ("7", "8", "nobody"):
        folder = root / "fdb_v3_data_released" / f"{name}_{SPEAKER}"
        folder.mkdir(parents=True)
        soundfile.write(folder / "input.wav", np.zeros(4800, np.float32), 48_000)
    (root / "fdb_v3_data_released" / f"gone_{SPEAKER}").mkdir()
    scenarios = [scenario("7", TRACK), scenario("8"), scenario("gone", TRACK)]
    (root / "benchmark_data_v2.json").write_text(json.dumps({"scenarios": scenarios}))
    (root / "mock_apis.py").write_text(MOCK)
    (root / "waiting_times.py").write_text("PROFILES = {'instant': 0}")
    return root.parent


def test_each_recording_is_a_session_with_the_tools(checkout: Path) -> None:
    """With what its scenario expects; what has no scenario or no sound is told."""
    (checkout.parent / "s.yaml").write_text(
        "name: s\ndataset: {kind: fdb_v3, path: checkout, latency: slow}\nagent: silent"
    )
    plan = make_plan([checkout.parent / "s.yaml"], Wishes())
    assert [job.sample["id"] for job in plan.jobs] == [f"7_{SPEAKER}", f"8_{SPEAKER}"]
    job = plan.jobs[0]
    assert (job.sample["example"], job.sample["speaker"], job.sample["expected_tool_calls"]) == ("7", SPEAKER, [TRACK])
    assert job.sample["expected_response"] == "It was shipped."
    assert job.length_s() == pytest.approx(0.1) and job.scenario.world is not None
    assert len(job.scenario.world.tools("agent")) == 12 and not job.scenario.world.tools("user")
    assert [note.split(": ")[1] for note in plan.notes] == [f"gone_{SPEAKER}", f"nobody_{SPEAKER}"]
    assert "'nobody' is no scenario" in plan.notes[1]


@pytest.mark.parametrize("call", [{"args": {}}, {"function": "track_order", "args": ["12345"]}, "track_order"])
def test_an_expected_call_that_is_none_leaves_its_recordings_out(checkout: Path, call: Any) -> None:
    """It could not be held against a call, and would break the scoring of the whole session."""
    (checkout / "v3" / "benchmark_data_v2.json").write_text(
        json.dumps({"scenarios": [scenario("7", call), scenario("8")]})
    )
    assert [sample.meta["example"] for sample in FdbV3DatasetSpec(path=checkout).samples()] == ["8"]


def test_recordings_are_chosen_by_name_or_scenario(checkout: Path) -> None:
    """And so many of them; the older layout, a folder for each speaker, is read as well."""
    spec = FdbV3DatasetSpec(path=checkout)
    assert [sample.meta["example"] for sample in FdbV3DatasetSpec(path=checkout / "v3", only=["8"]).samples()] == ["8"]
    assert len(FdbV3DatasetSpec(path=checkout, limit=1).samples()) == 1
    released = checkout / "v3" / "fdb_v3_data_released"
    (released / "ann").mkdir()
    (released / f"7_{SPEAKER}").rename(released / "ann" / "example_7")
    assert [sample.id for sample in spec.samples()] == [f"8_{SPEAKER}", "7_ann"]


def test_replies_are_the_checkouts_own_and_delays_are_ours(checkout: Path) -> None:
    """Asked without their waiting; an error of theirs and bad arguments are answered as an API would."""
    spec = FdbV3WorldSpec(path=checkout, latency="normal")
    world = spec.open()
    result = world.call("agent", "calculate_commute", {"origin_address": "a", "destination_address": "b"})
    commute = {"origin_address": "a", "destination_address": "b", "mode": "driving"}
    assert result.answer == {"of": "calculate_commute", "wait": 0, "got": commute}
    assert result.delay == 0.5
    assert "no seats" in world.call("agent", "book_flight", {"passenger_name": "Ann"}).answer["error"]
    assert world.call("agent", "book_flight", {}).fault == "arguments"
    filters = world.call("agent", "update_search_filter", {"filter_name": "pets", "value": True})
    assert filters.fault == "arguments"  # its values are texts


def test_what_is_not_there_is_refused(checkout: Path) -> None:
    """Replies, recordings, scenarios: with the file, before anything starts."""
    root = checkout / "v3"
    (root / "mock_apis.py").write_text("class Other: pass")
    with pytest.raises(ScenarioError, match=r"mock_apis\.py has no MockAPIRegistry"):
        FdbV3WorldSpec(path=root).check("$.world")
    with pytest.raises(ScenarioError, match=r"mock_apis\.py is missing"):
        FdbV3WorldSpec(path=checkout.parent).check("$.world")
    (root / "benchmark_data_v2.json").write_text("{}")
    with pytest.raises(ScenarioError, match="has no scenarios"):
        FdbV3DatasetSpec(path=root).read()


@pytest.mark.parametrize(
    ("expected", "made", "value"),
    [
        ("ab", "ab", 1.0),
        ("ab", "a", 2 / 3),  # recall 1/2, precision 1
        ("a", "abc", 1 / 2),  # recall 1, precision 1/3
        ("aab", "abb", 2 / 3),  # a and b once each: 2 of 3 on both sides
        ("ab", "", 0.0),
        ("", "", 1.0),
        ("", "a", 0.0),
    ],
)
def test_f1_of_names_as_multisets(expected: str, made: str, value: float) -> None:
    """Recall is 1 where nothing is expected, precision where nothing was called."""
    assert f1(list(expected), list(made)) == pytest.approx(value)


@pytest.mark.parametrize(
    ("expected", "made", "same"),
    [
        ({"doc_type": "driver_license"}, {"doc_type": " Driver License ", "more": 1}, True),
        ({"city": "Boston"}, {"city": "Austin"}, False),
        ({"city": "Boston"}, {}, False),
        ({"product_id": "$RESULT_0.products[0].id"}, {"product_id": "whatever"}, True),
        ({"product_id": "$RESULT_0.products[0].id"}, {}, False),
        ({"value": "True"}, {"value": True}, False),
        ({"amount": 200}, {"amount": 200.0}, True),
    ],
)
def test_arguments_are_compared_as_the_script_does(expected: Any, made: Any, same: bool) -> None:
    """Texts without case, blanks and underscores; $ stands for anything that is there."""
    assert same_arguments("any", expected, made) is same


def test_each_expected_call_has_the_first_unused_one_of_its_name() -> None:
    """So two calls in the other order are both wrong."""
    first, second = ("track_order", {"order_id": "1"}), ("track_order", {"order_id": "2"})
    assert right_arguments([first, second], [first, second], same_arguments) == [True, True]
    assert right_arguments([first, second], [second, first], same_arguments) == [False, False]
    assert right_arguments([first, second], [second], same_arguments) == [False, False]


def take(folder: Path, agent_s: float | None, *calls: tuple[str, dict[str, Any], str]) -> Session:
    """The user's words end at 2 s, and after a silence of 2.5 s at 5 s; the agent's first word is at agent_s."""
    talk = Take(folder, duration=12.0)
    talk.say("user", 1.0, 2.0, words=[("track", 1.0), ("it", 1.5)])
    talk.say("user", 4.5, 5.0, words=[("please", 4.5)])
    if agent_s is not None:
        talk.say("agent", agent_s, agent_s + 1, words=[("yes", agent_s)])
    for number, (name, arguments, fault) in enumerate(calls):
        talk.note(3.0, "tool_call", "agent", id=f"c{number}", name=name, arguments=arguments)
        answer = {"error": "no"} if fault else "ok"
        talk.note(3.5, "tool_result", "agent", id=f"c{number}", name=name, answer=answer, **(
            {"fault": fault} if fault else {}))  # fmt: skip
    session = talk.annotated()
    session.meta.sample.update({"id": folder.name, "expected_tool_calls": [TRACK]})
    return session


def values(session: Session, **options: Any) -> dict[str, float | None]:
    """What the scorer says, by metric."""
    return {score.id.removeprefix("fdb:v3."): score.value for score in V3Spec(**options).score(session)}


def test_a_session_is_measured(tmp_path: Path) -> None:
    """The right call and one more: F1 2 * 1 * 1/2 / (3/2). 3.25 s is not early: the turn ends before the gap."""
    found = values(take(tmp_path / "more", 3.25, ("track_order", {"order_id": "12345"}, ""),
                        ("search_products", {"query": "lamp"}, "")))  # fmt: skip
    assert found == {"turn_take": 1.0, "tool_f1": 0.667, "argument_accuracy": 1.0, "pass_at_1": 0.0,
                     "response_quality": None, "interruption": 0.0, "latency_s": 1.25}  # fmt: skip
    exact = values(take(tmp_path / "exact", 1.75, ("track_order", {"order_id": "12345"}, ""),
                        ("fly", {}, "unknown"), ("track_order", {}, "arguments")))  # fmt: skip
    assert (exact["tool_f1"], exact["pass_at_1"], exact["interruption"], exact["latency_s"]) == (1.0, 1.0, 1.0, None)


def test_means_are_over_sessions_in_which_the_agent_spoke_and_pass_is_over_all(tmp_path: Path) -> None:
    """A silent agent may still have called the right tool; strict keeps all decimals."""
    sessions = [take(tmp_path / "a", 6.0, ("track_order", {"order_id": "9"}, "")),
                take(tmp_path / "b", None, ("track_order", {"order_id": "12345"}, ""))]  # fmt: skip
    first, second = (values(session) for session in sessions)
    assert (first["tool_f1"], first["argument_accuracy"], first["pass_at_1"]) == (1.0, 0.0, 0.0)
    assert (second["turn_take"], second["tool_f1"], second["argument_accuracy"], second["pass_at_1"]) == (
        0.0, None, None, 1.0)  # fmt: skip
    three = take(tmp_path / "c", 6.0, ("track_order", {"order_id": "12345"}, ""), ("search_products", {}, ""))
    assert values(three, mode="strict")["tool_f1"] == pytest.approx(2 / 3, abs=1e-12)


def test_another_session_has_turns_and_no_calls(tmp_path: Path) -> None:
    """What is expected of it nobody knows, so nothing is made up."""
    session = take(tmp_path / "other", 6.0)
    session.meta.sample.clear()
    found = values(session)
    assert (found["turn_take"], found["tool_f1"], found["pass_at_1"]) == (1.0, None, None)


@pytest.mark.slow
def test_a_recording_is_played_to_an_agent_that_calls(checkout: Path) -> None:
    """Spoken by a voice of ours: the order's number is found, the reply is said, everything is right."""
    sound, rate = soundfile.read(spoken("Hello, please track my order. The number is 1, 2, 3, 4, 5."))
    folder = checkout / "v3" / "fdb_v3_data_released" / f"7_{SPEAKER}"
    soundfile.write(folder / "input.wav", np.concatenate([sound, np.zeros(6 * rate)]), rate)
    (checkout.parent / "s.yaml").write_text(
        "name: s\ndataset: {kind: fdb_v3, path: checkout, only: ['7'], latency: fast}\n"
        "agent: {kind: cascade, replies: [{match: '(?P<order>\\d{3,})', call: track_order, "
        "with: {order_id: '{order}'}, say: 'It comes from {answer.of}.'}]}\n"
    )
    (job,) = make_plan([checkout.parent / "s.yaml"], Wishes()).jobs
    runs = checkout.parent / "runs"
    row = finish(job, runs, anyio.run(play, job, runs, Surroundings()))
    found = {name.removeprefix("fdb:v3."): score.value for name, score in row.scores.items() if "v3" in name}
    assert {name: found[name] for name in ("turn_take", "tool_f1", "argument_accuracy", "pass_at_1")} == dict.fromkeys(
        ("turn_take", "tool_f1", "argument_accuracy", "pass_at_1"), 1.0)  # fmt: skip
    session = read_session(runs / job.id)
    (result,) = session.by_type["tool_result"]
    assert result.data["answer"]["got"] == {"order_id": "12345"}
    corpus = V3Spec().score_corpus([runs / job.id])
    assert corpus.metrics["pass_at_1"].value == 1.0
    assert find_inputs([runs], ["session"], scorer="fdb:v3")


def test_the_tools_are_the_benchmarks() -> None:
    """Twelve, with these arguments; two of them may be left out for a default and one for nothing."""
    told = {tool.name: list(tool.parameters["properties"]) for tool in TOOLS}
    assert told == {
        "search_flights": ["destination", "date"], "book_flight": ["passenger_name"],
        "update_identity_doc": ["doc_type", "doc_number"], "get_card_benefits": ["card_type"],
        "get_exchange_rate": ["amount", "from_currency", "to_currency"],
        "modify_autopay": ["bill_type", "source_account"], "search_apartments": ["city", "bedrooms", "max_price"],
        "calculate_commute": ["origin_address", "destination_address", "mode"],
        "update_search_filter": ["filter_name", "value"], "track_order": ["order_id"],
        "search_products": ["query", "max_price"], "add_to_cart": ["product_id", "quantity"],
    }  # fmt: skip
    assert {tool.name for tool in TOOLS if len(tool.parameters["required"]) < len(tool.parameters["properties"])} == {
        "calculate_commute", "search_products", "add_to_cart"}  # fmt: skip
