"""`--dry-run`: what would run, how long it may take here, and what it may cost."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.cli import OK
from simulator.planning.plan import Plan
from simulator.reading.playing import UntilDecided
from simulator.results.pace import PastSession, recent_pace, recent_sessions
from simulator.texts import shown


def tell_plan(plan: Plan, args: argparse.Namespace, at_a_time: int) -> int:
    """Print a line per scenario, or JSON; gives the exit code."""
    past = recent_sessions((args.out if isinstance(args.out, Path) else Path("runs") / "it").parent)
    lines: list[dict[str, Any]] = []
    for name, lengths in plan.lengths_s().items():
        scenario = plan.purses[name]
        if not lengths:
            continue  # a part of a run may hold nothing of it
        points = [plan.scenarios[point] for point, sweep in plan.points.items() if sweep == name]
        clock = "wall" if any(item.wall() for item in points or [scenario]) else "virtual"
        models = dict.fromkeys(model for item in points or [scenario] for model in item.priced_models())
        lines.append(
            {
                "scenario": scenario.name,
                **({"points": len(points)} if points else {}),
                "sessions": len(lengths),
                "until": "decided" if isinstance(scenario.repeat, UntilDecided) else None,
                "seconds_each": max(lengths),
                "clock": clock,
                "wall_seconds": sum(lengths) if clock == "wall" else None,
                "estimate": None if clock == "wall" else _estimate(past, name, sum(lengths) / at_a_time),
                "billed": list(models),
                "cost": scenario.max_cost,
            }
        )
    if args.json:
        print(msgspec.json.encode(lines).decode())
        return OK
    for line in lines:
        wall = f", at least {line['wall_seconds']:.0f} s of real time" if line["wall_seconds"] else ""
        if line["estimate"]:
            of = "of it" if line["estimate"]["alike"] else "of other scenarios"
            wall = (
                f", about {line['estimate']['seconds']:.0f} s of real time "
                f"(by {line['estimate']['sessions']} session(s) {of} that ran here last)"
            )
        billed = ", ".join(line["billed"])
        cost = f"billed as {billed}, {_limit(line['cost'])}" if billed else "nothing to pay"
        print(
            f"{shown(line['scenario'])}: {'at most ' if line['until'] else ''}{line['sessions']} session(s) "
            f"{'at ' + str(line['points']) + ' points ' if 'points' in line else ''}"
            f"of up to {line['seconds_each']:.0f} s on the "
            f"{line['clock']} clock{wall}; {cost}"
        )
    return OK


def _estimate(past: Sequence[PastSession], scenario: str, talk_s: float) -> dict[str, Any] | None:
    """Say how long so much talk will take, by what the last runs beside this one took; None where there are none."""
    pace = recent_pace(past, scenario)
    if pace is None:
        return None
    seconds = pace.wall_per_s * talk_s
    return {"seconds": round(seconds, 1), "sessions": pace.sessions, "alike": pace.alike}


def _limit(max_cost: float | None) -> str:
    return "without a limit (max_cost)" if max_cost is None else f"at most {max_cost:g}"
