"""Jobs, and what makes many of one: the pieces that a plan is built from.

A plan starts with one job per scenario and sends it through expanders, one after the other: a sweep gives a job per
point, a dataset one per sample, `repeat` one per trial. Each lengthens the id and writes what it decided into the
scenario, so that the jobs at the end need nothing but themselves. A new way of making many sessions of one scenario is
one more expander.
"""

import hashlib
from pathlib import Path
from typing import Any, Protocol

import msgspec

from simulator.cassettes.recording import RecordSetting
from simulator.reading.secrets import mask
from simulator.scenario import Scenario
from simulator.spec import decode, encode
from simulator.sweep.sweep import Point


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One session to be run. scenario: resolved, one trial. group: the scenario's name, the cluster of its scores.

    sample: what is known of the dataset's sample it plays: its `id` and more; empty without a dataset. point: where it
    lies in a sweep, whose points are groups of their own. record: where its paid calls are kept, if the run says so.
    """

    id: str
    group: str
    scenario: Scenario
    sample: dict[str, Any] = {}
    point: Point | None = None
    record: RecordSetting | None = None

    @property
    def purse(self) -> str:
        """Whose money it spends: the group's, or that of the whole sweep."""
        return self.point.sweep if self.point else self.group

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as plain data.

        Encoding leaves out the values that are the defaults themselves; a pickled copy of one is written out, and
        scenario.yaml would depend on where its session ran.
        """
        return _job, (self.id, self.group, encode(self.scenario), self.sample, self.point, self.record)

    def settings(self) -> str:
        """The sha256, in hex, of all that decides what this session is: a resumed run compares it."""
        plain = msgspec.json.encode(mask(encode(self.scenario)), order="deterministic")
        return hashlib.sha256(plain).hexdigest()

    def length_s(self) -> float:
        """How long the session is planned to last at most, in seconds of its own time."""
        return self.scenario.ticks() * self.scenario.frame_samples / self.scenario.sample_rate


def _job(  # noqa: PLR0917 - pickle hands them on in their order
    name: str,
    group: str,
    scenario: dict[str, Any],
    sample: dict[str, Any],
    point: Point | None,
    record: RecordSetting | None,
) -> Job:
    decoded: Scenario = decode(scenario, Scenario, source=name, folder=Path("/"))
    return Job(id=name, group=group, scenario=decoded, sample=sample, point=point, record=record)


class Expanded(msgspec.Struct, frozen=True, kw_only=True):
    """What a job stands for; notes: what could not be used, a sentence each."""

    jobs: list[Job]
    notes: list[str] = []


class Expander(Protocol):
    """Makes the jobs that one job stands for: itself alone where its scenario asks for nothing of the kind.

    ScenarioError when the scenario asks for what cannot be.
    """

    def __call__(self, job: Job) -> Expanded:
        """Expand a job. Every id in the result starts with the job's own; the group stays, but for a point's."""
        ...
