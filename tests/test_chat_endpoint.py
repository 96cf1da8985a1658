"""The tests' own chat endpoint, asked with the client that everybody uses."""

import threading
from typing import Any

import pytest
from openai import APIConnectionError, APIError, APIStatusError, OpenAI

from tests.chat_endpoint import ChatEndpoint, calls, chat_endpoint, cut_off, holds, not_json, refuses, says


def ask(endpoint: ChatEndpoint, *, stream: bool = False) -> Any:
    """One question, without second tries."""
    client = OpenAI(base_url=endpoint.base_url, api_key="none", max_retries=0, timeout=5)
    asked: Any = {"model": "test", "messages": [{"role": "user", "content": "Hello."}], "stream": stream}
    answer = client.chat.completions.create(**asked)
    return list(answer) if stream else answer


def test_a_reply_comes_whole_and_in_pieces_and_says_the_same() -> None:
    """Two parallel calls, whose arguments come in turns, are those that a whole answer holds."""
    reply = says("One moment.", calls("look_up", order="12345"), calls("weigh", parcel=7))
    with chat_endpoint(reply) as endpoint:
        whole, pieces = ask(endpoint), ask(endpoint, stream=True)
    message = whole.choices[0].message
    assert message.content == "".join(piece.choices[0].delta.content or "" for piece in pieces) == "One moment."
    arguments = ["", ""]
    for piece in pieces:
        for part in piece.choices[0].delta.tool_calls or ():
            arguments[part.index] += part.function.arguments
    assert arguments == [call.function.arguments for call in message.tool_calls]
    assert len([piece for piece in pieces if piece.choices[0].delta.tool_calls]) > 4
    assert {whole.choices[0].finish_reason, pieces[-1].choices[0].finish_reason} == {"tool_calls"}


def test_replies_come_in_turn_and_the_last_one_stays() -> None:
    """A reply may look at what is asked; every request is kept."""
    with chat_endpoint(says("First."), lambda body: says(body["messages"][-1]["content"])) as endpoint:
        texts = [ask(endpoint).choices[0].message.content for _ in range(3)]
    assert texts == ["First.", "Hello.", "Hello."]
    assert [body["model"] for body in endpoint.asked] == ["test"] * 3


@pytest.mark.parametrize("status", [429, 500])
def test_a_service_refuses(status: int) -> None:
    """With its status and its own words."""
    with chat_endpoint(refuses(status, "slow down")) as endpoint, pytest.raises(APIStatusError, match="slow down"):
        ask(endpoint)


def test_an_answer_breaks_off() -> None:
    """What came before is there, and then an error of the connection."""
    heard: list[str] = []
    with chat_endpoint(cut_off("Your order")) as endpoint:
        client = OpenAI(base_url=endpoint.base_url, api_key="none", max_retries=0, timeout=5)
        asked: Any = {"model": "test", "messages": [{"role": "user", "content": "Hello."}], "stream": True}
        with pytest.raises(APIError):
            heard.extend(piece.choices[0].delta.content for piece in client.chat.completions.create(**asked))
    assert heard == ["Your", " order"]


def test_an_answer_is_no_json() -> None:
    """A gateway's page under the name of JSON."""
    with chat_endpoint(not_json()) as endpoint, pytest.raises(Exception, match=r"Expecting value|JSON"):
        ask(endpoint)


def test_a_slow_endpoint_answers_when_it_is_let() -> None:
    """A client whose patience is shorter gives up; a later one gets the answer."""
    release = threading.Event()
    with chat_endpoint(holds(says("At last."), release)) as endpoint:
        client = OpenAI(base_url=endpoint.base_url, api_key="none", max_retries=0, timeout=0.2)
        with pytest.raises(APIConnectionError):
            client.chat.completions.create(model="test", messages=[{"role": "user", "content": "Hello."}])
        release.set()
        assert ask(endpoint).choices[0].message.content == "At last."
