"""Holds what sessions told to the table of event types."""

from pathlib import Path

from simulator.event_types.table import complaints
from simulator.events import decode_event

INVENTED = {"tick", "warp_core_breach"}
"""Types that tests make up, to see what becomes of those that a plugin has to itself."""


def assert_events_known(folder: Path) -> None:
    """Every event of every session under a folder is of a known type, with the fields and kinds that the table has."""
    wrong = [f"{path.relative_to(folder)}: {complaint}"
             for path in sorted(folder.rglob("events.jsonl")) for complaint in _wrong(path)]  # fmt: skip
    assert not wrong, "\n".join(wrong)


def _wrong(path: Path) -> list[str]:
    lines = path.read_bytes().splitlines(keepends=True)
    whole = [decode_event(line) for line in lines if line.endswith(b"}\n")]  # one that was cut off is no event
    ours = (event for event in whole if event.type not in INVENTED)
    return [complaint for event in ours for complaint in complaints(event.type, event.party, event.data)]
