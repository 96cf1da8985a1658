"""An arena's result as Markdown: ratings, wins of every pair, domains, and how far the verdicts can be believed."""

from collections.abc import Iterator, Sequence

from simulator.arena.reliability import Reliability
from simulator.arena.result import ArenaResult
from simulator.arena.standings import Board, Wins
from simulator.judging.agreement import Estimate
from simulator.texts import shown

BELIEVED = {
    "first": "of the battles that were decided, won by the answer that came first (no bias: 50 %)",
    "consistent": "of the pairs judged in both orders, the same verdict",
    "longer": "of the pairs that were decided, won by the longer answer",
    "own": "of the pairs that a rater judged again, the same verdict",
    "raters": "of two raters' verdicts on a pair, alike",
}
"""What each share of a Reliability is one of."""


def markdown(result: ArenaResult, name: str) -> str:
    """Give the whole result as text."""
    board = result.standings.overall
    parts = [
        f"# {cell(name)}",
        f"{board.battles} battles between {len(board.elo)} models.",
        "\n".join(rating_rows(board)),
        *(f"- {cell(note)}" for note in result.told),
        *_believed(result.reliability),
        "## Wins of the row over the column",
        "\n".join(_matrix(board)),
    ]
    for domain, found in result.standings.domains.items():
        parts += [f"## {cell(domain)}", f"{found.battles} battles.", "\n".join(rating_rows(found))]
    return "\n\n".join(parts).replace("\n\n- ", "\n- ") + "\n"


def rating_rows(board: Board) -> Iterator[str]:
    """Give the rows of one board, best first; Bradley-Terry with its 95 % interval."""
    yield "| model | Bradley-Terry | 95 % | Elo | wins | battles |"
    yield "|---|---:|---|---:|---:|---:|"
    for model, rating in board.bradley_terry.items():
        wins, of = board.met(model)
        yield f"| {cell(model)} | {rating:.0f} | {reach(board, model)} | {board.elo[model]:.0f} | {wins:g} | {of} |"


def rating_lines(board: Board) -> Iterator[str]:
    """Give the same for a terminal."""
    wide = max(len("model"), *(len(shown(model)) for model in board.elo))
    yield f"{'model':<{wide}}  Bradley-Terry  {'95 %':<14}   Elo    wins"
    for model, rating in board.bradley_terry.items():
        wins, of = board.met(model)
        figures = f"{rating:13.0f}  {reach(board, model):<14}  {board.elo[model]:4.0f}    {wins:g} of {of}"
        yield f"{shown(model):<{wide}}  {figures}"


def believed_lines(found: Reliability) -> Iterator[str]:
    """Give how far verdicts can be believed for a terminal, a line each."""
    for name, share in found._asdict().items():
        if share.of:
            yield f"{in_words(share)} {BELIEVED[name]}"


def reach(board: Board, model: str) -> str:
    """Give a model's interval in words; a dash where there is none."""
    bounds = board.intervals.get(model)
    return "–" if bounds is None else f"{bounds[0]:.0f} to {bounds[1]:.0f}"


def win_share(wins: Wins, first: str, second: str) -> str:
    """Give the share of wins of one model over another with the counts; a dash where they never met."""
    found = wins.get((first, second))
    return "–" if found is None else f"{found[0] / found[1]:.0%} ({found[0]:g}/{found[1]})"


def in_words(found: Estimate) -> str:
    """Give a share with its interval and its count."""
    if found.value is None or found.bounds is None:
        return "–"
    return f"{found.value:.0%} ({found.bounds[0]:.0%} to {found.bounds[1]:.0%}, n = {found.of})"


def _believed(found: Reliability) -> list[str]:
    rows = [f"| {BELIEVED[name]} | {in_words(share)} |" for name, share in found._asdict().items() if share.of]
    return ["## How far verdicts can be believed", "\n".join(["| share | |", "|---|---|", *rows])] if rows else []


def _matrix(board: Board) -> Iterator[str]:
    models: Sequence[str] = list(board.bradley_terry)
    yield f"| | {' | '.join(map(cell, models))} |"
    yield f"|---|{'---:|' * len(models)}"
    for first in models:
        cells = ["" if first == second else win_share(board.wins, first, second) for second in models]
        yield f"| {cell(first)} | {' | '.join(cells)} |"


def cell(text: str) -> str:
    """Give a text as a cell of a table may have it."""
    return shown(text).replace("|", "\\|")
