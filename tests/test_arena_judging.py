"""Machines as judges of battles: both orders, what they lean to, what they get, and that nothing is paid for twice."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.arena_folders import answers, sound
from tests.command_line import simulate
from tests.contracts.http_peers import Got, Json, scripted

pytestmark = pytest.mark.usefixtures("own_cache")

Verdict = Callable[[list[float], Any], str]
LENGTHS = {"alfaro": {"edu/q1": 1.0, "edu/q2": 2.0}, "bravissimo": {"edu/q1": 2.0, "edu/q2": 1.0}}


@contextmanager
def judging(verdict: Verdict, *, deaf: bool = False) -> Iterator[tuple[str, list[Json]]]:
    """A judge on loopback that is told how long both answers are. deaf: it refuses sound, as chat endpoints do."""
    asked: list[Json] = []

    def script(got: Got) -> None:
        content = got.json["messages"][1]["content"]
        asked.append(got.json)
        if deaf and isinstance(content, list):
            got.answer({"error": {"message": "input_audio is not supported"}}, 400)
            return
        if isinstance(content, list):
            lengths = [len(base64.b64decode(part["input_audio"]["data"])) / 32_000
                       for part in content if part["type"] == "input_audio"][-2:]  # fmt: skip
        else:
            lengths = [len(words.split()) / 10 for words in re.findall(r"answer, in words: (.*)", content)]
        reply = json.dumps({"reason": "So it is.", "better": verdict(lengths, content)})
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": reply}}
        got.answer({"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]})

    with scripted(script) as (url, _):
        yield f"{url}/v1", asked


def longer(lengths: list[float], _content: Any) -> str:
    """The longer one."""
    return "first" if lengths[0] > lengths[1] else "second"


@pytest.fixture
def systems(tmp_path: Path) -> list[str]:
    """Two systems that answered two questions, one shorter and one longer each."""
    return [f"{answers(tmp_path / name, lengths)}:{name}" for name, lengths in LENGTHS.items()]


def battles(folder: Path) -> list[dict[str, Any]]:
    """The rows of a folder."""
    return [json.loads(line) for line in (folder / "battles.jsonl").read_text().splitlines()]


def test_each_pair_is_asked_in_both_orders_without_names(systems: list[str], tmp_path: Path) -> None:
    """Two battles a pair, sides exchanged; the longer wins both ways; what goes out holds nobody's name or folder."""
    out = tmp_path / "out"
    with judging(longer) as (url, asked):
        assert simulate("arena", *systems, "--judge", f"m@{url}", "--out", out) == 0
    rows = battles(out)
    assert [row["order"] for row in rows] == ["drawn", "turned"] * 2
    for drawn, turned in zip(rows[::2], rows[1::2], strict=True):
        assert (drawn["model_a"], drawn["model_b"]) == (turned["model_b"], turned["model_a"])
        winner = "bravissimo" if drawn["input"] == "edu/q1" else "alfaro"
        assert [row[row["winner"]] for row in (drawn, turned)] == [winner, winner]
        assert drawn["heard"] == "sound"
        assert sorted(drawn["lengths"]) == [1.0, 2.0]
    assert not re.search("alfaro|bravissimo", json.dumps(asked))
    found = json.loads((out / "arena.json").read_text())["reliability"]
    assert [found[name]["value"] for name in ("first", "consistent", "longer")] == [0.5, 1.0, 1.0]


def test_a_judge_that_takes_whoever_comes_first_is_found_out(systems: list[str], tmp_path: Path) -> None:
    """All decided battles go to the first, no pair keeps its verdict, and ratings are level."""
    out = tmp_path / "out"
    with judging(lambda _lengths, _content: "first") as (url, _):
        assert simulate("arena", *systems, "--judge", f"m@{url}", "--out", out) == 0
    found = json.loads((out / "arena.json").read_text())
    assert (found["reliability"]["first"]["value"], found["reliability"]["consistent"]["value"]) == (1.0, 0.0)
    assert found["reliability"]["longer"]["value"] is None
    assert found["bradley_terry"] == pytest.approx({"alfaro": 1000.0, "bravissimo": 1000.0})


def test_a_judge_that_takes_no_sound_gets_words_and_the_tables_say_so(
    systems: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Transcripts after the first refusal, once; the paralinguistic criterion is refused, as words do not tell it."""
    out = tmp_path / "out"
    with judging(longer, deaf=True) as (url, asked):
        assert simulate("arena", *systems, "--judge", f"m@{url}", "--out", out) == 0
        assert sum(isinstance(one["messages"][1]["content"], list) for one in asked) == 1
        said = "in all battles transcripts were judged and no sound was heard"
        assert said in capsys.readouterr().err
        assert said in (out / "arena.md").read_text()
        assert said in (out / "index.html").read_text()
        for more in ([], ["--hears", "text"]):
            words = ["--criterion", "paralinguistic", "--judge", f"m@{url}", "--out", tmp_path / "no", *more]
            assert simulate("arena", *systems, *words) == 2
            assert "needs a judge that hears" in capsys.readouterr().err


def test_request_and_target_are_shown(systems: list[str], tmp_path: Path) -> None:
    """The request as sound before both answers, its words and what a good answer does as text."""
    sound(tmp_path / "input" / "edu" / "q1.wav", words="Say it slowly.")
    (tmp_path / "input" / "edu" / "metadata.json").write_text('{"q1": {"target": "A slow voice."}}')
    with judging(longer) as (url, asked):
        words = ["--inputs", tmp_path / "input", "--battles", "2", "--judge", f"m@{url}", "--out", tmp_path / "out"]
        assert simulate("arena", *systems, *words, "--criterion", "semantic") == 0
    content = next(one["messages"][1]["content"] for one in asked if "slowly" in json.dumps(one))
    assert sum(part["type"] == "input_audio" for part in content) == 3
    assert '"A slow voice."' in content[0]["text"]
    assert "How it sounds does not count" in content[0]["text"]


def test_nothing_is_paid_for_twice_and_a_folder_is_judged_again_offline(
    systems: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder goes on where it was left, by the same criterion; its replies alone give the same ratings elsewhere."""
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    with judging(longer) as (url, asked):
        assert simulate("arena", *systems, "--judge", f"m@{url}", "--out", out, "--battles", "1") == 0
        assert simulate("arena", *systems, "--judge", f"m@{url}", "--out", out) == 0
        assert (len(asked), len(battles(out))) == (4, 4)
        other = ["--judge", f"m@{url}", "--out", out, "--criterion", "semantic"]
        assert simulate("arena", *systems, *other) == 2
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    elsewhere.mkdir()
    (elsewhere / "judge.jsonl").write_bytes((out / "judge.jsonl").read_bytes())
    judge = f"{{model: m, base_url: '{url}', record: never}}"
    assert simulate("arena", *systems, "--judge", judge, "--out", elsewhere) == 0
    assert (elsewhere / "ratings.json").read_bytes() == (out / "ratings.json").read_bytes()


def test_pairs_without_a_verdict_are_named(
    systems: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reply that is no preference leaves its pair out: exit 3, and 2 where there is no verdict at all."""
    odd: Verdict = lambda lengths, content: "both" if sum(lengths) > 2.5 else longer(lengths, content)  # noqa: E731
    answers(tmp_path / "bravissimo", {"edu/q2": 0.3})
    with judging(odd) as (url, _):
        judge = f"{{model: m, base_url: '{url}', retries: 0}}"
        assert simulate("arena", *systems, "--judge", judge, "--out", tmp_path / "out") == 3
        assert "edu/q1" in capsys.readouterr().err
    with judging(lambda _lengths, _content: "neither") as (url, _):
        assert simulate("arena", *systems, "--judge", f"m@{url}", "--out", tmp_path / "none") == 2
    assert simulate("arena", *systems) == 2
    assert simulate("arena", *systems, "--judge", "m@http://127.0.0.1:9/v1", "--listen") == 2
