"""SubRip subtitles: what both parties say, numbered, in time order."""

from simulator.export.tiers import sayings
from simulator.session import Session

SUFFIX = ".srt"


def export(session: Session) -> str:
    """Give the subtitles of an annotated session; speech without known text is left out."""
    told = [row for row in sayings(session) if row.text.strip()]
    return "\n".join(
        f"{number}\n{_clock(row.start_s)} --> {_clock(row.end_s)}\n{row.party}: {' '.join(row.text.split())}\n"
        for number, row in enumerate(told, 1)
    )


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d},{rest % 1000:03d}"
