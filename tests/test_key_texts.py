"""What keys mean is read from docstrings: for editors, and for `simulate list KIND`."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from agents.websocket.wording import ReceiveWords
from simulator.event_types.event_type import KINDS as EVENT_KINDS
from simulator.event_types.table import GROUPS, NAMED
from simulator.plugins import GROUPS as PLUGINS
from simulator.plugins import installed, load
from simulator.reading.key_texts import key_texts
from simulator.reading.key_types import keys_of
from simulator.schema import METRIC_EXPECTATION, scenario_schema
from simulator.scoring.scorer import all_definitions
from simulator.spec import Duration
from tests.command_line import simulate
from tests.reference_pages import MINDS


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


class Oven(msgspec.Struct):
    """Where it is baked."""

    heat: Annotated[float, msgspec.Meta(ge=50, le=300)]
    gain_db: float = -6
    wait: Duration = Duration(1.5)
    mode: Literal["fan", "grill"] = "fan"
    names: list[str] = []
    file: Path | None = None


KINDS = [
    (group, kind)
    for group in PLUGINS
    for kind, point in installed(group).items()
    if point.value.split(".")[0] in ("simulator", "agents", "channels", "metrics")
]


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
    """The same words in both; the list is a table of 100 columns with type, unit and default."""
    cascade = scenario_schema()["$defs"]["agents.cascade.CascadeSpec"]["properties"]
    assert cascade["opening"]["description"] == "what it says first, at opening_at"
    assert simulate("list", "actors", "cascade") == 0
    lines = capsys.readouterr().out.splitlines()
    (opening,) = (line for line in lines if line.startswith("  opening "))
    assert opening.split() == ["opening", "text", '""', *["what", "it", "says", "first,", "at", "opening_at"]]
    (endpoint,) = (line for line in lines if line.startswith("  endpoint "))
    assert endpoint.split()[:6] == ["endpoint", "time", "s,", "ms", "...", "600ms"]


def test_what_stands_inside_a_key_is_listed_below(capsys: pytest.CaptureFixture[str]) -> None:
    """Every mapping under the keys that hold it, with all of its own keys and texts; each once."""
    assert simulate("list", "actors", "websocket") == 0
    told = capsys.readouterr().out
    assert "\nup, down: {encoding, rate}\n" in told
    assert "\nsend: {json, chunk, mark, played ...}\nWhat is sent.\n" in told
    received = told.split("\nreceive: ")[1].split("\n\n")[0]
    assert [line.split()[0] for line in received.splitlines() if line[:2] == "  " and line[2] not in " -"] == [
        "key", *ReceiveWords.__struct_fields__,
    ]  # fmt: skip
    assert told.count(": {path, when}\n") == 1 and "such as `$.data`" in told


@pytest.mark.parametrize("group", PLUGINS)
def test_the_table_of_every_kind_fits(capsys: pytest.CaptureFixture[str], group: str) -> None:
    """At most 100 columns, every key begins a line of its own, and its text begins under the heading."""
    for kind in (kind for of, kind in KINDS if of == group):
        assert simulate("list", group, kind) == 0
        told = capsys.readouterr().out
        assert max(map(len, told.splitlines())) <= 100
        lines = told.split("\n\n")[0].splitlines()
        head = next((line for line in lines if line.startswith("  key ") and "what it is" in line), "")
        rows = {line.split()[0]: line for line in lines if line[:2] == "  " and line[2] not in " -" and line != head}
        for key in keys_of(load(group, kind)):
            assert rows[key.name][head.index("what it is") :].startswith(key.text.split()[0]), kind


def test_every_key_of_a_kind_has_a_text() -> None:
    """A key without one is a riddle in editors and lists: write `key: what it is.` into its class's docstring."""
    silent = [
        f"{group}.{kind}.{key.name}" for group, kind in KINDS for key in keys_of(load(group, kind)) if not key.text
    ]
    silent += [key.name for mind in MINDS for key in keys_of(mind) if not key.text]
    assert silent == []


def test_every_key_that_a_scenario_may_have_has_a_text() -> None:
    """In all of the schema, what stands inside of kinds included."""
    schema = scenario_schema()
    silent = {
        f"{name}.{key}"
        for name, form in [*schema["$defs"].items(), ("expectation", METRIC_EXPECTATION)]
        for key, told in form.get("properties", {}).items()
        if not told.get("description")
    }
    assert silent == set()


def test_every_metric_and_every_event_has_a_text() -> None:
    """A metric has a title and a card; an event says what it means and who tells it, a field its kind."""
    for name, card in all_definitions().items():
        assert card.title and len(card.card) > 80, name
    for group in GROUPS.values():
        for name, known in group.items():
            assert known.meaning and known.tellers, name
            assert all(field.kind in EVENT_KINDS for field in known.fields.values()), name
    for name, named in NAMED.items():
        assert named.meaning, name


@pytest.mark.parametrize(
    ("struct", "key", "told"),
    [
        (Oven, "heat", ("number 50 to 300", "", "needed")),
        (Oven, "gain_db", ("number", "dB", "-6")),
        (Oven, "wait", ("time", "s, ms ...", "1.5s")),
        (Oven, "mode", ("fan, grill", "", "fan")),
        (Oven, "names", ("list of text", "", "[]")),
        (Oven, "file", ("path", "", "none")),
    ],
)
def test_a_key_is_told_by_its_type_unit_and_default(struct: type, key: str, told: tuple[str, ...]) -> None:
    """As a scenario would write them."""
    (found,) = (one for one in keys_of(struct) if one.name == key)
    assert (found.type, found.unit, found.default) == told
