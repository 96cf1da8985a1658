"""MMAU-Pro's scores on rows worked out by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from metrics.compat.judging import JudgeAddress
from metrics.compat.mmau.closed import Embeddings, chosen
from metrics.compat.mmau.judged import read_ratings
from metrics.compat.mmau.rules import NEMO_RULES, RULES
from metrics.compat.mmau.scorer import MmauProSpec
from tests.prediction_files import scored, shown, values

FOLLOWED: list[tuple[str, dict[str, Any], str, str]] = [
    ("Include Keywords", {"keywords": "piano, cat"}, "Concat a PIANO", "piano"),
    ("Keyword Frequency", {"keyword": "cat", "N": 1}, "Cat concat", "cat cat"),
    ("Forbidden Words", {"forbidden_words": "cat, dog"}, "bird", "concat"),
    ("Number Paragraphs", {"N": 2}, "*** a *** b", "a"),
    ("Number Words (at least)", {"N": 2}, "it's me", "it's"),
    ("Number Words (at most)", {"N": 1}, "it's", "it's me"),
    ("Number Words (range)", {"N1": 2, "N2": 3}, "a b", "a"),
    ("Number Sentences (at least)", {"N": 2}, "One. Two.", "One"),
    ("Number Sentences (at most)", {"N": 1}, "One.", "One. Two."),
    ("Number Sentences (range)", {"N1": 1, "N2": 1}, "One.", "One. Two."),
    ("Postscript", {"postscript_marker": "P.S."}, "so p s: bye", "bye"),
    ("Number Placeholder", {"N": 1}, "[a]", "[]"),
    ("Number Bullets", {"N": 1}, "* a", "*a"),
    ("Title", {}, "<<a>>", "<<>>"),
    ("Minimum Number Highlighted Section", {"N": 1}, "*a*", "**"),
    ("Multiple Sections", {"N": 2, "section_splitter": "##"}, "a ## b", "## a"),
    ("Repeat Prompt", {"prompt_transcription": "Name it"}, "name it: it", "it"),
    ("Two Responses", {}, "a ****** b", "a ****** A"),
    ("All Uppercase", {}, "A!", "a!"),
    ("All Lowercase", {}, "a!", "A!"),
    ("All-capital Words (at least)", {"N": 1}, "NO way", "No way"),
    ("All-capital Words (at most)", {"N": 0}, "No way", "NO way"),
    ("All-capital Words (range)", {"N1": 1, "N2": 1}, "NO way", "NO WAY"),
    ("Start Checker", {"start_phrase": "So, then!"}, "so then it", "then it"),
    ("End Checker", {"end_phrase": "the end."}, "It is The End", "the end now"),
    ("Quotation", {}, ' "a" ', '"a'),
    ("No Commas", {}, "a", "a, b"),
]


@pytest.mark.parametrize(("name", "given", "good", "bad"), FOLLOWED, ids=[rule[0] for rule in FOLLOWED])
def test_the_27_rules(name: str, given: dict[str, Any], good: str, bad: str) -> None:
    """One text that follows, one that does not."""
    assert RULES[name](good, given) and not RULES[name](bad, given)


def test_there_are_27_rules_and_two_ways_to_count_sentences() -> None:
    """NeMo-Skills ends a sentence at every full stop; NLTK knows "Dr."."""
    assert len(RULES) == 27 and {name for name, *_ in FOLLOWED} == set(RULES)
    given = {"N": 1}
    assert RULES["Number Sentences (at most)"]("Dr. No came.", given)
    assert not NEMO_RULES["Number Sentences (at most)"]("Dr. No came.", given)


def test_ratings_as_the_authors_and_as_nemo_read_them() -> None:
    """A missing rating is 3; an overall of exactly 3 is taken for missing by the authors alone; so are decimals cut."""
    reply = "CORRECTNESS: 4.5 - well\nrelevance: 5\nCOMPLETENESS: 2 - no\nOVERALL: 3.0 - so"
    authors, theirs = read_ratings(reply, as_authors=True), read_ratings(reply, as_authors=False)
    assert authors == {"correctness": 4, "relevance": 5, "completeness": 2, "clarity": 3, "overall": 3.5}
    assert theirs == {"correctness": 4.5, "relevance": 5, "completeness": 2, "clarity": 3, "overall": 3.0}
    assert read_ratings("no idea", as_authors=True)["overall"] == 3.0


@pytest.mark.parametrize(
    ("answer", "choice"),
    [("violin.", "Violin"), ("B", "Violin"), ("(a) it is", "Piano"), ("b: violin", "Violin"), ("a piano", None),
     ("It is a violin", None), ("Z", None)],
)  # fmt: skip
def test_which_choice_is_meant_without_embeddings(answer: str, choice: str | None) -> None:
    """The choice itself, or its letter in front."""
    assert chosen(answer, ["Piano", "Violin"]) == choice


def closed(category: str, generation: str, **more: Any) -> dict[str, Any]:
    """A closed question whose answer is Piano."""
    row = {"category": category, "choices": ["Piano", "Violin"], "answer": "Piano", "generation": generation}
    return {**row, **more}


def test_the_whole_is_weighted_by_rows(tmp_path: Path) -> None:
    """Two closed rows, an open one, an instruction; a row with one choice is left out."""
    replies = tmp_path / "replies.json"
    replies.write_text(json.dumps({"o": ["OVERALL: 4 - well"]}))
    follow = {"category": "instruction following", "task_identifier": "No Commas", "kwargs": {}, "generation": "a"}
    rows = [
        closed("sound", "A"),
        closed("music", "violin"),
        closed("music", "A", choices=["Piano"]),
        {"id": "o", "category": "open", "generation": "g"},
        follow,
        {**follow, "task_identifier": "Stand On One Leg"},
    ]
    result = scored(MmauProSpec(judge_replies=replies), tmp_path, rows)
    assert values(result) == {
        "closed": 0.5, "open": 0.8, "instruction_following": 0.5, "sound": 1.0, "music": 0.0,
        "overall": pytest.approx((1 + 0 + 0.8 + 1 + 0) / 5),
    }  # fmt: skip
    assert shown(result, "followed") == [None, None, None, None, True, False]
    assert shown(result, "judge")[3]["overall"] == 4.0


def test_open_questions_without_a_judge_leave_the_whole_undefined(tmp_path: Path) -> None:
    """What is scored offline stands; no number is made up for the rest."""
    result = scored(MmauProSpec(), tmp_path, [closed("sound", "A"), {"category": "open", "generation": "g"}])
    assert values(result)["closed"] == 1.0 and values(result)["overall"] is None and result.unusable == 0
    assert "need a judge" in (result.metrics["overall"].reason or "")


def test_the_address_of_embeddings_may_be_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere: `${NAME}` stands for what the environment holds."""
    monkeypatch.setenv("EMBED_AT", "http://127.0.0.1:9/v1")
    embeddings = Embeddings(JudgeAddress("m", "${EMBED_AT}/"))
    assert str(embeddings._client.base_url).startswith("http://127.0.0.1:9/v1")


def test_an_empty_answer_is_read_in_two_ways(tmp_path: Path) -> None:
    """The authors hold it against the rule, NeMo-Skills never lets it follow."""
    given = {"category": "instruction following", "task_identifier": "Number Words (at most)", "kwargs": {"N": 3}}
    rows = [{**given, "generation": " "}, closed("sound", "")]
    assert values(scored(MmauProSpec(), tmp_path, rows))["instruction_following"] == 1.0
    assert values(scored(MmauProSpec(reading="nemo"), tmp_path, rows))["instruction_following"] == 0.0


def test_rows_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """Arguments of another type than the rule takes, a missing category."""
    rule = {"category": "instruction following", "task_identifier": "Number Words (at least)", "generation": "a"}
    rows = [{**rule, "kwargs": {"N": "two"}}, {"generation": "a"}, closed("sound", "A")]
    result = scored(MmauProSpec(), tmp_path, rows)
    assert result.unusable == 2 and "cannot be used" in result.samples[0].notes[0]
    assert result.samples[1].notes == ["category: is missing"]
