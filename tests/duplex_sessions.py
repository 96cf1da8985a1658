"""Sessions with duplex models: a scenario of a recording against a model, and runs of many that share a
host.
"""

from pathlib import Path
from typing import Any

import anyio
import msgspec
import soundfile

from agents.duplex_model import DuplexModelSpec
from simulator.batch.job import Played, play
from simulator.call.surroundings import Surroundings
from simulator.planning.job import Job
from simulator.scenario import Scenario
from simulator.session import Session, read_session
from simulator.spec import decode
from simulator.testing import burst
from tests.contracts.counter_model import CounterSpec

RATE, STEP = 24_000, 1920


def scenario(folder: Path, **fields: Any) -> Scenario:
    """A scenario of a recording against a model; `plan` puts the counter in place of the model."""
    plan = fields.pop("plan", None)
    data = {
        "name": "t",
        "user": {"kind": "player", "file": "user.wav"},
        "agent": {"kind": "duplex_model"},
        **fields,
    }
    if not (folder / "user.wav").exists():
        soundfile.write(folder / "user.wav", burst(2 * RATE), RATE)
    made: Scenario = decode({"duration": "1600ms", **data}, Scenario, source="t.yaml", folder=folder)
    if plan is None:
        return made
    parties = {
        party: msgspec.structs.replace(spec, model=CounterSpec(prompt=plan))
        for party in ("user", "agent")
        if isinstance(spec := made.actor(party), DuplexModelSpec)
    }
    return msgspec.structs.replace(made, **parties)


def run(folder: Path, *scenarios: Scenario) -> list[tuple[Session, Played]]:
    """Run sessions side by side in one run, sharing its hosts."""

    async def main() -> list[Played]:
        around = Surroundings()
        played: dict[int, Played] = {}

        async def one(index: int, scenario: Scenario) -> None:
            played[index] = await play(Job(id=f"s-{index}", group="s", scenario=scenario), folder, around)

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for index, each in enumerate(scenarios):
                    tasks.start_soon(one, index, each)
        for host in around.shared.values():
            host.close()
        return [played[index] for index in range(len(scenarios))]

    return [(read_session(folder / f"s-{index}"), played) for index, played in enumerate(anyio.run(main))]
