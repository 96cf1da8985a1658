"""Outcomes as metrics: the id and the card by which tables, rows and comparisons know them."""

import hashlib
import re

from simulator.reading.outcomes import ExpectedOutcome
from simulator.score import Definition

EXPECTED = "expect."
"""What the ids of outcomes begin with."""
LONGEST_ID = 60

OUTCOME_CARD = """The share of sessions in which an outcome that a scenario expects is met: words, calls, state, an end.
A session in which nobody can tell (no transcript, no world) is undefined and never counts as met: the expectation holds
only if it would with all of those unmet. Evidence is the moment that decides. docs/outcomes.md says what each means."""


def id_of(outcome: ExpectedOutcome) -> str:
    """Give the id of an outcome as a metric: by its name, else by its text; the same in every run."""
    told = re.sub(r"[^\w]+", "-", (outcome.name or outcome.text).lower()).strip("-")
    if len(told) > LONGEST_ID:
        told = f"{told[:LONGEST_ID].rstrip('-')}-{hashlib.sha256(told.encode()).hexdigest()[:4]}"
    return f"{EXPECTED}{told}"


def outcome_definition(metric: str, title: str = "") -> Definition:
    """Give the card of an outcome, by its id alone where nothing else is known of it."""
    return Definition(
        id=metric,
        unit="ratio",
        title=title or metric.removeprefix(EXPECTED).replace("-", " "),
        statistic="ratio",
        better="higher",
        card=OUTCOME_CARD,
        source="this project",
    )
