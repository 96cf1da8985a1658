"""Full-Duplex-Bench v2: what a judge said of multi-turn dialogues, read from its replies, in two tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from metrics.compat.as_scorer import AsScorer
from metrics.compat.fdb.samples import read_json
from metrics.compat.fdb.v2_reply import EVENTS_KEY, TASK_KEY, Event, ReplyReader, TimedReply, is_number
from metrics.compat.measured import Measured
from metrics.compat.originals import write_csv, write_json
from simulator.errors import SessionError
from simulator.score import Definition
from simulator.scoring.corpus import CorpusResult
from simulator.scoring.inputs import Input, InputKind

BIN_S = 15.0
BINS = 8
LOWEST, HIGHEST = 1, 5
_DECIMALS = 3
_PROCESSED = "_processed.json"

Bins = list[float | None]


class StagedDialogue(msgspec.Struct, kw_only=True):
    """One reply among the others: its family and name, where it lies, what it says."""

    family: str
    name: str
    file: str
    nested: bool
    reply: TimedReply


CARD = """\
A judge rates every event of a dialogue twice from 1 to 5 (turn-taking fluency, instruction following)
and the dialogue once (task score). turn_taking and instruction_following: means over all events that
have both scores; task_score: mean over dialogues. bins_tt, bins_if: per 15 s from 0 to 120 s, scores
weighted by the seconds of the event in the bin (events with end > start).
Replies are read from raw text <Family>/<name>.json (strict JSON, fenced blocks, the requested colon
form, m:ss times), else from <name>_processed.json. Several intervals in one event get its scores each.
compat: scores are cut to whole numbers; [{8.1}, {29.7}], the template taken literally, and bare m:ss
give no events; files in sub-folders of a family get empty bins. write=DIR: both CSV tables, 3 decimals.
strict: those are read, decimals stay, scores outside 1 to 5 are left out, sub-folders are binned.
The fluency was judged without knowing when the examiner spoke. The paper's table is the mean over 0 to
75 s.
Undefined: no event with both scores; no task score.
Source: Full-Duplex-Bench v2."""


class V2Spec(AsScorer, frozen=True, kw_only=True, tag="fdb:v2"):
    """Turn-taking fluency, instruction following and task score."""

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="turn_taking", unit="1-5", title="turn-taking fluency", better="higher"),
        Definition(id="instruction_following", unit="1-5", title="instruction following", better="higher"),
        Definition(id="task_score", unit="1-5", title="task-specific score", better="higher"),
    )
    accepts: ClassVar[tuple[InputKind, ...]] = ("fdb_v2",)
    extras: ClassVar[tuple[str, ...]] = ("events", "bins_tt", "bins_if")

    def measure(self, item: Input, _given: object) -> Measured:
        """Read one reply and compute its row."""
        reply = _read(item.path, ReplyReader(lenient=self.mode == "strict"))
        if self.mode == "strict":
            reply = _in_range(reply)
        dialogue = _placed(item, reply)
        measured = Measured(kept=dialogue)
        for event in _rated(reply.events):
            measured.add("turn_taking", float(event[1] or 0))
            measured.add("instruction_following", float(event[2] or 0))
        if is_number(reply.task_score):
            measured.add("task_score", float(reply.task_score))
        fluency, following = bins(() if dialogue.nested and self.mode == "compat" else reply.events)
        measured.shown = {"events": reply.events, "bins_tt": fluency, "bins_if": following}
        self._tell(measured, reply)
        return measured

    def _tell(self, measured: Measured, reply: TimedReply) -> None:
        if not reply.events:
            measured.notes.append("no event could be read from the reply")
        elif not _rated(reply.events):
            measured.notes.append("no event has both scores")
        if not is_number(reply.task_score):
            measured.notes.append("no task score could be read from the reply")
        measured.undefined(["turn_taking", "instruction_following"], "no event has both scores")
        measured.undefined(["task_score"], "no task score")
        for (start, end), fluency, following in reply.events:
            measured.lines.append(f"event from {start:.2f} to {end:.2f} s: fluency {fluency}, following {following}")

    def finish(self, result: CorpusResult, measured: Sequence[tuple[str, Measured]], _given: object) -> CorpusResult:
        """Write the parsed replies and both tables where write=DIR asks for it."""
        dialogues = [sample.kept for _, sample in measured if sample.kept is not None]
        if self.write is not None and dialogues:
            write_tables(self.write, dialogues, deep=self.mode == "strict")
        return result


def _read(path: Path, reader: ReplyReader) -> TimedReply:
    if not path.name.endswith(_PROCESSED):
        try:
            return reader.read(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SessionError(f"{path.name}: cannot be read as text") from error
    found = read_json(path, dict[str, Any])
    events = found.get(EVENTS_KEY)
    ready = [event for event in map(_ready_event, events if isinstance(events, list) else []) if event is not None]
    return TimedReply(events=tuple(ready), task_score=found.get(TASK_KEY))


def _ready_event(item: Any) -> Event | None:
    try:
        span, fluency, following = item[:3]
        start, end = span[:2]
        return (float(start), float(end)), _number(fluency), _number(following)
    except (TypeError, ValueError, KeyError):
        return None


def _number(score: Any) -> float | None:
    return score if is_number(score) else None


def _in_range(reply: TimedReply) -> TimedReply:
    events = tuple((span, _ranged(fluency), _ranged(following)) for span, fluency, following in reply.events)
    return TimedReply(events=events, task_score=_ranged(reply.task_score))


def _ranged(score: Any) -> Any:
    return score if is_number(score) and LOWEST <= score <= HIGHEST else None


def _rated(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if is_number(event[1]) and is_number(event[2])]


def _placed(item: Input, reply: TimedReply) -> StagedDialogue:
    """Say which family a reply belongs to: the folder under the PATH, or the PATH's own."""
    folders = item.path.relative_to(item.root).parts[:-1] if item.path != item.root else ()
    family = folders[0] if folders else item.path.resolve().parent.name
    name = item.path.name.removesuffix(".json").removesuffix("_processed")
    return StagedDialogue(
        family=family, name=name, file="/".join((*folders, name)), nested=len(folders) > 1, reply=reply
    )


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
    return [event for event in _rated(events) if event[0][1] > event[0][0]]


def write_tables(folder: Path, dialogues: Sequence[StagedDialogue], *, deep: bool) -> None:
    """Write <stem>_processed.json, judge_summary.csv and judge_summary_binned.csv.

    deep: bin the files of sub-folders too.
    """
    for dialogue in dialogues:
        task = {} if dialogue.reply.task_score is None else {TASK_KEY: dialogue.reply.task_score}
        write_json(folder, dialogue.file + _PROCESSED, {EVENTS_KEY: dialogue.reply.events, **task})
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
        events = _rated(_events(dialogues))
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
