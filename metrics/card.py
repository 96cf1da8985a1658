"""Definition cards as text: paragraphs written as they read best in the source, kept as one line each."""

from simulator.score import Better, Definition, Statistic

_STATISTIC: dict[str, Statistic] = {"mean": "fmean", "p50": "p50", "p95": "p95"}


def card(*paragraphs: str) -> str:
    """Join paragraphs into a card; line breaks inside a paragraph are the source's and become spaces."""
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph)


def rate(metric: str, title: str, better: Better, text: str, source: str, *, unit: str = "ratio") -> Definition:
    """Make the definition of a share of cases, or of a count per case, which the unit says."""
    return Definition(id=metric, unit=unit, statistic="ratio", title=title, better=better, card=text, source=source)


def seconds(metric: str, title: str, better: Better, text: str, source: str) -> Definition:
    """Make the definition of a statistic over measured times, which the metric's name ends with: `_p50_s`."""
    statistic = _STATISTIC[metric.removesuffix("_s").rsplit("_", 1)[1]]
    return Definition(id=metric, unit="s", statistic=statistic, title=title, better=better, card=text, source=source)


def per_minute(metric: str, title: str, better: Better, text: str, source: str) -> Definition:
    """Make the definition of a count per minute."""
    return Definition(
        id=metric, unit="per min", statistic="ratio", title=title, better=better, card=text, source=source
    )
