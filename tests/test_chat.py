"""The chat responder before an endpoint that refuses."""

from pathlib import Path

import anyio
import pytest

from agents.responders.chat import ChatSpec
from simulator.errors import RemoteError
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
