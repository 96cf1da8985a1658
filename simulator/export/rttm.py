"""RTTM: who spoke when, a SPEAKER line per segment, as diarisation tools read it."""

from simulator.events import PARTIES
from simulator.export.tiers import segments
from simulator.session import Session

SUFFIX = ".rttm"


def export(session: Session) -> str:
    """Give the RTTM of an annotated session: file, channel, start and duration in seconds, speaker; in time order."""
    name = "_".join(session.id.split()) or "session"
    found = sorted(
        (row.start_s, row.end_s, channel, party)
        for channel, party in enumerate(PARTIES, 1)
        for row in segments(session, party)
    )
    return "".join(
        f"SPEAKER {name} {channel} {start:.6f} {end - start:.6f} <NA> <NA> {party} <NA> <NA>\n"
        for start, end, channel, party in found
    )
