"""Full-Duplex-Bench's behaviour tags."""

import json
from pathlib import Path
from typing import Any

import pytest

from metrics.compat.fdb.behavior import BehaviorSpec, parse_tags
from simulator.scoring.corpus import CorpusResult
from tests.fdb_folders import spoken, words, write_sample

TRANSCRIPTS = {name: spoken(1, 3) for name in ("input.json", "clean_input.json", "output.json", "clean_output.json")}


def tag(*names: str) -> str:
    """A judge's reply with these tags."""
    return "Sure: " + json.dumps({"behaviour": list(names)})


def score(root: Path, replies: dict[str, list[str]] | None, **options: Any) -> CorpusResult:
    """Score with ready replies."""
    if replies is None:
        return BehaviorSpec(**{"mode": "strict", **options}).score_corpus([root])
    path = root.parent / "replies.json"
    path.write_text(json.dumps(replies))
    return BehaviorSpec(judge_replies=path, **{"mode": "strict", **options}).score_corpus([root])


def test_shares_are_over_all_tags(tmp_path: Path) -> None:
    """A reply with two tags counts twice; compat rounds to two decimals, strict does not; n counts tags."""
    root = tmp_path / "root"
    for name in ("1", "2"):
        write_sample(root / name, TRANSCRIPTS)
    replies = {"1": [tag("C_RESPOND", "C_RESUME")], "2": [tag("C_RESPOND")]}
    compat, strict = score(root, replies, mode="compat"), score(root, replies)
    assert compat.metrics["share_respond"].value == 0.67 and compat.metrics["share_resume"].value == 0.33
    assert strict.metrics["share_respond"].value == 2 / 3 and strict.metrics["share_unknown"].value == 0.0
    assert strict.metrics["share_respond"].n == 3
    assert [sample.metrics["behaviour"] for sample in strict.samples] == [["C_RESPOND", "C_RESUME"], ["C_RESPOND"]]


def test_samples_without_all_transcripts_or_a_verdict_are_skipped(tmp_path: Path) -> None:
    """A missing transcript, no reply, unparsable replies: nulls and a note; the rest is scored."""
    root = tmp_path / "root"
    write_sample(root / "1", {"output.json": words()})
    for name in ("2", "3", "4"):
        write_sample(root / name, TRANSCRIPTS)
    result = score(root, {"1": [tag("C_RESUME")], "2": ["no"] * 9, "4": ["no", tag("C_RESUME")]}, mode="compat")
    notes = [" ".join(sample.notes) for sample in result.samples]
    assert "missing; the judge reads all four" in notes[0] and "none of 5 judge replies" in notes[1]
    assert "no judge reply is given" in notes[2] and "1 of 2 judge replies" in notes[3]
    assert result.n == 1 and result.metrics["share_resume"].value == 1.0
    assert result.samples[1].metrics["behaviour"] is None


def test_ready_tags_are_used_without_a_judge(tmp_path: Path) -> None:
    """content_tag.json of an earlier run counts when no judge is given; with one it is not looked at."""
    root = tmp_path / "root"
    write_sample(root / "1", {**TRANSCRIPTS, "content_tag.json": {"behaviour": ["C_UNKNOWN"]}})
    assert score(root, None).metrics["share_unknown"].value == 1.0
    assert score(root, {"1": [tag("C_RESUME")]}).metrics["share_resume"].value == 1.0
    write_sample(root / "1", {"content_tag.json": {"behaviour": 3}})
    assert "expected a list of tags" in score(root, None).samples[0].notes[0]


@pytest.mark.parametrize(
    ("reply", "tags"),
    [
        (tag("C_RESUME"), ["C_RESUME"]),
        ('{"a": 1} then {"behaviour": ["C_RESPOND"], "why": "{}"}', ["C_RESPOND"]),
        ('{"result": {"behaviour": ["C_UNKNOWN"]}}', ["C_UNKNOWN"]),
        ('```json\n{"behaviour": "C_RESUME"}\n```', ["C_RESUME"]),
        ('{"behaviour": ["C_RESUME"]} {"behaviour": ["C_RESPOND"]}', ["C_RESUME"]),
        ('{"behaviour": [C_RESUME]}', None),
        ('{"behaviour": {"tag": "C_RESUME"}}', None),
        ("C_RESUME", None),
        ("", None),
    ],
)
def test_tags_are_read_from_the_first_object_that_has_them(reply: str, tags: list[str] | None) -> None:
    """The first JSON object with the key `behaviour`, wherever it stands."""
    assert parse_tags(reply) == tags


def test_names_that_are_no_tags_count_in_compat_alone(tmp_path: Path) -> None:
    """compat leaves an invented tag in the denominator; strict asks again."""
    root = tmp_path / "root"
    write_sample(root / "1", TRANSCRIPTS)
    replies = {"1": [tag("C_RESUME", "C_DANCE"), tag("C_RESUME")]}
    assert score(root, replies, mode="compat").metrics["share_resume"].value == 0.5
    assert score(root, replies).metrics["share_resume"].value == 1.0


def test_tags_and_raw_replies_are_written_where_asked(tmp_path: Path) -> None:
    """write=DIR gets content_tag.json and the replies in a form that scores again."""
    root, out = tmp_path / "root", tmp_path / "out"
    write_sample(root / "1", TRANSCRIPTS)
    first = score(root, {"1": ["?", tag("C_RESUME")]}, write=out)
    assert json.loads((out / "1" / "content_tag.json").read_text()) == {"behaviour": ["C_RESUME"]}
    again = BehaviorSpec(mode="strict", judge_replies=out / "judge.jsonl").score_corpus([root])
    assert again.metrics == first.metrics
