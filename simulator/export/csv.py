"""A table: every segment, utterance and word in a row, for spreadsheets and data frames."""

import csv
import io

from simulator.export.tiers import TierRow, rows
from simulator.session import Session

SUFFIX = ".csv"


def export(session: Session) -> str:
    """Give the rows of an annotated session in time order; times in seconds, full precision."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("session", *TierRow.__struct_fields__))
    for row in rows(session):
        writer.writerow((session.id, *(getattr(row, name) for name in TierRow.__struct_fields__)))
    return text.getvalue()
