"""Numbers as the terminal shows them."""


def number(value: float | None) -> str:
    """Write a number with three or so telling digits."""
    if value is None:
        return "-"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"
