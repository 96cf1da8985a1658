"""The scorer `tools` on takes whose calls and times are worked out by hand."""

from pathlib import Path
from typing import Any

import pytest

from metrics.tools import ToolsSpec
from simulator.score import Score
from simulator.testing import Take, scored

Call = tuple[float, str, dict[str, Any]]


def take(
    folder: Path, *calls: Any, expect: str = "", filler: bool = False, answer_s: float | None = 6.0
) -> dict[str, Score]:
    """The user asks from 1 s to 2 s, calls are (time, name, arguments[, fault[, answered at]]), the agent says a filler
    at 2.5 s where it does, and its answer at answer_s.
    """
    talk = Take(folder, duration=12.0)
    talk.say("user", 1.0, 2.0)
    if filler:
        talk.say("agent", 2.5, 3.0, text="One moment.")
    if answer_s is not None:
        talk.say("agent", answer_s, answer_s + 1)
    for number, (at, name, arguments, *rest) in enumerate(calls):
        fault, answered = rest[0] if rest else "", rest[1] if len(rest) > 1 else at
        talk.note(at, "tool_call", "agent", id=f"c{number}", name=name, arguments=arguments)
        told = {"fault": fault} if fault else {}
        talk.note(answered, "tool_result", "agent", id=f"c{number}", name=name, answer="ok", **told)
    session = talk.annotated()
    (session.folder / "scenario.yaml").write_text(f"name: take\nexpect: [{expect}]\n")
    return scored(ToolsSpec(), session)


LOOK = "{called: look_up, with: {order: '7'}}"
REFUND = "{called: refund, with: {order: '7', amount: 20}}"


def values(found: dict[str, Score], *names: str) -> list[float | None]:
    """The values of metrics."""
    return [found[name].value for name in names]


COUNTS = ("right_rate", "wrong_rate", "missing_rate", "extra_rate", "argument_accuracy")


def test_calls_are_held_against_the_expected_ones(tmp_path: Path) -> None:
    """Two expected; one right, one of three arguments wrong, and one call of three that nobody asked for."""
    found = take(
        tmp_path / "t",
        (3.0, "look_up", {"order": "7", "fast": True}),
        (3.5, "refund", {"order": "7", "amount": 30}),
        (4.0, "look_up", {"order": "7"}),
        expect=f"{LOOK}, {REFUND}",
    )
    assert values(found, *COUNTS) == [1 / 2, 1 / 2, 0, 1 / 3, 2 / 3]


def test_what_was_not_called_is_missing(tmp_path: Path) -> None:
    """And all of its arguments are wrong; a call that its schema does not allow is wrong, whatever it holds."""
    found = take(tmp_path / "t", (3.0, "look_up", {"order": "7"}, "arguments"), expect=f"{LOOK}, {REFUND}")
    assert values(found, *COUNTS) == [0, 1 / 2, 1 / 2, 0, 1 / 3]
    assert found["fault_rate"].value == 1


def test_the_right_call_is_found_behind_a_wrong_one(tmp_path: Path) -> None:
    """Whichever comes first, one is right and the other one extra; twice expected, both are taken."""
    both = ((3.0, "look_up", {"order": "8"}), (3.5, "look_up", {"order": "7"}))
    assert values(take(tmp_path / "once", *both, expect=LOOK), *COUNTS) == [1, 0, 0, 1 / 2, 1]
    twice = LOOK.replace("}}", "}, times: 2}")
    assert values(take(tmp_path / "twice", *both, expect=twice), *COUNTS) == [1 / 2, 1 / 2, 0, 0, 1 / 2]


def test_without_an_expected_call_there_is_nothing_to_compare(tmp_path: Path) -> None:
    """Faults are counted all the same; a silent agent has no times."""
    found = take(tmp_path / "t", (3.0, "look_up", {}), (3.5, "fly", {}, "unknown"))
    assert values(found, *COUNTS) == [None] * 5 and found["fault_rate"].value == 1 / 2
    silent = take(tmp_path / "silent", expect=LOOK, answer_s=None)
    assert values(silent, "right_rate", "extra_rate", "to_call_p50_s", "to_word_p50_s") == [0, None, None, None]
    assert "called nothing" in (silent["to_call_p50_s"].reason or "")


def test_times_count_from_the_end_of_the_turn(tmp_path: Path) -> None:
    """The turn ends at 2 s: the call comes after 1 s, the first word after 4 s; a filler word counts for that."""
    found = take(tmp_path / "plain", (3.0, "look_up", {}))
    assert values(found, "to_call_p50_s", "to_word_p50_s") == pytest.approx([1.0, 4.0], abs=0.02)
    filled = take(tmp_path / "filler", (3.0, "look_up", {}), filler=True)
    assert filled["to_word_p50_s"].value == pytest.approx(0.5, abs=0.02)
    early = take(tmp_path / "early", (1.5, "look_up", {}))
    assert early["to_call_p50_s"].value == pytest.approx(-0.5, abs=0.02)


def test_a_wait_of_a_second_is_filled_or_not(tmp_path: Path) -> None:
    """A call at 3 s that is answered at 5 s is a wait, one that is answered at 3.5 s is none."""
    slow, quick = (3.0, "look_up", {}, "", 5.0), (3.0, "look_up", {}, "", 3.5)
    assert take(tmp_path / "silent", slow)["filled_wait_rate"].value == 0
    assert take(tmp_path / "filled", slow, filler=True)["filled_wait_rate"].value == 1
    assert take(tmp_path / "quick", quick, filler=True)["filled_wait_rate"].value is None
