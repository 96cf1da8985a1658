"""Audacity labels: start, end and text per line, to lie under the recording's waveform."""

from simulator.export.tiers import sayings
from simulator.session import Session

SUFFIX = ".txt"


def export(session: Session) -> str:
    """Give the labels of an annotated session: `user: what was said`, in time order."""
    return "".join(
        f"{row.start_s:.6f}\t{row.end_s:.6f}\t{' '.join((f'{row.party}:', *row.text.split()))}\n"
        for row in sayings(session)
    )
