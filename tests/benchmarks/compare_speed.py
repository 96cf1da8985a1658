"""How long it takes to read and pool large runs, and how much memory: compare, the pooled table, index.html, --resume.

    python -m tests.benchmarks.compare_speed [--sessions 1000 10000] [--metrics 40]

Runs are generated: rows of real metrics with a handful of values each, 20 sessions a scenario. Each task runs in a
process of its own; seconds of processor time, and the most memory it held (peak resident set).
"""

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from time import process_time

import msgspec
import numpy as np

from simulator.batch.folder import RunFolder
from simulator.batch.resuming import refuse_other_settings
from simulator.planning.plan import Plan, Wishes, make_plan
from simulator.report.compare import compare_html
from simulator.report.index import index_html
from simulator.results.pairs import differences, pairs_of
from simulator.results.pooling import pooled
from simulator.results.row import Row, RowScore, grouped
from simulator.results.row_file import RESULTS
from simulator.results.run import load_run
from simulator.results.run_info import INFO
from simulator.score import Definition
from simulator.scoring.scorer import all_definitions

TRIALS = 20
SCENARIO = """
name: {name}
duration: 1s
repeat: {repeat}
report: failed
user: {{kind: scripted, turns: [{{at: 100ms, say: hello there}}]}}
agent: {{kind: cascade, replies: [{{say: good evening}}]}}
injectors: [{{kind: backchannel, party: user, cue: {{agent_speaking: 2s, every: 4s}}, choose: [mm-hm, right]}}]
"""


def write_run(folder: Path, sessions: int, metrics: int, seed: int) -> None:
    """Write a run's results.jsonl and run.json."""
    folder.mkdir(parents=True)
    (folder / INFO).write_text("{}")
    rng = np.random.default_rng(seed)
    cards = _cards(metrics)
    with (folder / RESULTS).open("wb") as file:
        for number in range(sessions):
            scores = {card.id: _score(card, rng) for card in cards}
            scenario, trial = divmod(number, TRIALS)
            row = Row(
                id=f"s{scenario}-{trial}", scenario=f"s{scenario}", trial=trial, sound=f"{seed}/{number}", scores=scores
            )
            file.write(msgspec.json.encode(row) + b"\n")


def _cards(metrics: int) -> list[Definition]:
    pooled_by_values = ("ratio", "mean", "p50", "p95")
    return [card for card in all_definitions().values() if card.statistic in pooled_by_values][:metrics]


def _score(card: Definition, rng: np.random.Generator) -> RowScore:
    if card.statistic == "ratio":
        count = int(rng.integers(0, 5))
        return RowScore(value=count / 4, unit=card.unit, n=4, parts={"count": count, "of": 4})
    values = np.exp(0.4 * rng.standard_normal(4)).round(3).tolist()
    return RowScore(value=float(np.median(values)), unit=card.unit, n=4, parts={"values": values})


def compare(home: Path) -> None:
    """`simulate compare A B --all`, without the page."""
    first, second = (load_run(home / name) for name in ("a", "b"))
    assert len(differences(pairs_of(first, second))) > 1


def compare_page(home: Path) -> None:
    """The comparison page."""
    assert compare_html([load_run(home / name) for name in ("a", "b")], home)


def table(home: Path) -> None:
    """The pooled table, by scenario and over all."""
    run = load_run(home / "a")
    for rows in (*grouped(run.rows).values(), run.rows):
        assert [pooled(rows, metric) for metric in run.metrics]


def index(home: Path) -> None:
    """index.html."""
    assert index_html(load_run(home / "a"))


def resume(home: Path) -> None:
    """What `--resume` does before the first session: plan, read the rows, compare the settings."""
    plan = make_plan([home / "scenario.yaml"], Wishes())
    refuse_other_settings(plan, RunFolder(home / "resumed", resume=True))


def write_resumed(home: Path, sessions: int, metrics: int = 0) -> None:
    """Write a run of completed sessions of one scenario, each with scores of so many metrics."""
    (home / "scenario.yaml").write_text(SCENARIO.format(name="talk", repeat=sessions))
    plan: Plan = make_plan([home / "scenario.yaml"], Wishes())
    folder = home / "resumed"
    folder.mkdir()
    (folder / INFO).write_text("{}")
    rng = np.random.default_rng(0)
    cards = _cards(metrics)
    with (folder / RESULTS).open("wb") as file:
        # Row by row: a process counts as its own what memory the one that started it once held.
        for job in plan.jobs:
            scores = {card.id: _score(card, rng) for card in cards}
            row = Row(id=job.id, scenario=job.group, trial=job.scenario.trial, settings=job.settings(), scores=scores)
            file.write(msgspec.json.encode(row) + b"\n")


TASKS: tuple[Callable[[Path], None], ...] = (compare, compare_page, table, index, resume)


def _measured(task: Callable[[Path], None], home: Path) -> tuple[float, float]:
    begin = process_time()
    task(home)
    return process_time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Print the table; exit 1 when 10,000 sessions take more than 20 s or 500 MB anywhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--metrics", type=int, default=40)
    options = parser.parse_args()
    fine = True
    print("| task | " + " | ".join(f"{number} sessions" for number in options.sessions) + " |")
    print("|" + "---|" * (1 + len(options.sessions)))
    with tempfile.TemporaryDirectory() as place:
        homes = [Path(place) / str(number) for number in options.sessions]
        for home, number in zip(homes, options.sessions, strict=True):
            for seed, name in enumerate("ab"):
                write_run(home / name, number, options.metrics, seed)
            write_resumed(home, number)
        for task in TASKS:
            found = [_apart(task, home) for home in homes]
            fine &= all(seconds <= 20 and megabytes <= 500 for seconds, megabytes in found)
            print(f"| {task.__name__} | {_cells(found)} |", flush=True)
    return 0 if fine else 1


def _apart(task: Callable[[Path], None], home: Path) -> tuple[float, float]:
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (task, home))


def _cells(found: Sequence[tuple[float, float]]) -> str:
    return " | ".join(f"{seconds:.1f} s, {megabytes:.0f} MB" for seconds, megabytes in found)


if __name__ == "__main__":
    sys.exit(main())
