"""VoiceBench's instruction following on texts worked out by hand."""

import random
from pathlib import Path
from typing import Any

import pytest

from metrics.compat.sentences import sentence_count
from metrics.compat.voicebench.ifeval import IfevalSpec, variants
from metrics.compat.voicebench.ifeval_checks import BUILDERS
from metrics.compat.voicebench.language import is_language
from metrics.compat.voicebench.tokens import upper_tokens
from tests.prediction_files import scored, shown, values

FOLLOWED: list[tuple[str, dict[str, Any], str, str]] = [
    ("keywords:existence", {"keywords": ["cat", "D.g"]}, "Concatenate dog", "cat"),
    ("keywords:frequency", {"keyword": " cat ", "frequency": 2, "relation": "at least"}, "cat Cat", "cat"),
    ("keywords:frequency", {"keyword": "cat", "frequency": 2, "relation": "less than"}, "cat", "cat cat"),
    ("keywords:forbidden_words", {"forbidden_words": ["cat"]}, "concatenate", "a Cat!"),
    ("keywords:letter_frequency", {"letter": "E", "let_frequency": 2, "let_relation": "at least"}, "eE", "e"),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": "at least"}, "One. Two.", "Dr. No came."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***\na *** b", "a *** *** b"),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "it's me", "its me"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Then"},
        "One.\n\n'then, two",
        "One.\n\n\n\nthen",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[a] [b]", "[a\nb] [c]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "bye\np. s. hm", "bye\np.s hm"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P.P.S", "P.S."),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "** a\n- b"),
    ("detectable_format:constrained_response", {}, "Well: My answer is maybe.", "my answer is yes."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and *b*", "**a**"),
    ("detectable_format:multiple_sections", {"section_spliter": "Part", "num_sections": 2}, "Part 1 Part2", "part 1"),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "{a: 1}"),
    ("detectable_format:title", {}, "<<Joy>>", "<< >>"),
    ("combination:two_responses", {}, "a ****** b", "a ****** a"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say It"}, " say it: it", "it"),
    ("startend:end_checker", {"end_phrase": "Bye. "}, 'so "bye."', "bye. x"),
    ("startend:quotation", {}, ' "a" ', '"'),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": "at least"}, "AT&T", "AB"),
    ("punctuation:no_comma", {}, "a; b", "a, b"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "good", "bad"), FOLLOWED)
def test_what_follows_an_instruction_and_what_does_not(name: str, given: dict[str, Any], good: str, bad: str) -> None:
    """One text of each, by the definition."""
    check = BUILDERS[name](random.Random(0), **given)
    assert check(good) and not check(bad)


@pytest.mark.parametrize(
    ("name", "given", "good", "bad"),
    [
        ("language:response_language", {"language": "de"}, "Das ist ein einfacher Satz.", "This is a simple sentence."),
        ("language:response_language", {"language": "de"}, "12 34", "This is a simple sentence."),
        ("change_case:english_capital", {}, "THIS IS A SIMPLE SENTENCE.", "This is a simple sentence."),
        ("change_case:english_lowercase", {}, "this is a simple sentence.", "das ist ein einfacher satz."),
    ],
)
def test_languages_are_found(name: str, given: dict[str, Any], good: str, bad: str) -> None:
    """A text in which no language can be found counts as being in the one asked for."""
    pytest.importorskip("langdetect")
    check = BUILDERS[name](random.Random(0), **given)
    assert check(good) and not check(bad)


@pytest.mark.parametrize(
    "text",
    [
        "Das ist *nicht* dasselbe,\n* aber fast.", "Ceci   n'est pas une pipe.\n\n", "THE CAT sat on the MAT",
        "los *perros*ladran",
        "write to me@example.org or see https://example.org/de/das-ist-es now",
        "Это предложение with some English in it",
        "これは日本語の文章です。", "è così che si fa, *no*?", " ".join(["ja det var en norsk setning"] * 500),
    ],
)  # fmt: skip
def test_a_language_is_found_as_langdetect_finds_it(text: str) -> None:
    """The quick way comes to the package's own answer, seed and all."""
    langdetect = pytest.importorskip("langdetect")
    langdetect.DetectorFactory.seed = 0
    assert is_language(text, langdetect.detect(text))
    assert not is_language(text, "xx")


def test_mixed_texts_are_in_the_language_that_langdetect_is_surest_of() -> None:
    """A few words of several languages, where every draw counts: the package's own answer for each."""
    langdetect = pytest.importorskip("langdetect")
    langdetect.DetectorFactory.seed = 0
    line = "the cat sat quietly das Haus ist alt la casa es vieja le chien dort il gatto mangia дом стоит huset er"
    draws = random.Random(1)
    for count in [1, 2, 3, 5, 8] * 12:
        text = " ".join(draws.choices(line.split(), k=count))
        assert is_language(text, langdetect.detect(text)) and not is_language(text, "xx")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three?", 3),
        ("Dr. Smith met Mr. Jones.", 1),
        ("I like fruit, e.g. apples.", 2),  # the model does not know "e.g."
        ("The U.S. economy grew 3.5 percent. It did.", 2),
        ('He said "Stop." Then he left.', 2),
        ("Wait... what?", 1),
        ("What?! No.", 2),
        ("J. Smith came.", 1),
        ("no stop", 1),
        ("", 0),
    ],
)
def test_sentences_are_counted_as_punkt_does(text: str, count: int) -> None:
    """Values of NLTK's sentence tokenizer with its English model."""
    assert sentence_count(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [("HELLO, World!", 1), ("DON'T", 2), ("AT&T", 2), ("CANNOT", 2), ("A/B U.S. X-RAY", 3), ("a 1 .", 0)],
)
def test_capital_words_are_cut_as_the_treebank_does(text: str, count: int) -> None:
    """Values of NLTK's word tokenizer."""
    assert upper_tokens(text) == count


def row(prompt: str, response: str, *names: str, **given: Any) -> dict[str, Any]:
    """A row whose instructions all have these arguments."""
    return {"prompt": prompt, "response": response, "instruction_id_list": list(names), "kwargs": [given] * len(names)}


def test_the_four_shares_and_their_mean(tmp_path: Path) -> None:
    """Loosely an answer may follow without its first line, its last, both, and without asterisks."""
    quoted, comma = "startend:quotation", "punctuation:no_comma"
    rows = [row("a", 'Here it is:\n"well"', quoted, comma), row("b", "no, no", comma), row("c", "yes", comma)]
    result = scored(IfevalSpec(), tmp_path, rows)
    assert shown(result, "strict") == [[False, True], [False], [True]]
    assert shown(result, "loose") == [[True, True], [False], [True]]
    assert values(result) == {
        "strict_prompt": pytest.approx(1 / 3),
        "strict_instruction": pytest.approx(2 / 4),
        "loose_prompt": pytest.approx(2 / 3),
        "loose_instruction": pytest.approx(3 / 4),
        "final": pytest.approx((1 / 3 + 2 / 4 + 2 / 3 + 3 / 4) / 4),
    }
    low, high = result.metrics["final"].ci95 or (0, 0)
    assert low < (values(result)["final"] or 0) < high


def test_rows_of_one_prompt_share_the_last_answer(tmp_path: Path) -> None:
    """In strict mode every row keeps its own."""
    rows = [row("p", "a, b", "punctuation:no_comma"), row("p", "a b", "punctuation:no_comma")]
    assert shown(scored(IfevalSpec(), tmp_path, rows), "strict") == [[True], [True]]
    assert shown(scored(IfevalSpec(mode="strict"), tmp_path, rows), "strict") == [[False], [True]]


def test_a_missing_argument_is_drawn_by_the_seed(tmp_path: Path) -> None:
    """0 is no argument: the number is drawn from 1 to 20, for the strict and then for the loose check."""
    rows = [row("p", "One.", "length_constraints:number_sentences", num_sentences=0, relation="at least")]
    for seed in range(60):
        draws = random.Random(seed)
        bounds = [draws.randint(1, 20) for _ in range(2)]
        result = scored(IfevalSpec(seed=seed), tmp_path, rows)
        assert [shown(result, name)[0][0] for name in ("strict", "loose")] == [bound <= 1 for bound in bounds]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"instruction_id_list": ["no:such"]}, "'no:such' is none of"),
        ({"kwargs": []}, "0 for 1 instructions"),
        ({"kwargs": [{"relation": "about"}], "instruction_id_list": ["keywords:frequency"]}, "'about' is none of"),
        ({"kwargs": [{"keywords": ["("]}], "instruction_id_list": ["keywords:existence"]}, "cannot be used"),
        ({"kwargs": [{"size": 3}]}, "cannot be used"),
        ({"response": None}, "expected text, found None"),
    ],
)
def test_rows_that_cannot_be_used_are_named(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    """The others are scored all the same."""
    rows = [{**row("p", "a", "punctuation:no_comma"), **change}, row("q", "a", "punctuation:no_comma")]
    result = scored(IfevalSpec(mode="strict"), tmp_path, rows)
    assert result.unusable == 1 and problem in result.samples[0].notes[0]
    assert values(result)["final"] == 1.0


def test_eight_variants_of_an_answer() -> None:
    """As it is, without first and last lines, and each without asterisks; equal ones once."""
    assert variants("a\n*b*\nc") == ["a\n*b*\nc", "a\nb\nc", "*b*\nc", "b\nc", "a\n*b*", "a\nb", "*b*", "b"]
    assert variants("a") == ["a", ""]
