"""How fast the engine alone is: two scripted parties, cues, an injector, one noisy line, 20 ms, both files recorded.

Run by hand: `python tests/benchmarks/engine.py [--minutes 30] [--runs 5] [--ears level|silero]`. Prints JSON: seconds
of conversation per CPU second (best and all), cost per tick in the first and the last minute, memory growth between
minute 1 and the end.
"""

import argparse
import json
import resource
import shutil
import tempfile
import time
from pathlib import Path

import anyio

from simulator.batch.job import play
from simulator.call.surroundings import Surroundings
from simulator.engines import engine
from simulator.events import decode_event
from simulator.planning.plan import Wishes, make_plan

SCENARIO = """
name: engine
duration: {minutes}min
scorers: []
report: none
user:
  kind: scripted
  ears: {ears}
  turns:
    - {{say: "Good evening, I would like to book a table for two people, please."}}
    - {{after: agent_turn, say: "That would be fine. Is there a table by the window?", repeat: true}}
agent:
  kind: scripted
  ears: {ears}
  turns:
    - {{after: user_turn, delay: 700ms, say: "Certainly. Let me check what we have free this evening.", repeat: true}}
injectors:
  - {{kind: backchannel, party: user, cue: {{agent_speaking: 1500ms, every: 4s}}, choose: ["mm-hm", "right"]}}
lines:
  user_to_agent: [{{kind: noise, color: pink, snr_db: 30}}]
"""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ears", choices=("level", "silero"), default="level")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        runs = [one_run(folder, number, args.minutes, args.ears) for number in range(args.runs)]
    finally:
        shutil.rmtree(folder)
    best = max(runs, key=lambda run: run["conversation_s_per_cpu_s"])
    print(json.dumps({"minutes": args.minutes, "ears": args.ears, "best": best, "runs": runs}, indent=2))


def one_run(folder: Path, number: int, minutes: int, ears: str) -> dict[str, float]:
    """Run one session and measure it; making voices and noise is outside the measured time."""
    engine.cache_clear()  # a detector that heard the run before would not listen to this one
    path = folder / f"{number}.yaml"
    path.write_text(SCENARIO.format(minutes=minutes, ears=ears))
    (job,) = make_plan([path], Wishes()).jobs
    rate = job.scenario.sample_rate
    marks: list[tuple[int, float, int]] = []

    def mark(samples: int) -> None:
        if not marks or samples - marks[-1][0] >= 60 * rate or samples >= 60 * minutes * rate:
            marks.append((samples, time.process_time(), memory_kb()))

    anyio.run(play, job, folder / str(number), Surroundings(progress=mark))
    refuse_a_silent_call(folder / str(number) / job.id)
    cpu_s = marks[-1][1] - marks[0][1]
    return {
        "conversation_s_per_cpu_s": round((marks[-1][0] - marks[0][0]) / rate / cpu_s, 1),
        "us_per_tick_first_minute": us_per_tick(marks[0], marks[1], job.scenario.frame_samples),
        "us_per_tick_last_minute": us_per_tick(marks[-2], marks[-1], job.scenario.frame_samples),
        "memory_growth_mb": round((marks[-1][2] - marks[1][2]) / 1024, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def refuse_a_silent_call(session: Path) -> None:
    """Refuse to measure a call in which somebody waits for ever: both sides must talk, and the injector must fire."""
    events = [decode_event(line) for line in (session / "events.jsonl").read_bytes().splitlines()]
    said = {(event.party, event.data["role"]) for event in events if event.type == "speech_start"}
    missing = {("user", "turn"), ("agent", "turn"), ("user", "backchannel")} - said
    if missing:
        raise SystemExit(f"this call is none: {sorted(missing)} never came")


def us_per_tick(begin: tuple[int, float, int], end: tuple[int, float, int], frame_samples: int) -> float:
    """CPU time per tick between two marks."""
    return round(1e6 * (end[1] - begin[1]) * frame_samples / (end[0] - begin[0]), 2)


def memory_kb() -> int:
    """Resident memory of this process in kB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
