"""The comparison page: runs against the first of them, pair by pair, and pairs to hear side by side.

The page holds its numbers and lanes; the sound it plays is that of the session folders, named relative to the
page.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulator.report import assets
from simulator.report.assets import escape
from simulator.report.difference_tables import difference_section
from simulator.report.listen import takes
from simulator.results.asking import head_metrics
from simulator.results.pairs import Pair, paired
from simulator.results.row import valid
from simulator.results.run import Run
from simulator.results.telling import told_apart
from simulator.scoring.validity import share_line


class Against(NamedTuple):
    """A run that is held against the first: its name on the page and its pairs."""

    name: str
    run: Run
    pairs: list[Pair]


def write_compare_page(runs: Sequence[Run], out: Path) -> None:
    """Write the page that compares each run with the first. SessionError: no session in common."""
    assets.write_page(out, compare_html(runs, out.parent))


def compare_html(runs: Sequence[Run], home: Path) -> str:
    """Give the page as text; home: the folder it will lie in."""
    base, (first, *others) = runs[0], _names(runs)
    against = [Against(name, run, paired(base, run)) for name, run in zip(others, runs[1:], strict=True)]
    asked = head_metrics(runs)
    listen = [take for item in against for take in takes((base, item.run), (first, item.name), item.pairs, home)]
    return assets.fill(
        "compare",
        style=assets.style("base", "session", "index", "compare"),
        script=assets.script("compare"),
        title=escape(" · ".join([first, *others])),
        heading=f"{escape(' and '.join(others))} against {escape(first)}",
        facts="".join(f"<li>{fact}</li>" for fact in _facts(base, first, against)),
        sections="".join(difference_section(first, item.name, item.pairs, asked) for item in against),
        listen="".join(_button(take, several=len(against) > 1) for take in listen),
        data=assets.packed_json(listen),
    )


def _facts(base: Run, first: str, against: Sequence[Against]) -> list[str]:
    sides = {first: base.rows, **{item.name: item.run.rows for item in against}}
    left_out = [
        f"{name}: {line}"
        for name, rows in sides.items()
        for line in share_line([row.id for row in rows if row.invalid], len(rows))
    ]
    return [*(_counted(base, item) for item in against), *map(escape, [*left_out, *told_apart(sides)])]


def _button(take: Mapping[str, Any], *, several: bool) -> str:
    label = f"{take['label']} · {take['sides'][1]['name']}" if several else take["label"]
    return f'<button type="button" class="plain pair">{escape(label)}</button>'


def _counted(first: Run, against: Against) -> str:
    """How many sessions are compared, and how many have no partner."""
    pairs = len(against.pairs)
    alone = len(valid(first.rows)) + len(valid(against.run.rows)) - 2 * pairs
    left_out = f", {alone} session{'s' * (alone != 1)} without a partner left out" if alone else ""
    return escape(f"{pairs} pair{'s' * (pairs != 1)} with {against.name}{left_out}")


def _names(runs: Sequence[Run]) -> list[str]:
    """The folders' names; with their parents' where two are called the same."""
    short = [run.name for run in runs]
    return [
        name if short.count(name) == 1 else f"{run.folder.resolve().parent.name}/{name}"
        for name, run in zip(short, runs, strict=True)
    ]
