"""`simulate doctor SCENARIO.yaml`: whether its parties and its judge can be reached, before anything is spent."""

import argparse

import anyio
import msgspec

from simulator.cli import OK, REFUSED
from simulator.doctor.probe import Probed, probe_party
from simulator.errors import SimulatorError, single
from simulator.events import PARTIES, Party
from simulator.judging.spec import JudgeSpec
from simulator.reading.secrets import Secrets
from simulator.scenario import Scenario, kind_of, load
from simulator.spec import encode


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about a party, the judge or the recogniser."""

    party: str
    kind: str
    fine: bool
    told: str


def run(args: argparse.Namespace) -> int:
    """Reach every party of the scenario in turn, its judge, its recogniser; exit 2 when one cannot be."""
    scenario = load(args.path)
    found = [_reach(party, scenario) for party in PARTIES]
    found += [] if scenario.judge is None else [_reach_judge(scenario.judge)]
    found += [] if not isinstance(scenario.recognizer, Probed) else [_reach_recognizer(scenario.recognizer)]
    if args.json:
        print(msgspec.json.encode(found).decode())
    else:
        for item in found:
            print(f"{'ok  ' if item.fine else 'FAIL'} {item.party} ({item.kind}): {item.told}")
    return OK if all(item.fine for item in found) else REFUSED


def _reach_judge(judge: JudgeSpec) -> Reached:
    try:
        return Reached(party="judge", kind=judge.model, fine=True, told=judge.open().probe())
    except SimulatorError as error:
        return Reached(party="judge", kind=judge.model, fine=False, told=str(error))


def _reach_recognizer(recognizer: Probed) -> Reached:
    kind = kind_of(recognizer)
    secrets = Secrets.of(encode(recognizer))
    try:
        told = secrets.scrub(anyio.run(recognizer.probe))
        return Reached(party="recognizer", kind=kind, fine=True, told=told)
    except SimulatorError as error:
        return Reached(party="recognizer", kind=kind, fine=False, told=secrets.scrub(str(error)))


def _reach(party: Party, scenario: Scenario) -> Reached:
    kind = kind_of(scenario.actor(party))
    secrets = Secrets.of(encode(scenario.actor(party)))
    try:
        told = anyio.run(probe_party, party, scenario)
    except Exception as group:
        error = single(group)
        if not isinstance(error, SimulatorError | OSError):
            raise
        return Reached(party=party, kind=kind, fine=False, told=secrets.scrub(str(error)))
    return Reached(party=party, kind=kind, fine=True, told=secrets.scrub(told))
