"""Writes docs/sweep_results.md, what the shipped sweeps come to: `python -m tests.sweeps_page` (some minutes).

One of them needs pipecat-ai's model: `pip install --no-deps pipecat-ai`.

python -m tests.sweeps_page FOLDER     the same from runs that lie there already, by the sweeps' names
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from simulator import __version__, clock
from simulator.cli import OK, main
from simulator.cli.sweep_screen import cell, told_curves
from simulator.results import Run, load_run
from simulator.results.sweep_tables import SweepTable, tables_of

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "sweep_results.md"
SWEEPS = ROOT / "scenarios" / "sweeps"
HEAD = """# What the sweeps come to
<!-- fmt: off -->

The built-in cascade in the sweeps of scenarios/sweeps/, as `python -m tests.sweeps_page` played them with
duplex-simulator {version} on {date}. In brackets 95 % intervals; a dash where nothing was measured. The agent is a
state machine: what varies from trial to trial is the noise, so steps are steep, and intervals of 0 and 1 are wide
because few trials were played, not because the agent is in doubt. [sweeps.md](sweeps.md) tells what thresholds are.
"""


def page(runs: dict[str, Run], date: str) -> str:
    """Give the whole page. runs: by the sweep's file name without its ending."""
    parts = (line for name, run in runs.items() for line in _part(name, run))
    return "\n".join([HEAD.format(version=__version__, date=date), *parts]).rstrip() + "\n"


def _part(name: str, run: Run) -> Iterator[str]:
    (sweep,) = run.sweeps
    comment = (line for line in (SWEEPS / f"{name}.yaml").read_text(encoding="utf-8").splitlines())
    asked = " ".join(line.removeprefix("# ") for line in comment if line.startswith("# "))
    yield f"## {sweep.name.replace('-', ' ')}\n"
    yield f"{asked} (`simulate scenarios/sweeps/{name}.yaml`, {len(run.rows)} sessions)\n"
    for table in tables_of(sweep):
        yield from _table(table)
    yield from (f"- {line}" for line in told_curves(sweep))
    yield ""


def _table(found: SweepTable) -> Iterator[str]:
    yield f"| {' | '.join([*found.dimensions, *found.columns])} |"
    yield f"|{'---:|' * (len(found.dimensions) + len(found.columns))}"
    for labels, scores in found.rows:
        yield f"| {' | '.join([*map(str, labels), *map(cell, scores)])} |"
    yield ""


def played(folder: Path) -> dict[str, Run]:
    """Play the sweeps that have not been played into this folder yet, and read them."""
    runs: dict[str, Run] = {}
    for path in sorted(SWEEPS.glob("*.yaml")):
        out = folder / path.stem
        if not out.is_dir() and main([str(path), "--out", str(out), "--set", "report=none"]) != OK:
            raise SystemExit(f"{path.name} did not run to its end")
        runs[path.stem] = load_run(out)
    return runs


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        found = played(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch))
        PAGE.write_text(page(found, clock.today()[:10]), encoding="utf-8")
