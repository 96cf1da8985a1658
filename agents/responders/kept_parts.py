"""Answers of chat endpoints, part by part, kept where a run records its paid calls, and given again from there.

An answer that nobody wanted to the end (somebody cut in) is kept as far as it came: the same call, played again, cuts
in at the same place.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import anyio
import msgspec

from agents.remote.chat_client import token_counts
from agents.responders.completion import ChatPart
from simulator.cassettes.recording import kept_calls
from simulator.cassettes.store import Paid
from simulator.errors import RemoteError
from simulator.reading.secrets import Secrets, mask_url

Parts = AsyncGenerator[ChatPart, None]


async def kept_parts(
    base_url: str, request: Mapping[str, Any], ask: Callable[[], Parts], secrets: Secrets, *, kind: str
) -> Parts:
    """Give the parts of an answer: the kept ones, else those that `ask` gets, which are kept.

    request: what goes out beside the key. kind: who asks. SessionError: nothing may go out, and none is kept.
    """
    store = kept_calls()
    if store is None:
        async with aclosing(ask()) as parts:
            async for part in parts:
                yield part
        return
    asked = secrets.scrub_all({"base_url": mask_url(base_url), **request})
    count = len(request.get("messages", ()))
    reply = store.find(kind, asked, what=f"{kind} {request.get('model')} at {mask_url(base_url)}, {count} messages")
    if reply is not None:
        for part in _read(reply, kind):
            yield part
        return
    given: list[ChatPart] = []
    async with aclosing(ask()) as parts:
        try:
            async for part in parts:
                given.append(part)
                yield part
        except (GeneratorExit, anyio.get_cancelled_exc_class()):
            store.keep(kind, asked, _paid(given, secrets, broken_off=True))
            raise
    store.keep(kind, asked, _paid(given, secrets, broken_off=False))


def _paid(parts: Sequence[ChatPart], secrets: Secrets, *, broken_off: bool) -> Paid:
    """An answer as it is kept. What was paid for stands beside the parts, not in them: a replay costs nothing."""
    usage = next((part.usage for part in reversed(parts) if part.usage), None)
    plain = [msgspec.to_builtins(msgspec.structs.replace(part, usage=None)) for part in parts]
    reply = {"parts": secrets.scrub_all(plain), **({"broken_off": True} if broken_off else {})}
    return Paid(reply, {name.removesuffix("_tokens"): count for name, count in token_counts(usage).items()})


def _read(reply: dict[str, Any], kind: str) -> list[ChatPart]:
    try:
        return msgspec.convert(reply["parts"], list[ChatPart])
    except (KeyError, msgspec.ValidationError) as error:
        raise RemoteError(f"the kept reply of a {kind} is none: {error}") from error
