"""Logs: where they go and how they look, the same in every process of a run."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from simulator.texts import shown_lines


class Log:
    """Tells in the process's log what happens, in a few words and named values; structlog loads with the first."""

    def __getattr__(self, level: str) -> Any:
        """Give the way to tell at a level: `info`, `warning`, `error`; or `bind`, which gives a log with values."""
        import structlog

        return getattr(structlog.get_logger(), level)


log = Log()

_scrub: ContextVar[Callable[[str], str]] = ContextVar("scrub", default=str)


def set_up_logs(*, verbose: bool) -> None:
    """Send logs to stderr: warnings, everything when verbose."""
    import structlog

    level = logging.INFO if verbose else logging.WARNING
    # Plain tracebacks: the rich ones print local variables, and a local may hold a key.
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("%H:%M:%S", utc=False),
            renderer,
            lambda _logger, _level, text: shown_lines(_scrub.get()(str(text))),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


@contextmanager
def logs_set_up(*, verbose: bool) -> Iterator[None]:
    """Have logs as `set_up_logs` says while the block runs: for a process that is not ours, such as pytest's."""
    import structlog

    before = structlog.get_config() if structlog.is_configured() else None
    set_up_logs(verbose=verbose)
    try:
        yield
    finally:
        if before is None:
            structlog.reset_defaults()
        else:
            structlog.configure(**before)


@contextmanager
def scrubbed_logs(scrub: Callable[[str], str]) -> Iterator[None]:
    """Let `scrub` read every line that is told inside, tracebacks too, also by what is started there."""
    token = _scrub.set(scrub)
    try:
        yield
    finally:
        _scrub.reset(token)


def logs_are_verbose() -> bool:
    """Whether this process was set up to tell everything."""
    structlog = sys.modules.get("structlog")
    return structlog is not None and structlog.is_configured() and structlog.get_logger().is_enabled_for(logging.INFO)
