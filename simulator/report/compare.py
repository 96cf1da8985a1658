"""The comparison page: runs against the first of them, pair by pair, and pairs to hear side by side.

The page holds its numbers and lanes; the sound it plays is that of the session folders, named relative to the
page.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from simulator.errors import SimulatorError
from simulator.report import assets
from simulator.report.assets import escape
from simulator.report.difference_tables import difference_section
from simulator.report.marks.peaks import peaks_of
from simulator.report.marks.timeline_data import page_data, peak_bytes
from simulator.results.asking import head_metrics
from simulator.results.judged import read_judged
from simulator.results.pairs import Pair, most_different, paired
from simulator.results.row import valid
from simulator.results.run import SESSION_PAGE, Run
from simulator.results.telling import told_apart
from simulator.scoring.validity import share_line
from simulator.session import read_session

LISTEN_UP_TO = 12
"""Pairs that can be heard on the page, the most different first: each takes some 100 kB."""

LONGEST_S = 20 * 60


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


def takes(runs: tuple[Run, Run], names: tuple[str, str], pairs: Sequence[Pair], home: Path) -> list[dict[str, Any]]:
    """Give the most different pairs whose sessions can be read and are short enough, as the page's script takes them.

    home: the folder of the page, which the sound is named relative to.
    """
    found: list[dict[str, Any]] = []
    for pair in most_different(pairs):
        sides = [_side(run, row.id, name, home) for run, row, name in zip(runs, pair, names, strict=True)]
        if all(sides):
            about = (pair.first.scenario, pair.first.sample, f"trial {pair.first.trial}")
            found.append({"label": " · ".join(filter(None, about)), "sides": sides})
        if len(found) == LISTEN_UP_TO:
            break
    return found


def _side(run: Run, session_id: str, name: str, home: Path) -> dict[str, Any] | None:
    """One session of a pair: its data, its peaks, where its sound and its page lie; None when it cannot be had."""
    folder = run.folder / session_id
    try:
        session = read_session(folder)
        judged = read_judged(folder)
    except SimulatorError:
        return None
    if session.duration > LONGEST_S * session.sample_rate:
        return None
    peaks = peaks_of(session)
    sound = next(path for suffix in ("wav", "flac") if (path := folder / f"conversation.{suffix}").is_file())
    return {
        "name": name,
        "data": page_data(session, judged, peaks),
        "peaks": assets.packed(peak_bytes(peaks)),
        "sound": _link(sound, home),
        "page": _link(folder / SESSION_PAGE, home) if run.has_page(session_id) else None,
    }


def _link(path: Path, home: Path) -> str:
    return quote(os.path.relpath(path.resolve(), home.resolve()))
