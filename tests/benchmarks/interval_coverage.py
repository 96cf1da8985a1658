"""How often 95 % intervals cover and how wide they are; how often like runs are called different, and a gate errs.

    python -m tests.benchmarks.interval_coverage                 the tables of docs/metrics.md
    python -m tests.benchmarks.interval_coverage --draws 200     the same, coarser

Simulated sessions with known truth. Four cases or values a trial; a cluster is a scenario. Values are log-normal (sigma
0.5, as response times are). `strong`: half of the variance lies between clusters; of shares, on the scale of their
logits. Beside ours: the percentile and the studentised bootstrap over clusters, the plain method for independent cases,
Student's t over the clusters' own values. Widths are held against the narrowest method that reaches the goal for the
statistic at that number of clusters whatever the truth is: nobody is told the correlation or the share beforehand.
"""

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.intervals.betting import decided_side
from simulator.intervals.difference import holm_adjusted, interval_of_difference
from simulator.intervals.pooled import interval
from simulator.intervals.share import wilson
from simulator.intervals.student import critical_t
from simulator.score import Definition, Parts, Statistic

Floats = NDArray[np.float64]
Bounds = tuple[float, float] | None
Method = Callable[[Definition, Floats], Bounds]

CLUSTERS = (3, 4, 5, 7, 10, 20, 30)
TRIALS = (1, 3, 5)
RATIOS = (0.5, 0.8, 0.9, 0.95, 0.99)
CASES = 4
SIGMA = 0.5
LOGIT_SD = math.pi / math.sqrt(3)
"""That of the logistic distribution: as much between clusters as within."""
GOAL, GOAL_FEW = 0.93, 0.90
WIDEST = 1.3
MOST_WITHOUT = 0.05
"""A method that gives no interval, or one of width zero, where it would be wrong is not one to choose."""
RESAMPLES = 400
Z95 = NormalDist().inv_cdf(0.975)
_QUANTILES: dict[Statistic, float] = {"p50": 0.5, "p95": 0.95}


class Cell(NamedTuple):
    """One experiment: a statistic, its truth where it is a share, clusters, trials, strong correlation or none."""

    statistic: Statistic
    share: float
    clusters: int
    trials: int
    strong: bool


class Found(NamedTuple):
    """What became of one method in one experiment."""

    coverage: float
    width: float
    none: float
    zero: int


def cells() -> Iterator[Cell]:
    """Give all experiments."""
    kinds: list[tuple[Statistic, float]] = [("ratio", share) for share in RATIOS]
    kinds += [("mean", 0.0), ("p50", 0.0), ("p95", 0.0)]
    for (statistic, share), clusters, trials, strong in product(kinds, CLUSTERS, TRIALS, (False, True)):
        yield Cell(statistic, share, clusters, trials, strong)


def card(statistic: Statistic) -> Definition:
    """The definition of a statistic."""
    return Definition(id="m", unit="ratio" if statistic == "ratio" else "s", title="m", statistic=statistic)


def truth(cell: Cell) -> float:
    """What the interval is to cover."""
    if cell.statistic == "ratio":
        return cell.share
    if cell.statistic == "mean":
        return math.exp(SIGMA**2 / 2)
    return math.exp(SIGMA * NormalDist().inv_cdf(_QUANTILES[cell.statistic]))


def drawn(cell: Cell, rng: np.random.Generator, centre: float) -> Floats:
    """One run, float64 (clusters, values of a cluster); of a share zeros and ones."""
    size = (cell.clusters, cell.trials * CASES)
    if cell.statistic == "ratio":
        logits = centre + LOGIT_SD * rng.standard_normal((cell.clusters, 1)) * cell.strong
        return (rng.random(size) < 1 / (1 + np.exp(-logits))).astype(np.float64)
    between = SIGMA * math.sqrt(0.5 * cell.strong)
    within = math.sqrt(SIGMA**2 - between**2)
    return np.exp(between * rng.standard_normal((cell.clusters, 1)) + within * rng.standard_normal(size))


def centre_of(cell: Cell) -> float:
    """The logit at which the mean share over clusters is the one that is wanted, by bisection."""
    if cell.statistic != "ratio" or not cell.strong:
        return math.log(cell.share / (1 - cell.share)) if cell.statistic == "ratio" else 0.0
    steps = LOGIT_SD * np.array([NormalDist().inv_cdf((step + 0.5) / 4000) for step in range(4000)])
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.mean(1 / (1 + np.exp(-(middle + steps)))) < cell.share else (low, middle)
    return low


def ours(definition: Definition, values: Floats) -> Bounds:
    """What the product does."""
    return interval(definition, parts_of(definition, values)).bounds


def parts_of(definition: Definition, values: Floats) -> list[Parts]:
    """A run as the parts of its clusters."""
    if definition.statistic == "ratio":
        return [{"count": int(row.sum()), "of": len(row)} for row in values]
    return [{"values": row.tolist()} for row in values]


def percentile(definition: Definition, values: Floats) -> Bounds:
    """The percentile bootstrap over clusters."""
    rng = np.random.default_rng(0)
    draws = values[rng.integers(0, len(values), (RESAMPLES, len(values)))].reshape(RESAMPLES, -1)
    low, high = np.quantile(_value(definition, draws), (0.025, 0.975))
    return float(low), float(high)


def independent(definition: Definition, values: Floats) -> Bounds:
    """Every value by itself: Wilson's interval, Student's t, order statistics."""
    flat = np.sort(values.ravel())
    if definition.statistic == "ratio":
        return wilson(float(flat.mean()), len(flat), Z95)
    if definition.statistic == "mean":
        return _t(float(flat.mean()), float(flat.std(ddof=1)) / math.sqrt(len(flat)), len(flat) - 1)
    q = _QUANTILES[definition.statistic]
    reach = Z95 * math.sqrt(len(flat) * q * (1 - q))
    low, high = math.floor(len(flat) * q - reach), math.ceil(len(flat) * q + reach)
    return (float(flat[low]), float(flat[high])) if low >= 0 and high < len(flat) else None


def by_cluster(definition: Definition, values: Floats) -> Bounds:
    """Student's t over the clusters' own values."""
    each = _value(definition, values)
    return _t(float(each.mean()), float(each.std(ddof=1)) / math.sqrt(len(each)), len(each) - 1)


def studentised(definition: Definition, values: Floats) -> Bounds:
    """The studentised bootstrap over clusters, of means and shares."""
    if definition.statistic in _QUANTILES:
        return None
    rng = np.random.default_rng(0)
    each = values.mean(axis=1)
    draws = each[rng.integers(0, len(each), (RESAMPLES, len(each)))]
    error = each.std(ddof=1) / math.sqrt(len(each))
    with np.errstate(invalid="ignore", divide="ignore"):
        pivots = (draws.mean(axis=1) - each.mean()) / (draws.std(axis=1, ddof=1) / math.sqrt(len(each)))
    pivots = pivots[np.isfinite(pivots)]
    if not len(pivots):
        return None
    low, high = np.quantile(pivots, (0.025, 0.975))
    return float(each.mean() - high * error), float(each.mean() - low * error)


METHODS: dict[str, Method] = {
    "ours": ours, "percentile bootstrap": percentile, "studentised bootstrap": studentised,
    "independent cases": independent, "t over clusters": by_cluster,
}  # fmt: skip


def _value(definition: Definition, rows: Floats) -> Floats:
    if definition.statistic in _QUANTILES:
        return np.asarray(np.quantile(rows, _QUANTILES[definition.statistic], axis=1), np.float64)
    return np.asarray(rows.mean(axis=1), np.float64)


def _t(middle: float, error: float, freedom: int) -> tuple[float, float]:
    reach = critical_t(0.05, freedom) * error
    return middle - reach, middle + reach


def measured(cell: Cell, draws: int) -> dict[str, Found]:
    """Run one experiment so often."""
    rng = np.random.default_rng(list(map(int, (cell.share * 100, cell.clusters, cell.trials, cell.strong))))
    definition, aim, centre = card(cell.statistic), truth(cell), centre_of(cell)
    runs = [drawn(cell, rng, centre) for _ in range(draws)]
    return {name: _found([method(definition, run) for run in runs], aim) for name, method in METHODS.items()}


def _found(bounds: Sequence[Bounds], aim: float) -> Found:
    given = [found for found in bounds if found is not None]
    covered = sum(low - 1e-12 <= aim <= high + 1e-12 for low, high in given)
    widths = [high - low for low, high in given]
    return Found(
        coverage=covered / len(given) if given else math.nan,
        width=float(np.median(widths)) if widths else math.nan,
        none=1 - len(given) / len(bounds),
        zero=sum(not low < high for low, high in given),
    )


def reaches(cell: Cell, found: Found, noise: float) -> bool:
    """Whether the goal is reached, as far as so many draws can tell."""
    return found.coverage >= (GOAL if cell.clusters >= 5 else GOAL_FEW) - noise


def candidates(results: Mapping[Cell, Mapping[str, Found]], cell: Cell, noise: float) -> list[str]:
    """The methods one could choose for a statistic at this number of clusters: they cover whatever the truth is."""
    same = [one for one in results if (one.statistic, one.clusters) == (cell.statistic, cell.clusters)]
    measurable = [one for one in same if results[one]["ours"].none < 1]
    return [
        name
        for name in METHODS
        if all(
            reaches(one, found := results[one][name], noise) and found.zero == 0 and found.none < MOST_WITHOUT
            for one in measurable
        )
    ]


def relative_width(results: Mapping[Cell, Mapping[str, Found]], cell: Cell, noise: float) -> float:
    """Our median width over that of the narrowest method that one could choose."""
    best = min((results[cell][name].width for name in candidates(results, cell, noise)), default=math.nan)
    return results[cell]["ours"].width / best


def print_coverage(draws: int) -> bool:
    """Print the table; say whether all goals are reached."""
    every = list(cells())
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = dict(zip(every, pool.map(measured, every, [draws] * len(every)), strict=True))
    noise = 2 * math.sqrt(GOAL * (1 - GOAL) / draws)
    print("| statistic | correlation | clusters | ours: least coverage | median width, of the best | " + " | ".join(
        f"{name}: least coverage" for name in METHODS if name != "ours") + " |")  # fmt: skip
    print("|" + "---|" * (4 + len(METHODS)))
    fine = True
    for statistic, strong, few in product(("ratio", "mean", "p50", "p95"), (False, True), (True, False)):
        group = [c for c in every if (c.statistic, c.strong, c.clusters < 5) == (statistic, strong, few)]
        group = [c for c in group if results[c]["ours"].none < 1]
        least = {name: min(results[c][name].coverage for c in group) for name in METHODS}
        wide = max(relative_width(results, c, noise) for c in group)
        fine &= all(reaches(c, results[c]["ours"], noise) for c in group) and not wide > WIDEST
        fine &= not any(results[c]["ours"].zero for c in group)
        cells_ = [statistic, "strong" if strong else "none", "3, 4" if few else "5 to 30", f"{least['ours']:.3f}"]
        others = [f"{least[name]:.3f}" for name in METHODS if name != "ours"]
        print(f"| {' | '.join([*cells_, f'{wide:.2f}', *others])} |", flush=True)
    zero = sum(found["ours"].zero for found in results.values())
    word = "reached" if fine else "not reached"
    print(f"\n{len(every)} experiments of {draws} runs each; intervals of width zero: {zero}; goals {word}")
    return fine


def null_experiment(seed: int, scenarios: int, change: float) -> list[float | None]:
    """Compare two runs of three trials that differ by a factor in one mean; p of a mean, a median and two shares."""
    rng = np.random.default_rng([seed, scenarios])
    made: list[list[tuple[Parts, Parts]]] = [[], [], [], []]
    for _ in range(scenarios):
        difficulty = 0.35 * rng.standard_normal()
        noise = 0.35 * rng.standard_normal((2, 3 * CASES))
        sides = np.exp(difficulty + math.log1p(change) * np.array([[0], [1]]) + noise)
        pair = ({"values": sides[0].tolist()}, {"values": sides[1].tolist()})
        made[0].append(pair)
        made[1].append(pair)
        for place, logit in ((2, 0.5), (3, 2.5)):
            chance = 1 / (1 + math.exp(-logit - difficulty))
            counts = [{"count": int(rng.binomial(3 * CASES, chance)), "of": 3 * CASES} for _ in (0, 1)]
            made[place].append((counts[0], counts[1]))
    cards = [card(statistic) for statistic in ("mean", "p50", "ratio", "ratio")]
    return [interval_of_difference(one, pairs).p for one, pairs in zip(cards, made, strict=True)]


def print_comparisons(draws: int) -> bool:
    """Print how often like runs are called different, and how often a change of 20 % in a mean is found."""
    print("\n| scenarios | mean | median | share .6 | share .9 | any of the four, Holm | 20 % of a mean found, Holm |")
    print("|---|---|---|---|---|---|---|")
    fine = True
    for scenarios in (2, 3, 5, 10, 20):
        alike = [null_experiment(seed, scenarios, 0.0) for seed in range(draws)]
        changed = [null_experiment(seed, scenarios, 0.2) for seed in range(draws)]
        single = [np.mean([(p[place] or 1) < 0.05 for p in alike if p[place] is not None] or [0]) for place in range(4)]
        family = np.mean([any((p or 1) < 0.05 for p in holm_adjusted(found) if p is not None) for found in alike])
        power = np.mean([(p := holm_adjusted(found)[0]) is not None and p < 0.05 for found in changed])
        fine &= max(*single, family) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / draws)
        print(f"| {scenarios} | {' | '.join(f'{rate:.3f}' for rate in (*single, family, power))} |", flush=True)
    return fine


def print_gate(draws: int) -> bool:
    """Print how often a gate that goes on until it is decided errs, and how many trials it takes."""
    print("\n| truth | trials, median | errs | undecided after 200 |")
    print("|---|---|---|---|")
    fine = True
    for share in (0.5, 0.7, 0.8, 0.85, 0.89, 0.9, 0.91, 0.95, 0.98, 1.0):
        rng = np.random.default_rng(int(1000 * share))
        found = [decided_side(rng.binomial(CASES, share, 200) / CASES, 0.9, 0.99) for _ in range(draws)]
        wrong = "below" if share >= 0.9 else "above"
        errs = np.mean([side == wrong for side, _ in found])
        fine &= bool(errs <= 0.01 + 2 * math.sqrt(0.01 * 0.99 / draws))
        still = np.mean([side == "open" for side, _ in found])
        print(f"| {share} | {np.median([trials for _, trials in found]):.0f} | {errs:.4f} | {still:.3f} |", flush=True)
    return fine


def main() -> int:
    """Print the tables; exit 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000, help="runs of each experiment")
    draws = parser.parse_args().draws
    fine = [print_coverage(draws), print_comparisons(draws), print_gate(5 * draws)]
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
