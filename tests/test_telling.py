"""Told and untold agents side by side: it is said, as their barge-ins are decided by different knowledge."""

from pathlib import Path

import pytest

from metrics.barge_in import BargeInSpec
from simulator.results.row import Row, RowScore
from simulator.results.telling import TOLD, told_apart
from simulator.testing.take import Take, heard, scored


def rows(told: int, of: int = 4) -> list[Row]:
    score = RowScore(value=told / of if of else None, unit="ratio", n=of, parts={"count": told, "of": of})
    return [Row(id="a-0", scenario="a", scores={TOLD: score})]


@pytest.mark.parametrize(
    ("first", "second", "said"), [((4, 4), (0, 4), 1), ((4, 4), (3, 4), 0), ((0, 4), (1, 4), 0), ((4, 4), (0, 0), 0)]
)
def test_told_and_untold_sides_are_named(first: tuple[int, int], second: tuple[int, int], said: int) -> None:
    """Where half of the speech or more is told on one side, and less on the other; a silent agent is on neither."""
    lines = told_apart({"cascade": rows(*first), "moshi": rows(*second)})
    assert len(lines) == said
    assert not said or (lines[0].startswith("cascade: it is told") and "moshi: nobody tells" in lines[0])


def test_runs_that_were_not_scored_by_it_are_alike() -> None:
    """Nobody knows, so nothing is said."""
    assert told_apart({"a": rows(4), "b": [Row(id="b-0", scenario="b")]}) == []


def test_what_was_told_of_the_agents_speech_is_counted(tmp_path: Path) -> None:
    """Of two holds both by its events; none of what was only heard; one by the far end's account of its audio."""
    take = Take(tmp_path / "told")
    take.say("agent", 1.0, 2.0)
    take.say("agent", 5.0, 6.0)
    told = take.annotated()
    assert scored(BargeInSpec(), told)["told_rate"].value == 1
    assert scored(BargeInSpec(), heard(told, "agent", (1.0, 2.0), (5.0, 6.0)))["told_rate"].value == 0
    far = Take(tmp_path / "far")
    far.sound("agent", 1.0, 2.0)
    far.sound("agent", 5.0, 6.0)
    far.note(6.0, "audio_end", "agent", id="item", said_samples=far.at(1.0), cut=False)
    assert scored(BargeInSpec(), heard(far.annotated(), "agent", (1.0, 2.0), (5.0, 6.0)))["told_rate"].value == 0.5
