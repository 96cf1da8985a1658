"""Every figure of docs/performance.md as JSON: batches, the engine, commands, large runs. Ten minutes or so.

    python -m tests.benchmarks.all [--only batch engine command resume] [--quick]

Processor seconds are those of the process that is measured and its children, so that others on the machine disturb
little; wall seconds are given where somebody waits. Batches are run twice, with 20 and 220 trials, each with an empty
cache: the difference leaves start-up out. All of it lies in a folder that is deleted at the end.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SESSION_S = 20
TRIALS = (20, 220)
FEW = (3, 13)
NAMES = ["Anna", "Bruno", "Clara", "David", "Ella", "Felix", "Greta", "Henry", "Iris", "Jonas", "Karla", "Louis"]
CITIES = ["Paris", "London", "Rome", "Berlin", "Vienna", "Madrid", "Lisbon", "Oslo", "Prague", "Dublin"]
DISHES = ["fish", "soup", "rice", "bread", "pasta", "salad", "beef", "tofu", "lamb", "duck", "beans", "cheese"]
COUNTS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "fifteen"]
ASKED = ("I would like to fly to {} on Monday.", "can you find me a hotel in {}, please?", "I have to be in {} soon.")
FIRST = [f"Hello, this is {name}, {ask.format(city)}" for ask, name, city in product(ASKED, NAMES, CITIES)]
MEALS = ("lunch", "dinner")
SECOND = [
    f"Yes, and for {meal} I would like {dish} for {n} people." for meal, dish, n in product(MEALS, DISHES, COUNTS)
]
ANSWERS = (
    "I can do that for you. Would you like something to eat on the way?",
    "Thank you very much, I have noted that. Is there anything else that I can do for you today?",
)
AGENTS: dict[str, dict[str, Any]] = {
    "scripted": {"kind": "scripted", "turns": [{"after": "user_turn", "say": text} for text in ANSWERS]},
    "cascade": {"kind": "cascade", "replies": [{"match": "fly|hotel", "say": ANSWERS[0]}, {"say": ANSWERS[1]}]},
}


def measured(*command: object, home: Path, cache: str = "cache") -> dict[str, Any]:
    """Run a command; gives its processor and wall seconds, the most memory it held, and what it printed."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "XDG_CACHE_HOME": str(home / cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody starts without compiled files twice
    process = subprocess.Popen(
        [sys.executable, *map(str, command)], cwd=ROOT, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    printed = process.stdout.read() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {process.returncode}")
    return {
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "wall_s": round(time.perf_counter() - begin, 2),
        "peak_mb": round(used.ru_maxrss / 1024),
        "printed": printed,
    }


def shown(found: dict[str, Any]) -> dict[str, Any]:
    """The figures without what was printed."""
    return {name: value for name, value in found.items() if name != "printed"}


def scenario(folder: Path, agent: str, *, choosing: bool) -> Path:
    """Write a scenario of two turns: the same in every trial, or drawn among so many that hardly one comes twice."""
    texts = (FIRST, SECOND)
    says = [{"choose": choices} if choosing else {"say": choices[0]} for choices in texts]
    turns = [{"at": "500ms", **says[0]}, {"after": "agent_turn", **says[1]}]
    path = folder / f"{agent}_{'choose' if choosing else 'same'}.yaml"
    plain = {
        "name": path.stem, "duration": f"{SESSION_S}s", "report": "failed",
        "user": {"kind": "scripted", "turns": turns}, "agent": AGENTS[agent],
    }  # fmt: skip
    path.write_text(json.dumps(plain))  # JSON is YAML
    return path


def batch(home: Path, trials: tuple[int, int]) -> dict[str, Any]:
    """Conversation seconds per processor second of scored batches, all default scorers, start-up left out."""
    figures: dict[str, Any] = {}
    for choosing, agent in product((False, True), AGENTS):
        path = scenario(home, agent, choosing=choosing)
        runs = [
            measured(
                "-m", "simulator", "run", path, "--repeat", count, "--out", home / f"{path.stem}{count}", home=home
            )
            for count in trials
        ]
        spent = runs[1]["cpu_s"] - runs[0]["cpu_s"]
        rate = round((trials[1] - trials[0]) * SESSION_S / spent, 1)
        figures[path.stem] = {"conversation_s_per_cpu_s": rate, "runs": [shown(run) for run in runs]}
    return figures


def engine(home: Path, trials: tuple[int, int]) -> dict[str, Any]:
    """The engine alone: two scripted parties, level and silero ears on both sides."""
    minutes = 5 if trials == TRIALS else 1
    figures: dict[str, Any] = {}
    for ears in ("level", "silero"):
        found = measured("-m", "tests.benchmarks.engine", "--minutes", minutes, "--runs", 3, "--ears", ears, home=home)
        figures[f"ears_{ears}"] = json.loads(found["printed"])["best"]
    return figures


def command(home: Path, trials: tuple[int, int]) -> dict[str, Any]:
    """What somebody at a terminal waits for: the first call, cold and then warm, and `simulate check`."""
    example = "scenarios/first_call.yaml"
    first = [
        shown(measured("-m", "simulator", "run", example, "--out", home / f"call{number}", home=home))
        for number in range(4)
    ]
    checks = [shown(measured("-m", "simulator", "check", example, home=home)) for _ in range(5)]
    fastest: Callable[[dict[str, Any]], float] = lambda run: run["wall_s"]  # noqa: E731
    return {
        "first_call_cold": first[0],
        "first_call_warm": min(first[1:], key=fastest),
        "check": min(checks, key=fastest),
    }


def resume(home: Path, trials: tuple[int, int]) -> dict[str, Any]:
    """`--resume` of a finished run: rows with scores of 40 metrics each, nothing left to play."""
    from tests.benchmarks.compare_speed import write_resumed

    sessions = 10_000 if trials == TRIALS else 500
    folder = home / "large"
    folder.mkdir()
    write_resumed(folder, sessions, metrics=40)
    again = ("--repeat", sessions, "--resume", "--out", folder / "resumed")
    found = measured("-m", "simulator", "run", folder / "scenario.yaml", *again, home=home)
    return {"sessions": sessions, **shown(found)}


PARTS: dict[str, Callable[[Path, tuple[int, int]], dict[str, Any]]] = {
    "command": command,
    "engine": engine,
    "resume": resume,
    "batch": batch,
}


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="a few sessions each: whether it runs, not how fast")
    options = parser.parse_args()
    figures: dict[str, Any] = {"cores": os.cpu_count(), "load_at_start": os.getloadavg()[0]}
    for name in options.only:
        with tempfile.TemporaryDirectory() as place:
            figures[name] = PARTS[name](Path(place), FEW if options.quick else TRIALS)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
