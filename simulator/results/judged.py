"""What scores.json holds: the numbers beside a time line."""

from pathlib import Path

import msgspec

from simulator.errors import SessionError
from simulator.files import write_json
from simulator.reading.expect import Verdict
from simulator.score import Score

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
