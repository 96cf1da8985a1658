"""The history of runs: what is flaky is what changes back and forth, not what was broken or mended once."""

from pathlib import Path

import msgspec
import pytest

from simulator.ci.cases import Became
from simulator.ci.history import (
    FILE,
    CheckRun,
    HistoryLine,
    add_line,
    flaky_in,
    flaky_markdown,
    read_history,
)

WORDS: dict[str, Became] = {"h": "held", "f": "failed", "u": "undecided", "e": "error"}


def history(became: str, commits: str = "", settings: str = "") -> list[HistoryLine]:
    """Runs of one check, a letter each."""
    return [
        HistoryLine(
            at="2026-01-01T00:00:00Z",
            commit=commits[number] if commits else "",
            checks={"call": {"a < 1": CheckRun(became=WORDS[letter], settings=settings[number] if settings else "")}},
        )
        for number, letter in enumerate(became)
    ]


@pytest.mark.parametrize(
    ("became", "commits", "flaky"),
    [
        ("hhhh", "", False),
        ("ffff", "", False),
        ("hhff", "", False),  # broken once
        ("ffhh", "", False),  # mended once
        ("hfh", "", True),
        ("fehe", "", True),
        ("hu", "aa", True),  # both at one commit
        ("hf", "ab", False),
        ("h", "", False),
    ],
)
def test_flaky_is_what_changes_back(became: str, commits: str, flaky: bool) -> None:
    """Two changes, or two outcomes of one commit."""
    assert bool(flaky_in(history(became, commits))) is flaky


def test_only_the_last_runs_count() -> None:
    """What was flaky long ago is not in the table; how often it failed and changed is counted in those runs alone."""
    assert flaky_in(history("hfhfhhhh"), 4) == []
    (found,) = flaky_in(history("hfhfhhhh"), 8)
    assert (found.runs, found.failed, found.changes) == (8, 2, 4)


def test_another_scenario_under_the_same_name_is_not_compared() -> None:
    """Of runs with other settings nothing is said: they asked another question."""
    assert flaky_in(history("hfhhh", settings="xxyyy")) == []
    assert flaky_in(history("hfhfh", settings="yxyyy"))[0].runs == 4


def test_a_history_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """A line that a killed job left half is told and passed over; the next one stands on a line of its own."""
    one, two = history("hf")
    add_line(tmp_path / "kept", one)
    path = tmp_path / "kept" / FILE
    path.write_bytes(path.read_bytes() + b'{"at": "20')
    add_line(tmp_path / "kept", two)
    lines, notes = read_history(tmp_path / "kept")
    assert [msgspec.to_builtins(line) for line in lines] == [msgspec.to_builtins(line) for line in (one, two)]
    assert len(notes) == 1 and "line 2" in notes[0]
    assert read_history(tmp_path / "none") == ([], [])


def test_the_table_says_how_often() -> None:
    """In Markdown, with what would end a cell escaped."""
    assert flaky_markdown([], 7) == "Nothing was flaky in the last 7 runs."
    table = flaky_markdown(flaky_in(history("hfh", "aab")), 3)
    assert "| call | a < 1 | 1 of 3 | 2, both at one commit |" in table
