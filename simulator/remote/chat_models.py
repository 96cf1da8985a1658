"""What is asked of a chat endpoint before it is used: its list of models, or, where it keeps none, whether it chats.

Not every server that speaks the protocol has `GET /models`. One that has none is asked for a completion of no messages:
it costs nothing, and says whether there are completions at this address at all.
"""

from typing import Any
from urllib.parse import urlsplit

from simulator.errors import RemoteError
from simulator.reading.secrets import Secrets, mask_url, names

WITHOUT_LIST = (404, 405, 501)
"""What a server says that has no list: not here, not this method, not implemented."""
COMPLAINS = (400, 422)
"""What one that takes chats says to a chat of no messages, if it does not answer it."""
PORTS = {"http": 80, "https": 443}
LONGEST = 300
"""Characters of a server's complaint: some send the page that a proxy had for people."""


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


async def probe_models(client: Any, where: str, model: str, secrets: Secrets) -> str:
    """Ask an endpoint for its models: reachable, key accepted, model there. RemoteError when not. Closes the client.

    client: openai.AsyncOpenAI. where: its address, as `asked_at` names it.
    """
    from openai import APIStatusError, OpenAIError

    try:
        offered = [known.id async for known in client.models.list()]
    except APIStatusError as error:
        if error.status_code not in WITHOUT_LIST or not await _takes_chats(client, model):
            raise refused(where, error, secrets) from None
        return f"{where} answers, does not list its models"
    except OpenAIError as error:
        raise refused(where, error, secrets) from None
    except (ValueError, TypeError, AttributeError):
        raise RemoteError(f"{where} answered with something else than a list of models") from None
    finally:
        await client.close()
    known = "has the model" if model in offered else "does not list the model"
    return f"{where} answers and {known} {model}"


async def _takes_chats(client: Any, model: str) -> bool:
    """Whether there are chat completions where there is no list of models."""
    from openai import APIStatusError, OpenAIError

    try:
        await client.chat.completions.with_raw_response.create(model=model, messages=[])
    except APIStatusError as error:
        return error.status_code in COMPLAINS
    except OpenAIError:
        return False
    return True


def refused(name: str, error: Exception, secrets: Secrets) -> RemoteError:
    """The error as a sentence; servers quote keys, so the error itself is no cause to be logged."""
    from openai import APIStatusError

    found = "answered with an error" if isinstance(error, APIStatusError) else "did not answer"
    return RemoteError(f"{name} {found}: {secrets.scrub(str(error))[:LONGEST]}")
