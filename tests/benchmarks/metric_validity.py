"""How far the timing metrics are from the truth when all they have is a stereo file, and what moves them.

Conversations of synthetic voices with events known to the sample (offsets from -0.8 to 2 s, pauses, backchannels,
barge-ins) are scored twice: with their events, and as foreign recordings - clean, in three noises at two levels, at
four rates, under other settings of the detector. For every kind of event: how many were found, how many were found
that were not there, the bias and the 95th percentile of the error of its measured time or length.

Real clips with manual word times are beside them where SIMULATOR_TEST_AUDIO names their folder, as they are and as bad
recordings hold them.

    python tests/benchmarks/metric_validity.py [--sessions 6] [--markdown]
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from metrics.backchannel import BackchannelSpec
from metrics.barge_in import BargeInSpec
from metrics.latency import LatencySpec
from metrics.turns import TurnsSpec, structure
from simulator.annotation.detect import Track, detect
from simulator.engines.activity import SENSITIVE, ActivitySettings
from simulator.events import PARTIES
from simulator.floor.floor import Floor
from simulator.floor.transfers import transfers
from simulator.intervals.observations import Origin
from simulator.scoring.pooling import pool
from simulator.session import Session
from simulator.speech import PartySpeech, Segment, Speech
from tests.conversations import conversation, foreign
from tests.real_talk import CHANGES, IN_NOISE, found_in

REACH_S = 0.4
"""An event that was found belongs to a true one this close to it."""

NOISES = [(color, snr) for color in ("white", "pink", "babble") for snr in (20, 10)]
RATES = (8_000, 16_000, 24_000, 48_000)
SETTINGS: dict[str, ActivitySettings] = {
    "threshold 0.3": msgspec.structs.replace(SENSITIVE, threshold=0.3, negative_threshold=0.15),
    "threshold 0.7": msgspec.structs.replace(SENSITIVE, threshold=0.7, negative_threshold=0.55),
    "min silence 50 ms": msgspec.structs.replace(SENSITIVE, min_silence_ms=50),
    "min silence 200 ms": msgspec.structs.replace(SENSITIVE, min_silence_ms=200),
    "min speech 250 ms": msgspec.structs.replace(SENSITIVE, min_speech_ms=250),
}
COMPARED = (
    "turns.ipu_per_min",
    "turns.gap_per_min",
    "turns.gap_s_per_min",
    "turns.pause_s_per_min",
    "turns.overlap_s_per_min",
    "turns.fto_p50_s",
    "latency.response_p50_s",
    "latency.early_rate",
    "barge_in.yield_rate",
    "barge_in.yield_latency_p50_s",
    "backchannel.kept_floor_rate",
)

Happened = dict[str, list[tuple[int, float]]]
"""By kind of event: at which sample, and the measured seconds (or the sample's time, for edges)."""


def happened(session: Session) -> Happened:
    """Give every event of a session with what was measured of it."""
    floor = Floor(session)
    shapes = structure(floor)
    found: Happened = {
        name: [(stretch.start, floor.seconds(stretch.length)) for _, stretch in shapes[name]]
        for name in ("pause", "gap", "overlap")
    }
    for party in PARTIES:
        for ipu in floor.side(party).ipus:
            found.setdefault(f"{party} onset", []).append((ipu.start, floor.seconds(ipu.start)))
            found.setdefault(f"{party} offset", []).append((ipu.end, floor.seconds(ipu.end)))
    found["floor transfer"] = [(item.start, floor.seconds(item.offset)) for item in transfers(floor)]
    measured = (
        ("response latency", LatencySpec(), "latency.response_p50_s"),
        ("yield latency", BargeInSpec(), "barge_in.yield_latency_p50_s"),
        ("backchannel", BackchannelSpec(), "backchannel.kept_floor_rate"),
    )
    for name, spec, metric in measured:
        score = next(score for score in spec.build().score(session) if score.id == metric)
        found[name] = [(item.start, item.value or 0.0) for item in score.evidence]
    return found


def compare(truth: Sequence[Happened], found: Sequence[Happened], rates: Sequence[int]) -> dict[str, dict[str, float]]:
    """Match events of the same kind, nearest first, and give counts and errors (ms) by kind."""
    table: dict[str, dict[str, float]] = {}
    for name in {name: None for one in truth for name in one}:
        errors: list[float] = []
        count = extra = 0
        for true, heard, rate in zip(truth, found, rates, strict=True):
            expected, there = true.get(name, []), heard.get(name, [])
            pairs = list(_matched(expected, there, round(REACH_S * rate)))
            errors += [1000 * (mine - theirs) for theirs, mine in pairs]
            count += len(expected)
            extra += len(there) - len(pairs)
        merged = name.split(" ", 1)[1] if name.split(" ")[0] in PARTIES else name
        row = table.setdefault(merged, {"n": 0, "found": 0, "extra": 0})
        row["n"] += count
        row["found"] += len(errors)
        row["extra"] += extra
        row.setdefault("errors", []).extend(errors)  # type: ignore[attr-defined,arg-type]
    return {name: _summed(row) for name, row in table.items()}


def _summed(row: dict[str, float]) -> dict[str, float]:
    errors = np.asarray(row.pop("errors"), float)
    if len(errors) and row["n"]:
        row["bias_ms"] = round(float(errors.mean()), 1)
        row["p95_ms"] = round(float(np.quantile(np.abs(errors), 0.95)), 1)
    return row


def _matched(
    truth: Sequence[tuple[int, float]], found: Sequence[tuple[int, float]], reach: int
) -> Iterator[tuple[float, float]]:
    pairs = sorted(
        (abs(at - there), i, j)
        for i, (at, _) in enumerate(truth)
        for j, (there, _) in enumerate(found)
        if abs(at - there) <= reach
    )
    used: set[tuple[str, int]] = set()
    for _, i, j in pairs:
        if ("true", i) not in used and ("found", j) not in used:
            used |= {("true", i), ("found", j)}
            yield truth[i][1], found[j][1]


def listened(sessions: Sequence[Session], settings: ActivitySettings = SENSITIVE) -> list[Session]:
    """Give foreign recordings with what a detector hears in them."""
    tracks = [Track(session=session, party=party) for session in sessions for party in PARTIES]
    parties = [
        PartySpeech(segments=tuple(Segment(start=start, end=end, source="vad") for start, end in timeline))
        for timeline in detect(tracks, settings)
    ]
    return [
        session.with_speech(Speech(user=user, agent=agent))
        for session, user, agent in zip(sessions, parties[::2], parties[1::2], strict=True)
    ]


def pooled(sessions: Sequence[Session]) -> dict[str, float | None]:
    """Score sessions and pool the metrics that are compared."""
    values: dict[str, float | None] = {}
    for spec in (TurnsSpec(), LatencySpec(), BargeInSpec(), BackchannelSpec()):
        scorer = spec.build()
        rows = [{score.id: score for score in scorer.score(session)} for session in sessions]
        for name, card in scorer.definitions.items():
            if name in COMPARED:
                score = pool(card, [row[name] for row in rows], [Origin(session.id) for session in sessions])
                values[name] = None if score.value is None else round(score.value, 4)
    return values


def main() -> None:
    """Run everything and print JSON (or the tables of docs/metrics.md)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=6, help="conversations of a minute for each condition")
    parser.add_argument("--markdown", action="store_true", help="print tables instead of JSON")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), args.sessions)
        if clips := os.environ.get("SIMULATOR_TEST_AUDIO"):
            result["real"] = real(Path(clips) / "conversations_ami", Path(folder))
    print(markdown(result) if args.markdown else json.dumps(result, indent=2))


def measure(folder: Path, count: int) -> dict[str, object]:
    """Measure every condition on the same `count` conversations."""
    errors: dict[str, object] = {}
    for rate in RATES:
        talks = [conversation(folder / f"{rate}-{seed}", seed, rate=rate) for seed in range(count)]
        truth = [talk.take.annotated() for talk in talks]
        conditions = (
            [("clean", None, 0), *((f"{c} {snr} dB", c, snr) for c, snr in NOISES)]
            if rate == 16_000
            else [("clean", None, 0), ("babble 10 dB", "babble", 10)]
        )
        for name, color, snr in conditions:
            wavs = [
                foreign(talk, folder / f"{seed}.wav", color=color, snr_db=snr)  # type: ignore[arg-type]
                for seed, talk in enumerate(talks)
            ]
            heard = listened(wavs)
            errors[f"{rate // 1000} kHz, {name}"] = compare(
                [happened(one) for one in truth], [happened(one) for one in heard], [rate] * count
            )
            if rate == 16_000 and name in ("clean", "babble 10 dB"):
                errors.setdefault("settings", {})[name] = _moved(truth, heard, wavs)  # type: ignore[attr-defined]
    settings = errors.pop("settings")
    return {"conversations": count, "seconds_each": 60, "errors": errors, "settings": settings}


def real(clips: Path, scratch: Path) -> dict[str, dict[str, float]]:
    """Hold what is detected in real clips against the times that people marked."""
    table: dict[str, dict[str, float]] = {}
    for name, change in {"as it is": lambda sound: sound, **CHANGES, **IN_NOISE}.items():
        found = found_in(clips, change, scratch)
        table[name] = {
            "turns": found.turns,
            "missed": found.missed,
            "invented": found.invented,
            "edges": len(found.errors_s),
            "p50_ms": round(1000 * float(np.quantile(found.errors_s, 0.5))),
            "p90_ms": round(1000 * float(np.quantile(found.errors_s, 0.9))),
            "most_ms": round(1000 * max(found.errors_s)),
        }
    return table


def _moved(
    truth: Sequence[Session], heard: Sequence[Session], wavs: Sequence[Session]
) -> dict[str, Mapping[str, float | None]]:
    return {
        "truth": pooled(truth),
        "default": pooled(heard),
        **{name: pooled(listened(wavs, settings)) for name, settings in SETTINGS.items()},
    }


def markdown(result: Mapping[str, object]) -> str:
    """Give the tables as markdown."""
    lines: list[str] = []
    errors: dict[str, dict[str, dict[str, float]]] = result["errors"]  # type: ignore[assignment]
    kinds = list(next(iter(errors.values())))
    lines += ["| recording | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for name, row in errors.items():
        lines.append(f"| {name} | " + " | ".join(_cell(row[kind]) for kind in kinds) + " |")
    settings: dict[str, dict[str, dict[str, float | None]]] = result["settings"]  # type: ignore[assignment]
    for name, columns in settings.items():
        lines += ["", f"| metric ({name}) | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        for metric in COMPARED:
            cells = [f"{value[metric]:.3g}" if value[metric] is not None else "-" for value in columns.values()]
            lines.append(f"| {metric} | " + " | ".join(cells) + " |")
    clips: dict[str, dict[str, float]] = result.get("real", {})  # type: ignore[assignment]
    if clips:
        columns = list(next(iter(clips.values())))
        lines += ["", "| real clips | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        lines += [
            f"| {name} | " + " | ".join(str(row[column]) for column in columns) + " |" for name, row in clips.items()
        ]
    return "\n".join(lines)


def _cell(row: Mapping[str, float]) -> str:
    """`found/n +extra, bias / p95`."""
    counts = f"{row['found']}/{row['n']}" + (f" +{row['extra']}" if row["extra"] else "")
    return f"{counts}, {row['bias_ms']:+.0f} / {row['p95_ms']:.0f}" if "p95_ms" in row else counts


if __name__ == "__main__":
    main()
