"""What calls over streams keep: no sample lost or doubled, how late and how evenly they are heard, what they cost.

    python tests/benchmarks/streams.py [--kinds pipecat webrtc] [--seconds 60] [--calls 20] [--json FILE]

The agent says back what it hears, in a process of its own; the calls are played by this one, held to one core where
the system allows it. One call of each kind, then so many at once, then clears in frames of 10 ms. Run it on an idle
machine.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.contracts.rtc_peers import RtcFarEnd, rtc_far_end
from tests.rtc_figures import band_noise, rtc_figures_of
from tests.stream_figures import (
    RATES,
    Kind,
    clears_of,
    echoing,
    figures_of,
    job_of,
    play_all,
    serving_clears,
    session_in,
)


@dataclass
class CallsFigures:
    """Of calls at once; lateness of ticks and what one core was used for them (1.0: all of it)."""

    kind: str
    calls: int
    seconds: float
    completed: int
    samples_each: int
    lost: int
    doubled: int
    mouth_to_ear_p50_ms: float
    jitter_p90_ms: float
    gaps: int
    lateness_p99_ms: float
    core_share: float


def serve(pipe: Any) -> None:
    """Run both agents until the other end of the pipe is closed; tells their addresses."""

    async def main(rtc: str) -> None:
        async with echoing() as echo, serving_clears() as clears:
            pipe.send((echo, rtc, clears))
            await anyio.to_thread.run_sync(pipe.recv)

    try:
        with rtc_far_end(RtcFarEnd(None)) as (rtc, _):
            anyio.run(main, rtc)
    except EOFError:
        return


def measured(kind: Kind, url: str, seconds: float, calls: int) -> CallsFigures:
    """Play calls at once and look at all of them."""
    folder = Path(tempfile.mkdtemp())
    try:
        sound = band_noise(seconds, RATES[kind]) if kind == "webrtc" else None
        jobs = [job_of(kind, url, folder, seconds, name=f"call{index}", sound=sound) for index in range(calls)]
        began_s, cpu_s = time.perf_counter(), time.process_time()
        played = anyio.run(play_all, jobs, folder)
        core = (time.process_time() - cpu_s) / (time.perf_counter() - began_s)
        look = rtc_figures_of if kind == "webrtc" else figures_of
        found = [look(session_in(folder, job)) for job in jobs]
        lateness = [one.pacing.lateness_p99_ms for one in played if one.pacing]
        return CallsFigures(
            kind=kind, calls=calls, seconds=seconds, completed=sum(one.status == "completed" for one in played),
            samples_each=found[0].samples, lost=sum(one.lost for one in found),
            doubled=sum(one.doubled for one in found),
            mouth_to_ear_p50_ms=max(one.mouth_to_ear_p50_ms for one in found),
            jitter_p90_ms=max(one.jitter_p90_ms for one in found), gaps=sum(one.gaps for one in found),
            lateness_p99_ms=max(lateness, default=0.0), core_share=round(core, 3),
        )  # fmt: skip
    finally:
        shutil.rmtree(folder)


def clears(url: str) -> dict[str, float]:
    """Clears in frames of 10 ms: how long sound went on after each came in, and was acted on."""
    folder = Path(tempfile.mkdtemp())
    try:
        job = job_of("twilio", url, folder, 10, frame_ms=10)
        anyio.run(play_all, [job], folder)
        found = clears_of(session_in(folder, job))
        after = sorted(clear.since_arrival_ms for clear in found)
        acted = max(clear.since_acted_ms for clear in found)
        return {
            "clears": len(after),
            "p50_ms": after[len(after) // 2],
            "max_ms": after[-1],
            "since_acted_max_ms": acted,
        }
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Run the benchmark and print JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--kinds", nargs="+", default=list(RATES), choices=list(RATES))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    theirs.close()
    echo, rtc, clearing = ours.recv()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    kinds: list[Kind] = args.kinds
    calls = [
        measured(kind, rtc if kind == "webrtc" else echo, args.seconds, count)
        for count in (1, args.calls)
        for kind in kinds
    ]
    told = json.dumps({"calls": [asdict(one) for one in calls], "clear_to_silence": clears(clearing)}, indent=2)
    ours.close()
    server.join(5)
    print(told)
    if args.json:
        args.json.write_text(told + "\n")


if __name__ == "__main__":
    main()
