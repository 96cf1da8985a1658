"""Rules of sessions that share a model: as many side by side as find a place, whatever the order of the plan."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from simulator.batch.limits import Admission
from simulator.planning.job import Job
from simulator.testing import scenario_of
from tests import choir

MODEL = {"kind": "choir", "slots": 4}


@pytest.fixture(autouse=True)
def _kinds(tmp_path: Path) -> Iterator[None]:
    with choir.installed(tmp_path / "site"):
        yield


def job(folder: Path, number: int, **fields: Any) -> Job:
    """A job of a silent user with a model of 4 slots."""
    data = {"user": "silent", "agent": MODEL, "duration": "1600ms", "frame_ms": 80, **fields}
    return Job(id=f"s-{number}", group="s", scenario=scenario_of(data, folder))


def most_at_once(jobs: list[Job], concurrency: int = 1) -> int:
    """Let all jobs in as the limits say, and out again after a while; how many were in at most."""

    async def play() -> int:
        limits = Admission(concurrency)
        inside = most = 0

        async def one(each: Job) -> None:
            nonlocal inside, most
            async with limits.of(each):
                inside += 1
                most = max(most, inside)
                for _ in range(50):
                    await anyio.lowlevel.checkpoint()
                inside -= 1

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                for each in jobs:
                    tasks.start_soon(one, each)
        return most

    return anyio.run(play)


@pytest.mark.parametrize(("fields", "concurrency", "most"), [
    ({}, 1, 6), ({"clock": "wall"}, 1, 4), ({"clock": "wall"}, 16, 4), ({"clock": "wall"}, 2, 2), ({}, 9, 9),
    ({"clock": "wall", "user": MODEL}, 1, 2), ({"user": MODEL}, 1, 3),
    ({"user": MODEL | {"slots": 1}, "agent": MODEL | {"slots": 1}, "clock": "wall"}, 1, 1),
])  # fmt: skip
def test_as_many_go_on_as_find_a_place(tmp_path: Path, fields: dict[str, Any], concurrency: int, most: int) -> None:
    """On the wall clock exactly that many, on the virtual clock two places more, or what --concurrency says."""
    assert most_at_once([job(tmp_path, number, **fields) for number in range(12)], concurrency) == most


def test_a_scenario_before_it_changes_nothing_for_the_wall_clock(tmp_path: Path) -> None:
    """The virtual sessions' two places more are not the wall clock's."""
    jobs = [job(tmp_path, 0), *(job(tmp_path, number, clock="wall") for number in range(1, 9))]
    assert most_at_once(jobs) == 5


def test_what_shares_nothing_waits_for_nobody(tmp_path: Path) -> None:
    """Without a limit of its own every session goes on at once, and so do two hosts beside each other."""
    assert most_at_once([job(tmp_path, number, agent="silent") for number in range(12)]) == 12
    hosts = [{"agent": MODEL}, {"agent": {"kind": "choir_of_one"}}]
    assert most_at_once([job(tmp_path, number, **hosts[number % 2]) for number in range(24)]) == 6 + 3


def test_a_session_that_asks_for_more_than_there_is_goes_on_alone(tmp_path: Path) -> None:
    """It says so itself, when it starts; waiting for places that do not exist would never end."""
    both = {"user": MODEL | {"slots": 1}, "agent": MODEL | {"slots": 1}, "clock": "wall"}
    assert most_at_once([job(tmp_path, number, **both) for number in range(3)]) == 1


def test_a_cancelled_session_gives_its_place_back(tmp_path: Path) -> None:
    """Whether it was inside or still waiting, those behind it go on."""
    one_place = {"agent": MODEL | {"slots": 1}, "clock": "wall"}

    async def play() -> list[str]:
        limits, went_in = Admission(1), []

        async def hold(name: str, scope: anyio.CancelScope) -> None:
            with scope:
                async with limits.of(job(tmp_path, 0, **one_place)):
                    went_in.append(name)
                    await anyio.sleep_forever()

        scopes = {name: anyio.CancelScope() for name in ("inside", "waiting", "last")}
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                for name, scope in scopes.items():
                    tasks.start_soon(hold, name, scope)
                    await anyio.wait_all_tasks_blocked()
                assert went_in == ["inside"]
                for name in ("waiting", "inside", "last"):
                    scopes[name].cancel()
                    await anyio.wait_all_tasks_blocked()
        return went_in

    assert anyio.run(play) == ["inside", "last"]


@pytest.mark.torch
def test_a_duplex_model_has_as_many_places_as_slots(tmp_path: Path) -> None:
    """The real kind tells its loaded model by all that makes it another one, and its slots."""
    pytest.importorskip("torch")
    model = {"kind": "duplex_model", "model": {"kind": "tiny_duplex"}, "slots": 4}
    assert most_at_once([job(tmp_path, number, agent=model, clock="wall") for number in range(12)]) == 4
    names = {job(tmp_path, 0, agent=model | {"slots": slots}).scenario.agent.traits().host.name for slots in (4, 5)}
    assert len(names) == 2
