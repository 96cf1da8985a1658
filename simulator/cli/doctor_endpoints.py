"""`simulate doctor SCENARIO.yaml ...`: whether parties, judges, data sets can be reached before anything is spent."""

import argparse
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import msgspec

from simulator.cli import OK, REFUSED
from simulator.cli.refusals import print_refusal
from simulator.datasets.sample import DatasetSpec
from simulator.doctor.probe import Probed, probe_party
from simulator.errors import ScenarioError, SimulatorError, single
from simulator.events import PARTIES, Party
from simulator.judging.spec import JudgeSpec
from simulator.reading.secrets import Secrets
from simulator.scenario import Scenario, kind_of, load
from simulator.spec import encode


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about a party, the judge, the recogniser or the data set. warnings: of what works."""

    party: str
    kind: str
    fine: bool
    told: str
    warnings: list[str] = []


def examine_scenarios(paths: Sequence[Path], *, quiet: bool) -> tuple[list[Reached], int]:
    """Give what was found of each scenario in turn, and the exit code: 2 where something of one is not fine."""
    found, code = [], OK
    for path in paths:
        try:
            reached = _reach_all(load(path))
        except ScenarioError as error:
            print_refusal(error, argparse.Namespace(scenarios=[path]))
            code = REFUSED
            continue
        found += reached
        if not quiet:
            _print(reached, f"{path}: " if len(paths) > 1 else "")
    return found, code if all(item.fine for item in found) else REFUSED


def _print(found: Sequence[Reached], where: str) -> None:
    for item in found:
        print(f"{'ok  ' if item.fine else 'FAIL'} {where}{item.party} ({item.kind}): {item.told}")
        for warning in item.warnings:
            print(f"warn {where}{item.party} ({item.kind}): {warning}")


def _reach_all(scenario: Scenario) -> list[Reached]:
    """Reach every party of the scenario in turn, its data set, judge, recogniser."""
    found = [_reach_party(party, scenario) for party in PARTIES]
    found += [] if scenario.dataset is None else _reach_dataset(scenario.dataset)
    found += [] if scenario.judge is None else [_reach_judge(scenario.judge)]
    if isinstance(scenario.recognizer, Probed):
        found.append(_reach("recognizer", scenario.recognizer, scenario.recognizer.probe))
    return found


def _reach_party(party: Party, scenario: Scenario) -> Reached:
    warnings: list[str] = []
    spec = scenario.actor(party)
    found = _reach(party, spec, partial(probe_party, party, scenario, warnings.append))
    secrets = Secrets.of(encode(spec))
    return msgspec.structs.replace(found, warnings=[secrets.scrub(warning) for warning in warnings])


def _reach_dataset(dataset: DatasetSpec) -> list[Reached]:
    kind = kind_of(dataset)
    try:
        told = dataset.probe()
    except SimulatorError as error:
        return [Reached(party="dataset", kind=kind, fine=False, told=str(error))]
    return [] if told is None else [Reached(party="dataset", kind=kind, fine=True, told=told)]


def _reach_judge(judge: JudgeSpec) -> Reached:
    try:
        return Reached(party="judge", kind=judge.model, fine=True, told=judge.open().probe())
    except SimulatorError as error:
        return Reached(party="judge", kind=judge.model, fine=False, told=str(error))


def _reach(party: str, spec: Any, probe: Callable[[], Awaitable[str]]) -> Reached:
    """Ask one that is probed on a loop. spec: what it was made of, whose secrets are not told."""
    kind, secrets = kind_of(spec), Secrets.of(encode(spec))
    try:
        told = anyio.run(probe)
    except Exception as group:
        error = single(group)
        if not isinstance(error, SimulatorError | OSError):
            raise
        return Reached(party=party, kind=kind, fine=False, told=secrets.scrub(str(error)))
    return Reached(party=party, kind=kind, fine=True, told=secrets.scrub(told))
