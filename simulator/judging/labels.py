"""Labels: what people found of sessions, as a CSV file that any spreadsheet writes.

    session,criterion,label
    order-status-0,repeats_order,yes
    order-status-1,helpful,4

A label is yes or no (true, false, met, unmet, 1, 0), or points of the criterion's scale. Several rows for one session
and criterion are several people: what most of them say counts, and where they are tied nothing does.
"""

import csv
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.judging.rubric import Criteria, Criterion
from simulator.texts import quoted

COLUMNS = ("session", "criterion", "label")
_WORDS = {"yes": 1, "true": 1, "met": 1, "1": 1, "no": 0, "false": 0, "unmet": 0, "not met": 0, "0": 0}

Labels = dict[tuple[str, str], int]
"""By session and criterion: 1 met, 0 not, or points."""


def read_labels(path: Path, criteria: Criteria, sessions: Collection[str]) -> tuple[Labels, list[str]]:
    """Read a file of labels; gives them, and a sentence for every tie.

    ScenarioError names the line: a column that is missing, a session or criterion nobody knows, a label that is none.
    """
    given: dict[tuple[str, str], list[int]] = {}
    for where, row in _rows(path):
        session, name = (row[column].strip() for column in COLUMNS[:2])
        if session not in sessions:
            raise ScenarioError(f"{where}: there is no session {quoted(session)} in the run")
        if name not in criteria:
            raise ScenarioError(f"{where}: {quoted(name)} is no criterion; choose one of {', '.join(criteria)}")
        given.setdefault((session, name), []).append(_label(where, row["label"], criteria[name]))
    if not given:
        raise ScenarioError(f"{path}: holds no label")
    labels: Labels = {}
    ties: list[str] = []
    for (session, name), found in given.items():
        (label, count), *others = Counter(found).most_common()
        if others and others[0][1] == count:
            ties.append(f"{session}, {name}: people are tied; left out")
        else:
            labels[session, name] = label
    return labels, ties


def _rows(path: Path) -> list[tuple[str, dict[str, str]]]:
    """Give every row with its place in the file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise ScenarioError(
                    f"{path}: has no column {', '.join(missing)}; its first line is {','.join(COLUMNS)}"
                )
            return [(f"{path.name}: line {reader.line_num}", row) for row in reader]
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"{path}: cannot be read as CSV: {error}") from error


def _label(where: str, text: str, criterion: Criterion) -> int:
    told = text.strip().lower()
    if criterion.scale is None:
        if told in _WORDS:
            return _WORDS[told]
        raise ScenarioError(f"{where}: the label {quoted(text)} is none; write yes or no")
    low, high = criterion.scale
    if told.lstrip("-").isdecimal() and low <= int(told) <= high:
        return int(told)
    raise ScenarioError(f"{where}: the label {quoted(text)} is none; write a whole number from {low} to {high}")
