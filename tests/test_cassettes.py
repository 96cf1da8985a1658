"""Cassettes: paid calls kept by what was asked, readable, and never with a secret in them."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.cassettes.cassette import key_of, written_down
from simulator.cassettes.store import Cassettes, Paid, Record, append, read_cassettes
from simulator.errors import RemoteError, SessionError
from simulator.scoring.judge_endpoint import EndpointJudge, EndpointSettings
from tests.chat_endpoint import chat_endpoint, refuses, says

QUESTION = {"model": "m", "messages": [{"role": "user", "content": "Is it so?"}]}


def answering(*texts: str) -> Any:
    """What goes out: gives these texts, one per call, and fails when there are no more."""
    left = list(texts)
    return lambda: Paid({"text": left.pop(0)}, {"output_text": 1})


def called(store: Cassettes, ask: Any, request: dict[str, Any] | None = None) -> str:
    """Ask a store and give the text."""
    return str(store.call("judge", request or QUESTION, ask, what="a question")["text"])


def store_in(file: Path, record: Record = "missing") -> Cassettes:
    """A store of one file."""
    return Cassettes([file], keep=file, record=record)


def test_the_same_request_goes_out_once(tmp_path: Path) -> None:
    """In one store and in the next one; another request goes out."""
    file = tmp_path / "new" / "judge.jsonl"
    store = store_in(file)
    assert called(store, answering("yes")) == called(store, answering("no")) == "yes"
    again = store_in(file)
    assert called(again, answering()) == "yes"
    assert called(again, answering("no"), {**QUESTION, "model": "n"}) == "no"
    assert [cassette.replayed for cassette in again.used] == [True, False]
    assert [json.loads(line)["reply"]["text"] for line in file.read_text().splitlines()] == ["yes", "no"]


def test_always_asks_anew_and_the_last_line_counts(tmp_path: Path) -> None:
    """A file only grows; what was answered last is what is replayed."""
    file = tmp_path / "judge.jsonl"
    for text in ("yes", "no"):
        assert called(store_in(file, "always"), answering(text)) == text
    assert len(file.read_text().splitlines()) == 2
    assert called(store_in(file, "never"), answering()) == "no"


def test_never_names_what_is_missing_and_where_it_was_looked_up(tmp_path: Path) -> None:
    """One sentence; nothing goes out, nothing is written."""
    file = tmp_path / "judge.jsonl"
    with pytest.raises(SessionError, match=r"no reply is kept for a question \(key [0-9a-f]{12}, looked up in .*jsonl"):
        called(store_in(file, "never"), answering("yes"))
    assert not file.exists()


def test_damaged_lines_are_named_and_passed_over(tmp_path: Path) -> None:
    """Half a line, no JSON, another form, an edited request; what is new begins on its own line."""
    file = tmp_path / "judge.jsonl"
    called(store_in(file), answering("yes"))
    whole = file.read_text()
    edited = whole.replace("Is it so?", "Is it not?")
    file.write_text("no json\n{}\n" + edited + whole + whole[:50])
    store = store_in(file)
    assert called(store, answering("new"), {"model": "other"}) == "new"
    assert [note.split(": ")[1] for note in store.notes] == ["line 1", "line 2", "line 3", "line 5"]
    assert all(note.endswith("passed over") for note in store.notes)
    assert called(store_in(file, "never"), answering()) == "yes"
    assert called(store_in(file, "never"), answering(), {"model": "other"}) == "new"


def test_the_first_file_counts_and_only_one_is_written(tmp_path: Path) -> None:
    """A session's own cassettes come before the user's."""
    own, users = tmp_path / "own.jsonl", tmp_path / "users.jsonl"
    called(store_in(own), answering("own"))
    called(store_in(users), answering("users"))
    before = own.read_bytes()
    store = Cassettes([own, users], keep=users)
    assert called(store, answering()) == "own"
    called(store, answering("new"), {"model": "new"})
    assert own.read_bytes() == before and len(read_cassettes(users, [])) == 2


def test_a_place_that_cannot_be_written_costs_no_reply(tmp_path: Path) -> None:
    """The reply is there; only the next run pays again."""
    (tmp_path / "file").write_text("")
    assert called(store_in(tmp_path / "file" / "judge.jsonl"), answering("yes")) == "yes"
    append(tmp_path, [])  # a folder of that name


def test_a_store_that_grew_too_large_loses_its_oldest_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 1 MB: the newest replies are whole and answer, the first ones are asked for again."""
    monkeypatch.setenv("SIMULATOR_REPLIES_MB", "1")
    store, long = store_in(tmp_path / "kept.jsonl"), "x" * 100_000
    for number in range(12):
        called(store, answering(f"{number}{long}"), {"number": number})
    assert (tmp_path / "kept.jsonl").stat().st_size <= 1_000_000
    notes: list[str] = []
    kept = [cassette.request["number"] for cassette in read_cassettes(tmp_path / "kept.jsonl", notes)]
    assert kept == list(range(kept[0], 12)) and kept[0] > 0 and not notes
    again = store_in(tmp_path / "kept.jsonl")
    assert called(again, answering("anew"), {"number": 11}).startswith("11x")
    assert called(again, answering("anew"), {"number": 0}) == "anew"


def test_a_sound_is_told_by_its_hash(tmp_path: Path) -> None:
    """Lines stay readable, and another sound is another request."""
    asked = [written_down({"content": [{"input_audio": {"data": data, "format": "wav"}}]}) for data in ("AA", "BB")]
    assert "AA" not in json.dumps(asked[0]) and asked[0]["content"][0]["input_audio"]["bytes"] == 2
    assert key_of("judge", asked[0]) != key_of("judge", asked[1]) == key_of("judge", dict(reversed(asked[1].items())))


def test_no_key_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither from the request, nor from a reply or an error that quotes it, nor from the address."""
    canary = "canary-4f1d8a77e6"
    monkeypatch.setenv("JUDGE_KEY", canary)
    with chat_endpoint(says(f"Your key is {canary}."), refuses(401, f"bad key {canary}")) as endpoint:
        url = endpoint.base_url.replace("http://", f"http://user:{canary}@")
        settings = EndpointSettings(model="m", base_url=url, key_env="JUDGE_KEY")
        judge = EndpointJudge(settings, tmp_path)
        assert canary not in judge.ask("s", [{"role": "user", "content": canary}], 0)
        with pytest.raises(RemoteError) as caught:
            judge.ask("s", [], 1)
    assert canary not in str(caught.value)
    kept = (tmp_path / "judge.jsonl").read_text()
    assert canary not in kept and "${JUDGE_KEY}" in kept
