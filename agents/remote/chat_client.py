"""The client of an OpenAI-compatible chat endpoint: its key, its address, its tokens."""

from typing import Any

from simulator.errors import ScenarioError
from simulator.reading.secrets import Secrets, names

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


def token_counts(usage: Any) -> dict[str, int]:
    """Give the tokens of a completion by kind; what was read from a cache is not counted as read."""
    if usage is None:
        return {}
    cached = getattr(usage.prompt_tokens_details, "cached_tokens", None) or 0
    counts = {"input_text": usage.prompt_tokens - cached, "cached_text": cached, "output_text": usage.completion_tokens}
    return {f"{kind}_tokens": count for kind, count in counts.items() if count}
