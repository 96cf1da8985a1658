"""Whether anything listens where a scenario's far ends are to be found: a connection, and nothing said.

They are the parties, the voices of injectors and of talkers on a line, the world, the judges that scorers ask, the
recogniser. One that is down would fail session after session, each after its own wait, or every score when all is
played. Of an address that a variable of the environment names, host and port are told, which is what was asked, and
nothing else of it; one that is not set is for whoever uses it to refuse. What goes through a proxy is not for us to
look at, nor who is asked for nothing but kept replies (`record: never`).
"""

import socket
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

from simulator.errors import ScenarioError
from simulator.events import PARTIES
from simulator.planning.scorers import chosen_scorers
from simulator.reading.secrets import Secrets
from simulator.scenario import Scenario, kind_of
from simulator.spec import walk

WITHIN_S = 2.0
"""Longer than this no machine of one's own takes to accept, nor one across an ocean."""
PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
KEYS = ("url", "base_url", "webhook", "worker")


class Address(NamedTuple):
    """Where a far end is to be found."""

    host: str
    port: int


def unreachable(scenarios: Mapping[str, Scenario]) -> dict[str, str]:
    """Give a sentence for each scenario of whose far ends one is not there, by its name in the mapping."""
    wanted = {name: list(_addresses(scenario)) for name, scenario in scenarios.items()}
    dead = dict(_dead({address for found in wanted.values() for _, address in found}))
    return {
        name: f"{scenarios[name].name}: {who}: nothing answers at {address.host}:{address.port} ({dead[address]})"
        for name, found in wanted.items()
        for who, address in reversed(found)  # the first of them is told
        if address in dead
    }


def missing_of(scenarios: Mapping[str, Scenario], advice: str) -> list[str]:
    """Give the sentences of `unreachable`; ScenarioError, with advice, where every scenario has one."""
    missing = list(unreachable(scenarios).values())
    if missing and len(missing) == len(scenarios):
        raise ScenarioError(f"{missing[0]}; {advice}")
    return missing


def _dead(addresses: Iterable[Address]) -> Iterator[tuple[Address, str]]:
    with ThreadPoolExecutor(8) as pool:
        for address, problem in pool.map(lambda address: (address, _problem(address)), sorted(addresses)):
            if problem:
                yield address, problem


def _problem(address: Address) -> str:
    """Why nobody can be reached at an address; "" where somebody can, or may by a proxy."""
    if getproxies() and address.host not in ("127.0.0.1", "localhost", "::1"):
        return ""
    try:
        socket.create_connection(address, WITHIN_S).close()
    except TimeoutError:
        return f"no answer within {WITHIN_S:g} s"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    except UnicodeError:
        return "that is no name of a host"
    return ""


def _addresses(scenario: Scenario) -> Iterator[tuple[str, Address]]:
    """The far ends' addresses, by who is meant: `the agent (moshi)`, `$.injectors[0].voice`."""
    for who, part in _far_ends(scenario):
        written: list[tuple[str, str]] = []
        walk(part, lambda where, value, written=written: _note(where, value, written), "")  # type: ignore[misc]
        for where, url in written:
            try:
                parts = urlsplit(url)
                port = parts.port or PORTS.get(parts.scheme)
            except ValueError:
                continue  # whoever uses it refuses it
            if parts.hostname and port and parts.scheme in PORTS:
                yield who if who[0] != "$" else f"{who}{where.rpartition('.')[0]}", Address(parts.hostname, port)


def _far_ends(scenario: Scenario) -> Iterator[tuple[str, object]]:
    """Whatever of a scenario may name a far end that is needed, and what it is called, or its place."""
    for party in PARTIES:
        yield f"the {party} ({kind_of(scenario.actor(party))})", scenario.actor(party)
    for place in ("lines", "injectors", "world"):
        yield f"$.{place}", getattr(scenario, place)
    scorers = chosen_scorers(scenario)
    for scorer in scorers:
        judge = getattr(scorer, "judge", None)
        if getattr(judge, "record", None) != "never":
            url = getattr(judge, "base_url", None) or getattr(scorer, "judge_url", None)
            yield f"the judge ({getattr(judge, 'model', None) or kind_of(scorer)})", {"base_url": url}
    if scorers:
        yield f"the recognizer ({kind_of(scenario.recognizer)})", scenario.recognizer


def _note(where: str, value: object, written: list[tuple[str, str]]) -> None:
    if isinstance(value, str) and where.rpartition(".")[2] in KEYS and value:
        with suppress(ScenarioError):
            written.append((where, Secrets().expand(value)))
