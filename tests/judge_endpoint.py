"""A judge's endpoint on loopback, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.contracts.http_peers import Got, Json, scripted


@contextmanager
def endpoint(replies: list[str | int], *, several: bool = False) -> Iterator[tuple[str, list[Json]]]:
    """An OpenAI-compatible server on loopback that gives these replies (a number: that status) one after the other.

    several: whether it knows `n`, and gives a reply so often.
    """
    asked: list[Json] = []

    def script(got: Got) -> None:
        asked.append(got.json)
        reply = replies[min(len(asked), len(replies)) - 1]
        texts = [reply] * got.json.get("n", 1) if several else [reply]
        choices = [
            {"index": place, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
            for place, text in enumerate(texts)
        ]
        content = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": choices}
        got.answer(content, reply if isinstance(reply, int) else 200)

    with scripted(script) as (url, _):
        yield f"{url}/v1", asked
