"""Paired differences as tables: every metric with its interval around zero, and the main ones by scenario."""

from collections.abc import Sequence
from itertools import groupby

from simulator.report.assets import escape
from simulator.report.numbers import quantity, signed
from simulator.report.plots import Axis, difference
from simulator.results.leading import LEADING
from simulator.results.pairs import Difference, Inquiry, Pair, difference_of, differences, distinct_pairs
from simulator.score import Definition
from simulator.scoring.scorer import definition_of

COLUMNS = 8
"""Metrics of the table by scenario."""

SIGNS = {
    "better": ("▲", "better"), "worse": ("▼", "worse"), "different": ("◆", "different"),
    "unclear": ("", "no clear difference"), "undefined": ("∅", "undefined on one side"),
}  # fmt: skip


def difference_section(first: str, second: str, pairs: Sequence[Pair], asked: Sequence[str]) -> str:
    """Give the tables of one comparison under its heading; first, second: the runs' names.

    asked: the metrics that the comparison is about. What is called different is so among these; the others are adjusted
    for all there are.
    """
    about = {item.metric: item for item in differences(pairs, Inquiry(metrics=asked))}
    found = [about.get(item.metric, item) for item in differences(pairs)]
    head = f'<section class="against" aria-label="{escape(second)}"><h2>{escape(second)} minus {escape(first)}</h2>'
    if not found:
        return f'{head}<p class="quiet">The runs have no metric in common.</p></section>'
    first_asked = [item for item in found if item.metric in asked] or found
    rest = [item for item in found if item not in first_asked]
    names = (first, second)
    more = f"<details><summary>{len(rest)} more metrics</summary>{_table(names, rest)}</details>" if rest else ""
    return f"{head}{_table(names, first_asked)}{more}{_by_scenario(pairs, found)}</section>"


def _table(names: tuple[str, str], found: Sequence[Difference]) -> str:
    columns = f'{_head("difference")}<th scope="col">95 % interval</th>{"".join(map(_head, names))}'
    families = groupby(found, key=lambda item: item.metric.partition(".")[0])
    bodies = "".join(_family(name, list(members)) for name, members in families)
    return _scrolling(
        "Differences",
        f'<table class="differences"><thead><tr><th scope="col">metric</th>{columns}</tr></thead>{bodies}</table>',
    )


def _scrolling(name: str, table: str) -> str:
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">{table}</div>'


def _head(name: str) -> str:
    return f'<th scope="col" class="number">{escape(name)}</th>'


def _definition(metric: str) -> Definition:
    """The card of a metric that was compared: there is one."""
    found = definition_of(metric)
    assert found is not None
    return found


def _family(name: str, members: Sequence[Difference]) -> str:
    rows = "".join(map(_row, members))
    return f'<tbody><tr><th colspan="5" scope="rowgroup">{escape(name.replace("_", " "))}</th></tr>{rows}</tbody>'


def _row(item: Difference) -> str:
    """A metric's row: what a narrow screen has room for stands first."""
    definition = _definition(item.metric)
    sign, word = SIGNS[item.tone]
    tone = f'<span aria-hidden="true">{sign}</span><span class="unseen">{word}</span>'
    interval = f"{signed(item.ci95[0])} to {signed(item.ci95[1])}" if item.ci95 else escape(item.reason or "")
    if item.p_adjusted is not None:
        interval += f", p {item.p_adjusted:.2g}"
    if item.ci95 and item.reason:
        interval += f"; {escape(item.reason)}"
    if item.n == 1 and item.value is not None and item.ci95 is None:
        interval = "one pair"
    # A difference alone would lie at the edge of an axis that is made for it.
    plot = difference(item.value, item.ci95, _axis(item), item.tone) if item.ci95 else ""
    cells = (
        f'<th scope="row" title="{escape(definition.card)}">{escape(definition.title)}{_pairs(item.n)}</th>',
        f'<td class="number change">{signed(item.value)}<span class="tone" title="{word}">{tone}</span></td>',
        f'<td class="plot">{plot}<span class="n">{interval}</span></td>',
        f'<td class="number">{_value(item.first, item.unit)}</td>',
        f'<td class="number">{_value(item.second, item.unit)}</td>',
    )
    return f'<tr class="{item.tone}">{"".join(cells)}</tr>'


def _axis(item: Difference) -> Axis:
    """An axis with zero in its middle: which side a difference lies on must be seen at a glance."""
    reach = max(abs(value) for value in (item.value or 0.0, *(item.ci95 or ()))) * 1.15 or 1.0
    return Axis(low=-reach, high=reach)


def _by_scenario(pairs: Sequence[Pair], found: Sequence[Difference]) -> str:
    """Differences by scenario for the main metrics; nothing when there is only one scenario."""
    groups: dict[str, list[Pair]] = {}
    for pair in distinct_pairs(pairs):
        groups.setdefault(pair.first.scenario, []).append(pair)
    measured = {item.metric for item in found if item.value is not None}
    metrics = ([metric for metric in LEADING if metric in measured] or sorted(measured))[:COLUMNS]
    if len(groups) < 2 or not metrics:
        return ""
    head = "".join(_head(_definition(metric).title) for metric in metrics)
    rows = "".join(_scenario_row(name, members, metrics) for name, members in groups.items())
    table = f'<table><thead><tr><th scope="col">scenario</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f"<h3>By scenario</h3>{_scrolling('By scenario', table)}"


def _scenario_row(name: str, pairs: Sequence[Pair], metrics: Sequence[str]) -> str:
    cells = "".join(_cell(difference_of(_definition(metric), pairs)) for metric in metrics)
    return f'<tr><th scope="row">{escape(name)}{_pairs(len(pairs))}</th>{cells}</tr>'


def _cell(item: Difference) -> str:
    # Not called better or worse: so many scenarios times metrics, one of them always is by chance.
    both = f"{_value(item.first, item.unit)} → {_value(item.second, item.unit)}"
    return f'<td class="number">{signed(item.value)}<span class="n">{both}</span></td>'


def _pairs(count: int) -> str:
    return f'<span class="n">{count} pair{"s" * (count != 1)}</span>'


def _value(value: float | None, unit: str) -> str:
    return escape(quantity(value, unit)) if value is not None else "–"
