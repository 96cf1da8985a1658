"""Pairs to hear side by side: what the comparison page needs to draw and play both sessions of a pair."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from simulator.errors import SimulatorError
from simulator.report import assets
from simulator.report.marks.peaks import peaks_of
from simulator.report.marks.timeline_data import page_data, peak_bytes
from simulator.results.judged import read_judged
from simulator.results.pairs import Pair, most_different
from simulator.results.run import SESSION_PAGE, Run
from simulator.session import read_session

LISTEN_UP_TO = 12
"""Pairs that can be heard on the page, the most different first: each takes some 100 kB."""

LONGEST_S = 20 * 60


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
