"""One sound, one score: what becomes of barge-ins when nobody tells how the agent's speech ended.

Talks of synthetic voices in which the user begins to speak over the agent: an ordinary turn 0.2 to 1.5 s before a
natural end, an interruption that the agent yields to 0.3 to 1.5 s later, one that it talks through, and one that by
chance falls 0.2 to 1.5 s before a natural end. Before them the agent says five lines that nobody speaks over: how it
ends its phrases. Its voices and lines are those on which nothing was fitted. The same stereo sound is scored three
times: with the agent's events (a cascade), without them (a model that tells nothing of itself), and without any events
(a foreign file).

    python -m tests.benchmarks.told_untold [--talks 200] [--neural] [--markdown]

Prints JSON: per kind of case the outcomes told and untold, and over all cases the agreement of those of which both know
what became, the share that is undecided untold, by overlap too, and the natural ends that are called a yield.
--neural: the agent speaks in an installed Piper voice (or that of PIPER_VOICE, a model's path), which ends its phrases
as people do.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from simulator.annotation.annotate import annotate_many
from simulator.floor.floor import Floor
from simulator.floor.yields import KNOWN, barge_ins
from simulator.frame import Samples
from simulator.session import Session
from simulator.testing.take import Take
from tests.benchmarks.agent_lines import HELD_OUT_LINES, HELD_OUT_VOICES
from tests.benchmarks.phrase_ends import neural
from tests.conversations import INTERRUPTIONS, USER_TURNS, VOICES, speak, voiced

RATE = 16_000
CASES = 5
"""Of a talk; one every eleven seconds, which is longer than the longest line of the agent with what the user says."""
EVERY_S = 11.0
LONG_S = 3.0
UNDISTURBED, UNDISTURBED_EVERY_S = 5, 7.0
SIDE_BY_SIDE = 8
REACH_S = 0.4
"""A case that was found belongs to the one that was made this close to it."""

Kind = Literal["natural end", "yield", "talk-through", "interruption at a natural end"]
SHARES: Mapping[Kind, float] = {
    "natural end": 0.4,
    "yield": 0.28,
    "talk-through": 0.28,
    "interruption at a natural end": 0.04,
}
"""How often each is made: a cue that falls due by the clock lands in the last second of a line now and then."""

CONDITIONS = ("agent untold", "foreign file")
OVERLAPS_S = (0.2, 0.5, 1.0, 1.5, 3.0)


class Case(msgspec.Struct, frozen=True):
    """What was made: of which kind, at which sample the user begins, and for how many seconds both speak."""

    kind: Kind
    at: int
    overlap_s: float


NEURAL = "neural"


def talk(folder: Path, seed: int, voices: Sequence[str] = HELD_OUT_VOICES) -> tuple[Take, list[Case]]:
    """Make a talk; gives it with what was made in it. voices: of the agent, one of which is drawn."""
    rng = np.random.default_rng(seed)
    begin_s = 1 + UNDISTURBED * UNDISTURBED_EVERY_S
    take = Take(folder, begin_s + CASES * EVERY_S + 3.0, RATE)
    user, agent = str(rng.choice(VOICES["user"])), str(rng.choice(voices))
    lines = sorted((_said(str(line), agent) for line in rng.permutation(HELD_OUT_LINES)), key=_is_long)
    for index, line in enumerate(lines[:UNDISTURBED]):
        speak(take, "agent", round((1 + index * UNDISTURBED_EVERY_S) * RATE), line)
    kinds = rng.choice(np.array(list(SHARES)), size=CASES, p=list(SHARES.values()))
    cases = []
    for index, (kind, line) in enumerate(zip(kinds, lines[-CASES:], strict=True)):
        said = voiced(str(rng.choice(INTERRUPTIONS if kind != "natural end" else USER_TURNS)), user, RATE)
        cases.append(_case(take, rng, round((begin_s + index * EVERY_S) * RATE), str(kind), (line, said)))
    return take, cases


def _is_long(line: Samples) -> bool:
    """Long enough to be interrupted 2.6 s before its end."""
    return len(line) > LONG_S * RATE


@lru_cache(maxsize=256)
def _said(line: str, voice: str) -> Samples:
    return neural(line) if voice == NEURAL else voiced(line, voice, RATE)


def _case(take: Take, rng: np.random.Generator, start: int, kind: str, voiced_ones: tuple[Samples, Samples]) -> Case:
    """Let the agent say a line from `start` on, and the user begin over it; voiced_ones: the line, and what it says."""
    line, said = voiced_ones
    natural = kind in ("natural end", "interruption at a natural end")
    before_end = rng.uniform(0.2, 1.5) if natural else rng.uniform(2.1, 2.6)
    onset = start + len(line) - round(before_end * RATE)
    stop = onset - start + round(rng.uniform(0.3, 1.5) * RATE) if kind == "yield" else len(line)
    speak(take, "agent", start, line[:stop], cut=kind == "yield")
    speak(take, "user", onset, said, "turn" if kind == "natural end" else "interruption")
    return Case(kind, onset, (start + stop - onset) / RATE)  # type: ignore[arg-type]


def outcomes(session: Session, cases: Sequence[Case]) -> list[str]:
    """Give what is said of each case that was made: its outcome, `undecided` or `not found`."""
    found = barge_ins(Floor(session))
    told = []
    for case in cases:
        near = [item for item in found if abs(item.by.start - case.at) <= REACH_S * session.sample_rate]
        outcome = near[0].outcome if near else "not found"
        told.append(outcome if outcome in (*KNOWN, "not found") else "undecided")
    return told


class Scored(msgspec.Struct, frozen=True):
    """A case with its outcomes: told, with the agent untold, and as a foreign file."""

    made: Case
    outcomes: tuple[str, str, str]


def measure(folder: Path, talks: int, voices: Sequence[str]) -> Iterator[Scored]:
    """Give every case with its outcomes."""
    for first in range(0, talks, SIDE_BY_SIDE):
        made = [talk(folder / f"{seed}", seed, voices) for seed in range(first, min(talks, first + SIDE_BY_SIDE))]
        told = [take.session() for take, _ in made]
        by_user = [_without(one, lambda event: event.party != "agent") for one in told]
        foreign = [_without(one, lambda event: False) for one in told]
        scored = [
            [
                one.with_speech(speech)
                for one, speech in zip(sessions, annotate_many(sessions, words=False), strict=True)
            ]
            for sessions in (told, by_user, foreign)
        ]
        for (_, cases), *sessions in zip(made, *scored, strict=True):
            columns = [outcomes(session, cases) for session in sessions]
            yield from map(Scored, cases, zip(*columns, strict=True))  # type: ignore[arg-type]


def _without(session: Session, keeps: object) -> Session:
    """The same sound with only the events that `keeps` says."""
    events = tuple(event for event in session.events if keeps(event))  # type: ignore[operator]
    return Session(session.folder, session.meta, audio=session._audio, events=events)


def summary(cases: Sequence[Scored]) -> dict[str, object]:
    """Give the contingency told x untold by kind, and the figures that have goals."""
    result: dict[str, object] = {"cases": len(cases)}
    for place, condition in enumerate(CONDITIONS, 1):
        pairs = [(case.made, case.outcomes[0], case.outcomes[place]) for case in cases]
        both = [(told, untold) for _, told, untold in pairs if told in KNOWN and untold in KNOWN]
        natural = [untold for made, _, untold in pairs if made.kind == "natural end"]
        open_cases = [made for made, _, untold in pairs if untold == "undecided"]
        table = {
            kind: Counter(f"{told} | {untold}" for made, told, untold in pairs if made.kind == kind) for kind in SHARES
        }
        result[condition] = {
            "told | untold": {kind: dict(counted.most_common()) for kind, counted in table.items()},
            "agreement of known": _share(sum(told == untold for told, untold in both), len(both)),
            "known by both": len(both),
            "undecided": _share(len(open_cases), len(cases)),
            "undecided of kind, by overlap": _by_overlap(cases, open_cases),
            "natural ends called a yield": _share(natural.count("yielded"), len(natural)),
        }
    return result


def _by_overlap(cases: Sequence[Scored], open_cases: Sequence[Case]) -> dict[str, dict[str, float | None]]:
    """The share that is undecided, of each kind, where both speak for so long."""
    return {
        kind: {
            f"{first:g} to {last:g} s": _share(
                sum(case.kind == kind and first <= case.overlap_s < last for case in open_cases),
                sum(case.made.kind == kind and first <= case.made.overlap_s < last for case in cases),
            )
            for first, last in pairwise(OVERLAPS_S)
        }
        for kind in SHARES
    }


def _share(count: int, of: int) -> float | None:
    return round(count / of, 4) if of else None


def markdown(cases: Sequence[Scored]) -> str:
    """Give the table of docs/metrics.md."""
    columns = (*KNOWN, "undecided", "not found")
    lines = ["| what happened | scored | n | " + " | ".join(columns) + " |", "|---" * (len(columns) + 3) + "|"]
    for kind in SHARES:
        for place, scored in enumerate(("told", *CONDITIONS)):
            found = Counter(case.outcomes[place] for case in cases if case.made.kind == kind)
            counts = " | ".join(str(found[column]) for column in columns)
            lines.append(f"| {kind} | {scored} | {found.total()} | {counts} |")
    return "\n".join(lines)


def main() -> None:
    """Make the talks, score them, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--talks", type=int, default=200)
    parser.add_argument("--neural", action="store_true", help="let the agent speak in a Piper voice")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/metrics.md too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cases = list(measure(Path(folder), args.talks, (NEURAL,) if args.neural else HELD_OUT_VOICES))
    print(json.dumps(summary(cases), indent=2))
    if args.markdown:
        print(markdown(cases))


if __name__ == "__main__":
    main()
