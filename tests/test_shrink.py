"""`simulate shrink`: the fewest parts that still fail, and the shortest session."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simulator.ci.ddmin import ddmin, least
from simulator.ci.shrinking import Failure
from tests.command_line import simulate


@given(st.integers(0, 24), st.sets(st.integers(0, 23)))
def test_exactly_what_is_needed_is_left(count: int, needed: set[int]) -> None:
    """Where it fails when all of some parts are there, those are left, whichever they are, in their order."""
    needed = {part for part in needed if part < count}
    assert ddmin(range(count), lambda some: needed <= set(some)) == sorted(needed)


@given(st.integers(1, 16), st.randoms(use_true_random=False))
def test_no_part_of_what_is_left_can_go_alone(count: int, chance: Any) -> None:
    """Whatever fails: what is left does, and nothing in it can be left out by itself."""
    answers: dict[tuple[int, ...], bool] = {tuple(range(count)): True, (): False}

    def fails(some: Sequence[int]) -> bool:
        return answers.setdefault(tuple(some), chance.random() < 0.3)

    left = ddmin(range(count), fails)
    assert fails(left)
    assert not any(fails(left[:index] + left[index + 1 :]) for index in range(len(left)))


@pytest.mark.parametrize("needed", [1, 2, 37, 99, 100])
def test_the_least_number_is_found_by_halving(needed: int) -> None:
    """In seven questions of a hundred numbers."""
    asked: list[int] = []
    assert least(1, 100, lambda number: asked.append(number) or number >= needed) == needed
    assert len(asked) <= 7


def test_what_is_not_measured_any_more_does_not_fail_by_the_same() -> None:
    """A metric without a value fails its expectation, and is no smaller form of one with a bad value."""
    bad = Failure(expectations=frozenset({"a < 1"}))
    gone = Failure(expectations=frozenset({"a < 1"}), undefined=frozenset({"a < 1"}))
    assert bad.still_in(Failure(expectations=frozenset({"a < 1", "b < 1"})))
    assert not bad.still_in(gone) and not bad.still_in(None) and gone.still_in(bad)
    assert Failure(problem="failed at t=1.20 s").still_in(Failure(problem="failed at t=7 s"))


CALL = {
    "name": "slow", "duration": "12s", "scorers": ["latency"],
    "user": {"kind": "scripted", "turns": [
        {"at": "500ms", "say": "One."}, {"after": "agent_turn", "say": "Two."},
        {"after": "agent_turn", "say": "Three."}]},
    "agent": {"kind": "cascade", "endpoint": "500ms", "replies": [{"say": "Yes."}]},
    "injectors": [{"kind": "backchannel", "party": "user", "cue": {"at": "6s"}, "say": "mm-hm"}],
    "lines": {"user_to_agent": [{"kind": "gain", "db": -1}, {"kind": "gain", "db": 1}]},
    "expect": ["latency.response_p50_s < 0.1", "latency.response_p50_s < 30"],
}  # fmt: skip


def test_a_call_is_shrunk_to_one_turn(tmp_path: Path, capsys: Any) -> None:
    """Every answer is too late, so one turn in the fewest seconds is enough; what is written fails when it is run."""
    path = tmp_path / "slow.yaml"
    path.write_text(yaml.safe_dump(CALL), encoding="utf-8")
    assert simulate("shrink", path) == 0
    out, tries = capsys.readouterr()
    assert "simulate: 1: 3 turns, 1 injectors, 2 channels, duration 12s: fails\n" in tries
    assert "simulate: 2: nothing, duration 12s: fails otherwise\n" in tries  # no answer is no slow one
    assert "1 of 3 turns, 0 of 1 injectors, 0 of 2 channels" in out
    assert "still fails: latency.response_p50_s < 0.1" in out and "< 30" not in out
    shrunk = tmp_path / "slow.shrunk.yaml"
    data = yaml.safe_load(shrunk.read_text(encoding="utf-8"))
    assert len(data["user"]["turns"]) == 1 and not data["injectors"] and not data["lines"]["user_to_agent"]
    assert float(data["duration"].removesuffix("s")) < 5 and shrunk.read_text(encoding="utf-8").startswith(
        "# slow.yaml"
    )
    assert simulate(shrunk, "--out", tmp_path / "run") == 1
    assert simulate("shrink", path) == 2 and "is there already" in capsys.readouterr().err


def test_what_holds_is_not_shrunk(tmp_path: Path, capsys: Any) -> None:
    """Nor what is many conversations; and where few sessions may be played the best so far is written."""
    path = tmp_path / "fine.yaml"
    path.write_text(yaml.safe_dump({**CALL, "expect": ["latency.response_p50_s < 30"]}), encoding="utf-8")
    assert simulate("shrink", path) == 2 and "there is nothing to shrink" in capsys.readouterr().err
    path.write_text(yaml.safe_dump(CALL), encoding="utf-8")
    assert simulate("shrink", path, "--set", "sweep={over: {seed: [1, 2]}}") == 2
    assert "one conversation" in capsys.readouterr().err
    assert simulate("shrink", path, "--set", "agent={kind: websocket, url: 'ws://127.0.0.1:9'}") == 2
    assert "start it" in capsys.readouterr().err and not (tmp_path / "fine.shrunk.yaml").exists()
    assert simulate("shrink", path, "--most", "3", "-q", "--out", tmp_path / "some.yaml") == 0
    assert "no more were allowed" in capsys.readouterr().out and (tmp_path / "some.yaml").is_file()
