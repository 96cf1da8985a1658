"""The folder of an arena: its ratings as JSON, as Markdown and as a page.

The page: ratings with their intervals, who beats whom, domains, how far verdicts can be believed.
"""

from pathlib import Path

from simulator.arena.reliability import Reliability
from simulator.arena.result import ArenaResult
from simulator.arena.standings import Board
from simulator.arena.tables import BELIEVED, in_words, markdown, reach
from simulator.files import write_json, write_whole
from simulator.report import assets
from simulator.report.assets import escape
from simulator.report.plots import Axis, axis_over, svg

BATTLES = "battles.jsonl"
RATINGS = "ratings.json"
"""The numbers and nothing else, as `simulate arena rate --json` gives them."""
DETAILS = "arena.json"
TABLES = "arena.md"
PAGE = "index.html"

_HIGH, _MIDDLE = 22, 11


def write_result(folder: Path, result: ArenaResult, name: str) -> None:
    """Write the files of a result into a folder, which is made. OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / RATINGS, result.standings.as_json())
    write_json(folder / DETAILS, result.as_json())
    write_whole(folder / TABLES, markdown(result, name).encode())
    write_whole(folder / PAGE, arena_html(result, name).encode())


def arena_html(result: ArenaResult, name: str) -> str:
    """Give the page as text; it holds all it needs."""
    overall = result.standings.overall
    return assets.fill(
        "arena",
        style=assets.style("base", "index", "arena"),
        script=assets.script("arena"),
        title=escape(name),
        facts="".join(f"<li>{escape(fact)}</li>" for fact in _facts(result)),
        notes="".join(f'<p class="quiet">{escape(note)}</p>' for note in result.told),
        ratings=_ratings("Ratings", overall),
        wins=_matrix(overall),
        believed=_believed(result.reliability),
        domains="".join(_ratings(domain, board) for domain, board in result.standings.domains.items()),
    )


def _facts(result: ArenaResult) -> list[str]:
    board, domains = result.standings.overall, len(result.standings.domains)
    facts = [f"{board.battles} battles", f"{len(board.elo)} models"]
    return [*facts, f"{domains} domain{'s' * (domains != 1)}"] if domains else facts


def _ratings(heading: str, board: Board) -> str:
    ends = [bound for bounds in board.intervals.values() for bound in bounds]
    axis = axis_over([*board.bradley_terry.values(), *ends])
    rows = "".join(_row(board, model, axis) for model in board.bradley_terry)
    head = "".join(f'<th scope="col" class="number">{name}</th>' for name in ("Bradley-Terry", "Elo", "wins"))
    table = (
        f'<table><thead><tr><th scope="col">model</th>{head}<th scope="col">95 % interval</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    count = f'<span class="quiet">{board.battles} battles</span>'
    return f'<section class="board"><h2>{escape(heading)} {count}</h2>{_scrolling(heading, table)}</section>'


def _row(board: Board, model: str, axis: Axis) -> str:
    wins, of = board.met(model)
    return (
        f'<tr><td><span class="name">{escape(model)}</span></td>'
        f'<td class="number"><b>{board.bradley_terry[model]:.0f}</b></td>'
        f'<td class="number">{board.elo[model]:.0f}</td><td class="number">{wins:g} of {of}</td>'
        f'<td class="reach">{_reach(board, model, axis)}<span class="quiet">{reach(board, model)}</span></td></tr>'
    )


def _reach(board: Board, model: str, axis: Axis) -> str:
    rating, bounds = board.bradley_terry[model], board.intervals.get(model)
    parts = ""
    if bounds is not None:
        left, right = axis.x(bounds[0]), axis.x(bounds[1])
        parts = f'<line class="interval" x1="{left}" x2="{right}" y1="{_MIDDLE}" y2="{_MIDDLE}"/>'
    parts += f'<path class="pooled" d="M{axis.x(rating)} {_MIDDLE - 5}l5 5l-5 5l-5 -5z"/>'
    return svg(parts, _HIGH, f"{model}: {rating:.0f}, {reach(board, model)}")


def _matrix(board: Board) -> str:
    models = list(board.bradley_terry)
    head = "".join(f'<th scope="col">{escape(model)}</th>' for model in models)
    rows = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(_cell(board, first, second) for second in models)}</tr>'
        for first in models
    )
    return _scrolling(
        "Wins", f'<table class="wins"><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _cell(board: Board, first: str, second: str) -> str:
    found = board.wins.get((first, second))
    if found is None:
        return "<td></td>"
    wins, of = found
    count = f'<span class="quiet">{wins:g} of {of}</span>'
    return f'<td style="--share: {wins / of:.3f}"><b>{wins / of:.0%}</b> {count}</td>'


def _believed(found: Reliability) -> str:
    rows = "".join(
        f"<tr><td>{escape(BELIEVED[name])}</td><td>{escape(in_words(share))}</td></tr>"
        for name, share in found._asdict().items()
        if share.of
    )
    if not rows:
        return ""
    heading = "How far verdicts can be believed"
    return f"<section><h2>{heading}</h2>{_scrolling(heading, f'<table><tbody>{rows}</tbody></table>')}</section>"


def _scrolling(name: str, table: str) -> str:
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}">{table}</div>'
