"""The tables of runs: what each is called, what a row of it is, and its columns with their units and meanings.

docs/results.md is written from here (`python -m tests.results_page`).
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["text", "number", "count", "flag", "json"]
"""`number` is a float, `count` a whole number, `flag` true or false, `json` a text that is JSON. All may be null."""


class Column(NamedTuple):
    """A column. unit: "" where it has none."""

    name: str
    kind: Kind
    unit: str
    told: str


class TableKind(NamedTuple):
    """A table: what a row is, and its columns in order."""

    row: str
    columns: tuple[Column, ...]


RUN = Column("run", "text", "", "the run folder's name")
SESSION = Column("session", "text", "", "the session's id, its folder in the run")
SCENARIO = Column("scenario", "text", "", "the scenario's name as folders have it; of a sweep its point's")
PARTY = Column("party", "text", "", "`user` or `agent`")
START = Column("start_s", "number", "s", "its beginning, from the session's beginning")
END = Column("end_s", "number", "s", "its end")
TEXT = Column("text", "text", "", "what was said, where it is known")
SOURCE = Column("source", "text", "", "who says so: `truth` (events), `vad`, `asr`, `model`")

_OF_SESSION = (
    RUN,
    SCENARIO,
    SESSION,
    Column("trial", "count", "", "which repetition, from 0"),
    Column("seed", "count", "", "the session's seed"),
    Column("sample", "text", "", "the data set's sample; empty without a data set"),
    Column("agent", "text", "", "the agent's kind, and its model where it names one"),
    Column("status", "text", "", "`completed`, `failed` or `interrupted`"),
    Column("invalid", "text", "", "why it says nothing about the agent; empty for a valid one"),
)

TABLES: Mapping[str, TableKind] = {
    "long": TableKind(
        "a metric of a session",
        (
            *_OF_SESSION,
            Column("metric", "text", "", "the metric's id (`simulate explain ID`)"),
            Column("value", "number", "as `unit` says", "the session's own value; null where it is undefined"),
            Column("unit", "text", "", "the metric's unit"),
            Column("n", "count", "", "how many values or cases entered"),
            Column("parts", "json", "", "what adds up over sessions: values, or a count `of` how many"),
            Column("reason", "text", "", "why it is undefined"),
        ),
    ),
    "wide": TableKind(
        "a session; behind these columns one per metric, called by its id, in the metric's unit",
        (
            *_OF_SESSION,
            Column("problem", "text", "", "why it did not complete, or what is odd about it"),
            Column("duration_s", "number", "s", "the length of the conversation"),
            Column("point", "json", "", "where it lies in a sweep, by dimension"),
        ),
    ),
    "turns": TableKind(
        "a turn of a party: what claims the floor, joined over its pauses",
        (
            *(RUN, SESSION, PARTY, START, END),
            Column("fto_s", "number", "s", "its beginning minus the end of the other's speech that it took over from; "
                   "negative where they overlap, null where it took nothing over"),
            Column("role", "text", "", "`turn`, `interruption`, `recording`; empty where nobody told"),
            Column("cut", "flag", "", "whether it was stopped before its planned end; null where nobody told"),
            TEXT,
        ),
    ),
    "segments": TableKind("a stretch of speech as it sounds", (RUN, SESSION, PARTY, START, END, TEXT, SOURCE)),
    "utterances": TableKind(
        "something a party is known to have said, as events tell it; of one that was cut the words that were said",
        (RUN, SESSION, PARTY, START, END, TEXT, Column("role", "text", "", "the role it was said in"), SOURCE),
    ),
    "words": TableKind(
        "a word",
        (
            *(RUN, SESSION, PARTY, START, END, TEXT, SOURCE),
            Column("cut", "flag", "", "whether its speaker stopped inside it"),
            Column("confidence", "number", "0 to 1", "how sure the recogniser was; null where it did not say"),
        ),
    ),
    "overlaps": TableKind(
        "a stretch in which both speak, backchannels included",
        (RUN, SESSION, START, END, Column("duration_s", "number", "s", "its length")),
    ),
    "barge_ins": TableKind(
        "a turn of the user, or a planned interruption of either, that begins while the other speaks",
        (
            RUN, SESSION, Column("party", "text", "", "who barges in"), START, END,
            Column("stop_s", "number", "s", "when the other fell silent"),
            Column("latency_s", "number", "s", "from its beginning to `stop_s`, where the other yielded"),
            Column("outcome", "text", "", "`yielded`, `talked through`, or why neither was decided"),
            Column("back_s", "number", "s", "when the other spoke again after yielding"),
            TEXT,
        ),
    ),
    "calls": TableKind(
        "a call of a tool",
        (
            RUN, SESSION, Column("party", "text", "", "who calls"), START,
            Column("end_s", "number", "s", "when the answer was given; null where none was"),
            Column("id", "text", "", "the call's id"),
            Column("name", "text", "", "the tool"),
            Column("arguments", "json", "", "what it was called with"),
            Column("answer", "json", "", "what it was answered"),
            Column("fault", "text", "", "`unknown`, `arguments` or `refused`; empty where there is none"),
        ),
    ),
    "expectations": TableKind(
        "an expectation: of every session by its own values, and with an empty session over all trials",
        (
            RUN, SCENARIO, SESSION,
            Column("expectation", "text", "", "as it was written"),
            Column("metric", "text", "", "the metric it is about"),
            Column("found", "number", "the metric's", "what was found; null where it is undefined"),
            Column("bound", "number", "the metric's", "what it was held against"),
            Column("outcome", "text", "", "`held`, `failed` or `undecided`"),
            Column("inform", "flag", "", "whether it only informs"),
            Column("reason", "text", "", "why it failed or is undecided, where there is more to say"),
            Column("start_s", "number", "s", "the first moment it rests on; null where it has none"),
            Column("end_s", "number", "s", "the end of the last one"),
        ),
    ),
}  # fmt: skip
"""By name."""

FROM_ROWS = ("long", "wide")
"""Tables that results.jsonl alone is enough for."""
