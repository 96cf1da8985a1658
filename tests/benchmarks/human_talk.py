"""How people take turns, as numbers: metrics/human_talk.json, which the scorer `dialogue` holds dialogues against.

    python -m tests.benchmarks.human_talk FOLDER --source "..." --licence "CC BY 4.0" [--out metrics/human_talk.json]

FOLDER: who spoke when, as RTTM files (any number of speakers in each recording), or clips of two as JSON
(`reference_render` with `caller_segments_sec` and `agent_segments_sec`). Of more than two speakers every pair counts
for the stretches of 20 s and more in which nobody else speaks and both of them do. What is measured is what the scorer
measures, by the same functions; of every shape 200 evenly spaced quantiles are kept.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from metrics.dialogue_shapes import SHAPES, HumanTalk, measured
from simulator.events import Event
from simulator.floor.floor import Floor
from simulator.speech import PartySpeech, Segment, Speech
from simulator.timeline import Timeline

RATE = 16_000
SHORTEST_S = 20.0
QUANTILES = 200


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """Two people's talk as the floor is judged on: who spoke when, in samples, and nothing else."""

    duration: int
    speech: Speech
    sample_rate: int = RATE
    by_type: Mapping[str, Sequence[Event]] = {}


class Spoken(NamedTuple):
    """When each speaker of a recording spoke."""

    name: str
    speakers: dict[str, Timeline]


def recordings(folder: Path) -> Iterator[Spoken]:
    """Give every recording of a folder's RTTM files."""
    turns: dict[str, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for file in sorted(folder.rglob("*.rttm")):
        for line in file.read_text().splitlines():
            fields = line.split()
            if fields and fields[0] == "SPEAKER":
                start, length = (round(float(value) * RATE) for value in fields[3:5])
                turns[fields[1]][fields[7]].append((start, start + length))
    for name, speakers in turns.items():
        yield Spoken(name, {speaker: Timeline(spans) for speaker, spans in speakers.items()})


def pairs(spoken: Spoken) -> Iterator[Talk]:
    """Give the stretches in which two of a recording's speakers talk alone."""
    end = max(timeline[-1].end for timeline in spoken.speakers.values() if timeline)
    for first, second in combinations(sorted(spoken.speakers), 2):
        others = Timeline()
        for speaker, timeline in spoken.speakers.items():
            if speaker not in (first, second):
                others = others | timeline
        for window in others.complement(0, end):
            mine, theirs = (
                spoken.speakers[name].crop(window.start, window.end).shift(-window.start) for name in (first, second)
            )
            if window.length >= SHORTEST_S * RATE and mine and theirs:
                yield talk_of(mine, theirs, window.length)


def clips(folder: Path) -> Iterator[Talk]:
    """Give the clips of two that JSON files tell of."""
    for file in sorted(folder.rglob("*.json")):
        told = json.loads(file.read_text())
        spans = told.get("reference_render") if isinstance(told, dict) else None
        if spans:
            sides = [
                Timeline((round(start * RATE), round(end * RATE)) for start, end in spans[f"{side}_segments_sec"])
                for side in ("caller", "agent")
            ]
            yield talk_of(sides[0], sides[1], round(told["duration_sec"] * RATE))


def talk_of(user: Timeline, agent: Timeline, duration: int) -> Talk:
    """Give a talk in which nobody told of utterances: two people are judged by their sound."""
    user_side, agent_side = (
        PartySpeech(segments=tuple(Segment(start=start, end=end, source="truth") for start, end in side))
        for side in (user, agent)
    )
    return Talk(duration=duration, speech=Speech(user=user_side, agent=agent_side))


def reference(talks: Sequence[Talk], source: str, licence: str) -> HumanTalk:
    """Measure talks and keep the quantiles of every shape that occurs."""
    values: dict[str, list[float]] = {shape: [] for shape in SHAPES}
    for talk in talks:
        for shape, found in measured(Floor(talk)).items():
            values[shape] += [item.seconds for item in found]
    places = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return HumanTalk(
        source=source,
        licence=licence,
        told=f"stretches of {SHORTEST_S:g} s and more in which two of the speakers talk and nobody else does",
        minutes=round(sum(talk.duration for talk in talks) / RATE / 60, 1),
        counts={shape: len(found) for shape, found in values.items()},
        quantiles={
            shape: tuple(round(float(value), 3) for value in np.quantile(found, places)) if found else ()
            for shape, found in values.items()
        },
    )


def main() -> None:
    """Measure a folder and write the reference, or print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", required=True)
    parser.add_argument("--licence", required=True)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    talks = [talk for spoken in recordings(args.folder) for talk in pairs(spoken)] or list(clips(args.folder))
    if not talks:
        parser.error(f"{args.folder}: holds no RTTM file and no clip with segments of two people talking")
    found = msgspec.json.encode(reference(talks, args.source, args.licence))
    if args.out:
        args.out.write_bytes(found + b"\n")
    else:
        print(found.decode())


if __name__ == "__main__":
    main()
