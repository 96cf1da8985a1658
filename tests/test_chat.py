"""Chat endpoints that refuse, and what a probe says of one."""

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from agents.caller.endpoint_mind import EndpointMindSpec
from agents.responders.chat import ChatSpec
from simulator.errors import RemoteError
from simulator.judging.spec import JudgeSpec
from simulator.testing import play_session
from tests.contracts.http_peers import Got, scripted
from tests.contracts.peer_sessions import KEY, assert_no_secret


def refuse_key(got: Got) -> None:
    """Refuse a key as a service does, and quote it, as no service should."""
    told = f"Incorrect API key provided: {got.headers['authorization']}, {KEY}"
    got.answer({"error": {"message": told, "code": "invalid_api_key"}}, 401)


def test_an_endpoint_that_quotes_the_key_does_not_bring_it_into_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says what is the matter; the key stands in it by its variable's name."""
    monkeypatch.setenv("TEST_KEY", KEY)
    with scripted(refuse_key) as (url, _):
        chat = {"base_url": f"{url}/v1", "model": "test", "api_key_env": "TEST_KEY"}
        session = play_session({
            "user": {"kind": "scripted", "turns": [{"at": "300ms", "say": "Hello there."}]},
            "agent": {"kind": "cascade", "chat": chat}, "duration": "6s", "scorers": [],
        }, tmp_path)  # fmt: skip
    assert session.meta.status == "failed"
    assert "Incorrect API key" in (session.meta.problem or "")
    assert "${TEST_KEY}" in (session.meta.problem or "")
    assert_no_secret(tmp_path)


def test_doctor_tells_neither_the_key_nor_a_password_in_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the error's cause, which a log would print."""
    monkeypatch.setenv("TEST_KEY", KEY)
    monkeypatch.setenv("CHAT_PASSWORD", "written-nowhere")
    with scripted(refuse_key) as (url, _):
        address = url.replace("//", "//bob:${CHAT_PASSWORD}@")
        spec = ChatSpec(base_url=f"{address}/v1", model="test", api_key_env="TEST_KEY")
        with pytest.raises(RemoteError) as caught:
            anyio.run(spec.probe)
    assert KEY not in str(caught.value)
    assert "written-nowhere" not in str(caught.value)
    assert caught.value.__cause__ is None


def without_list(status: int, *, chats: bool) -> Callable[[Got], None]:
    """A server that knows no `GET /models`, and complains of a chat of no messages, or has no chats either."""

    def script(got: Got) -> None:
        if got.method == "POST" and chats:
            assert got.json["messages"] == []
            got.answer({"error": {"message": "messages is empty"}}, status=400)
        else:
            got.answer({"error": {"message": "no such thing"}}, status=status)

    return script


@pytest.mark.parametrize("status", [404, pytest.param(501, marks=pytest.mark.slow)])  # the client asks again after 501
def test_a_server_that_lists_no_models_works_if_it_chats(status: int) -> None:
    """Of an agent, a caller and a judge alike; where there are no chats either the address is wrong."""
    with scripted(without_list(status, chats=True)) as (url, _):
        told = f"{url}/v1 answers, does not list its models"
        assert anyio.run(ChatSpec(base_url=f"{url}/v1", model="m").probe) == told
        assert anyio.run(EndpointMindSpec(base_url=f"{url}/v1", model="m").probe) == told
        assert JudgeSpec(base_url=f"{url}/v1", model="m").open().probe() == told
    with scripted(without_list(404, chats=False)) as (url, _):
        with pytest.raises(RemoteError, match="answered with an error"):
            anyio.run(ChatSpec(base_url=url, model="m").probe)
        with pytest.raises(RemoteError, match="answered with an error: Error code: 404"):
            JudgeSpec(base_url=url, model="m").open().probe()


def test_a_probe_names_the_host_that_a_variable_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Host and port, and nothing else that the variable holds."""
    with scripted(refuse_key) as (url, _):
        monkeypatch.setenv("LLM_URL", f"{url}/v1?token=hidden-word")
        with pytest.raises(RemoteError) as caught:
            anyio.run(ChatSpec(base_url="${LLM_URL}", model="m").probe)
    assert str(caught.value).startswith(f"${{LLM_URL}} (at {url.removeprefix('http://')}) answered with an error")
    assert "hidden-word" not in str(caught.value)
