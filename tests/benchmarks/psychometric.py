"""How well thresholds of observers with known functions are recovered, by trials and design; prints JSON.

    python -m tests.benchmarks.psychometric                 200 observers a cell
    python -m tests.benchmarks.psychometric --draws 50      the same, coarser

For each observer of tests/observers.py: a grid of eight levels around the threshold with 200 trials in all, and the
staircase of a sweep (25 levels over the whole span, targets 0.3 and 0.7) with 40, 80 and 200. `within_5_percent`: the
share of thresholds less than 5 % off, refused ones counted as misses; `covered`: how often the 95 % interval held the
truth; `badly`: how often the goodness of fit rejected a curve that was the right one.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from simulator.curves.fit import Cases, fitted
from simulator.curves.function import Form
from simulator.curves.staircase import Staircase
from tests.observers import KNOWN, Observer

SPANS = {"pause": (0.2, 1.6), "steep pause": (0.2, 1.6), "offset": (0.1, 2.0), "snr": (0.0, 30.0)}
LEVELS, TARGETS = 25, (0.3, 0.7)
CELLS = (("grid", 200), ("staircase", 40), ("staircase", 80), ("staircase", 200))
RESAMPLES = 299


def grid(observer: Observer, trials: int, rng: np.random.Generator) -> list[Cases]:
    """Eight levels around the threshold, each asked as often."""
    reach = 4 * observer.spread * (1 if observer.shape == "logistic" else observer.threshold)
    levels = np.linspace(observer.threshold - reach, observer.threshold + reach, 8).tolist()
    return observer.cases(levels, trials // 8, rng)


def staircase(observer: Observer, trials: int, rng: np.random.Generator, span: tuple[float, float]) -> list[Cases]:
    """Two staircases over the whole span, in turn."""
    spread = np.geomspace if observer.shape == "weibull" else np.linspace
    levels = spread(*span, LEVELS).tolist()
    stairs = [
        Staircase(LEVELS, target, (LEVELS - 1) * (place + 1) / 3, rising=not observer.falling)
        for place, target in enumerate(TARGETS)
    ]
    cases: list[Cases] = []
    for trial in range(trials):
        stair = stairs[trial % 2]
        level = levels[stair.level]
        yes = observer.answers(level, rng)
        cases.append(Cases(level, float(yes), 1.0))
        stair.answered(yes=yes)
    return cases


def cell(name: str, design: str, trials: int, draws: int) -> dict[str, Any]:
    """One observer and design."""
    observer = KNOWN[name]
    form = Form(function=observer.shape, guess=0.03 if observer.falling else 0.0)  # type: ignore[arg-type]
    errors: list[float] = []
    covered = badly = refused = 0
    for draw in range(draws):
        rng = np.random.default_rng([draw, trials])
        asked = grid(observer, trials, rng) if design == "grid" else staircase(observer, trials, rng, SPANS[name])
        fit = fitted(asked, form, rng, resamples=RESAMPLES).fit
        if fit is None:
            refused += 1
            continue
        errors.append(abs(fit.threshold / observer.threshold - 1))
        covered += fit.threshold_ci95[0] <= observer.threshold <= fit.threshold_ci95[1]
        badly += fit.fits_badly
    return {
        "observer": name,
        "design": design,
        "trials": trials,
        "median_error": round(float(np.median(errors)), 4),
        "within_5_percent": round(sum(error < 0.05 for error in errors) / draws, 3),
        "covered": round(covered / max(1, len(errors)), 3),
        "badly": round(badly / max(1, len(errors)), 3),
        "refused": refused,
        "draws": draws,
    }


def main() -> None:
    """Print every cell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    args = parser.parse_args()
    cells = [(name, design, trials) for name in KNOWN for design, trials in CELLS]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(partial(cell, draws=args.draws), *zip(*cells, strict=True)))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
