"""Numbers as the terminal shows them."""

from collections.abc import Iterable

from simulator.score import Score


def number(value: float | None) -> str:
    """Write a number with three or so telling digits."""
    if value is None:
        return "-"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"


def without_interval(scores: Iterable[Score]) -> dict[str, list[str]]:
    """Give the metrics with a value and no interval, by the reason; a single session and a count need no saying."""
    reasons: dict[str, list[str]] = {}
    for score in scores:
        if score.value is not None and score.ci95_reason and not score.ci95_reason.startswith(("1 ", "a count")):
            reasons.setdefault(score.ci95_reason, []).append(score.id)
    return reasons
