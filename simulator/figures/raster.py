"""Who speaks when in one session: a bar per stretch of speech, a line per party, what overlaps hatched."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulator.annotation.annotate import annotated
from simulator.errors import ScenarioError
from simulator.events import PARTIES
from simulator.figures.style import COLOURS, drawn
from simulator.floor.floor import Floor
from simulator.floor.transfers import overlaps
from simulator.results.run import Run
from simulator.session import is_session, read_session
from simulator.timeline import Timeline

HEIGHT_IN = 1.5
_HIGH = 0.7


def draw_raster(runs: Sequence[Run], path: Path, session: str = "") -> None:
    """Draw a session, the first one where none is named. ScenarioError: there is no such session."""
    ids = [(run, row.id) for run in runs for row in run.rows if is_session(run.folder / row.id)]
    found = next(((run, name) for run, name in ids if name == (session or name)), None)
    if found is None:
        held = ", ".join(name for _, name in ids[:5]) or "none"
        raise ScenarioError(f"--session {session or '(any)'}: no such folder in the run; there are {held}")
    run, name = found
    floor = Floor(annotated(read_session(run.folder / name)))
    both = overlaps(floor)
    with drawn(path, height=HEIGHT_IN) as axes:
        for place, party in enumerate(PARTIES):
            low = (len(PARTIES) - 1 - place) - _HIGH / 2
            axes.broken_barh(_bars(floor, floor.side(party).ipus), (low, _HIGH), facecolors=COLOURS[place], linewidth=0)
            axes.broken_barh(
                _bars(floor, both), (low, _HIGH), facecolors="none", edgecolors="black", hatch="////", linewidth=0.3
            )
        axes.set_yticks(range(len(PARTIES)), labels=PARTIES[::-1])
        axes.set_xlim(0, floor.seconds(floor.duration))
        axes.set_ylim(-0.5, len(PARTIES) - 0.5)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(f"s, {name} (hatched: both speak)")


def _bars(floor: Floor, timeline: Timeline) -> list[Any]:
    return [(floor.seconds(item.start), floor.seconds(item.length)) for item in timeline]
