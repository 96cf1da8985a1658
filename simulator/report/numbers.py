"""Numbers as a reader wants them: three figures, a unit, a clock."""


def clock_time(seconds: float) -> str:
    """Give a length of time as on a clock: `0:30.0`, `12:05.5`, `1:00:00.0`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest / 10:04.1f}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def figure(value: float) -> str:
    """Give a number with three significant figures and no exponent: `0.842`, `12.3`, `1520`."""
    if value == 0:
        return "0"
    digits = max(0, 3 - len(str(int(abs(value)))) if abs(value) >= 1 else 3)
    text = f"{value:.{digits}f}"
    return text if float(text) or abs(value) >= 0.0005 else f"{value:.1e}"


def quantity(value: float, unit: str) -> str:
    """Give a number with its unit; a ratio has none worth saying."""
    return figure(value) if unit in ("", "ratio", "share") else f"{figure(value)} {unit}"
