"""A plan on paper: a million sessions on 64 GPUs, by a small simulation of the scheduler. Prints JSON.

    python -m tests.benchmarks.ray_plan [SESSIONS] [GPUS] [PLACES] [SESSION_S] [SCORE_S]

The driver does one thing at a time: it sends a session, and takes it in, for so many seconds each. A loop plays as many
sessions side by side as its model has places; scoring cores are as many as are needed. What the driver takes for a
session and holds of it is measured here, with this Python; how long sessions last is what is assumed of a model.
"""

import heapq
import json
import pickle
import random
import sys
import tracemalloc
from pathlib import Path
from typing import Any

from simulator.batch.job import Played, row_of
from simulator.planning.plan import plan_of
from simulator.testing import scenario_of

SEND_S, TAKE_S = 0.0015, 0.0036
"""Of the driver for a session: its processor time for 400 scripted ones on Ray (4.8 s) less that for 20 (2.9 s), over
380, and divided as a profile has it."""
SPREAD = 0.2
"""Sessions last so much longer or shorter than the mean, evenly."""
SOUND_BYTES = 2 * 2 * 24_000
"""Of a second of conversation.wav: two channels, 16 bits, 24 kHz."""


def held_bytes(count: int = 5_000) -> dict[str, float]:
    """Give what a session costs the driver, in bytes: the job that waits, the row that stays, the order that goes."""
    fields: dict[str, Any] = {"user": "silent", "agent": "silent", "duration": "60s", "repeat": count}
    tracemalloc.start()
    jobs = plan_of({"plan": scenario_of(fields, Path())}).jobs
    planned, _ = tracemalloc.get_traced_memory()
    rows = [row_of(job, Played(status="completed")) for job in jobs]
    with_rows, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows) == count
    return {"job": planned / count, "row": (with_rows - planned) / count, "order": len(pickle.dumps(jobs[0]))}


def played(sessions: int, gpus: int, places: int, session_s: float) -> dict[str, float]:
    """Simulate the run. Gives how long it lasts in hours, how busy the driver and the places are (0 to 1)."""
    chance = random.Random(0)
    ends: list[float] = []
    now = driver_s = talk_s = 0.0
    sent = 0
    while sent < sessions or ends:
        if sent < sessions and len(ends) < gpus * places:
            now, driver_s, sent = now + SEND_S, driver_s + SEND_S, sent + 1
            length = session_s * chance.uniform(1 - SPREAD, 1 + SPREAD)
            talk_s += length
            heapq.heappush(ends, now + length)
        else:
            now = max(now, heapq.heappop(ends)) + TAKE_S
            driver_s += TAKE_S
    return {"hours": now / 3600, "driver_busy": driver_s / now, "places_busy": talk_s / (now * gpus * places)}


def main(words: list[str]) -> None:
    """Print the plan."""
    usual = ["1000000", "64", "8", "90", "2"]
    given = [*words, *usual[len(words) :]]
    sessions, gpus, places = map(int, given[:3])
    session_s, score_s = map(float, given[3:])
    held = held_bytes()
    run = played(sessions, gpus, places, session_s)
    print(
        json.dumps(
            {
                "sessions": sessions,
                "gpus": gpus,
                "places": places,
                "session_s": session_s,
                **{name: round(value, 3) for name, value in run.items()},
                "scoring_cores": round(gpus * places / session_s * score_s, 1),
                "driver_gb": round(sessions * (held["job"] + held["row"]) / 1e9, 2),
                "held_bytes": {name: round(value) for name, value in held.items()},
                "sound_tb_of_a_minute_each": round(sessions * 60 * SOUND_BYTES / 1e12, 2),
                "gb_a_second_to_the_folder": round(gpus * places / session_s * 60 * SOUND_BYTES / 1e9, 3),
                "shortest_session_s": round(gpus * places * (SEND_S + TAKE_S), 2),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
