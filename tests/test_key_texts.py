"""What keys mean is read from docstrings: for editors, and for `simulate list KIND`."""

import msgspec
import pytest

from simulator.reading.key_texts import key_texts
from simulator.schema import scenario_schema
from tests.command_line import simulate


class Bread(msgspec.Struct):
    """Bread: what it is made of, with flour: as an example.

    flour: of wheat; salt: a pinch
    of it. water, milk: in ml (`water: 300`).

    Neither salt: nor water end here.
    """

    flour: str
    salt: float = 0
    water: float = 0
    milk: float = 0
    yeast: float = 0


class Toast(Bread):
    """Bread that is baked twice. salt: more of it."""

    minutes: float = 0


def test_a_key_is_told_where_a_sentence_may_begin() -> None:
    """Over the end of a line, several at once, never in the middle of a sentence; what is not told has no text."""
    assert key_texts(Bread) == {
        "flour": "of wheat",
        "salt": "a pinch of it",
        "water": "in ml (`water: 300`)",
        "milk": "in ml (`water: 300`)",
    }


def test_a_key_of_a_base_is_told_there_unless_its_heir_tells_it() -> None:
    """The nearest text counts."""
    assert key_texts(Toast)["salt"] == "more of it"
    assert key_texts(Toast)["milk"] == "in ml (`water: 300`)"


def test_editors_and_the_list_have_the_texts(capsys: pytest.CaptureFixture[str]) -> None:
    """The same words in both."""
    cascade = scenario_schema()["$defs"]["agents.cascade.CascadeSpec"]["properties"]
    assert cascade["opening"]["description"] == "what it says first, at opening_at"
    assert simulate("list", "actors", "cascade") == 0
    assert "default ''; what it says first, at opening_at\n" in capsys.readouterr().out
