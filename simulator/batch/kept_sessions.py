"""Paid sessions kept by a run (`--record`): the trace of a remote party, played again as `replay_trace` afterwards.

A trace is known by the session, its seed, the party and the party's spec, and not by what the other party says: where
that has changed, the replay goes on up to where it no longer fits, and the session fails with the turn.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from simulator.actor import ActorSpec, AnyActor
from simulator.cassettes.recording import RecordSetting, kept_calls
from simulator.cassettes.store import Paid
from simulator.errors import SessionError
from simulator.events import PARTIES, Party
from simulator.planning.job import Job
from simulator.reading.secrets import mask
from simulator.scenario import Scenario, kind_of
from simulator.spec import decode, encode

KIND = "session"
TRACES = "traces"
AGAIN = "record it again with --record always"


def replayed(job: Job) -> tuple[Job, list[Party]]:
    """Give the job with kept traces in the place of its remote parties, and which parties are to be recorded.

    SessionError: nothing may go out and a party has no trace, or a kept one cannot be read.
    """
    changes: dict[str, Any] = {}
    missing: list[Party] = []
    store = kept_calls()
    if job.record is None or store is None:
        return job, []
    for party in _remote(job.scenario):
        what = f"the {party} ({kind_of(job.scenario.actor(party))}) of {job.id}"
        reply = store.find(KIND, _asked(job, party), what=what)
        if reply is None:
            missing.append(party)
        else:
            changes[party] = _player(job.record, reply, party, what)
    if not changes:
        return job, missing
    scenario = msgspec.structs.replace(job.scenario, **changes)
    own_time = any(scenario.actor(party).traits().own_time for party in PARTIES)
    # The far end's real time is over: what is left goes by the virtual clock, which a trace is replayed on.
    scenario = msgspec.structs.replace(scenario, clock=scenario.clock if own_time else "virtual")
    return msgspec.structs.replace(job, scenario=scenario), missing


def keep_traces(job: Job, folder: Path, missing: list[Party]) -> None:
    """Keep what remote parties of a completed session sent and got. job: as it was planned. OSError."""
    store = kept_calls()
    trace = folder / "trace.jsonl"
    if job.record is None or store is None or not trace.is_file():
        return
    for party in missing:
        asked = _asked(job, party)
        digest = hashlib.sha256(trace.read_bytes()).hexdigest()
        name = f"{job.id}.{party}.{digest[:12]}.jsonl"
        place = Path(job.record.folder) / TRACES / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(trace, place)
        store.keep(KIND, asked, Paid({"trace": name, "sha256": digest}))


def _remote(scenario: Scenario) -> Iterator[Party]:
    for party in PARTIES:
        if scenario.actor(party).traits().remote:
            yield party


def _asked(job: Job, party: Party) -> dict[str, Any]:
    scenario = job.scenario
    return {
        "session": job.id, "party": party, "seed": scenario.seed, "sample_rate": scenario.sample_rate,
        "frame_ms": scenario.frame_ms, "spec": mask(encode(scenario.actor(party))),
    }  # fmt: skip


def _player(record: RecordSetting, reply: dict[str, Any], party: Party, what: str) -> ActorSpec:
    place = Path(record.folder).resolve() / TRACES / Path(str(reply.get("trace"))).name
    try:
        content = place.read_bytes()
    except OSError as error:
        raise SessionError(f"the kept trace of {what} cannot be read: {place}: {error.strerror}; {AGAIN}") from error
    if hashlib.sha256(content).hexdigest() != reply.get("sha256"):
        raise SessionError(f"the kept trace of {what} is not what was recorded: {place}; {AGAIN}")
    data = {"kind": "replay_trace", "file": str(place), "party": party, "strict": True}
    spec: ActorSpec = decode(data, AnyActor, source=what, folder=place.parent)
    return spec
