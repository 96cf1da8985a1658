"""What machines are told of a run: JUnit XML, GitHub's summary and annotations, at the lines they are about."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from simulator.ci.cases import Case, CaseSuite, moments_of
from simulator.ci.github import annotation, annotations, summary_markdown
from simulator.ci.junit import write_junit
from simulator.reading.expect import judge, read_expectation
from simulator.score import Evidence, Score
from tests.command_line import simulate
from tests.junit_schema import assert_junit

CALL = """# a comment, so that lines are not numbers of keys
name: call & <answer>
duration: 3s
scorers: [latency]
user: {kind: scripted, turns: ["Hello there."]}
agent: {kind: scripted, turns: [{after: user_turn, say: "Good evening."}]}
expect:
  - latency.response_p50_s < 0.01
  - metric: latency.response_p50_s < 0.02
    inform: true
  - latency.response_p50_s < 3
"""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario of which one expectation fails, one would, and one holds; the current folder is its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "GITHUB_SHA", "CI_COMMIT_SHA"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "call.yaml"
    path.write_text(CALL, encoding="utf-8")
    return path


def test_a_run_is_told_to_every_machine(
    call: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A case per expectation and one of the scenario; on GitHub a summary, and annotations at the YAML's lines."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert simulate(call.name, "--junit", "out/junit.xml", "--out", "run", "--history", "history") == 1
    root = ElementTree.fromstring((tmp_path / "out" / "junit.xml").read_bytes())
    assert_junit(root)
    names = [case.get("name") for case in root.iter("testcase")]
    assert names == ["sessions completed", *(f"latency.response_p50_s < {bound}" for bound in ("0.01", "0.02", "3"))]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "1", "0")
    (failure,) = root.iter("failure")
    assert "call.yaml:8" in str(failure.text) and re.search(r"\d\.\d\d - \d\.\d\d s: response", str(failure.text))
    assert {item.get("name"): item.get("value") for item in root.iter("property")}["seed:call-answer-0"] == "0"
    assert {str(item.text) for item in root.iter("system-out")} == {"page: run/call-answer-0/report.html"}
    assert Path("run/call-answer-0/report.html").is_file()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    assert [line.split("::")[1] for line in lines] == [
        "error file=call.yaml,line=8,title=call & <answer>", "notice file=call.yaml,line=9,title=call & <answer>"
    ]  # fmt: skip
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "1 of 4 checks failed" in summary and "call &amp; &lt;answer&gt;" in summary
    assert "Nothing was flaky in the one run so far." in summary


def test_an_outcome_is_met_or_not_wherever_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To machines as on the screen: `found 0` says nothing of a word that was not said."""
    monkeypatch.chdir(tmp_path)
    expected = CALL[: CALL.index("expect:")] + "expect:\n  - {says: agent, match: goodbye}\n"
    (tmp_path / "call.yaml").write_text(expected, encoding="utf-8")
    assert simulate("call.yaml", "--junit", "junit.xml") == 1
    failure = ElementTree.parse(tmp_path / "junit.xml").find(".//failure")
    assert failure is not None
    assert failure.get("message", "").startswith("failed: unmet")


def test_a_session_that_fails_is_an_error(call: Path, capsys: Any) -> None:
    """The scenario's own case says which session, and why; the JSON on the output stays alone there."""
    Path("broken_agent.py").write_text(
        "def answer(turn, history):\n    raise ValueError('no answer & no idea')\n", encoding="utf-8"
    )
    agent = "{kind: turn_based, responder: {kind: function, call: 'broken_agent:answer', folder: .}}"
    assert simulate(call.name, "--set", f"agent={agent}", "--junit", "j.xml", "--json") == 3
    root = ElementTree.fromstring(Path("j.xml").read_bytes())
    assert_junit(root)
    (error,) = root.iter("error")
    assert "no answer & no idea" in str(error.text) and "were not completed" in str(error.get("message"))


def test_a_refusal_is_shown_at_its_line(call: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """In a workflow what is wrong with the YAML stands beside it in the pull request."""
    call.write_text(CALL.replace("duration: 3s", "duration: 3 potatoes"), encoding="utf-8")
    assert simulate(call.name) == 2
    assert "::error" not in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert simulate(call.name) == 2
    assert "::error file=call.yaml,line=3,title=refused::" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "place"), [("--junit", "."), ("--history", "call.yaml")])
def test_a_place_that_cannot_be_written_is_refused_before_the_run(call: Path, option: str, place: str) -> None:
    """And not when all has been played."""
    assert simulate(call.name, option, place, "--out", "run") == 2
    assert not Path("run").exists()


def test_what_xml_and_markdown_cannot_hold_does_not_break_them(tmp_path: Path) -> None:
    """Control characters, markup and ends of cells in names, reasons and evidence."""
    bad = "a\x00\x1b[31m|`<b>&\n```\ud800"
    case = Case(scenario=bad, name=bad, became="failed", message=bad, evidence=[bad], page=bad)
    write_junit(tmp_path / "j.xml", [CaseSuite(name=bad, cases=[case], told=[bad], seeds={"s": 1})], name=bad)
    assert_junit(ElementTree.fromstring((tmp_path / "j.xml").read_bytes()))
    rows = [
        line for line in summary_markdown([CaseSuite(name="s", cases=[case])]).splitlines() if line.startswith("| ❌")
    ]
    assert len(rows) == 1 and "<b>" not in rows[0] and len(re.findall(r"(?<!\\)\|", rows[0])) == 5


def test_annotations_are_escaped_as_github_says() -> None:
    """Percent signs and line ends in the text; colons and commas in the properties too."""
    assert annotation("error", "50 %\nmore", "a,b:c.yaml", 3, title="x") == (
        "::error file=a%2Cb%3Ac.yaml,line=3,title=x::50 %25%0Amore"
    )
    held = Case(scenario="s", name="n", became="held")
    assert list(annotations([CaseSuite(name="s", cases=[held])])) == []


def test_a_file_is_named_as_the_checkout_has_it(tmp_path: Path) -> None:
    """GitHub finds a file by its path from the workspace."""
    inside = tmp_path / "calls" / "one.yaml"
    told = annotation("error", "t", str(inside), 1, environment={"GITHUB_WORKSPACE": str(tmp_path)})
    assert told.startswith("::error file=calls/one.yaml,line=1")


def test_what_speaks_most_against_an_expectation_is_shown_first() -> None:
    """The slowest answer above a bound, the soonest below one; of a share the cases that are not as they should be."""
    stretches = [Evidence(start=at, end=at + 1, value=value) for at, value in enumerate((0.4, 2.5, 3.0, 0.2))]
    cases = [Evidence(start=0, end=1, label="yielded", value=0.4), Evidence(start=1, end=2, label="talked through")]

    def shown(text: str, unit: str, evidence: list[Evidence]) -> list[int]:
        metric = text.partition(" ")[0]
        score = Score(id=metric, value=0.5, unit=unit, n=2, evidence=evidence)
        return [item.start for item in moments_of(judge(read_expectation(text, "test"), {metric: score}), score)]

    assert shown("latency.response_p50_s < 2", "s", stretches) == [2, 1, 0, 3]
    assert shown("latency.response_p50_s > 1", "s", stretches) == [3, 0, 1, 2]
    assert shown("barge_in.yield_rate == 1", "ratio", cases) == [1, 0]
