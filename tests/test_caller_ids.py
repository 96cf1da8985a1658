"""Numbers that a caller reads digit by digit, and those that it does not."""

from pathlib import Path

import numpy as np
import pytest

from agents.caller.ids import read_out
from agents.caller.manner import Manner, manner_of
from agents.caller.timing import HumanTiming
from agents.caller.wording import worded
from simulator.testing import play_session
from tests.callers import AGENT, CALL, CALLER


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("order number", "12345", "1, 2, 3, 4, 5"),
        ("order", "907", "9, 0, 7"),
        ("whatever", "54321", "5, 4, 3, 2, 1"),
        ("extension", "042", "0, 4, 2"),
        ("plate", "XK472", "X, K, 4, 7, 2"),
        ("booking number", "A 73 19", "A 73 19"),
        ("people", "120", "120"),
        ("budget", "$12345", "$12345"),
        ("budget", "12,345 euros", "12,345 euros"),
        ("price", "10.50", "10.50"),
        ("order time", "18:30", "18:30"),
        ("birthday", "the 23rd of May 1984", "the 23rd of May 1984"),
        ("card number", "4929 1234", "4, 9, 2, 9 1, 2, 3, 4"),
    ],
)
def test_ids_are_read_digit_by_digit(name: str, value: str, said: str) -> None:
    """By their length, a zero in front, letters beside them, or their fact's name; amounts and times are not."""
    assert read_out(f"It is {value}, please.", {name: value}) == f"It is {said}, please."


def test_other_numbers_of_the_words_stay() -> None:
    """Only what a fact says is known to be an id; part of a longer number is none."""
    assert (
        read_out("I paid 54321 for 12345, not 123456.", {"order": "12345"})
        == "I paid 54321 for 1, 2, 3, 4, 5, not 123456."
    )


def test_nobody_thinks_inside_a_number() -> None:
    """A pause comes at other commas and small words."""
    manner: Manner = manner_of("rambling")
    for seed in range(30):
        parts = worded(
            "The number, as it says here, is 1, 2, 3, 4, 5.", manner, HumanTiming(manner, np.random.default_rng(seed))
        )
        assert isinstance(parts, str) or str(parts[-1]).endswith("1, 2, 3, 4, 5.")


@pytest.mark.slow
def test_an_agent_understands_the_number(tmp_path: Path) -> None:
    """A whole call: asked for its order number, the caller says it so that the agent's tool finds it."""
    world = {"state": {}, "tools": [{"name": "find", "parameters": {"properties": {"order": {"type": "string"}}}}]}
    replies = [{"match": r"(?P<order>\d[\d ,-]{3,}\d)", "call": "find", "with": {"order": "{order}"},
                "say": "It is done. Goodbye."},
               {"match": "order", "say": "What is your order number, please?"}]  # fmt: skip
    user = {**CALLER, "goal": "Ask about my order.", "facts": {"order number": "12345"}, "llm": "rules"}
    session = play_session({**CALL, "user": user, "agent": {**AGENT, "replies": replies}, "world": world}, tmp_path)
    call = session.by_type["tool_call"][0]
    assert call.data["arguments"] == {"order": "12345"}
