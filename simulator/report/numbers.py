"""Numbers as a reader wants them: three figures, a unit, a clock."""


def clock_time(seconds: float) -> str:
    """Give a length of time as on a clock: `0:30.0`, `12:05.5`, `1:00:00.0`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest / 10:04.1f}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def figure(value: float) -> str:
    """Give a number with three significant figures, at most three decimals, no exponent: `0.842`, `12.3`, `1520`."""
    if value == 0:
        return "0"
    size = abs(value)
    return f"{value:.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3}f}"


def quantity(value: float, unit: str) -> str:
    """Give a number with its unit; a ratio has none worth saying."""
    return figure(value) if unit in ("", "ratio", "share") else f"{figure(value)} {unit}"


def signed(value: float | None) -> str:
    """Give a difference with its sign, by a real minus; a dash where none is defined."""
    if value is None:
        return "–"
    return ("+" if value > 0 else "−" if value < 0 else "") + figure(abs(value))
