"""Rules of sessions that share a model: as many side by side as find a place, whatever the order of the plan."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from simulator.batch.limits import Admission
from simulator.planning.job import Job
from simulator.testing import scenario_of

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

MODEL = {"kind": "duplex_model", "model": {"kind": "tiny_duplex"}, "slots": 4}


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
