"""duplex_model: a batched model as a party of a scenario, from the file to the session folder."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.duplex.model import Weights, allowed_frames
from agents.duplex_model import DuplexModelSpec
from simulator.errors import ScenarioError
from simulator.scenario import Scenario, check
from simulator.session import Session
from simulator.spec import decode, encode
from tests.contracts.counter_model import HalvesSpec, Plan
from tests.duplex_sessions import STEP, run, scenario


def test_tokens_are_known_after_their_frame_and_placed_where_the_model_places_them(tmp_path: Path) -> None:
    """The step that heard [kT, (k+1)T) is said from (k+1)T: `at` says so, `model_at` is kT."""
    session, played = run(tmp_path, scenario(tmp_path, plan=Plan(lead_in=3)))[0]
    assert played.problem is None
    tokens = session.by_type["token"]
    delay = session.meta.parties["agent"].edge_delay_samples
    assert [event.frame for event in tokens] == list(range(len(tokens)))
    assert [event.at - event.model_at for event in tokens] == [STEP] * len(tokens)
    assert tokens[0].model_at <= delay
    assert len(tokens) >= 18


def test_a_step_of_several_frames_places_every_one_of_them(tmp_path: Path) -> None:
    """Two frames of 40 ms in a step: `model_at` runs in frames, `at` in steps, and never lies behind it."""
    made = scenario(tmp_path, plan=Plan())
    agent = msgspec.structs.replace(made.agent, model=HalvesSpec())  # type: ignore[type-var]
    session, played = run(tmp_path, msgspec.structs.replace(made, agent=agent))[0]
    assert played.problem is None
    tokens = session.by_type["token"]
    steps = [event.at - event.model_at for event in tokens]
    assert [event.frame for event in tokens] == list(range(len(tokens)))
    assert steps == [STEP, STEP // 2] * (len(tokens) // 2)


def test_a_model_is_both_parties(tmp_path: Path) -> None:
    """User and agent are rows of one batch, with lead-ins of their own; the session ends as any other."""
    both = {"kind": "duplex_model", "slots": 2}
    session, played = run(tmp_path, scenario(tmp_path, user=both, agent=both, plan=Plan(lead_in=2)))[0]
    assert played.problem is None
    for party in ("user", "agent"):
        assert len([event for event in session.by_type["token"] if event.party == party]) >= 18


def test_a_session_that_needs_more_slots_than_there_are_is_refused(tmp_path: Path) -> None:
    """Two parties, one slot: a sentence, no session that waits for ever."""
    both = {"kind": "duplex_model", "slots": 1}
    _, played = run(tmp_path, scenario(tmp_path, user=both, agent=both, plan=Plan()))[0]
    assert played.status == "failed"
    assert "the session needs 2 slots of counter, and slots is 1" in str(played.problem)


def test_sessions_queue_for_slots_and_none_is_touched_by_another_that_fails(tmp_path: Path) -> None:
    """Five sessions through two slots; the one whose row is no number fails, frame and slot named."""
    plain = scenario(tmp_path, agent={"kind": "duplex_model", "slots": 2}, plan=Plan())
    broken = scenario(tmp_path, agent={"kind": "duplex_model", "slots": 2}, plan=Plan(nan_at=4))
    results = run(tmp_path, plain, broken, plain, plain, plain)
    assert [played.status for _, played in results] == ["completed", "failed", *["completed"] * 3]
    assert "counter: frame 4 of slot 1 is not a number" in str(results[1][1].problem)


def test_a_row_says_the_same_alone_and_in_company(tmp_path: Path) -> None:
    """The bytes of a session's folder do not depend on who else was in the batch."""

    def digest(session: Session) -> str:
        content = [(session.folder / name).read_bytes() for name in ("conversation.wav", "events.jsonl")]
        return hashlib.sha256(b"".join(content)).hexdigest()

    def sessions(count: int) -> list[Scenario]:
        return [scenario(tmp_path, seed=index, plan=Plan(lead_in=index)) for index in range(count)]

    alone, crowd = tmp_path / "alone", tmp_path / "crowd"
    one = run(alone, sessions(3)[2])[0][0]
    assert digest(one) == digest(run(crowd, *sessions(3))[2][0])


def test_measured_latency_charges_the_steps(tmp_path: Path) -> None:
    """The cost of each step is the session's thinking time; the session says that it is not deterministic."""
    agent = {"kind": "duplex_model", "latency": "measured"}
    session, played = run(tmp_path, scenario(tmp_path, agent=agent, plan=Plan()))[0]
    assert played.problem is None
    assert not session.meta.deterministic
    assert session.by_type["token"]


@pytest.mark.slow
def test_on_the_wall_clock_sessions_run_at_its_pace(tmp_path: Path) -> None:
    """Two sessions in real time, in step with the host's grid: every frame is answered in time."""
    fields: dict[str, Any] = {
        "clock": "wall",
        "agent": {"kind": "duplex_model", "latency": "80ms", "slots": 2},
    }
    results = run(tmp_path, *[scenario(tmp_path, plan=Plan(), **fields)] * 2)
    for session, played in results:
        assert played.problem is None
        assert len(session.by_type["token"]) >= 16


@pytest.mark.parametrize("frame_ms", [30, 50, 100])
def test_a_frame_that_does_not_divide_the_step_is_refused(tmp_path: Path, frame_ms: float) -> None:
    """The field is named, and the frames that are allowed."""
    made = scenario(tmp_path, frame_ms=frame_ms)
    with pytest.raises(ScenarioError, match=r"agent\.model: a step lasts 80 ms.*allowed frame_ms: 80, 40, .*20"):
        check(made, "t.yaml")


def test_allowed_frames_divide_the_step_and_are_whole_samples() -> None:
    """At 44.1 kHz only those of whole samples are offered."""
    assert allowed_frames(80, 24_000)[:5] == [80, 40, 20, 16, 10]
    assert allowed_frames(80, 44_100) == [80, 40, 20, 10]


def test_weights_are_a_path_a_hub_id_or_random(tmp_path: Path) -> None:
    """A path is relative to the file and must be there, a hub id is kept, anything else is refused."""

    def weights(value: object) -> DuplexModelSpec:
        spec = {"kind": "duplex_model", "weights": value}
        return decode(spec, DuplexModelSpec, source="t.yaml", folder=tmp_path)

    (tmp_path / "mine").mkdir()
    local = weights("mine")
    assert local.weights == str(tmp_path / "mine")
    assert decode(encode(local), DuplexModelSpec, source="t", folder=Path("/")) == local
    assert weights("kyutai/moshiko-pytorch-bf16").weights == "kyutai/moshiko-pytorch-bf16"
    assert Weights("random").is_random
    with pytest.raises(ScenarioError, match=r"t\.yaml: \$\.weights: .*missing does not exist"):
        weights("missing")
