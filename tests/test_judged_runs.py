"""Judged runs: what may gate, what it costs, what is refused before anything starts, and that no key is left behind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.cli import main
from tests.chat_endpoint import CannedReply, chat_endpoint, not_json
from tests.contracts.http_peers import Got, scripted
from tests.judged_session import NO, YES, answer

pytestmark = pytest.mark.usefixtures("own_cache")
SCENARIO = """
name: judged
duration: 4s
user: {kind: scripted, turns: ["Good morning."]}
agent: silent
scorers: [{kind: judge, criteria: {greets: The user says good morning.}}]
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Callable[[str], str]:
    """Write a judged scenario with more lines."""

    def write(more: str) -> str:
        path = tmp_path / "judged.yaml"
        path.write_text(SCENARIO + more)
        return str(path)

    return write


def test_a_run_is_judged_and_its_judge_informs(
    scenario: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unmet expectation of a judge that nobody calibrated gates nothing; `gate: true` lets it."""
    for gate, code in (("false", 0), ("true", 1)):
        with chat_endpoint(answer(**NO)) as endpoint:
            path = scenario(
                f'judge: {{model: m, base_url: "{endpoint.base_url}", gate: {gate}}}\nexpect: ["judge.greets >= 1"]\n'
            )
            assert main([path, "--out", str(tmp_path / gate)]) == code
        told = capsys.readouterr()
        assert "judge.greets >= 1: found 0" in told.out
        assert ("its judge was not calibrated" in told.err) == (gate == "false")
        (folder,) = (tmp_path / gate).glob("judged-*")
        assert json.loads((folder / "judge.jsonl").read_text())["reply"]["replies"][0]["finish"] == "stop"
    assert main(["score", str(folder), "--as", "judge", "--set", "criteria=[1]"]) == 2


def test_a_judge_is_in_the_budget(scenario: Callable[[str], str], tmp_path: Path) -> None:
    """Without a price max_cost is refused; with one, what judges used counts, and what was kept does not again."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 0}
    body = {"choices": [{"message": {"content": json.dumps(YES)}, "finish_reason": "stop"}], "usage": usage}
    with chat_endpoint(not_json(json.dumps(body))) as endpoint:
        judge = f'judge: {{model: m, base_url: "{endpoint.base_url}"}}\nmax_cost: 1\nrepeat: 3\n'
        assert main(["run", scenario(judge), "--out", str(tmp_path / "unpriced")]) == 2
        priced = scenario(judge + "prices: {m: {input_text: 1000, output_text: 1}}\nseed: 5\n")
        assert main(["run", priced, "--out", str(tmp_path / "priced")]) == 3
        assert len(endpoint.asked) == 1
        costs = json.loads((tmp_path / "priced" / "run.json").read_text())
        assert main(["run", priced, "--out", str(tmp_path / "again")]) == 0
    assert "1" in json.dumps(costs)


def test_the_example_is_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """scenarios/remote/judged_call.yaml against an endpoint: a sentence, criteria, points; it informs and says so."""

    def reply(body: Any) -> CannedReply:
        scaled = "How helpful" in body["messages"][1]["content"]
        return answer(reason="so", line=3, score=4) if scaled else answer(reason="It says 'at six'.", line=3, met=True)

    path = Path(__file__).resolve().parent.parent / "scenarios" / "remote" / "judged_call.yaml"
    with chat_endpoint(reply) as endpoint:
        words = [str(path), "--out", str(tmp_path / "out"), "--set", f"judge.base_url={endpoint.base_url}"]
        assert main(words) == 0
        assert len(endpoint.asked) == 9
    told = capsys.readouterr()
    assert "held    opening hours: judge: The agent says when" in told.out and told.err.count("informs and gates") == 2
    folder = tmp_path / "out" / "judged-call-0"
    assert len((folder / "judge.jsonl").read_text().splitlines()) == 9
    # The folder is enough: offline, without the cache, the same verdicts.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    words = ["score", str(folder), "--as", "task", "--as", "judge", "--json", str(tmp_path / "again.json")]
    criteria = '{"polite": "The agent stays polite."}'
    judge = f'{{"model": "llama3.2", "base_url": "{endpoint.base_url}", "votes": 3, "record": "never"}}'
    assert main([*words, "--set", f"criteria={criteria}", "--set", f"judge={judge}"]) == 0
    metrics = json.loads((tmp_path / "again.json").read_text())["metrics"]
    assert metrics["judge.polite"]["value"] == 1


def test_the_doctor_reaches_the_judge(scenario: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is spent: it answers and has the model, or not."""
    with chat_endpoint(answer(**YES)) as endpoint:
        for model, told in (("test", "answers and has the model"), ("m", "does not list the model m")):
            path = scenario(f'judge: {{model: {model}, base_url: "{endpoint.base_url}"}}\n')
            assert main(["doctor", path]) == 0
            assert told in capsys.readouterr().out
        assert endpoint.asked == []
    assert main(["doctor", scenario('judge: {model: m, base_url: "http://127.0.0.1:9/v1", retries: 0}\n')]) == 2
    assert "FAIL judge (m): http://127.0.0.1:9/v1 did not answer" in capsys.readouterr().out


def test_no_key_is_left_behind(
    scenario: Callable[[str], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The judge says the key that it got in its reason: no file of the run and of the cache has it, no line says it."""
    canary = "canary-77e64f1d8a"
    monkeypatch.setenv("JUDGE_KEY", canary)

    def script(got: Got) -> None:
        told = {"reason": f"You sent {got.headers['authorization']}.", "met": True}
        message = {"role": "assistant", "content": json.dumps(told)}
        got.answer({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    with scripted(script) as (url, asked):
        path = scenario(f'judge: {{model: m, base_url: "{url}/v1", api_key_env: JUDGE_KEY}}\n')
        assert main([path, "--out", str(tmp_path / "out"), "-v"]) == 0
    assert asked[0].headers["authorization"] == f"Bearer {canary}"
    told = capsys.readouterr()
    assert canary not in told.out + told.err
    files = [file for place in ("out", "cache") for file in (tmp_path / place).rglob("*") if file.is_file()]
    assert any("You sent" in file.read_text(errors="replace") for file in files)
    assert not [file for file in files if canary.encode() in file.read_bytes()]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("", r"the scorer `judge` needs a judge"),
        ("judge: {model: m}", "OPENAI_API_KEY is not set"),
        ('judge: {model: m, api_key_env: NOBODY, base_url: "http://127.0.0.1:1/v1"}', "NOBODY is not set"),
        ('judge: {model: m, base_url: "${NOBODY}/v1"}', "NOBODY is not set"),
        ('judge: {model: m, base_url: "http://127.0.0.1:1/v1", calibration: none.json}\nexpect: ["judge.greets >= 1"]',
         "no calibration is there"),
        ('judge: {model: m, base_url: "http://127.0.0.1:1/v1"}\nexpect: ["judge.waves >= 1"]', "judge.greets"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused_before_anything_starts(
    scenario: Callable[[str], str], more: str, sentence: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """No judge, no key, no calibration, a criterion that nobody asks."""
    for command in ("check", "run"):
        assert main([command, scenario(more), *(["--out", str(tmp_path / "out")] if command == "run" else [])]) == 2
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
