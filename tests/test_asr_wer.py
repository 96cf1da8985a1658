"""Word error rates of transcripts by four definitions, on pairs worked out by hand."""

from pathlib import Path
from typing import Any

import pytest

from metrics.compat.asr.normalizers import leaderboard, nemo, spoken_part
from metrics.compat.asr.scorer import AsrWerSpec
from tests.prediction_files import scored, shown, values, write_rows


def pair(text: str, pred_text: str, **more: Any) -> dict[str, Any]:
    """A row of a manifest."""
    return {"text": text, "pred_text": pred_text, **more}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("A.B.C. news", "abc news"),
        ("b b c", "bbc"),
        ("a b", "a b"),  # two letters are joined unless one of them is a word
        ("5 g", "5g"),
        ("OK, all right", "okay alright"),
        ("John's car, it's Karl's", "john s car it is carl s"),
        ("kinda dunno", "kinda dunno"),
        ("flyer archeological", "flier archeological"),
        ("hmm [noise] wi-fi (laughs)", " wifi "),
        ("Kathryn Stephen", "catherine steven"),
        ("twenty one dollars", "$21"),
    ],
)
def test_the_leaderboards_own_normaliser(text: str, plain: str) -> None:
    """Other contractions than Whisper's, joined letters, one spelling of names."""
    assert leaderboard()(text) == plain.strip() or leaderboard()(text) == plain


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ('The audio says: "hello there".', "hello there"),
        ("The audio says: 'it's me.'", "it's me"),
        ("it is 'well said'.", "well said"),
        ("o'clock", "o'clock"),
        ("I do not have access to audio, sorry", ""),
        ("1\n00:00:00,000 --> 00:00:02,000\nhello", "hello"),
        ("  plain ", "plain"),
    ],
)
def test_what_nemo_takes_for_the_transcript(reply: str, said: str) -> None:
    """What is quoted; nothing of a model that says that it is deaf."""
    assert spoken_part(reply) == said


def test_the_definitions_differ(tmp_path: Path) -> None:
    """Two words for one are an error and a half for jiwer, none with compounds; names and possessives differ."""
    pytest.importorskip("kaldialign")
    rows = [pair("Karl's white paper", "Carl's whitepaper"), pair("it is late", "it is late now")]
    found = values(scored(AsrWerSpec(), tmp_path, rows))
    # whisper: "karl is white paper" -> "carl is whitepaper": 3 errors of 4; 1 of 3. leaderboard: "carl s ...": 2 of 4.
    assert found["wer.whisper"] == pytest.approx(4 / 7)
    assert found["wer.leaderboard"] == pytest.approx(3 / 7)
    assert found["wer.leaderboard_compound"] == pytest.approx(1 / 7)
    assert found["wer.nemo"] == pytest.approx(4 / 7)
    assert found["success_rate"] == 0.5


def test_empty_sides_and_ignored_rows(tmp_path: Path) -> None:
    """An empty reference counts for NeMo alone, as the word "empty"; a missing generation has rate 1 and no pair."""
    rows = [
        pair("uh", "hello"),
        pair("hello there", ""),
        pair("ignore time segment in scoring", "x"),
        pair("hello", "hello"),
    ]
    result = scored(AsrWerSpec(), tmp_path, rows)
    assert shown(result, "wer.whisper") == [None, 1.0, None, 0.0]
    assert shown(result, "wer.nemo") == [1.0, 1.0, 1.0, 0.0]
    assert values(result)["wer.whisper"] == pytest.approx(2 / 3)
    assert values(result)["wer.nemo"] == pytest.approx((1 + 5) / (1 + 5 + 1))
    assert values(result)["success_rate"] == 0.25
    assert nemo("Uh, HELLO") == "hello"


def test_sets_and_their_plain_mean(tmp_path: Path) -> None:
    """Manifests are sets by their names; the composite does not weigh them by length."""
    name = "MODEL_a-b_DATASET_hf-audio-{}_test.jsonl"
    good = write_rows(tmp_path / name.format("ami"), [pair("good day", "good day", duration=4, time=2)] * 3)
    bad = write_rows(tmp_path / name.format("spgi"), [pair("good day", "good", duration=2, time=0.5)])
    result = AsrWerSpec().score_corpus([good, bad])
    found = values(result)
    assert found["wer.whisper"] == pytest.approx(1 / 8)
    assert found["hf-audio-ami_test.wer.whisper"] == 0 and found["hf-audio-spgi_test.wer.whisper"] == 0.5
    assert found["composite.wer.whisper"] == 0.25 and found["rtfx"] == pytest.approx(14 / 6.5)
    assert [sample.id.rpartition("/")[2] for sample in result.samples] == ["0", "1", "2", "0"]
    assert len({sample.id for sample in result.samples}) == 4


def test_a_real_time_factor_needs_all_times(tmp_path: Path) -> None:
    """One row without a time, and there is none."""
    rows = [pair("a b", "a b", duration=4, time=2), pair("a b", "a b", duration=4, time=None)]
    score = scored(AsrWerSpec(), tmp_path, rows).metrics["rtfx"]
    assert score.value is None and score.reason == "not every row has duration and time"


def test_without_kaldialign_compounds_are_undefined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says how to get it; the other definitions stand."""
    monkeypatch.setitem(__import__("sys").modules, "kaldialign", None)
    result = scored(AsrWerSpec(), tmp_path, [pair("a b", "a b")])
    assert values(result)["wer.leaderboard"] == 0.0
    assert "duplex-simulator[data]" in (result.metrics["wer.leaderboard_compound"].reason or "")
