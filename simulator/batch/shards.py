"""Shards: a run played in n parts, on as many machines, that need not know of each other.

Which part a session belongs to follows from its id alone, so that datasets, sweeps and repeats are dealt out alike, and
a resumed part plays what it played before. What belongs together stays together: the sessions of a staircase, and the
trials of a scenario that goes on until it is decided. run.json says of a part which it is, of what, and where each of
its sessions stands in the whole.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from simulator.batch.attempts import RETRY
from simulator.batch.folder import RunFolder
from simulator.errors import ScenarioError
from simulator.planning.job import Job
from simulator.planning.plan import Plan
from simulator.reading.playing import UntilDecided
from simulator.results.row import Row
from simulator.results.run_info import Place, ShardInfo
from simulator.texts import quoted

MOST_SHARDS = 1_000_000


class Shard(NamedTuple):
    """Part `number` of `of`, counted from 1."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> "Shard":
        """Read `i/n`. An array that counts from 0 has its last part at 0. ScenarioError."""
        number, slash, of = text.partition("/")
        counts = number.isdecimal() and of.isdecimal() and max(len(number), len(of)) <= len(str(MOST_SHARDS))
        if not slash or not counts or not int(number) <= int(of) <= MOST_SHARDS:
            raise ScenarioError(f"--shard {quoted(text)}: write it like --shard 1/4, the first of four")
        if int(of) == 0:
            raise ScenarioError(f"--shard {text}: there are no parts; at least one is needed")
        return cls(int(number) or int(of), int(of))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def holds(self, name: str) -> bool:
        """Say whether what is called so belongs to this part: by its sha256, which every machine finds alike."""
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % self.of == self.number - 1


class RunPart:
    """What is played of a plan: one part of it, or all where nobody asked for parts. plan: what is to be played."""

    def __init__(self, whole: Plan, shard: Shard | None) -> None:
        self._whole = whole
        self.shard = shard
        self.plan = whole if shard is None else part_of(whole, shard)

    def begin(self, folder: RunFolder) -> None:
        """Have run.json say which part it is. ScenarioError where the folder holds another one."""
        refuse_other_shard(folder, self.shard)
        if self.shard is not None:
            folder.shard = shard_info(self._whole, self.plan, self.shard)

    def ended(self, folder: RunFolder, rows: Sequence[Row], *, spared: int) -> None:
        """Have run.json say where in the whole each session stands. spared: how many were not needed, as a run says."""
        if folder.shard is UNSET:
            return
        place = placing(self._whole)
        order = {row.id: place(row) for row in rows}
        decided = _decided(self.plan) if spared else set()
        needed = [job.id for job in self.plan.jobs if job.id in order or job.group not in decided]
        folder.shard = msgspec.structs.replace(folder.shard, order=order, sessions=needed)


def part_of(plan: Plan, shard: Shard) -> Plan:
    """Give the plan of one part: its jobs, and the staircases that are its own."""
    together = _decided(plan)
    climbing = {job.group for flight in plan.flights for job in flight.levels}
    flights = [flight for flight in plan.flights if shard.holds(flight.levels[0].id)]
    climbed = {job.group for flight in flights for job in flight.levels}

    def is_own(job: Job) -> bool:
        if job.group in climbing:
            return job.group in climbed
        return shard.holds(job.group if job.group in together else job.id)

    jobs = [job for job in plan.jobs if is_own(job)]
    return msgspec.structs.replace(plan, jobs=jobs, flights=flights)


def _decided(plan: Plan) -> set[str]:
    """The scenarios that go on until they are decided."""
    return {name for name, scenario in plan.scenarios.items() if isinstance(scenario.repeat, UntilDecided)}


def shard_info(plan: Plan, part: Plan, shard: Shard) -> ShardInfo:
    """Say of a part what merging needs before anything has been played. plan: the whole."""
    return ShardInfo(number=shard.number, of=shard.of, plan=_fingerprint(plan), sessions=[job.id for job in part.jobs])


def _fingerprint(plan: Plan) -> str:
    """The sha256 over all sessions of a plan with their settings: parts of one run have the same."""
    told = hashlib.sha256()
    for job in (*plan.jobs, *(level for flight in plan.flights for level in flight.levels)):
        told.update(f"{job.id}\0{job.settings()}\n".encode())
    return told.hexdigest()


def placing(plan: Plan) -> Callable[[Row], Place]:
    """Give what says where a session's row stands in the results of a run that plays one session after the other.

    In the order of their rounds: of a staircase that is when it was asked; an attempt comes a round after the one it
    follows, behind the round's own.
    """
    index = {job.id: number for number, job in enumerate(plan.jobs)}
    climbs = {job.group: flight for flight in plan.flights for job in flight.levels}
    first = {flight.levels[0].id: min(index[job.id] for job in flight.unfolded({})) for flight in plan.flights}

    def place(row: Row) -> Place:
        name, _, attempt = row.id.partition(RETRY)
        again = int(attempt or 0)
        flight = climbs.get(row.scenario)
        if flight is None:
            return [again, int(again > 0), index.get(name, len(index)), 0]
        stairs = len(flight.design.targets)
        number = row.trial - flight.levels[0].scenario.trial
        return [number // stairs + again, int(again > 0), first[flight.levels[0].id], number % stairs]

    return place


def refuse_other_shard(folder: RunFolder, shard: Shard | None) -> None:
    """Refuse to go on in the folder of another part, or of a whole run with a part. ScenarioError."""
    earlier = folder.earlier_shard
    if folder.resumed and earlier != (tuple(shard) if shard else None):
        held = f"shard {earlier[0]}/{earlier[1]}" if earlier else "a whole run"
        wanted = f"shard {shard}" if shard else "a whole run"
        raise ScenarioError(f"{folder.path}: holds {held} and cannot go on as {wanted}; name another folder with --out")
