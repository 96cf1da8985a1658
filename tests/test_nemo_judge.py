"""NeMo's judge: the conversation it reads, ratings out of replies, their means."""

from typing import Any

import pytest

from metrics.compat.nemo.judge import conversation, questions, rating_of, ratings, sample_scores, summary
from simulator.errors import ScenarioError
from simulator.scoring.judge import ReadyReplies


def scored() -> dict[str, Any]:
    """A scored row: two agent segments, the first with text and sound, the second only recognised."""
    return {
        "eval_metrics": {
            "agent_speech": {
                "per_segment": [
                    {"start": 3.04, "reference": "wanted this", "hypothesis": "said this"},
                    {"start": 8.0, "reference": "", "hypothesis": "only heard"},
                ]
            }
        },
        "transcription": {
            "user": {"1.000-2.500": "Hi, there!", "6.000-7.000": "And?"},
            "agent": {"3.000-5.000": "Said this.", "8.000-9.000": "Only heard."},
        },
    }


def test_the_conversation_is_sorted_and_matched_by_start() -> None:
    """Agent lines take the scored text that starts less than 0.1 s away, or the recognised text as it is."""
    assert conversation(scored(), "full") == (
        "[User]: Hi, there!\n[Agent]: wanted this\n[User]: And?\n[Agent]: Only heard."
    )
    assert conversation(scored(), "sounded") == (
        "[User]: Hi, there!\n[Agent]: said this\n[User]: And?\n[Agent]: only heard"
    )


def test_a_wording_without_a_place_for_the_text_is_refused() -> None:
    """A user's own instruction must hold {conversation}; other braces in it are left alone."""
    with pytest.raises(ScenarioError, match="conversation"):
        questions("a", "a.wav", scored(), "rate this")
    (full, sounded) = questions("a", "a.wav", scored(), "{json} {conversation}")
    assert (full.item_id, sounded.item_id) == ("a.wav_full", "a.wav_sounded")
    assert full.text.startswith("{json} [User]: Hi")


@pytest.mark.parametrize(
    ("reply", "rating"),
    [
        ("Rating: 4", 4.0),
        ("rating:3.5 or Rating: 5", 3.5),
        ("RATING:   9", 5.0),
        ("Rating: five", None),
        ("", None),
        ("Rating: -2", None),
        ("My Rating: 2.", 2.0),
    ],
)
def test_the_first_number_after_rating_counts(reply: str, rating: float | None) -> None:
    """Any case, decimals, clamped to 5; no number, no rating."""
    assert rating_of(reply) == rating


def asked() -> list[Any]:
    """The questions about two samples."""
    return [*questions("a", "a.flac", scored()), *questions("b", "b.flac", scored())]


def test_replies_by_item_id_and_unparsable_ones_left_out() -> None:
    """Ratings are kept by item id; what cannot be parsed is told and enters nothing."""
    judge = ReadyReplies({"a.flac_full": ["Rating: 4"], "a.flac_sounded": ["no idea"], "b.flac_full": ["Rating: 3"]})
    found, problems, _ = ratings(judge, asked(), 5)
    assert found == {"a.flac_full": 4.0, "b.flac_full": 3.0}
    assert set(problems) == {"a.flac_sounded", "b.flac_sounded"}
    assert summary(found) == {
        "overall": {"avg_rating": 3.5, "judge_score": 70.0, "count": 2},
        "full": {"avg_rating": 3.5, "judge_score": 70.0, "count": 2},
    }


def test_replies_by_sample_are_taken_in_order() -> None:
    """Named by sample, replies go to `full` up to the first that can be parsed, then to `sounded`."""
    judge = ReadyReplies({"a": ["hm", "Rating: 2", "Rating: 5"]})
    found, _, _ = ratings(judge, asked(), 5)
    assert found == {"a.flac_full": 2.0, "a.flac_sounded": 5.0}


def test_replies_to_other_items_count_overall() -> None:
    """The original averages whatever the judge's file holds."""
    found, _, _ = ratings(ReadyReplies({"zzz": ["Rating: 1"], "x_full": ["Rating: 2"]}), [], 5)
    assert summary(found)["overall"]["count"] == 2
    assert summary(found)["full"]["avg_rating"] == 2.0


def test_asking_is_bounded() -> None:
    """No more replies are taken than tries are allowed."""
    judge = ReadyReplies({"a.flac_full": ["?", "?", "Rating: 4"]})
    found, problems, replies = ratings(judge, asked()[:1], 2)
    assert replies == {"a.flac_full": ("?", "?")}
    assert not found
    assert "a.flac_full" in problems


def test_means_are_rounded_as_written() -> None:
    """avg_rating has 3 decimals, judge_score 2."""
    found = dict(zip("abc", (4.0, 4.0, 3.0), strict=True))
    assert summary(found)["overall"] == {"avg_rating": 3.667, "judge_score": 73.33, "count": 3}


def test_a_samples_scores_are_looked_up_by_name() -> None:
    """The first name with a rating counts; a rating of 0 has no score, as in the original."""
    assert sample_scores({"a.flac_full": 4.0}, ("a",))["full"] == {"rating": None, "score": None}
    assert sample_scores({"a.flac_full": 4.0}, ("a", "a.flac"))["full"] == {"rating": 4.0, "score": 80.0}
    assert sample_scores({"a_full": 0.0}, ("a",))["full"] == {"rating": 0.0, "score": None}
