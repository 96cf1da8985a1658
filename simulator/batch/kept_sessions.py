"""Paid sessions kept by a run (`--record`): the trace of a remote party, played again as `replay_trace` afterwards.

A trace is known by the session, its seed, the party and the party's spec, and not by what the other party says: where
that has changed, the trace no longer fits, and the session fails with the turn. Turns are compared, and not the sound
that was heard: on the wall clock a frame that came late is in the recording and in no replay.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from simulator.actor import ActorSpec, AnyActor
from simulator.cassettes.recording import RecordSetting, kept_calls
from simulator.cassettes.store import Paid
from simulator.errors import SessionError
from simulator.events import PARTIES, Party, other_party
from simulator.planning.job import Job
from simulator.reading.secrets import mask
from simulator.scenario import Scenario, kind_of
from simulator.session import Session, read_session
from simulator.spec import decode, encode
from simulator.texts import quoted

KIND = "session"
TRACES = "traces"
APART_S = 1.0
"""Turns that begin so far from each other are others: late frames and a far end's jitter move them by less."""
AGAIN = "record it again with --record always"


class KeptTurn(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the other party of a trace told it said. at_s: when it began."""

    role: str
    text: str
    at_s: float


class ReplayedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it is played. missing: parties whose trace is to be kept. expected: of each party that is replayed what
    the other one said when it was recorded.
    """

    job: Job
    missing: list[Party] = []
    expected: dict[Party, list[KeptTurn]] = {}


def replayed(job: Job) -> ReplayedJob:
    """Give the job with kept traces in the place of its remote parties.

    SessionError: nothing may go out and a party has no trace, or a kept one cannot be read.
    """
    changes: dict[str, Any] = {}
    missing: list[Party] = []
    expected: dict[Party, list[KeptTurn]] = {}
    store = kept_calls()
    if job.record is None or store is None:
        return ReplayedJob(job=job)
    for party in _remote(job.scenario):
        what = f"the {party} ({kind_of(job.scenario.actor(party))}) of {job.id}"
        reply = store.find(KIND, _asked(job, party), what=what)
        if reply is None:
            missing.append(party)
        else:
            changes[party] = _player(job.record, reply, party, what)
            expected[party] = _turns(reply, what)
    if not changes:
        return ReplayedJob(job=job, missing=missing)
    scenario = msgspec.structs.replace(job.scenario, **changes)
    own_time = any(scenario.actor(party).traits().own_time for party in PARTIES)
    # The far end's real time is over: what is left goes by the virtual clock, which a trace is replayed on.
    scenario = msgspec.structs.replace(scenario, clock=scenario.clock if own_time else "virtual")
    return ReplayedJob(job=msgspec.structs.replace(job, scenario=scenario), missing=missing, expected=expected)


def divergence(folder: Path, expected: Mapping[Party, Sequence[KeptTurn]]) -> str | None:
    """Say in which turn a session left what was recorded; None where every turn is as it was then."""
    if not expected:
        return None
    session = read_session(folder)
    for party, then in expected.items():
        other = other_party(party)
        for number, (one, two) in enumerate(zip_longest(then, said_by(session, other)), 1):
            if one is None or two is None or not _alike(one, two):
                return (
                    f"the {party}'s kept trace diverged in turn {number} of the {other}: {_told(two)}, and when it was "
                    f"recorded {_told(one)}; {AGAIN}"
                )
    return None


def _alike(one: KeptTurn, two: KeptTurn) -> bool:
    return (one.role, one.text) == (two.role, two.text) and abs(one.at_s - two.at_s) <= APART_S


def _told(turn: KeptTurn | None) -> str:
    return "nothing was said" if turn is None else f"{quoted(turn.text)} was said at {turn.at_s:.2f} s"


def said_by(session: Session, party: Party) -> list[KeptTurn]:
    """Give all that a party told it said, backchannels and interruptions too, in time order."""
    return [
        KeptTurn(
            role=str(event.data.get("role", "")), text=str(event.data.get("text", "")),
            at_s=round(session.seconds(event.at), 3),
        )
        for event in session.by_type.get("speech_start", [])
        if event.party == party
    ]  # fmt: skip


def keep_traces(job: Job, folder: Path, missing: list[Party]) -> None:
    """Keep what remote parties of a completed session sent and got. job: as it was planned. OSError."""
    store = kept_calls()
    trace = folder / "trace.jsonl"
    if not missing or job.record is None or store is None or not trace.is_file():
        return
    session = read_session(folder)
    digest = hashlib.sha256(trace.read_bytes()).hexdigest()
    for party in missing:
        said = said_by(session, other_party(party))
        name = f"{job.id}.{party}.{digest[:12]}.jsonl"
        place = Path(job.record.folder) / TRACES / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(trace, place)
        store.keep(KIND, _asked(job, party), Paid({"trace": name, "sha256": digest, "said": msgspec.to_builtins(said)}))


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


def _turns(reply: dict[str, Any], what: str) -> list[KeptTurn]:
    try:
        return msgspec.convert(reply.get("said", []), list[KeptTurn])
    except msgspec.ValidationError as error:
        raise SessionError(f"what is kept of {what} cannot be read: {error}; {AGAIN}") from error


def _player(record: RecordSetting, reply: dict[str, Any], party: Party, what: str) -> ActorSpec:
    place = Path(record.folder).resolve() / TRACES / Path(str(reply.get("trace"))).name
    try:
        content = place.read_bytes()
    except OSError as error:
        raise SessionError(f"the kept trace of {what} cannot be read: {place}: {error.strerror}; {AGAIN}") from error
    if hashlib.sha256(content).hexdigest() != reply.get("sha256"):
        raise SessionError(f"the kept trace of {what} is not what was recorded: {place}; {AGAIN}")
    data = {"kind": "replay_trace", "file": str(place), "party": party}
    spec: ActorSpec = decode(data, AnyActor, source=what, folder=place.parent)
    return spec
