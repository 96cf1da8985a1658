"""Dialogues of models: distances from human talk, collapse, questions answered, entropy, on takes of known truth."""

from pathlib import Path

import pytest

from metrics.dialogue import DialogueSpec
from metrics.dialogue_shapes import SHAPES, human_talk
from simulator.results.beside_people import beside_people
from simulator.results.row import Row, without_evidence
from simulator.score import Score
from simulator.scoring.scorer import definition_of
from simulator.testing import Take, scored
from tests.benchmarks import human_talk as script

SPEC = DialogueSpec()
COLLAPSES = ("silent", "both_talking", "one_sided", "loop", "parrot")


def spoken(take: Take, party: str, start: float, end: float, text: str) -> None:
    """Say a text whose words are spread evenly."""
    words = text.split()
    step = (end - start) / len(words)
    times = [(word, start + place * step) for place, word in enumerate(words)]
    take.say(party, start, end, text=text, words=times)  # type: ignore[arg-type]


def happened(scores: dict[str, Score]) -> set[str]:
    """The ways in which a dialogue collapsed."""
    return {name for name in COLLAPSES if scores[name].value}


def talk(folder: Path, lines: list[str], *, duration: float = 30.0) -> dict[str, Score]:
    """Score lines of two seconds each, half a second apart, user and agent by turns."""
    take = Take(folder, duration=duration)
    for number, text in enumerate(lines):
        spoken(take, ("user", "agent")[number % 2], 0.5 + 2.5 * number, 2.5 + 2.5 * number, text)
    return scored(SPEC, take.annotated())


LIVELY = [
    "where did you go last summer?", "to the sea with my brother", "was the water cold?", "only in the early morning",
    "that sounds lovely to me", "you should come along then", "when do you leave?", "in the first week of june",
    "then I will ask at work", "please do and call me",
]  # fmt: skip


def test_a_lively_talk_is_not_collapsed(tmp_path: Path) -> None:
    """Three questions, all answered half a second later; always the other's turn: no entropy; nothing collapsed."""
    scores = talk(tmp_path / "take", LIVELY)
    assert happened(scores) == set() and scores["collapsed"].value == 0
    assert (scores["answered_rate"].value, scores["answered_rate"].n) == (1, 3)
    assert scores["turn_entropy_bits"].value == 0
    assert scores["lexical_diversity"].value is None


def test_the_distance_is_the_area_between_the_quantiles(tmp_path: Path) -> None:
    """All offsets are half a second: the area is the mean distance of people's quantiles from that."""
    scores = talk(tmp_path / "take", LIVELY)
    people = human_talk().quantiles["fto"]
    by_hand = sum(abs(value - 0.5) for value in people) / len(people)
    assert scores["fto_w1_s"].value == pytest.approx(by_hand, abs=2e-3)
    assert scores["fto_w1_s"].n == 9 and scores["pause_w1_s"].value is None


def test_twelve_seconds_of_silence_are_a_collapse_and_nine_are_none(tmp_path: Path) -> None:
    """Ten seconds are the limit; the end of the session counts."""
    assert happened(talk(tmp_path / "long", LIVELY[:4], duration=22.0)) == {"silent"}
    assert happened(talk(tmp_path / "short", LIVELY[:4], duration=19.0)) == set()


def test_talking_at_once_all_the_time(tmp_path: Path) -> None:
    """Both speak from 1 to 9 s of 0 to 10 s: eight of ten seconds."""
    take = Take(tmp_path / "take", duration=11.0)
    take.say("user", 0.0, 9.0, text="one and two")
    take.say("agent", 1.0, 10.0, text="three and four")
    assert happened(scored(SPEC, take.annotated())) == {"both_talking"}


def test_a_party_that_says_next_to_nothing(tmp_path: Path) -> None:
    """Half a second of nine and a half is under a tenth."""
    take = Take(tmp_path / "take", duration=10.0)
    take.say("user", 0.0, 9.0, text="a long story indeed")
    take.say("agent", 9.2, 9.7, text="yes")
    assert "one_sided" in happened(scored(SPEC, take.annotated()))


def test_saying_the_same_again_and_again_is_a_loop(tmp_path: Path) -> None:
    """Five times the same seven words: of 32 runs of four words 7 are new."""
    again = "I am sorry please say that again"
    lines = [text for one in LIVELY[:5] for text in (one, again)]
    assert happened(talk(tmp_path / "take", lines)) == {"loop"}


def test_saying_what_the_other_said_is_parroting(tmp_path: Path) -> None:
    """The agent repeats every line; with one word of five changed it still does, with another answer it does not."""
    lines = [text for one in LIVELY[1::2] for text in (one, one.replace("with", "and"))]
    assert happened(talk(tmp_path / "take", lines)) == {"parrot"}


def test_a_question_that_nobody_answers(tmp_path: Path) -> None:
    """The second question is followed by four seconds of silence; one in the last three seconds is not counted."""
    take = Take(tmp_path / "take", duration=20.0)
    spoken(take, "user", 0.5, 2.0, "are you there?")
    spoken(take, "agent", 2.5, 4.0, "yes I am")
    spoken(take, "user", 5.0, 6.0, "and now?")
    spoken(take, "agent", 10.5, 12.0, "something else")
    spoken(take, "user", 18.0, 19.0, "still here?")
    score = scored(SPEC, take.annotated())["answered_rate"]
    assert (score.value, score.n) == (0.5, 2)


def test_fifty_words_of_which_half_are_new(tmp_path: Path) -> None:
    """Twenty-five different words said twice: .5; ten words more are left out."""
    take = Take(tmp_path / "take", duration=40.0)
    spoken(
        take, "user", 0.0, 30.0, " ".join([f"{letter}x" for letter in "abcdefghijklmnopqrstuvwxy"] * 2 + ["zz"] * 10)
    )
    score = scored(SPEC, take.annotated())["lexical_diversity"]
    assert (score.value, score.n) == (0.5, 1)


def test_every_shape_has_a_reference_with_its_source() -> None:
    """Each card carries people's numbers, in order, and says where they are from and under which licence."""
    for shape in SHAPES:
        card = definition_of(f"dialogue.{shape}_w1_s")
        assert card is not None and len(card.reference) == 200
        assert list(card.reference) == sorted(card.reference)
        assert "AMI" in card.card and "CC BY" in card.card


def test_people_are_measured_where_two_talk_alone(tmp_path: Path) -> None:
    """Two speakers for 30 s: gaps of 0.5 and 5 s, an overlap of 0.4 s; the third speaker's 5 s are left out."""
    turns = [("a", 1.0, 3.0), ("b", 4.5, 3.5), ("a", 7.6, 12.4), ("b", 25.0, 1.0),
             ("c", 30.0, 5.0), ("a", 31.0, 1.0), ("b", 33.0, 1.0)]  # fmt: skip
    lines = [f"SPEAKER m 1 {start} {length} <NA> <NA> {who} <NA> <NA>" for who, start, length in turns]
    (tmp_path / "m.rttm").write_text("\n".join(lines))
    talks = [pair for spoken_in in script.recordings(tmp_path) for pair in script.pairs(spoken_in)]
    found = script.reference(talks, "s", "l")
    assert found.counts == {"fto": 3, "gap": 2, "overlap": 1, "pause": 0, "ipu": 4, "backchannel": 0}
    gaps = found.quantiles["gap"]
    assert (gaps[0], gaps[-1]) == pytest.approx((0.5, 5.0), abs=0.02) and set(found.quantiles["overlap"]) == {0.4}
    assert (min(found.quantiles["fto"]), max(found.quantiles["fto"])) == pytest.approx((-0.4, 5.0), abs=0.05)


def test_clips_of_real_people(real_audio: Path) -> None:
    """Three clips of nine seconds, with their manual segments, in which the floor is taken."""
    talks = list(script.clips(real_audio / "conversations_ami"))
    assert len(talks) == 3 and script.reference(talks, "AMI", "CC BY 4.0").counts["fto"] >= 3


def test_a_corpus_stands_beside_people_with_its_interval(tmp_path: Path) -> None:
    """Values of all sessions together; the quantiles of both sides."""
    rows = []
    for number, offset in enumerate((0.2, 0.4, 0.6, 0.8)):
        take = Take(tmp_path / str(number), duration=10.0)
        take.say("user", 0.5, 2.0)
        take.say("agent", 2.0 + offset, 4.5)
        scores = SPEC.build().score(take.annotated())
        rows.append(Row(id=str(number), scenario="s", trial=number, sound=str(number), scores=without_evidence(scores)))
    gap = next(item for item in beside_people(rows) if item.shape == "gap")
    assert gap.ours[2] == pytest.approx(0.5, abs=1e-3) and gap.distance.n == 4 and gap.distance.ci95 is not None
    assert gap.people[2] == pytest.approx(0.78, abs=0.01)
