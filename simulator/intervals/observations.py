"""What is pooled, and as how many independent observations: where scores come from decides that, not their number."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from simulator.intervals.pooled import observations


class Origin(NamedTuple):
    """Where a score comes from. sample: of a dataset, if any. sound: of all that was said and heard, "" where unknown.

    scenario: "" for a recording that belongs to none.
    """

    scenario: str
    sample: str = ""
    sound: str = ""


class Population(NamedTuple):
    """The clusters of what is pooled, by place, and what an interval over them speaks for."""

    clusters: list[list[int]]
    speaks_for: str


def distinct(origins: Sequence[Origin]) -> list[int]:
    """Give the places of what counts: of trials that sound the same, bit by bit, the first one alone."""
    seen: set[Origin] = set()
    kept: list[int] = []
    for place, origin in enumerate(origins):
        if origin.sound and origin in seen:
            continue
        seen.add(origin)
        kept.append(place)
    return kept


def population(origins: Sequence[Origin]) -> Population:
    """Group what is not independent: sessions of a scenario where there are several scenarios, else trials of a sample.

    One scenario without a dataset is repeated only: then every trial stands by itself, and says nothing of others.
    """
    scenarios = {origin.scenario for origin in origins}
    if len(scenarios) > 1:
        return Population(_grouped([origin.scenario for origin in origins]), "scenarios like these")
    if scenarios == {""}:
        return Population([[place] for place in range(len(origins))], "recordings like these")
    samples = [origin.sample for origin in origins]
    if any(samples):
        return Population(_grouped(samples), "samples like these")
    return Population([[place] for place in range(len(origins))], "further trials")


def _grouped(names: Sequence[str]) -> list[list[int]]:
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(name, []).append(place)
    return list(groups.values())


def told(found: Iterable[Origin]) -> list[str]:
    """Say what a table of these rests on: whom its intervals speak for, and what counts only once."""
    origins = list(found)
    kept = [origins[place] for place in distinct(origins)]
    lines: list[str] = []
    if len(kept) > 1:
        over = population(kept)
        lines.append(f"intervals speak for {over.speaks_for}: {observations(len(over.clusters))}")
    return lines + identical(origins)


def identical(origins: Iterable[Origin]) -> list[str]:
    """Say how many trials sound like another, bit by bit, and as how many they count; nothing where none does."""
    several = [number for origin, number in Counter(origins).items() if origin.sound and number > 1]
    times = "once" if len(several) == 1 else f"as {len(several)}"
    return [f"{sum(several)} identical trials count {times}"] if several else []
