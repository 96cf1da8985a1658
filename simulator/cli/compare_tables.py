"""What `simulate compare` prints: a table on the terminal, one in Markdown for a pull request, JSON for machines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.cli.console import console
from simulator.cli.numbers import number
from simulator.intervals.pooled import observations
from simulator.results.pairs import Difference
from simulator.results.sweeps import curve_name
from simulator.results.table_files import pipes
from simulator.results.thresholds import ThresholdDifference

HEAD = ("metric", "first", "second", "difference", "95 % interval", "effect", "p", "")


def as_json(
    found: Mapping[str, Sequence[Difference]],
    first: Path,
    page: Path | None,
    notes: Sequence[str] = (),
    shifts: Mapping[str, Sequence[ThresholdDifference]] | None = None,
) -> str:
    """Give everything there is. found, shifts: by the folder of the second run. notes: what to know beside numbers."""
    told: dict[str, Any] = {"page": str(page) if page else None, "first": str(first), "against": found, "notes": notes}
    if shifts and any(shifts.values()):
        told["thresholds"] = shifts
    return msgspec.json.encode(told).decode()


def print_table(first: str, second: str, items: Sequence[Difference], *, need: float | None) -> None:
    """Print the differences of two runs for a reader at a terminal."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=f"{second} minus {first}", title_justify="left")
    for place, name in enumerate(_head(first, second)):
        left, folds = place in (0, len(HEAD) - 1), place < 3
        table.add_column(name, justify="left" if left else "right", overflow="fold", no_wrap=not folds)
    for item in items:
        if item.value is not None or item.tone == "undefined":
            table.add_row(*_cells(item))
    console().print(table)
    for line in _remarks(items, need):
        console().print(line, markup=False, highlight=False, soft_wrap=True)


def print_markdown(first: str, second: str, items: Sequence[Difference], *, need: float | None) -> None:
    """Print the differences of two runs as a Markdown table."""
    print(f"### {second} minus {first}\n")
    for cells in (_head(first, second), ("---",) * len(HEAD), *map(_cells, items)):
        print(pipes(cells))
    for line in _remarks(items, need):
        print(f"\n{line}")


SHIFT_HEAD = ("threshold of", "first", "second", "difference", "95 % interval", "p")


def print_shifts(first: str, second: str, items: Sequence[ThresholdDifference], *, markdown: bool) -> None:
    """Print how far the thresholds of two sweeps lie apart; nothing where there are none."""
    shown = [item for item in items if item.value is not None]
    head = (SHIFT_HEAD[0], first, second, *SHIFT_HEAD[3:])
    if shown and markdown:
        print(f"\n### thresholds of {second} minus {first}\n")
        for cells in (head, ("---",) * len(head), *map(_shift_cells, shown)):
            print(pipes(cells))
    elif shown:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=f"{second} minus {first}", title_justify="left")
        for place, name in enumerate(head):
            table.add_column(name, justify="left" if place == 0 else "right", overflow="fold")
        for item in shown:
            table.add_row(*_shift_cells(item))
        console().print(table)
    for item in items:
        if item.reason:
            line = f"{curve_name(item.metric, item.over, item.where)}: {item.reason}"
            if markdown:
                print(f"\n{line}")
            else:
                console().print(line, markup=False, highlight=False, soft_wrap=True)


def _shift_cells(item: ThresholdDifference) -> tuple[str, ...]:
    unit = " s" if item.seconds else ""
    return (
        curve_name(item.metric, item.over, item.where),
        f"{number(item.first)}{unit}",
        f"{number(item.second)}{unit}",
        "" if item.value is None else f"{item.value:+.3f}",
        "" if item.ci95 is None else f"{item.ci95[0]:+.3f} .. {item.ci95[1]:+.3f}",
        "" if item.p_adjusted is None else f"{item.p_adjusted:.2g}",
    )


def _head(first: str, second: str) -> tuple[str, ...]:
    return (HEAD[0], first, second, *HEAD[3:])


def _cells(item: Difference) -> tuple[str, ...]:
    interval = f"{item.ci95[0]:+.3f} .. {item.ci95[1]:+.3f}" if item.ci95 else ""
    return (
        item.metric,
        number(item.first),
        number(item.second),
        "" if item.value is None else f"{item.value:+.3f}",
        interval,
        "" if item.effect is None else f"{item.effect:+.2f}",
        "" if item.p_adjusted is None else f"{item.p_adjusted:.2g}",
        "" if item.tone == "unclear" else item.tone,
    )


def _within(item: Difference) -> str:
    return f"{item.metric}: {'within' if item.not_inferior else 'not shown to be within'} {item.margin:g}"


def _remarks(items: Sequence[Difference], need: float | None) -> list[str]:
    """Say what the table rests on, why something is missing from it, and what is needed."""
    reasons: dict[str, list[str]] = {}
    for item in items:
        if item.reason:
            reasons.setdefault(item.reason, []).append(item.metric)
    lines = [f"{reason}: {', '.join(metrics)}" for reason, metrics in reasons.items()]
    apart = [item.metric for item in items if _is_mean_of_differences(item)]
    if apart:
        lines.append(f"the difference is the mean of the observations' own: {', '.join(apart)}")
    tested = [item for item in items if item.p is not None]
    if tested:
        least, most = min(item.clusters for item in tested), max(item.clusters for item in tested)
        over = observations(most) if least == most else f"{least} to {observations(most)}"
        lines.append(f"{over}; p adjusted over {len(tested)} metric{'s' * (len(tested) != 1)} (Holm)")
    lines += [_within(item) for item in items if item.not_inferior is not None]
    if need is not None:
        lines += [f"{item.metric}: {_needed(item, need)}" for item in items if item.value is not None]
    return lines


def _is_mean_of_differences(item: Difference) -> bool:
    """Whether a difference is not that of the values beside it: quantiles are compared within observations."""
    if item.value is None or item.first is None or item.second is None:
        return False
    return abs(item.second - item.first - item.value) > 5e-4  # what three decimals show


def _needed(item: Difference, need: float) -> str:
    if item.more_sessions is None:
        return f"nobody knows how many more sessions would show a difference of {need:g}: {item.reason}"
    if not item.more_sessions:
        return f"a difference of {need:g} would show with what there is, four times of five"
    return f"{item.more_sessions} more sessions of each run would show a difference of {need:g}, four times of five"
