"""The files of a run folder and of a session folder, and the structs that are written into them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from simulator.results import HostInfo, PartyMeta, Row, RowScore, RunInfo, Score, SessionMeta, SessionWall
from simulator.score import Evidence
from simulator.speech import PartySpeech, Segment, Speech, SpokenWord


class Told(msgspec.Struct, frozen=True):
    """What a file holds, and the structs of its JSON, the outermost first."""

    text: str
    structs: tuple[type[Any], ...] = ()


FILES: Mapping[str, Mapping[str, Told]] = {
    "A run": {
        "results.jsonl": Told("a row for each session, as sessions end", (Row, RowScore)),
        "run.json": Told(
            "how the run was started, on what, how long it took, what became of it", (RunInfo, HostInfo, SessionWall)
        ),
        "index.html": Told("the run's page, which opens offline"),
    },
    "A session": {
        "session.json": Told("what was played: written when it begins, and at its end", (SessionMeta, PartyMeta)),
        "scenario.yaml": Told("the scenario with everything resolved: it plays this session again"),
        "conversation.wav": Told("what was said, 16 bits: the user on the left, the agent on the right (or `.flac`)"),
        "heard.wav": Told("what each heard, the user on the left; left out where no line has a channel (or `.flac`)"),
        "events.jsonl": Told("what parties, lines and the session told, in the order of time ([events](../events.md))"),
        "speech.json": Told("who spoke when, and which words", (Speech, PartySpeech, Segment, SpokenWord)),
        "scores.json": Told("every score with its evidence, under `scores`", (Score, Evidence)),
        "trace.jsonl": Told("messages of a remote system, where one took part: `replay_trace` plays them again"),
        "judge.jsonl": Told("replies of judges, kept by what was asked ([judges](../judges.md))"),
        "world.json": Told("the state at the beginning and the end, and the calls, where there is a world"),
        "report.html": Told("the session's page, which opens offline"),
    },
}
