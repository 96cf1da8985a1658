"""Patience: a request that fails in passing is asked again, after pauses that grow.

A server that is overloaded, restarting, or that broke the connection, may answer a moment later. One that refuses the
request, does not exist or takes too long is not asked again: nothing would be otherwise, and time would be lost.
"""

from simulator import clock
from simulator.errors import RemoteError
from simulator.remote.http_exchange import HttpAnswer, HttpRequest, exchange_here

PAUSES_S = (0.25, 1.0)
PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that say nothing of the request itself."""
_BROKEN = ("closed the connection", "broke the connection", "broke off")


def exchange_patiently(request: HttpRequest, pauses_s: tuple[float, ...] | None = None) -> HttpAnswer:
    """Send a request, again after each pause where it failed in passing; the last answer or RemoteError stands.

    pauses_s: seconds before each further attempt (default: PAUSES_S).
    """
    for pause_s in PAUSES_S if pauses_s is None else pauses_s:
        try:
            answer = exchange_here(request)
            if answer.status not in PASSING:
                return answer
        except RemoteError as error:
            if not str(error).startswith(_BROKEN):
                raise
        clock.pause(pause_s)
    return exchange_here(request)
