"""What is asked of a chat endpoint before it is used: its list of models, or, where it keeps none, whether it chats.

Not every server that speaks the protocol has `GET /models`. One that has none is asked for a completion of no messages:
it costs nothing, and says whether there are completions at this address at all.
"""

from urllib.parse import urlsplit

from simulator.reading.secrets import Secrets, mask_url, names

WITHOUT_LIST = (404, 405, 501)
"""What a server says that has no list: not here, not this method, not implemented."""
COMPLAINS = (400, 422)
"""What one that takes chats says to a chat of no messages, if it does not answer it."""
PORTS = {"http": 80, "https": 443}


def no_list(where: str) -> str:
    """Say what was found of one that keeps no list. where: its address."""
    return f"{where} answers, does not list its models"


def asked_at(base_url: str, secrets: Secrets) -> str:
    """Name an endpoint as it is written; where a variable stands in it with the host and port that are asked, no more.

    ScenarioError: a variable is not set.
    """
    shown = mask_url(base_url)
    if not names(base_url):
        return shown
    try:
        parts = urlsplit(secrets.expand(base_url))
        return f"{shown} (at {parts.hostname}:{parts.port or PORTS.get(parts.scheme, '?')})"
    except ValueError:
        return shown  # the client says what is wrong with it
