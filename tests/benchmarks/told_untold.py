"""One sound, one score: what becomes of barge-ins when nobody tells how the agent's speech ended.

Talks of synthetic voices in which the user begins to speak over the agent: an ordinary turn 0.2 to 1.5 s before a
natural end, an interruption that the agent yields to 0.3 to 1.5 s later, one that it talks through, and one that by
chance falls 0.2 to 1.5 s before a natural end. The same stereo sound is scored three times: with the agent's events
(a cascade), without them (a model that tells nothing of itself), and without any events (a foreign file).

    python -m tests.benchmarks.told_untold [--talks 200] [--markdown]

Prints JSON: per kind of case the outcomes told and untold, and over all cases the agreement of those that both decide,
the share that is undecided untold, and the natural ends that are called a yield.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from simulator.annotation.annotate import annotate_many
from simulator.floor.floor import Floor
from simulator.floor.yields import DECIDED, barge_ins
from simulator.frame import Samples
from simulator.session import Session
from simulator.testing.take import Take
from tests.conversations import AGENT_TURNS, INTERRUPTIONS, USER_TURNS, VOICES, speak, voiced

RATE = 16_000
CASES = 5
"""Of a talk; one every eleven seconds, which is longer than the longest line of the agent with what the user says."""
EVERY_S = 11.0
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


class Case(msgspec.Struct, frozen=True):
    """What was made: of which kind, and at which sample the user begins."""

    kind: Kind
    at: int


def talk(folder: Path, seed: int) -> tuple[Take, list[Case]]:
    """Make a talk; gives it with what was made in it."""
    rng = np.random.default_rng(seed)
    take = Take(folder, CASES * EVERY_S + 4.0, RATE)
    voices = {party: str(rng.choice(names)) for party, names in VOICES.items()}
    kinds = rng.choice(np.array(list(SHARES)), size=CASES, p=list(SHARES.values()))
    cases = []
    for index, kind in enumerate(kinds):
        line = voiced(str(rng.choice(AGENT_TURNS)), voices["agent"], RATE)
        said = voiced(str(rng.choice(INTERRUPTIONS if kind != "natural end" else USER_TURNS)), voices["user"], RATE)
        cases.append(_case(take, rng, round((1 + index * EVERY_S) * RATE), str(kind), (line, said)))
    return take, cases


def _case(take: Take, rng: np.random.Generator, start: int, kind: str, voiced_ones: tuple[Samples, Samples]) -> Case:
    """Let the agent say a line from `start` on, and the user begin over it; voiced_ones: the line, and what it says."""
    line, said = voiced_ones
    natural = kind in ("natural end", "interruption at a natural end")
    before_end = rng.uniform(0.2, 1.5) if natural else rng.uniform(2.1, 2.6)
    onset = start + len(line) - round(before_end * RATE)
    stop = onset - start + round(rng.uniform(0.3, 1.5) * RATE) if kind == "yield" else len(line)
    speak(take, "agent", start, line[:stop], cut=kind == "yield")
    speak(take, "user", onset, said, "turn" if kind == "natural end" else "interruption")
    return Case(kind, onset)  # type: ignore[arg-type]


def outcomes(session: Session, cases: Sequence[Case]) -> list[str]:
    """Give what is said of each case that was made: its outcome, `undecided` or `not found`."""
    found = barge_ins(Floor(session))
    told = []
    for case in cases:
        near = [item for item in found if abs(item.by.start - case.at) <= REACH_S * session.sample_rate]
        outcome = near[0].outcome if near else "not found"
        told.append(outcome if outcome in (*DECIDED, "not found") else "undecided")
    return told


def measure(folder: Path, talks: int) -> Iterator[tuple[Kind, str, str, str]]:
    """Give every case: what was made, its outcome told, with the agent untold, and as a foreign file."""
    for first in range(0, talks, SIDE_BY_SIDE):
        made = [talk(folder / f"{seed}", seed) for seed in range(first, min(talks, first + SIDE_BY_SIDE))]
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
            yield from zip([case.kind for case in cases], *columns, strict=True)  # type: ignore[misc]


def _without(session: Session, keeps: object) -> Session:
    """The same sound with only the events that `keeps` says."""
    events = tuple(event for event in session.events if keeps(event))  # type: ignore[operator]
    return Session(session.folder, session.meta, audio=session._audio, events=events)


def summary(cases: Sequence[tuple[str, str, str, str]]) -> dict[str, object]:
    """Give the contingency told x untold by kind, and the figures that have goals."""
    result: dict[str, object] = {"cases": len(cases)}
    for place, condition in enumerate(CONDITIONS, 2):
        both = [(case[1], case[place]) for case in cases if case[1] in DECIDED and case[place] in DECIDED]
        natural = [case[place] for case in cases if case[0] == "natural end"]
        open_cases = [case for case in cases if case[place] == "undecided"]
        table = {kind: Counter(f"{case[1]} | {case[place]}" for case in cases if case[0] == kind) for kind in SHARES}
        result[condition] = {
            "told | untold": {kind: dict(counted.most_common()) for kind, counted in table.items()},
            "agreement of decided": _share(sum(told == untold for told, untold in both), len(both)),
            "decided by both": len(both),
            "undecided": _share(len(open_cases), len(cases)),
            "undecided that told decides": _share(sum(case[1] in DECIDED for case in open_cases), len(cases)),
            "natural ends called a yield": _share(natural.count("yielded"), len(natural)),
        }
    return result


def _share(count: int, of: int) -> float | None:
    return round(count / of, 4) if of else None


def markdown(cases: Sequence[tuple[str, str, str, str]]) -> str:
    """Give the table of docs/metrics.md."""
    columns = ("yielded", "talked through", "undecided", "not found")
    lines = ["| what happened | scored | n | " + " | ".join(columns) + " |", "|---" * 7 + "|"]
    for kind in SHARES:
        for place, scored in enumerate(("told", *CONDITIONS), 1):
            found = Counter(case[place] for case in cases if case[0] == kind)
            lines.append(
                f"| {kind} | {scored} | {sum(found.values())} | " + " | ".join(str(found[c]) for c in columns) + " |"
            )
    return "\n".join(lines)


def main() -> None:
    """Make the talks, score them, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--talks", type=int, default=200)
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/metrics.md too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cases = list(measure(Path(folder), args.talks))
    print(json.dumps(summary(cases), indent=2))
    if args.markdown:
        print(markdown(cases))


if __name__ == "__main__":
    main()
