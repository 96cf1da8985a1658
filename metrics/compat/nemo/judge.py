"""NeMo's demo scorer, the judge: a conversation as text, the question, ratings out of replies, their means.

Source: the speech-to-speech demo scorer of a NeMo-Skills fork (2026-01), restated; the question is in words
of our own.
A sample is asked about twice: with what the agent wanted to say (`full`) and with what was heard of it
(`sounded`).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from simulator.errors import ScenarioError
from simulator.scoring.judge import Judge, ReadyReplies, ask

Subset = Literal["full", "sounded"]
SUBSETS: tuple[Subset, Subset] = ("full", "sounded")

QUESTION = """\
You rate the replies of a speech-to-speech model. Below is a transcript of one conversation: lines marked
[User] are what was recognised of the user's speech, lines marked [Agent] are the model's replies.

Judge how relevant, how accurate and how concise the replies are as answers to this user, from 1 to 5:
1 - beside the point, wrong, or no answer at all
2 - touches the matter, but is largely inaccurate or incomplete
3 - relevant and mostly accurate, yet with gaps or with needless detail
4 - relevant, accurate and concise
5 - exactly what was asked for, correct and to the point throughout

Transcript:
{conversation}

End with one line of the form "Rating: X", where X is your number from 1 to 5."""

_RATING = re.compile(r"Rating:\s*([0-9]+(?:\.[0-9]+)?)", re.IGNORECASE)
_HIGHEST = 5.0
_SAME_START_S = 0.1


class Question(NamedTuple):
    """One question about one sample; `item_id` names it in the original's files."""

    sample: str
    item_id: str
    subset: Subset
    text: str

    @property
    def messages(self) -> list[dict[str, str]]:
        """The question as chat messages."""
        return [{"role": "user", "content": self.text}]


def conversation(result: Mapping[str, Any], subset: Subset) -> str:
    """Write a scored sample as lines `[User]: ...` and `[Agent]: ...`, sorted by start.

    The agent's text is the reference or the hypothesis of the scored segment that starts less than 0.1 s
    away; where that is empty or missing, the recognised text as it is.
    """
    scored = result["eval_metrics"]["agent_speech"]["per_segment"]
    texts = {entry["start"]: entry["reference" if subset == "full" else "hypothesis"] for entry in scored}
    turns = [(_start_of(key), "User", text) for key, text in result["transcription"]["user"].items()]
    for key, text in result["transcription"]["agent"].items():
        start = _start_of(key)
        near = next((said for place, said in texts.items() if abs(place - start) < _SAME_START_S), None)
        turns.append((start, "Agent", near or text))
    return "\n".join(f"[{side}]: {text}" for _, side, text in sorted(turns, key=lambda turn: turn[0]))


def _start_of(key: str) -> float:
    return float(key.partition("-")[0])


def questions(sample: str, file_name: str, result: Mapping[str, Any], wording: str = QUESTION) -> list[Question]:
    """Give the two questions about a scored sample; ScenarioError when the wording has no place for it."""
    if "{conversation}" not in wording:
        raise ScenarioError("instruction: the text has no {conversation}, where the transcript belongs")
    return [
        Question(
            sample,
            f"{file_name}_{subset}",
            subset,
            wording.replace("{conversation}", conversation(result, subset)),
        )
        for subset in SUBSETS
    ]


def rating_of(reply: str) -> float | None:
    """Give the first `Rating: X` of a reply, at most 5; None when there is none."""
    found = _RATING.search(reply or "")
    return max(0.0, min(_HIGHEST, float(found[1]))) if found else None


class Ratings(NamedTuple):
    """What judging gave by item id: ratings, why there is none, and every raw reply."""

    found: dict[str, float]
    problems: dict[str, str]
    replies: dict[str, tuple[str, ...]]


def ratings(judge: Judge, asked: Sequence[Question], tries: int) -> Ratings:
    """Ask everything, at most `tries` times each.

    Ready replies may be named by item id, or by sample: its replies are then taken in order, `full` first.
    Ready replies to items that are not in the results count too, as in the original.
    """
    if isinstance(judge, ReadyReplies):
        judge = ReadyReplies(_by_item(judge.replies, asked))
        known = {question.item_id for question in asked}
        asked = [*asked, *(Question("", item, "full", "") for item in judge.replies if item not in known)]
    given = Ratings({}, {}, {})
    for question in asked:
        verdict = ask(judge, question.item_id, question.messages, rating_of, tries=tries)
        given.replies[question.item_id] = verdict.replies
        if verdict.value is not None:
            given.found[question.item_id] = verdict.value
        else:
            given.problems[question.item_id] = verdict.problem or "no rating"
    return given


def _by_item(replies: Mapping[str, Sequence[str]], asked: Sequence[Question]) -> dict[str, Sequence[str]]:
    """Spread replies named by sample over its questions, each up to the first that can be parsed."""
    named = {name: list(given) for name, given in replies.items()}
    for question in asked:
        if question.item_id in named or question.sample not in replies:
            continue
        left = named[question.sample]
        parsed = next((index for index, reply in enumerate(left) if rating_of(reply) is not None), len(left) - 1)
        named[question.item_id], named[question.sample] = left[: parsed + 1], left[parsed + 1 :]
    for question in asked:
        if question.sample != question.item_id:
            named.pop(question.sample, None)
    return dict(named)


def summary(found: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Give means of ratings per subset and overall: avg_rating (3 decimals), judge_score (x 20, 2), count."""
    groups = {"overall": list(found.values())} | {
        subset: [rating for item, rating in found.items() if item.endswith(f"_{subset}")] for subset in SUBSETS
    }
    return {
        name: {
            "avg_rating": round(sum(group) / len(group), 3),
            "judge_score": round(sum(group) / len(group) * 20, 2),
            "count": len(group),
        }
        for name, group in groups.items()
        if group
    }


def sample_scores(found: Mapping[str, float], names: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Give a sample's own ratings, looked up under `<name>_<subset>` for each of its names."""
    scores: dict[str, dict[str, float | None]] = {}
    for subset in SUBSETS:
        rating = next((found[f"{name}_{subset}"] for name in names if f"{name}_{subset}" in found), None)
        scores[subset] = {"rating": rating, "score": round(rating * 20, 2) if rating else None}
    return scores
