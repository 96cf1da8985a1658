"""Rules of whatever is read from elsewhere: a sentence or a result, in 10 s and 500 MB, whatever it holds.

Files and commands are here, what comes over wires in test_fuzz_wire.py. `SIMULATOR_FUZZ=2000 pytest -m slow
tests/test_fuzz*.py` tries so many mutants of each sort instead of a few, and `SIMULATOR_FUZZ_SEED` other ones.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings, strategies

from agents.remote.trace import read_trace
from simulator.actor import AnyActor
from simulator.datasets.sample import AnyDataset
from simulator.errors import SimulatorError
from simulator.results import load_run
from simulator.session import Session
from simulator.sound import recordings
from simulator.spec import decode
from tests.command_line import SHORT, simulate
from tests.mutants import (
    MUTANTS,
    SEED,
    command_run,
    copied,
    file_mutated,
    memory_watched,
    mutants,
    sounds,
    survived,
    value_mutated,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

settings.register_profile(
    "fuzz", max_examples=4 * MUTANTS, derandomize=SEED == 0, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two short sessions with their scores, one of them as FLAC."""
    home = tmp_path_factory.mktemp("fuzz")
    whole = {name: value for name, value in SHORT.items() if name != "scorers"} | {"duration": "4s"}
    whole |= {"scorers": ["turns", "latency", "barge_in"], "expect": ["latency.response_p50_s < 9"], "report": "none"}
    for name, audio in (("a", "wav"), ("b", "flac")):
        lines = {"user_to_agent": [{"kind": "gain", "db": -6}]}
        (home / f"{name}.yaml").write_text(yaml.safe_dump(whole | {"name": name, "audio": audio, "lines": lines}))
    assert simulate(home / "a.yaml", home / "b.yaml", "--out", home / "run") in (0, 1)
    return home / "run"


@pytest.fixture(autouse=True)
def within_memory() -> Iterator[None]:
    """No mutant takes more than 500 MB beyond what the process had."""
    with memory_watched():
        yield


COMMANDS: dict[str, Callable[[Path, Path], int]] = {
    "score": lambda run, _: command_run("score", run),
    "score --as": lambda run, _: command_run("score", run, "--as", "fdb:timing", "--as", "tau"),
    "doctor": lambda run, _: command_run("doctor", run),
    "export": lambda run, out: command_run("export", run, "--to", "textgrid", "--out", copied(run, out) / "o"),
    "export tables": lambda run, out: command_run("export", run, "--to", "jsonl", "--out", copied(run, out) / "o"),
    "export fdb": lambda run, out: command_run("export", run, "--to", "fdb", "--out", copied(run, out) / "o"),
    "report": lambda run, _: command_run("report", run, "--page-audio", "none"),
    "compare": lambda run, out: command_run("compare", run, run, "--out", out.with_suffix(".html")),
    "load_run": lambda run, _: len(load_run(run).rows),
    "replay": lambda run, _: decode(
        {"kind": "replay", "session": str(run / "a-0")}, AnyActor, source="x", folder=run
    ) and command_run("doctor", run / "a-0"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_a_damaged_session_costs_a_sentence(name: str, run_folder: Path, tmp_path: Path) -> None:
    """Every command over a run with one damaged file says so or goes on without it."""
    files = sorted(path for path in run_folder.rglob("*") if path.is_file() and path.suffix != ".html")
    for number, random in mutants("session"):
        run = copied(run_folder, tmp_path / "run")
        victim = random.choice(files)
        file_mutated(run / victim.relative_to(run_folder), random)
        problem = survived(lambda run=run: COMMANDS[name](run, tmp_path / "out"))
        for copy in (run, tmp_path / "out"):  # what a test leaves is held to the table of events
            shutil.rmtree(copy, ignore_errors=True)
        assert problem is None, f"{name}, mutant {number} of {victim.relative_to(run_folder)}: {problem}"


def test_a_damaged_scenario_costs_a_sentence(scenarios: Path, tmp_path: Path) -> None:
    """`check` over examples whose values were changed, or whose bytes were."""
    examples = sorted(scenarios.rglob("*.yaml"))
    for number, random in mutants("scenario"):
        path = random.choice(examples)
        target = tmp_path / path.name
        target.write_bytes(path.read_bytes())
        if random.random() < 0.6:
            changed = value_mutated(yaml.safe_load(path.read_text()), random)
            target.write_text(yaml.safe_dump(json.loads(json.dumps(changed))))
        else:
            file_mutated(target, random)
        problem = survived(lambda target=target: command_run("check", target))
        assert problem is None, f"mutant {number} of {path.name}: {problem}"


def test_a_damaged_sound_costs_a_sentence(tmp_path: Path) -> None:
    """WAV, FLAC and Ogg with changed bytes are read as a recording, as a file to play, and as a corpus."""
    originals = {path: path.read_bytes() for path in sounds(tmp_path)}

    def read(path: Path) -> None:
        for attempt in (
            lambda: Session.of_recording(path).said("agent"),
            lambda: recordings.load(path, 24_000, channel=0),
            lambda: command_run("doctor", path),
        ):
            try:
                attempt()
            except SimulatorError:
                continue

    for number, random in mutants("sound"):
        path = random.choice(sorted(originals))
        path.write_bytes(originals[path])
        file_mutated(path, random)
        problem = survived(lambda path=path: read(path))
        assert problem is None, f"mutant {number} of {path.name}: {problem}"


def test_a_damaged_trace_costs_a_sentence(tmp_path: Path) -> None:
    """A trace with changed records is refused or replayed."""
    stored = sorted((Path(__file__).parent / "data").rglob("*.jsonl"))
    assert stored
    for number, random in mutants("trace"):
        path = random.choice(stored)
        (tmp_path / "trace.jsonl").write_bytes(path.read_bytes())
        file_mutated(tmp_path / "trace.jsonl", random)
        problem = survived(lambda: read_trace(tmp_path / "trace.jsonl", "agent"))
        assert problem is None, f"mutant {number} of {path.name}: {problem}"


_PLAIN = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(strategies.text(), inner, max_size=4),
)


@settings(settings.get_profile("fuzz"))
@given(data=_PLAIN)
def test_no_plain_value_breaks_a_decoder(data: object) -> None:
    """Whatever stands where an actor or a dataset is expected is one, or a sentence."""
    for kind in (AnyActor, AnyDataset):
        problem = survived(lambda kind=kind: decode(data, kind, source="x", folder=Path()))  # type: ignore[misc]
        assert problem is None, problem
