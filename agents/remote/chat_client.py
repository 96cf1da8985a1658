"""The client of an OpenAI-compatible chat endpoint: its key, its tokens, its refusals."""

from typing import Any

from simulator.errors import RemoteError, ScenarioError
from simulator.reading.secrets import Secrets, names
from simulator.remote.chat_models import COMPLAINS, WITHOUT_LIST, asked_at, no_list

RETRIES = 2
"""So often the client itself asks again: for a busy server (429), a broken one (5xx), a connection that failed."""


def chat_client(base_url: str, key: str | None, timeout_s: float, secrets: Secrets) -> Any:
    """Make the client. key: expanded already; a local server wants none, and the package insists on one."""
    from openai import AsyncOpenAI

    return AsyncOpenAI(base_url=secrets.expand(base_url), api_key=key or "none", timeout=timeout_s, max_retries=RETRIES)


def check_chat_url(base_url: str, where: str) -> None:
    """Refuse a base URL that is none. ScenarioError."""
    if not names(base_url) and not base_url.startswith(("http://", "https://")):
        raise ScenarioError(f"{where}.base_url: {base_url!r} is no http or https URL")


async def probe_models(client: Any, base_url: str, model: str, secrets: Secrets) -> str:
    """Ask an endpoint for its models: reachable, key accepted, model there. RemoteError when not. Closes the client."""
    from openai import APIStatusError, OpenAIError

    where = asked_at(base_url, secrets)
    try:
        offered = [known.id async for known in client.models.list()]
    except APIStatusError as error:
        if error.status_code not in WITHOUT_LIST or not await _takes_chats(client, model):
            raise refused(where, error, secrets) from None
        return no_list(where)
    except OpenAIError as error:
        raise refused(where, error, secrets) from None
    finally:
        await client.close()
    known = "has the model" if model in offered else f"does not list {model!r} among its models"
    return f"{where} answers and {known}"


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


def token_counts(usage: Any) -> dict[str, int]:
    """Give the tokens of a completion by kind; what was read from a cache is not counted as read."""
    if usage is None:
        return {}
    cached = getattr(usage.prompt_tokens_details, "cached_tokens", None) or 0
    counts = {"input_text": usage.prompt_tokens - cached, "cached_text": cached, "output_text": usage.completion_tokens}
    return {f"{kind}_tokens": count for kind, count in counts.items() if count}


def refused(name: str, error: Exception, secrets: Secrets) -> RemoteError:
    """The error as a sentence; servers quote keys, so the error itself is no cause to be logged."""
    from openai import APIStatusError

    found = "answered with an error" if isinstance(error, APIStatusError) else "did not answer"
    return RemoteError(secrets.scrub(f"{name} {found}: {error}"))
