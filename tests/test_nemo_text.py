"""NeMo's text rules: stamps, frames, the normaliser, word and character errors."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.nemo.text import (
    Errors,
    TextSegment,
    character_errors,
    error_rate,
    frame_of,
    normalize,
    stamped_segments,
    stream_text,
    word_errors,
)


@pytest.mark.parametrize(("time_s", "frame"), [(9.04, 112), (2.32, 28), (0.08, 1), (0.24, 3), (0.0, 0), (0.079, 0)])
def test_a_frame_is_the_truncated_float_quotient(time_s: float, frame: int) -> None:
    """int(t / 0.08) on floats: exact frame times may fall one frame early, and must."""
    assert frame_of(time_s) == frame


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<|1.2|>Hello, World!<$3.4$>", "hello world"),
        ("twenty-one it's", "twentyone its"),
        ("<s> a </s> <SPECIAL_12> b <SPEC_3> c <other> d", "a b c d"),
        ("“typographic” quotes’", "“typographic” quotes’"),
        ("a < b > c", "a c"),
        ("1 < 2", "1 2"),
        ("<<s>>", ""),
        ("  tabs\tand\nlines  ", "tabs and lines"),
        ("", ""),
        (None, ""),
    ],
)
def test_the_normaliser_drops_tags_and_ascii_punctuation(text: str | None, expected: str) -> None:
    """Tags in angle brackets and the 32 ASCII signs go, letters are lower-cased, white space collapses."""
    assert normalize(text) == expected


@given(st.text(alphabet=string.printable, max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    """A normalised text holds no tag, no ASCII punctuation, no double space."""
    once = normalize(text)
    assert normalize(once) == once
    assert not set(once) & set(string.punctuation)


@pytest.mark.parametrize(
    ("text", "duration_s", "expected"),
    [
        ("<|1.0|>a<$2.0$><|3.0|>b<$4.5$>", 10.0, [(1.0, 2.0), (3.0, 4.5)]),
        ("<|1.0|>a<|2.0|>b<$4.0$>", 10.0, [(1.0, 4.0), (2.0, 4.0)]),  # two openings share one closing
        (
            "<$5.0$><|1.0|>a<$2.0$>",
            10.0,
            [(1.0, 5.0)],
        ),  # the first later closing in list order, not the nearest
        ("<|3.0|>a<$3.0$>", 7.0, [(3.0, 7.0)]),  # strictly later
        ("<|3.0|>a<$2.0$>", None, [(3.0, 8.0)]),
        ("<|1.0|>a<|2.5|>b", 6.4, [(1.0, 2.5), (2.5, 6.4)]),
        ("<|1.0|>a<|2.5|>b", None, [(1.0, 2.5), (2.5, 7.5)]),
        ("only <$2.0$> closings", 6.0, []),
        ("no stamps", 6.0, []),
    ],
)
def test_stamps_pair_as_the_original_pairs_them(
    text: str, duration_s: float | None, expected: list[tuple[float, float]]
) -> None:
    """Each opening takes the first later closing of the list; without any, the next opening or the end."""
    assert stamped_segments(text, duration_s) == [TextSegment(*pair) for pair in expected]


def test_a_stamp_that_is_no_number_raises() -> None:
    """The pattern lets 1.2.3 through, which no float can read."""
    with pytest.raises(ValueError, match=r"1\.2\.3"):
        stamped_segments("<|1.2.3|>", None)


def test_tokens_are_taken_by_frame_number_not_by_place() -> None:
    """The frame column decides; tokens beyond it are left out; without it tokens are numbered."""
    alignment = {"frame_idx": [10, 12, 14], "x": [" a", " b", " c", " d"]}
    assert stream_text(alignment, "x", 10, 14) == " a b"
    assert stream_text({"x": [" a", " b", " c"]}, "x", 1, 3) == " b c"


def edit_distance(one: list[str], other: list[str]) -> int:
    """The fewest substitutions, insertions and deletions, by dynamic programming."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


@given(st.lists(st.sampled_from("abcd"), max_size=8), st.lists(st.sampled_from("abcd"), max_size=8))
def test_errors_are_an_optimal_alignment(reference: list[str], hypothesis: list[str]) -> None:
    """The total is the edit distance and the kinds balance with the lengths, for words and for characters."""
    for errors, ref, hyp in (
        (word_errors(" ".join(reference), " ".join(hypothesis)), reference, hypothesis),
        (character_errors("".join(reference), "".join(hypothesis)), reference, hypothesis),
    ):
        assert errors.total == edit_distance(ref, hyp)
        assert errors.length == len(ref)
        assert errors.insertions - errors.deletions == len(hyp) - len(ref)


def test_rates_without_a_reference() -> None:
    """Nothing said against nothing is 0, anything said against nothing is 1."""
    assert error_rate(Errors(0, 0, 0, 0), 0) == 0.0
    assert error_rate(Errors(0, 3, 0, 0), 3) == 1.0
    assert error_rate(Errors(1, 1, 0, 4), 4) == 0.5
