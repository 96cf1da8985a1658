"""What scores.json holds: the numbers beside a time line."""

from pathlib import Path

import msgspec

from simulator.errors import ScenarioError, SessionError
from simulator.files import read_json, write_json
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
        judged = read_json(path, Judged)
        for verdict in judged.expectations:
            told = verdict.expectation
            if (told.metric, told.op, told.bound) != (verdict.metric, verdict.op, verdict.bound):
                raise ValueError(f"the expectation {told.text} stands beside another bound")
    except FileNotFoundError:
        return Judged()
    except (ValueError, ScenarioError) as error:
        raise SessionError(f"{path}: cannot be read: {error}") from error
    return judged
