"""Rules of how sessions share a server: rounds of the loop are short however many there are, threads are few."""

import threading
from collections.abc import Iterator

import anyio
import pytest
from anyio.lowlevel import checkpoint

from simulator.serving.sharing import THREADS, Sharing


@pytest.mark.anyio
async def test_of_many_sessions_one_goes_on_in_a_round() -> None:
    """Between two turns of somebody else at most one of 30 sessions computes, and each gets all its turns."""
    sharing, steps, most, done = Sharing(), [0] * 30, 0, False

    async def session(number: int) -> None:
        for _ in range(20):
            steps[number] += 1
            await sharing.give_way()

    async def others() -> None:
        nonlocal most
        await checkpoint()  # by now all have begun
        while not done:
            before = sum(steps)
            await checkpoint()
            most = max(most, sum(steps) - before)

    async with anyio.create_task_group() as tasks:
        async with anyio.create_task_group() as sessions:
            for number in range(30):
                sessions.start_soon(session, number)
            tasks.start_soon(others)
        done = True
    assert steps == [20] * 30
    assert most == 1


@pytest.mark.anyio
async def test_few_threads_work_and_an_error_lets_go_of_what_was_given() -> None:
    """Of ten jobs as many run at once as there are threads; the error of one is raised as it was."""
    sharing, gate, lock = Sharing(), threading.Barrier(THREADS), threading.Lock()
    running, most = 0, 0

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(10)
        with lock:
            running -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(5 * THREADS):
            tasks.start_soon(sharing.in_thread, work)
    assert most == THREADS

    def fail(given: Iterator[int]) -> None:
        raise ValueError(f"no {next(given)}")

    with pytest.raises(ValueError, match="no 3"):
        await sharing.in_thread(fail, iter([3]))
