"""PEDANT, the classifier of answers of the package qa_metrics, where the user has installed it."""

from collections.abc import Callable
from functools import cache
from typing import Any

MISSING = "needs PEDANT, and the package qa-metrics is not installed"

Pedant = Callable[[str, str, str], bool]
"""Whether an answer is right: (reference, response, prompt)."""


def open_pedant() -> Pedant | None:
    """Give PEDANT; None where it is not installed. Opening it fetches its classifier, as the original does."""
    try:
        from qa_metrics.pedant import PEDANT
    except ImportError:
        return None
    pedant = _opened(PEDANT)
    return lambda reference, response, prompt: bool(
        pedant.evaluate([reference.lower()], response.lower(), prompt.lower())
    )


@cache
def _opened(kind: Callable[[], Any]) -> Any:
    """Open it once a process: of a run every session is scored by itself."""
    return kind()
