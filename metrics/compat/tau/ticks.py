"""tau-voice's recordings as they are read: an experiment folder of simulations, each a list of ticks.

A tick is one step of that project's clock (0.2 s unless results.json says otherwise). Of a tick only this is
needed: whether each side spoke, the user's turn-taking action, and which speech inserts were mixed in.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from simulator.errors import SessionError

TICK_S = 0.2

InsertKind = Literal["vocal_tic", "non_directed"]


class Insert(NamedTuple):
    """A speech insert that sounds in a tick; equal ones in consecutive ticks are one insert."""

    kind: InsertKind
    text: str | None = None


class Tick(NamedTuple):
    """One tick: who spoke, the user's turn-taking action (empty for none), the inserts that sounded."""

    user: bool = False
    agent: bool = False
    action: str = ""
    inserts: tuple[Insert, ...] = ()


class Simulation(NamedTuple):
    """One recorded call: its id, its ticks, the tick's length in seconds, and what was wrong with it."""

    id: str
    ticks: tuple[Tick, ...]
    tick_s: float = TICK_S
    notes: tuple[str, ...] = ()


class Experiment(NamedTuple):
    """One results.json with its simulations: one domain."""

    path: Path
    domain: str
    simulations: tuple[Simulation, ...]
    notes: tuple[str, ...] = ()


def read_experiment(folder: Path) -> Experiment:
    """Read an experiment; SessionError when it holds no simulation that can be read.

    Simulations lie one per file in simulations/ (their stem is the id) or in results.json itself (their `id`
    is).
    """
    results, problem = _read_json(folder / "results.json")
    notes = [] if problem is None else [f"{problem}; a tick of {TICK_S} s is assumed"]
    results = results if isinstance(results, dict) else {}
    tick_s, tick_note = _tick_length(results)
    notes += [tick_note] if tick_note else []
    simulations = tuple(_simulations(folder, results, tick_s))
    if not simulations:
        raise SessionError(f"{folder}: holds no simulation; expected simulations/*.json")
    return Experiment(folder, _domain(results, folder), simulations, tuple(notes))


def _simulations(folder: Path, results: Mapping[str, Any], tick_s: float) -> Iterator[Simulation]:
    files = sorted((folder / "simulations").glob("*.json"))
    for file in files:
        data, problem = _read_json(file)
        yield _simulation(file.stem, data, tick_s, problem)
    if not files:
        for index, data in enumerate(results.get("simulations") or []):
            name = data.get("id") if isinstance(data, dict) else None
            yield _simulation(str(name or index), data, tick_s, None)


def _simulation(name: str, data: object, tick_s: float, problem: str | None) -> Simulation:
    if problem is not None:
        return Simulation(name, (), tick_s, (problem,))
    ticks = data.get("ticks") if isinstance(data, dict) else None
    if not isinstance(ticks, list) or not ticks:
        return Simulation(name, (), tick_s, ("has no ticks: not a full-duplex simulation",))
    try:
        return Simulation(name, tuple(read_tick(tick) for tick in ticks), tick_s)
    except (AttributeError, TypeError) as error:
        return Simulation(name, (), tick_s, (f"its ticks are not of tau-voice's form: {error}",))


def read_tick(tick: Mapping[str, Any]) -> Tick:
    """Read one tick as it stands in the JSON; a chunk that is null said nothing."""
    user, agent = tick.get("user_chunk") or {}, tick.get("agent_chunk") or {}
    action = (user.get("turn_taking_action") or {}).get("action") or ""
    inserts = [(user.get(place) or {}).get("speech_insert") for place in ("source_effects", "speech_effects")]
    return Tick(
        user=bool(user.get("contains_speech")),
        agent=bool(agent.get("contains_speech")),
        action=action,
        inserts=tuple(_insert(insert) for insert in inserts if insert is not None),
    )


def _insert(insert: Mapping[str, Any]) -> Insert:
    """Read an insert: whatever is not a vocal tic is speech to somebody else, as in the original."""
    kind: InsertKind = "vocal_tic" if insert.get("type", "vocal_tic") == "vocal_tic" else "non_directed"
    return Insert(kind, insert.get("text", ""))


def _tick_length(results: Mapping[str, Any]) -> tuple[float, str | None]:
    config = (results.get("info") or {}).get("audio_native_config") or {}
    length = config.get("tick_duration_seconds", TICK_S)
    if isinstance(length, int | float) and not isinstance(length, bool) and length > 0:
        return float(length), None
    return TICK_S, f"tick_duration_seconds is {length!r}; a tick of {TICK_S} s is assumed"


def _domain(results: Mapping[str, Any], folder: Path) -> str:
    name = ((results.get("info") or {}).get("environment_info") or {}).get("domain_name")
    return name if isinstance(name, str) and name else folder.name


def _read_json(path: Path) -> tuple[Any, str | None]:
    """Give the file's JSON, or None and what is wrong with it."""
    try:
        return msgspec.json.decode(path.read_bytes()), None
    except FileNotFoundError:
        return None, f"{path.name} is missing"
    except OSError as error:
        return None, f"{path.name} cannot be read: {error.strerror}"
    except msgspec.DecodeError as error:
        return None, f"{path.name} is not JSON: {error}"
