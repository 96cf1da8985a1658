"""What scores.json holds, with the definition card of every metric: the numbers beside a time line."""

from functools import cache
from pathlib import Path

import msgspec

from simulator.errors import SessionError, SimulatorError
from simulator.files import write_json
from simulator.plugins import installed
from simulator.reading.expect import Verdict
from simulator.score import Definition, Score
from simulator.scoring.scorer import definitions_of

SCORES = "scores.json"


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The content of scores.json: every score of a session and the expectations of its scenario."""

    scores: list[Score] = []
    expectations: list[Verdict] = []


def write_judged(folder: Path, judged: Judged) -> None:
    """Write scores.json into a session folder. OSError."""
    write_json(folder / SCORES, judged)


def read_judged(folder: Path) -> Judged:
    """Read a session's scores.json; an empty one where the session was never scored. SessionError when damaged."""
    path = folder / SCORES
    try:
        return msgspec.json.decode(path.read_bytes(), type=Judged)
    except FileNotFoundError:
        return Judged()
    except (msgspec.DecodeError, OSError) as error:
        raise SessionError(f"{path}: cannot be read: {error}") from error


@cache
def definitions() -> dict[str, Definition]:
    """Give the definition cards of all installed scorers by metric id; a scorer that cannot be loaded has none."""
    cards: dict[str, Definition] = {}
    for kind in installed("scorers"):
        try:
            cards |= definitions_of(kind)
        except SimulatorError:
            continue
    return cards
