"""How well the wall clock is kept: two scripted parties, lateness of every tick.

Run by hand on an idle machine: `python tests/benchmarks/pacing.py [--seconds 60]`. Prints JSON: p50, p99 and the
largest lateness in ms, underruns and late events.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import anyio

from simulator.batch.job import play
from simulator.call.surroundings import Surroundings
from simulator.planning.plan import Wishes, make_plan
from simulator.session import read_session

SCENARIO = """
name: pacing
duration: {seconds}s
clock: wall
scorers: []
user: {{kind: scripted, turns: ["Good morning.", {{after: agent_turn, say: "Thank you very much.", repeat: true}}]}}
agent: {{kind: scripted, turns: [{{after: user_turn, say: "We have fish and soup today.", repeat: true}}]}}
"""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "pacing.yaml"
        path.write_text(SCENARIO.format(seconds=args.seconds))
        (job,) = make_plan([path], Wishes()).jobs
        played = anyio.run(play, job, folder, Surroundings())
        session = read_session(folder / job.id)
        pacing = played.pacing
        print(json.dumps({
            "seconds": session.duration / session.sample_rate,
            "lateness_p50_ms": pacing.lateness_p50_ms if pacing else None,
            "lateness_p99_ms": pacing.lateness_p99_ms if pacing else None,
            "lateness_max_ms": pacing.lateness_max_ms if pacing else None,
            "underruns": len(session.by_type.get("underrun", [])),
            "late": len(session.by_type.get("late", [])),
        }, indent=2))  # fmt: skip
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
