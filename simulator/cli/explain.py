"""`simulate explain [METRIC | SCORER]`: what a number means, from which event to which, and how others define it."""

import argparse
import json
import textwrap
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from simulator.cli import OK
from simulator.errors import ScenarioError
from simulator.plugins import installed, load
from simulator.score import Definition
from simulator.scoring.scorer import all_definitions, definition_of, definitions_by_kind

WIDTH = 100
_STATISTIC = {
    "ratio": "count over count",
    "mean": "mean of the values",
    "fmean": "mean of the values",
    "std": "standard deviation of the values",
    "trimmed_mean": "mean of the values between their 5th and 95th percentile",
    "p50": "median of the values",
    "p95": "95th percentile of the values",
    "sum": "sum",
    "w1": "Wasserstein-1 distance from the reference",
}
_BETTER = {
    "higher": "higher is better",
    "lower": "lower is better",
    "neither": "neither way is better as such",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = "Explain a metric, or list the metrics of a scorer (of all scorers when none is named)."
    parser.add_argument("metric", nargs="?", help="a metric (barge_in.yield_rate) or a scorer (barge_in, fdb:timing)")
    parser.add_argument("--json", action="store_true", help="the cards as JSON")


def run(args: argparse.Namespace) -> int:
    """Print a card or a list of metrics. ScenarioError when there is no such metric or scorer."""
    if args.metric is None:
        _show_all(definitions_by_kind(), as_json=args.json)
    elif args.metric in installed("scorers"):
        _show_scorer(args.metric, as_json=args.json)
    else:
        card = _find(args.metric)
        print(json.dumps(_plain(card), indent=2) if args.json else _card(card))
    return OK


def _find(metric: str) -> Definition:
    """Look among all; what may have been meant is sought in the scorer that the metric's name begins with."""
    card = definition_of(metric)
    if card is not None:
        return card
    every = all_definitions()
    known = [name for kind, cards in definitions_by_kind().items() for name in cards if metric.startswith(f"{kind}.")]
    near = get_close_matches(metric, known or every, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}" if near else "`simulate explain` lists all metrics"
    raise ScenarioError(f"{metric!r} is no metric of an installed scorer; {hint}")


def _show_all(cards: Mapping[str, Mapping[str, Definition]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([_plain(card) for family in cards.values() for card in family.values()], indent=2))
        return
    for kind, family in cards.items():
        print(kind)
        _list(family)


def _show_scorer(kind: str, *, as_json: bool) -> None:
    family = definitions_by_kind().get(kind, {})
    if as_json:
        print(json.dumps([_plain(card) for card in family.values()], indent=2))
        return
    about = getattr(load("scorers", kind), "card", "")
    if isinstance(about, str) and about.strip():
        print(_wrapped(about) + "\n")
    _list(family)


def _list(family: Mapping[str, Definition]) -> None:
    width = max((len(name) for name in family), default=0)
    for name, card in family.items():
        print(f"  {name:<{width}}  {card.title}" + (f" [{card.unit}]" if card.unit else ""))


def _card(card: Definition) -> str:
    facts = [f"unit: {card.unit}" if card.unit else "", _STATISTIC[card.statistic], _BETTER[card.better]]
    source = f"\nsource: {card.source}" if card.source else ""
    return f"{card.id} - {card.title}\n{'; '.join(filter(None, facts))}\n\n{_wrapped(card.card)}{source}"


def _wrapped(text: str) -> str:
    """Wrap a card for a terminal; a card's lines that belong together were broken for the source, not for this."""
    return "\n".join(
        textwrap.fill(line, WIDTH, subsequent_indent="  ") for line in _joined(text.strip().splitlines()) if line
    )


def _joined(lines: Sequence[str]) -> list[str]:
    """Join lines that go on (the one before does not end a sentence)."""
    joined: list[str] = []
    for line in lines:
        if joined and joined[-1] and not joined[-1].endswith((".", ":", ";")):
            joined[-1] += " " + line.strip()
        else:
            joined.append(line.rstrip())
    return joined


def _plain(card: Definition) -> dict[str, object]:
    return {
        "id": card.id,
        "title": card.title,
        "unit": card.unit,
        "statistic": card.statistic,
        "better": card.better,
        "card": card.card,
        "source": card.source,
    }
