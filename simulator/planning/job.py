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
from simulator.datasets.source import HubOrigin
from simulator.reading.secrets import mask
from simulator.scenario import Scenario
from simulator.spec import decode, encode
from simulator.sweep.sweep import Point


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One session to be run. scenario: resolved, one trial. group: the scenario's name, the cluster of its scores.

    sample: what is known of the dataset's sample it plays: its `id` and more; empty without a dataset. point: where it
    lies in a sweep, whose points are groups of their own. control_of: the group that it is a control of, which pays.
    record: where its paid calls are kept, if the run says so.
    """

    id: str
    group: str
    scenario: Scenario
    sample: dict[str, Any] = {}
    point: Point | None = None
    control_of: str = ""
    record: RecordSetting | None = None

    @property
    def purse(self) -> str:
        """Whose money it spends: the group's, or that of the whole sweep."""
        return self.point.sweep if self.point else self.priced_as

    @property
    def priced_as(self) -> str:
        """The group whose models it is billed by."""
        return self.control_of or self.group

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as plain data.

        Encoding leaves out the values that are the defaults themselves; a pickled copy of one is written out, and
        scenario.yaml would depend on where its session ran.
        """
        rest = {
            "group": self.group,
            "sample": self.sample,
            "point": self.point,
            "control_of": self.control_of,
            "record": self.record,
        }
        return _job, (self.id, encode(self.scenario), rest)

    def settings(self) -> str:
        """The sha256, in hex, of all that decides what this session is: a resumed run compares it."""
        plain = msgspec.json.encode(mask(encode(self.scenario)), order="deterministic")
        return hashlib.sha256(plain).hexdigest()

    def length_s(self) -> float:
        """How long the session is planned to last at most, in seconds of its own time."""
        return self.scenario.ticks() * self.scenario.frame_samples / self.scenario.sample_rate


def _job(name: str, scenario: dict[str, Any], rest: dict[str, Any]) -> Job:
    decoded: Scenario = decode(scenario, Scenario, source=name, folder=Path("/"))
    return Job(id=name, scenario=decoded, **rest)


class Expanded(msgspec.Struct, frozen=True, kw_only=True):
    """What a job stands for; notes: what could not be used, remarks: how what is used was had, a sentence each.

    origins: by group what was read from the hub.
    """

    jobs: list[Job]
    notes: list[str] = []
    remarks: list[str] = []
    origins: dict[str, HubOrigin] = {}


class Expander(Protocol):
    """Makes the jobs that one job stands for: itself alone where its scenario asks for nothing of the kind.

    ScenarioError when the scenario asks for what cannot be.
    """

    def __call__(self, job: Job) -> Expanded:
        """Expand a job. Every id in the result starts with the job's own; the group stays, but for a point's."""
        ...
