"""Patience with far engines: what fails in passing is asked again, what would fail again is not; and their probe."""

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.engines.kinds import recognizer_of, voice_of
from simulator.errors import RemoteError
from simulator.remote import patience
from simulator.remote.http_exchange import HttpRequest
from tests.contracts.http_peers import Got, scripted
from tests.speech_servers import answering, hearing, wav


def failing(times: int, then: Callable[[Got], None], status: int = 503) -> Callable[[Got], None]:
    """A server that fails so often before it works."""
    left = [times]

    def answer(got: Got) -> None:
        if left[0]:
            left[0] -= 1
            got.answer({"error": "busy"}, status)
        else:
            then(got)

    return answer


@pytest.mark.parametrize(
    ("failures", "status", "asked", "comes"),
    [(0, 503, 1, 200), (1, 503, 2, 200), (2, 429, 3, 200), (3, 503, 3, 503), (1, 400, 1, 400), (1, 401, 1, 401)],
)
def test_it_is_asked_again_after_each_pause(failures: int, status: int, asked: int, comes: int) -> None:
    """Twice at most with two pauses; a refusal stands at once."""
    with scripted(failing(failures, hearing({"text": "yes"}), status)) as (url, seen):
        answer = patience.exchange_patiently(HttpRequest(url=url, timeout_s=5.0), (0.0, 0.0))
    assert (answer.status, len(seen)) == (comes, asked)


def test_nobody_there_is_told_at_once() -> None:
    """A closed port will be closed a moment later."""
    with scripted(hearing({})) as (url, _):
        pass
    with pytest.raises(RemoteError, match="cannot be reached"):
        patience.exchange_patiently(HttpRequest(url=url, timeout_s=5.0), (3600.0,))


def test_voices_and_recognisers_are_patient(own_cache: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is busy once costs neither a session."""
    monkeypatch.setattr(patience, "PAUSES_S", (0.0,))
    with scripted(failing(1, answering(lambda text: wav(text, 24_000)))) as (url, seen):
        voice = voice_of({"kind": "openai", "model": "m", "name": "a", "base_url": f"{url}/v1", "self_test": False})
        said = voice.build().synthesize("How much does it cost?")
    assert len(seen) == 2
    with scripted(failing(1, hearing({"text": "How much?"}))) as (url, seen):
        ears = recognizer_of({"kind": "openai", "model": "m", "base_url": f"{url}/v1"})
        assert ears.build().recognize(said.samples, said.sample_rate).text == "How much?"
    assert len(seen) == 2


def test_doctor_asks_voices_and_recognisers(
    tmp_path: Path, own_cache: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is asked for a test sentence and says what came; one that refuses fails with what it says."""
    monkeypatch.setattr(patience, "PAUSES_S", ())
    path = tmp_path / "far.yaml"
    with (
        scripted(answering(lambda text: wav(text, 24_000))) as (speech, _),
        scripted(hearing({"text": "the quick brown fox"})) as (ears, _),
        scripted(hearing({"error": "no such key"}, status=401)) as (closed, _),
    ):
        path.write_text(
            "name: far\nduration: 5s\nuser: silent\n"
            f"agent: {{kind: cascade, voice: {{kind: openai, model: m, name: a, base_url: '{speech}/v1'}},\n"
            f"        recognizer: {{kind: openai, model: m, base_url: '{ears}/v1'}}}}\n"
            f"recognizer: {{kind: openai, model: m, base_url: '{closed}/v1'}}\n"
        )
        assert main(["doctor", str(path)]) == 2
    told = capsys.readouterr().out
    assert "hears 'the quick brown fox' in a test sentence; says the test sentence in" in told and "at 24000 Hz" in told
    assert "FAIL recognizer (openai)" in told and "no such key" in told
