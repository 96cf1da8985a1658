"""The ledger of a server: numbers its sessions, makes their scenarios and folders, notes how each one ended.

The run folder is like that of any run (run.json, results.jsonl, a folder per session), so it can be scored
and reported on. A server started again on the same folder counts on.
"""

import sys
from pathlib import Path
from typing import Literal

import msgspec

from simulator.actor import ActorSpec
from simulator.batch.folder import RunFolder
from simulator.batch.meta import meta_of
from simulator.call.recording import Recorder
from simulator.clock import seconds
from simulator.planning.job import Job
from simulator.plugins import load
from simulator.reading.length import AfterParty, Length
from simulator.reading.secrets import Secrets
from simulator.results.row import Row
from simulator.scenario import Scenario, slug, to_yaml
from simulator.session import PartyMeta
from simulator.spec import Duration, encode, ms

LONGEST = Duration(24 * 3600)
"""A served session lasts as long as its client; one on the wall clock at most a day."""


class Ledger:
    """Opens session folders `serve-<protocol>-<n>` under a run folder, which is made if it is not there."""

    def __init__(self, actor: ActorSpec, *, protocol: str, out: Path) -> None:
        self._actor = actor
        self._protocol = protocol
        self._name = slug(f"serve {protocol}")
        self._out = out
        self._run: RunFolder | None = None
        self._serial = 0

    def prepare(self) -> None:
        """Make or take over the run folder. ScenarioError when it holds something else."""
        if self._run is None:
            self._run = RunFolder(self._out, resume=True)
            self._run.write(sys.argv, None)

    def open(self, clock: Literal["virtual", "wall"], frame_ms: float, sample_rate: int,
             actor: ActorSpec | None = None) -> tuple[Scenario, Recorder]:  # fmt: skip
        """Make the next session's scenario, the user silent in it, and its folder. actor: for this session alone."""
        played = actor or self._actor
        self.prepare()
        number = self._number()
        scenario = Scenario(
            name=self._name, user=load("actors", "silent")(), agent=played, seed=number, trial=number,
            clock=clock, duration=Length(LONGEST), sample_rate=sample_rate, frame_ms=frame_ms,
        )  # fmt: skip
        meta = meta_of(Job(id=f"{self._name}-{number}", group=self._name, scenario=scenario))
        meta = msgspec.structs.replace(meta, deterministic=False)  # the same seed does not bring the same client
        client = PartyMeta(kind="client", spec={"protocol": self._protocol})
        meta = msgspec.structs.replace(meta, parties={**meta.parties, "user": client})
        return scenario, Recorder(self._out / meta.id, meta, to_yaml(_again(scenario)), heard=False,
                                  secrets=Secrets.of(encode(played)))  # fmt: skip

    def close(self, recorder: Recorder, began_s: float) -> None:
        """Note how a session ended; began_s: when it did, in real seconds."""
        meta = recorder.meta
        row = Row(id=meta.id, scenario=meta.scenario, trial=meta.trial, seed=meta.seed, status=meta.status,
                  problem=meta.problem, duration_s=recorder.recorded / meta.sample_rate)  # fmt: skip
        if self._run is not None:
            self._run.append(row, seconds() - began_s)

    def finish(self) -> None:
        """Write run.json: the server has ended."""
        if self._run is not None:
            self._run.write(sys.argv, 0)

    def _number(self) -> int:
        while (self._out / f"{self._name}-{self._serial}").exists():
            self._serial += 1
        self._serial += 1
        return self._serial - 1


def _again(scenario: Scenario) -> Scenario:
    """The scenario that is written into a folder: the recorded client against the same actor."""
    recorded = load("actors", "replay")(session=Path())
    duration = Length(LONGEST, AfterParty(after="user", tail=ms(0), at_most=LONGEST))
    return msgspec.structs.replace(scenario, user=recorded, duration=duration)
