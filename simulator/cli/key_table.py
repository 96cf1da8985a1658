"""The keys of a kind as a table that fits a terminal of 100 columns: key, type, unit, default, what it means."""

import textwrap
from collections.abc import Iterator, Sequence

from simulator.reading.key_types import Key

WIDTH = 100
HEAD = ("key", "type", "unit", "default", "what it is")
MOST = (27, 18, 9, 14)
"""The widest that all columns but the last may become; what is longer goes over several lines."""


def key_table(keys: Sequence[Key]) -> Iterator[str]:
    """Give the lines of the table; none for a kind without keys."""
    if not keys:
        return
    rows = [HEAD, *((key.name, key.type, key.unit, key.default, key.text) for key in keys)]
    widths = [min(most, max(len(row[column]) for row in rows)) for column, most in enumerate(MOST)]
    widths.append(WIDTH - 2 - sum(widths) - 2 * len(widths))
    for number, row in enumerate(rows):
        yield from _lines(row, widths)
        if number == 0:
            yield "  " + "  ".join("-" * width for width in widths)


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """A row's lines; a cell that is longer than its column goes on in the next one."""
    cells = [textwrap.wrap(text, width, break_on_hyphens=False) for text, width in zip(row, widths, strict=True)]
    for line in range(max(map(len, cells))):
        parts = (cell[line] if line < len(cell) else "" for cell in cells)
        yield "  " + "  ".join(f"{part:<{width}}" for part, width in zip(parts, widths, strict=True)).rstrip()
