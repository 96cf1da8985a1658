"""Distributions over all sessions of a model: floor transfer offsets as a histogram, response latencies as an ECDF."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from simulator.errors import ScenarioError
from simulator.figures.style import drawn, look
from simulator.results.models import models_of
from simulator.results.row import values_of
from simulator.results.run import Run
from simulator.scoring.scorer import definition_of

FTO, LATENCY = "turns.fto_p50_s", "latency.response_p50_s"
PEOPLE = "dialogue.fto_w1_s"
BIN_S = 0.1
SHOWN_S = (-2.0, 3.0)
"""Offsets beyond these are counted in the outermost bins, as a long tail hides the rest."""
LONGEST_S = 5.0


def draw_fto(runs: Sequence[Run], path: Path) -> None:
    """Draw the floor transfer offsets of every model, with people's where `dialogue` is measured."""
    values = _values(runs, FTO)
    edges = np.arange(SHOWN_S[0], SHOWN_S[1] + BIN_S / 2, BIN_S)
    with drawn(path) as axes:
        axes.axvspan(SHOWN_S[0], 0, color="#f0f0f0", linewidth=0)
        for place, (name, offsets) in enumerate(values.items()):
            shares = np.histogram(np.clip(offsets, *SHOWN_S), edges)[0] / len(offsets)
            axes.stairs(shares, edges, label=f"{name} (n {len(offsets)})", **look(place))
        people = definition_of(PEOPLE)
        if people is not None and any(PEOPLE in row.scores for run in runs for row in run.rows):
            shares = np.histogram(np.clip(people.reference, *SHOWN_S), edges)[0] / len(people.reference)
            axes.stairs(shares, edges, label="people (AMI)", color="#888888", fill=True, alpha=0.35)
        axes.set_xlabel("floor transfer offset, s (overlap < 0 < gap)")
        axes.set_ylabel("share of transfers")
        axes.legend()


def draw_latency(runs: Sequence[Run], path: Path) -> None:
    """Draw the cumulative distribution of every model's response latencies."""
    values = _values(runs, LATENCY)
    with drawn(path) as axes:
        for place, (name, latencies) in enumerate(values.items()):
            ordered = np.sort(np.asarray(latencies))
            shares = np.arange(1, len(ordered) + 1) / len(ordered)
            known = (np.concatenate([[ordered[0]], ordered]), np.concatenate([[0.0], shares]))
            axes.step(*known, where="post", label=f"{name} (n {len(ordered)})", **look(place))
        longest = max(max(latencies) for latencies in values.values())
        axes.set_xlim(0 if min(map(min, values.values())) >= 0 else None, min(longest * 1.05, LONGEST_S))
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("response latency, s")
        axes.set_ylabel("share of answers")
        axes.legend(loc="lower right")


def _values(runs: Sequence[Run], metric: str) -> Mapping[str, list[float]]:
    """Give the values of a metric by model. ScenarioError: no session has one."""
    found = {name: values_of(rows, metric) for name, rows in models_of(runs).items()}
    known = {name: values for name, values in found.items() if values}
    if not known:
        raise ScenarioError(f"{', '.join(run.name for run in runs)}: no session has a value of {metric}")
    return known
