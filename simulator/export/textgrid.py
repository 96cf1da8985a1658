"""Praat TextGrid: four interval tiers, segments and words of both parties."""

from collections.abc import Sequence

from simulator.events import PARTIES
from simulator.export.tiers import TierRow, segments, words
from simulator.session import Session

SUFFIX = ".TextGrid"


def export(session: Session) -> str:
    """Give the TextGrid (long form) of an annotated session; gaps are empty intervals, overlaps are cut short."""
    end = session.seconds(session.duration)
    tiers = [
        (f"{party} {kind}", rows(session, party))
        for party in PARTIES
        for kind, rows in (("segments", segments), ("words", words))
    ]
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end!r}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, found) in enumerate(tiers, 1):
        lines += _tier(number, name, _whole(found, end), end)
    return "\n".join(lines) + "\n"


def _tier(number: int, name: str, intervals: Sequence[tuple[float, float, str]], end: float) -> list[str]:
    lines = [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
    lines += ["        xmin = 0", f"        xmax = {end!r}", f"        intervals: size = {len(intervals)}"]
    for index, (start, stop, text) in enumerate(intervals, 1):
        quoted = text.replace('"', '""')
        lines += [f"        intervals [{index}]:", f"            xmin = {start!r}", f"            xmax = {stop!r}"]
        lines.append(f'            text = "{quoted}"')
    return lines


def _whole(rows: Sequence[TierRow], end: float) -> list[tuple[float, float, str]]:
    """Give intervals that cover [0, end] without gap or overlap, as Praat wants them."""
    intervals: list[tuple[float, float, str]] = []
    reached = 0.0
    for row in sorted(rows, key=lambda row: (row.start_s, row.end_s)):
        start, stop = max(reached, row.start_s), min(end, row.end_s)
        if stop <= start:
            continue
        if start > reached:
            intervals.append((reached, start, ""))
        intervals.append((start, stop, row.text or "speech"))
        reached = stop
    if reached < end:
        intervals.append((reached, end, ""))
    return intervals
