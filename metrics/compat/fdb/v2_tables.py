"""Full-Duplex-Bench v2's two tables: one row per dialogue, over all of it and in bins of 15 s."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from metrics.compat.fdb.v2_reply import EVENTS_KEY, TASK_KEY, Event, TimedReply, is_number
from metrics.compat.originals import write_csv, write_json

BIN_S = 15.0
BINS = 8
_DECIMALS = 3
PROCESSED = "_processed.json"

Bins = list[float | None]


class StagedDialogue(msgspec.Struct, kw_only=True):
    """One reply among the others: its family and name, where it lies, what it says."""

    family: str
    name: str
    file: str
    nested: bool
    reply: TimedReply


def rated(events: Sequence[Event]) -> list[Event]:
    """Give the events that have both scores."""
    return [event for event in events if is_number(event[1]) and is_number(event[2])]


def bins(events: Sequence[Event]) -> tuple[Bins, Bins]:
    """Give mean fluency and following per 15 s, weighted by each event's seconds there; None without any."""
    return _binned(events, 1), _binned(events, 2)


def _binned(events: Sequence[Event], which: int) -> Bins:
    sums, seconds = [0.0] * BINS, [0.0] * BINS
    for event in _timed(events):
        start, end = event[0]
        for index in range(BINS):
            shared = min(end, (index + 1) * BIN_S) - max(start, index * BIN_S)
            if shared > 0:
                sums[index] += (event[which] or 0) * shared  # type: ignore[operator]
                seconds[index] += shared
    return [total / length if length else None for total, length in zip(sums, seconds, strict=True)]


def _timed(events: Sequence[Event]) -> list[Event]:
    return [event for event in rated(events) if event[0][1] > event[0][0]]


def write_tables(folder: Path, dialogues: Sequence[StagedDialogue], *, deep: bool) -> None:
    """Write <stem>_processed.json, judge_summary.csv and judge_summary_binned.csv.

    deep: bin the files of sub-folders too.
    """
    for dialogue in dialogues:
        task = {} if dialogue.reply.task_score is None else {TASK_KEY: dialogue.reply.task_score}
        write_json(folder, dialogue.file + PROCESSED, {EVENTS_KEY: dialogue.reply.events, **task})
    rows: dict[tuple[str, str], list[StagedDialogue]] = {}
    for dialogue in sorted(dialogues, key=lambda item: (item.family, item.name)):
        rows.setdefault((dialogue.family, dialogue.name), []).append(dialogue)
    write_csv(folder, "judge_summary.csv", _summary(rows))
    write_csv(folder, "judge_summary_binned.csv", _summary_by_time(rows, deep=deep))


def _summary(rows: Mapping[tuple[str, str], Sequence[StagedDialogue]]) -> list[list[Any]]:
    """One row per dialogue: counts and means of its events and of its task score."""
    table: list[list[Any]] = [
        [
            "setup",
            "subtask",
            "n_files",
            "n_events",
            "avg_turn_taking",
            "avg_instruction_following",
            "avg_task_specific",
        ]
    ]
    for (family, name), dialogues in rows.items():
        events = rated(_events(dialogues))
        tasks = _tasks(dialogues)
        means = (_mean([event[1] for event in events]), _mean([event[2] for event in events]), _mean(tasks))
        table.append([family, name, len(tasks), len(events), *means])
    return table


def _summary_by_time(rows: Mapping[tuple[str, str], Sequence[StagedDialogue]], *, deep: bool) -> list[list[Any]]:
    """One row per dialogue: counts, then fluency and following per bin."""
    edges = [f"{round(index * BIN_S)}-{round((index + 1) * BIN_S)}" for index in range(BINS)]
    table: list[list[Any]] = [
        [
            "setup",
            "subtask",
            "n_files",
            "n_events",
            *(f"{kind}[{edge}]" for edge in edges for kind in ("TT", "IF")),
        ]
    ]
    for (family, name), dialogues in rows.items():
        binned = bins(_events([item for item in dialogues if deep or not item.nested]))
        cells = [
            None if value is None else round(value, _DECIMALS) for pair in zip(*binned, strict=True) for value in pair
        ]
        table.append([family, name, len(_tasks(dialogues)), len(_timed(_events(dialogues))), *cells])
    return table


def _events(dialogues: Sequence[StagedDialogue]) -> list[Event]:
    return [event for dialogue in dialogues for event in dialogue.reply.events]


def _tasks(dialogues: Sequence[StagedDialogue]) -> list[float]:
    return [dialogue.reply.task_score for dialogue in dialogues if is_number(dialogue.reply.task_score)]


def _mean(values: Sequence[float | None]) -> float | None:
    return round(sum(value or 0 for value in values) / len(values), _DECIMALS) if values else None
