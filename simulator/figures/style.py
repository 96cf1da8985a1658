"""How figures look: one column of a paper, colours that differ in brightness, too, and lines that differ in dashes.

The colours are those of Okabe and Ito (2008), chosen for all kinds of colour vision; in grey there are the dashes and
markers. The same data give the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulator.errors import ScenarioError, sentence
from simulator.texts import install_of

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")
WIDTH_IN, HEIGHT_IN = 3.5, 2.4
"""A column of the usual two."""
PAGE_IN = 7.16
"""Both columns."""
DOTS = 300

_STYLE: Mapping[str, Any] = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.color": "#d0d0d0",
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "savefig.dpi": DOTS,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "figure",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}
_NO_DATE: Mapping[str, Mapping[str, Any]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}


def look(place: int) -> dict[str, Any]:
    """Give the colour and dashes of the n-th line."""
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": DASHES[place % len(DASHES)]}


def mark(place: int) -> dict[str, Any]:
    """Give the colour and marker of the n-th one's single values."""
    return {"color": COLOURS[place % len(COLOURS)], "marker": MARKERS[place % len(MARKERS)], "linestyle": "none"}


@contextmanager
def drawn(path: Path, *, height: float = HEIGHT_IN) -> Iterator[Any]:
    """Give axes to draw on; the file is written behind it. ScenarioError: no matplotlib, or no place."""
    with stacked(path, (1,), width=WIDTH_IN, height=height) as (axes,):
        yield axes


@contextmanager
def stacked(path: Path, shares: Sequence[int], *, width: float, height: float) -> Iterator[list[Any]]:
    """Give axes one below the other, whose heights are as `shares`; width and height of all of them in inches."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ScenarioError(f"--figure needs matplotlib: {install_of('data')}") from error
    form = path.suffix.removeprefix(".")
    settings: Any = dict(_STYLE)  # stubs allow known names only
    with mpl.rc_context(settings):
        figure = Figure(figsize=(width, height))
        grid = figure.subplots(len(shares), 1, squeeze=False, gridspec_kw={"height_ratios": list(shares)})
        panels = list(grid[:, 0])
        for axes in panels:
            axes.set_axisbelow(True)
        yield panels
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, format=form, metadata=dict(_NO_DATE[form]))
        except OSError as error:
            raise ScenarioError(f"--out {sentence(error)}") from error
