"""The comparison page: runs against the first of them, pair by pair, with the most different pairs to listen to.

The page holds its numbers and lanes; the sound it plays is that of the session folders, named relative to the page.
"""

import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from simulator.errors import SessionError, SimulatorError
from simulator.report import assets
from simulator.report.assets import escape
from simulator.report.judged import definitions, read_judged
from simulator.report.leading import LEADING
from simulator.report.numbers import figure, quantity
from simulator.report.pairs import Difference, Pair, difference_of, differences, most_different, pairs_of
from simulator.report.peaks import peaks_of
from simulator.report.plots import Axis, difference
from simulator.report.results import Run, read_run
from simulator.report.timeline_data import page_data, peak_bytes
from simulator.session import read_session

LISTEN_UP_TO = 12
"""Pairs that can be listened to on the page, the most different first: each takes some 100 kB."""

LISTEN_LONGEST_S = 20 * 60

COLUMNS = 8
"""Metrics of the table by scenario."""

SIGNS = {"better": ("▲", "better"), "worse": ("▼", "worse"), "unclear": ("·", "no clear difference"), "": ("", "")}


def write_compare_page(runs: Sequence[Path], out: Path) -> None:
    """Write the page that compares each run with the first. SessionError: not a run, or no session in common."""
    read = [read_run(folder) for folder in runs]
    html = compare_html(read, out.parent)
    unfinished = out.with_name(f".{out.name}.part")
    try:
        unfinished.write_text(html, encoding="utf-8", newline="\n")
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)


def paired(first: Run, second: Run) -> list[Pair]:
    """Give the pairs of two runs; SessionError when they share no scenario and trial."""
    pairs = pairs_of(first, second)
    if not pairs:
        raise SessionError(
            f"{second.folder}: shares no scenario and trial with {first.folder}; runs are compared pair by pair"
        )
    return pairs


def compare_html(runs: Sequence[Run], home: Path) -> str:
    """Give the page as text; home: the folder it will lie in."""
    names = _names(runs)
    against = [(names[index], run, paired(runs[0], run)) for index, run in enumerate(runs) if index]
    listen = [pair for name, run, pairs in against for pair in _listen((runs[0], run), (names[0], name), pairs, home)]
    return assets.fill("compare", {
        "style": assets.style("base", "session", "index", "compare"),
        "script": assets.script("compare"),
        "title": escape(" · ".join(names)),
        "heading": " against ".join(escape(name) for name in [" and ".join(names[1:]), names[0]]),
        "facts": "".join(f"<li>{_counted(runs[0], run, pairs)}</li>" for _, run, pairs in against),
        "sections": "".join(_section(names[0], name, pairs) for name, _, pairs in against),
        "listen": "".join(item["html"] for item in listen),
        "data": assets.packed_json([item["told"] for item in listen]),
    })


def _counted(first: Run, second: Run, pairs: Sequence[Pair]) -> str:
    """How many sessions are compared, and how many have no partner."""
    alone = len(first.rows) + len(second.rows) - 2 * len(pairs)
    left_out = f", {alone} session{'s' * (alone != 1)} without a partner left out" if alone else ""
    return escape(f"{len(pairs)} pair{'s' * (len(pairs) != 1)} with {second.name}{left_out}")


def _names(runs: Sequence[Run]) -> list[str]:
    """The folders' names; with their parents where two are called the same."""
    short = [run.name for run in runs]
    return [name if short.count(name) == 1 else f"{run.folder.resolve().parent.name}/{name}"
            for name, run in zip(short, runs, strict=True)]


def _section(first: str, second: str, pairs: Sequence[Pair]) -> str:
    found = differences(pairs)
    if not found:
        return f"<section><h2>{escape(second)}</h2><p class=\"quiet\">The runs have no metric in common.</p></section>"
    families = groupby(found, key=lambda item: item.metric.partition(".")[0])
    bodies = "".join(
        f'<tbody><tr><th colspan="5" scope="rowgroup">{escape(name.replace("_", " "))}</th></tr>'
        f'{"".join(_row(item) for item in members)}</tbody>'
        for name, members in families
    )
    return (
        f'<section class="against" aria-label="{escape(second)}"><h2>{escape(second)} minus {escape(first)}</h2>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="Differences"><table class="differences"><thead><tr>'
        f'<th scope="col">metric</th><th scope="col" class="number">{escape(first)}</th>'
        f'<th scope="col" class="number">{escape(second)}</th><th scope="col" class="number">difference</th>'
        f'<th scope="col">95 % interval</th></tr></thead>{bodies}</table></div>{_by_scenario(pairs, found)}</section>'
    )


def _row(item: Difference) -> str:
    definition = definitions()[item.metric]
    sign, word = SIGNS[item.tone]
    change = _signed(item.value)
    interval = f"{_signed(item.ci95[0])} to {_signed(item.ci95[1])}" if item.ci95 else ""
    return (
        f'<tr class="{item.tone}"><th scope="row" title="{escape(definition.card)}">{escape(definition.title)}'
        f'<span class="n">{item.n} pairs</span></th><td class="number">{_value(item.first, item.unit)}</td>'
        f'<td class="number">{_value(item.second, item.unit)}</td>'
        f'<td class="number change">{change}<span class="tone" title="{word}"><span aria-hidden="true">{sign}</span>'
        f'<span class="unseen">{word}</span></span></td>'
        f'<td class="plot">{difference(item.value, item.ci95, _axis(item), item.tone)}<span class="n">{interval}</span></td></tr>'
    )


def _axis(item: Difference) -> Axis:
    """An axis with zero in its middle: which side a difference lies on must be seen at a glance."""
    reach = max(abs(value) for value in (item.value or 0.0, *(item.ci95 or ()))) * 1.15 or 1.0
    return Axis(low=-reach, high=reach, width=320)


def _by_scenario(pairs: Sequence[Pair], found: Sequence[Difference]) -> str:
    """Differences by scenario for the main metrics; nothing when there is only one scenario."""
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.first.scenario, []).append(pair)
    measured = {item.metric for item in found if item.value is not None}
    metrics = [metric for metric in LEADING if metric in measured][:COLUMNS] or sorted(measured)[:COLUMNS]
    if len(groups) < 2 or not metrics:
        return ""
    head = "".join(f'<th scope="col" class="number">{escape(definitions()[metric].title)}</th>' for metric in metrics)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}<span class="n">{len(members)} pairs</span></th>'
        + "".join(_cell(difference_of(definitions()[metric], members)) for metric in metrics) + "</tr>"
        for name, members in groups.items()
    )
    return (f'<h3>By scenario</h3><div class="scroll" tabindex="0" role="region" aria-label="By scenario"><table>'
            f'<thead><tr><th scope="col">scenario</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>')


def _cell(item: Difference) -> str:
    sign, word = SIGNS[item.tone]
    both = f"{_value(item.first, item.unit)} → {_value(item.second, item.unit)}"
    return f'<td class="number {item.tone}" title="{word}">{_signed(item.value)} {sign}<span class="n">{both}</span></td>'


def _value(value: float | None, unit: str) -> str:
    return escape(quantity(value, unit)) if value is not None else "–"


def _signed(value: float | None) -> str:
    if value is None:
        return "–"
    return ("+" if value > 0 else "−" if value < 0 else "±") + figure(abs(value))


def _listen(runs: tuple[Run, Run], names: tuple[str, str], pairs: Sequence[Pair], home: Path) -> list[dict[str, Any]]:
    """The pairs to listen to: a button each, and what the page's script needs to draw and play both."""
    items: list[dict[str, Any]] = []
    for pair in most_different(pairs):
        sides = [_side(run, row.id, name, home) for run, row, name in zip(runs, pair, names, strict=True)]
        if None not in sides:
            label = " · ".join(filter(None, (pair.first.scenario, pair.first.sample, f"trial {pair.first.trial}", names[1])))
            items.append({"html": f'<button type="button" class="plain pair">{escape(label)}</button>',
                          "told": {"label": label, "sides": sides}})
        if len(items) == LISTEN_UP_TO:
            break
    return items


def _side(run: Run, session_id: str, name: str, home: Path) -> dict[str, Any] | None:
    """One session to listen to: its data, its peaks (packed), where its sound lies; None when it cannot be read."""
    folder = run.folder / session_id
    try:
        session = read_session(folder)
        if session.duration > LISTEN_LONGEST_S * session.sample_rate:
            return None
        peaks = peaks_of(session)
        data = page_data(session, read_judged(folder), peaks)
    except SimulatorError:
        return None
    sound = next(path for path in (folder / "conversation.wav", folder / "conversation.flac") if path.is_file())
    link = os.path.relpath(sound.resolve(), home.resolve())
    page = os.path.relpath((folder / "report.html").resolve(), home.resolve()) if run.has_page(session_id) else None
    return {"name": name, "data": data, "peaks": assets.packed(peak_bytes(peaks)), "sound": quote(link),
            "page": quote(page) if page else None}
