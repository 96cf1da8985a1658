"""The world: templates, schemas, what a call does to the state, and what is refused before anything starts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ActorError, ScenarioError
from simulator.spec import decode
from simulator.testing.sessions import scenario_of
from simulator.world.arguments import misfit, schema_fault
from simulator.world.record import recorded
from simulator.world.spec import AnyWorld, WorldSpec
from simulator.world.template import UnfilledError, filled, places_of
from simulator.world.world import CallResult, World

ORDERS = {"orders": {"12345": {"status": "shipped", "items": ["lamp", "cable"]}}, "open": True}
ORDER = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
Opens = Callable[..., World]


def spec_of(folder: Path, *tools: dict[str, Any], state: Any = ORDERS, **keys: Any) -> WorldSpec:
    """A world of these tools, decoded and checked."""
    data = {"state": state, "tools": list(tools), **keys}
    spec: WorldSpec = decode(data, AnyWorld, source="test", folder=folder)
    spec.check("$.world")
    return spec


@pytest.fixture
def opened(tmp_path: Path) -> Opens:
    """Opens a world of tools."""
    return lambda *tools, **keys: spec_of(tmp_path, *tools, **keys).open()


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{order}", "12345"),
        ("{orders[order].status}", "shipped"),
        ("{orders[order].items[1]}", "cable"),
        ("{orders.12345.items}", ["lamp", "cable"]),
        ("It is {orders[order].status}, {{really}}.", "It is shipped, {really}."),
        ("open: {open}, all: {orders[order].items}", 'open: true, all: ["lamp","cable"]'),
        ({"status": "{orders[order].status}", "n": [1, "{order}"]}, {"status": "shipped", "n": [1, "12345"]}),
        ("", ""),
    ],
)
def test_a_template_is_filled_from_arguments_and_state(template: Any, expected: Any) -> None:
    """A place that stands alone keeps what is there; inside a text it is written."""
    assert filled(template, ORDERS, {"order": "12345"}) == expected


def test_an_argument_that_is_a_number_finds_a_key_that_is_a_text() -> None:
    """JSON's keys are texts, and models write 12345."""
    assert filled("{orders[order].status}", ORDERS, {"order": 12345}) == "shipped"


@pytest.mark.parametrize("template", ["{orders.__class__}", "{orders[order].status.upper}", "{open.real}"])
def test_a_template_reads_no_attribute(template: str) -> None:
    """A path goes through mappings and lists alone."""
    with pytest.raises(UnfilledError):
        filled(template, ORDERS, {"order": "12345"})


@pytest.mark.parametrize("template", ["{", "{a", "a}", "{a.}", "{a b}", "{a[}", "{a()}", "{}", "{a!r}", "{a:>9}"])
def test_what_is_no_template_is_refused(template: str) -> None:
    """Python's own formatting is none of ours."""
    with pytest.raises(ValueError, match=r"brace|no path"):
        places_of(template)


def test_a_call_changes_the_state_and_is_answered_by_what_it_became(opened: Opens) -> None:
    """`set` comes first, and its values are templates as well."""
    world = opened({"name": "move", "set": {"orders.{order}.status": "{to}"}, "answer": "{orders[order].status}",
                    "parameters": {"properties": {"order": {}, "to": {"default": "lost"}}}})  # fmt: skip
    assert world.call("agent", "move", {"order": "12345", "to": "packed"}) == CallResult(answer="packed")
    assert world.call("agent", "move", {"order": "12345"}).answer == "lost"
    assert world.state()["orders"]["12345"]["status"] == "lost"


def test_a_call_that_fails_changes_nothing(opened: Opens) -> None:
    """One of two effects leads nowhere."""
    world = opened({"name": "close", "parameters": ORDER, "set": {"open": False, "orders.{order}.status": "closed"}})
    result = world.call("agent", "close", {"order": "9"})
    assert (result.fault, result.answer) == ("refused", {"error": "there is no '9' in orders"})
    assert world.state() == ORDERS


@pytest.mark.parametrize(
    ("arguments", "fault", "told"),
    [
        ({}, "arguments", "'order' is a required property"),
        ({"order": 5}, "arguments", "order: 5 is not of type 'string'"),
        ("no json", "arguments", "the arguments are no JSON object"),
        ([], "arguments", "the arguments are no JSON object"),
        ({"order": "9"}, "refused", "there is no '9' in orders"),
    ],
)
def test_a_bad_call_is_answered_as_an_api_would(opened: Opens, arguments: Any, fault: str, told: str) -> None:
    """In one sentence, and with whose fault it is."""
    result = opened({"name": "look_up", "parameters": ORDER, "answer": "{orders[order].status}"}).call(
        "agent", "look_up", arguments
    )
    assert (result.fault, result.answer) == (fault, {"error": told})


def test_a_party_calls_its_own_tools(opened: Opens) -> None:
    """A tool is the agent's, unless it says whose it is."""
    world = opened({"name": "a"}, {"name": "u", "party": "user"}, {"name": "b", "party": "both"})
    assert [tool.name for tool in world.tools("user")] == ["u", "b"]
    assert world.call("user", "a", {}).answer == {"error": "there is no function 'a'; there are: u, b"}
    assert world.call("agent", "b", {}).answer == "ok"


def test_worlds_of_one_spec_do_not_meet(tmp_path: Path) -> None:
    """Every session begins with the state as it is written."""
    spec = spec_of(tmp_path, {"name": "close", "set": {"open": False}})
    first, second = spec.open(), spec.open()
    first.call("agent", "close", {})
    assert (first.state()["open"], second.state()["open"], spec.open().state()["open"]) == (False, True, True)


def test_a_state_lies_in_a_file(tmp_path: Path) -> None:
    """JSON or YAML, relative to the scenario; numbers that are keys become texts, as JSON has them."""
    (tmp_path / "s.json").write_text(json.dumps(ORDERS))
    (tmp_path / "s.yaml").write_text("orders: {12345: {status: shipped}}")
    assert spec_of(tmp_path, state="s.json").open().state() == ORDERS
    assert spec_of(tmp_path, state="s.yaml").open().state()["orders"]["12345"]["status"] == "shipped"


FUNCTIONS = """
def refund(state, order):
    if order not in state["orders"]:
        raise ValueError("no such order")
    state["orders"][order]["status"] = "refunded"
    return {"refunded": order}

def breaks(state):
    state["open"] = False
    return 1 / 0

def gives(state):
    return object()
"""


def test_a_function_answers_and_changes_the_state(tmp_path: Path) -> None:
    """A ValueError is what the tool refuses by, anything else is a fault of the function, and leaves the state."""
    (tmp_path / "shop_tools.py").write_text(FUNCTIONS)
    folder = str(tmp_path)
    names = [{"name": name, "call": f"shop_tools:{name}", "folder": folder} for name in ("refund", "breaks", "gives")]
    world = spec_of(tmp_path, {**names[0], "parameters": ORDER}, *names[1:]).open()
    assert world.call("agent", "refund", {"order": "9"}).answer == {"error": "no such order"}
    assert world.call("agent", "refund", {"order": "12345"}).answer == {"refunded": "12345"}
    for name, told in (("breaks", "division by zero"), ("gives", "what JSON cannot hold")):
        with pytest.raises(ActorError, match=told):
            world.call("agent", name, {})
    assert world.state() == {**ORDERS, "orders": {"12345": {**ORDERS["orders"]["12345"], "status": "refunded"}}}  # type: ignore[index]


@pytest.mark.parametrize(
    ("tool", "complaint"),
    [
        ({"name": "a b"}, "is none that a model may call"),
        ({"name": "a", "parameters": {"type": "objekt"}}, "type 'objekt' is none"),
        ({"name": "a", "parameters": {"propertees": {}}}, "'propertees' is no keyword"),
        ({"name": "a", "parameters": {"type": "array"}}, "arguments are an object, found 'array'"),
        ({"name": "a", "parameters": {"properties": {"x": {"pattern": "("}}}}, "is no regular expression"),
        ({"name": "a", "answer": "{orders[order].status}"}, "order is no parameter; there are none"),
        ({"name": "a", "answer": "{ordres}"}, "ordres is neither a parameter nor in the state; there are orders, open"),
        ({"name": "a", "answer": "{orders[order].statsu}", "parameters": ORDER}, "there is no 'statsu'"),
        ({"name": "a", "answer": {"x": ["{orders.9}"]}}, "there is no '9'"),
        ({"name": "a", "set": {"shops.1.open": True}}, "shops.1.open: there is no 'shops' in the state"),
        ({"name": "a", "set": {"shops.{order}.open": True}, "parameters": ORDER}, "there is no 'shops' in the state"),
        ({"name": "a", "set": {"open": "{orders.}"}}, "is no path"),
        ({"name": "a", "set": {"orders..x": 1}}, "is no path"),
        ({"name": "a", "call": "nowhere:f"}, "'nowhere' cannot be imported"),
        ({"name": "a", "call": "json"}, "expected package.module:function"),
        ({"name": "a", "error": "closed", "answer": "x"}, "a call comes to one of them"),
        ({"name": "a", "error": "closed", "set": {"open": 1}}, "only an answer goes with what a call sets"),
    ],
)
def test_a_tool_that_cannot_work_is_refused(tmp_path: Path, tool: dict[str, Any], complaint: str) -> None:
    """In one sentence, before anything starts."""
    with pytest.raises(ScenarioError, match=complaint):
        spec_of(tmp_path, tool)


@pytest.mark.parametrize(
    ("world", "complaint"),
    [
        ({"tools": [{"name": "a"}, {"name": "a"}]}, r"\$.world.tools\[1\]: there are two tools 'a'"),
        ({"state": "gone.json"}, r"\$.world.file: .*gone.json: cannot be read"),
        ({"state": "list.json"}, "holds a list; a state is a mapping"),
        ({"kind": "nature"}, "'nature' is not installed; choose one of"),
    ],
)
def test_a_world_that_cannot_work_is_refused(tmp_path: Path, world: dict[str, Any], complaint: str) -> None:
    """With its place in the scenario."""
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(ScenarioError, match=complaint):
        scenario_of({"user": "silent", "agent": "silent", "world": world}, tmp_path)


def test_what_changed_is_told_path_by_path() -> None:
    """What is new has no before, what is gone no after; lists of one length are held against each other."""
    before = {"a": {"b": 1, "gone": None}, "l": [1, 2], "same": [1], "n": 1}
    after = {"a": {"b": 2}, "l": [1, 3], "same": [1], "n": True, "new": {}}
    told = json.loads(msgspec.json.encode(recorded(before, after).diff))
    assert told == [
        {"path": "a.b", "before": 1, "after": 2},
        {"path": "a.gone", "before": None},
        {"path": "l.1", "before": 2, "after": 3},
        {"path": "n", "before": 1, "after": True},
        {"path": "new", "after": {}},
    ]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([0.5, 1.0])
    | st.sampled_from(["", "a", "ab", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2),
    max_leaves=4,
)
TYPES = ["object", "array", "string", "boolean", "null", "number", "integer"]
LEAVES = st.fixed_dictionaries({}, optional={
    "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True),
    "enum": st.lists(VALUES, min_size=1, max_size=3), "const": VALUES, "required": st.lists(st.sampled_from(["x", "y"]),
    unique=True), "minimum": st.integers(-2, 2), "maximum": st.integers(-2, 2), "exclusiveMinimum": st.integers(-2, 2),
    "exclusiveMaximum": st.integers(-2, 2), "multipleOf": st.sampled_from([1, 2, 0.5]), "minLength": st.integers(0, 2),
    "maxLength": st.integers(0, 2), "minItems": st.integers(0, 2), "maxItems": st.integers(0, 2),
    "pattern": st.sampled_from(["a", "^b", "b$"]), "uniqueItems": st.booleans(),
    "$ref": st.just("#/$defs/d"), "description": st.text(max_size=2),
})  # fmt: skip
SCHEMAS = st.recursive(
    st.booleans() | LEAVES,
    lambda inner: st.builds(
        lambda leaf, more: {**leaf, **more}, LEAVES,
        st.fixed_dictionaries({}, optional={
            "properties": st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2), "items": inner,
            "additionalProperties": inner, "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2), "not": inner,
            "allOf": st.lists(inner, min_size=1, max_size=2),
        }),
    ),
    max_leaves=4,
)  # fmt: skip


@given(schema=SCHEMAS, value=VALUES)
def test_arguments_fit_where_jsonschema_says_so(schema: Any, value: Any) -> None:
    """The package that the field validates with is the oracle."""
    root = {**schema, "$defs": {"d": {"type": ["string", "integer"]}}} if isinstance(schema, dict) else schema
    assert schema_fault(root) is None
    assert (misfit(value, root) is None) == jsonschema.Draft202012Validator(root).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"$ref": "#"}, "$ref '#' leads back to itself"),
        ({"anyOf": [{"$ref": "#"}]}, "$ref '#' at anyOf[0] leads back to itself"),
        ({"properties": {"x": {"$ref": "#/$defs/a"}},
          "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}, "leads back to itself"),
        ({"properties": True}, "properties is True; it is a mapping of schemas"),
        ({"properties": {"x": {"$defs": 3}}}, "$defs at properties.x is 3; it is a mapping"),
    ],
)  # fmt: skip
def test_a_schema_that_would_never_come_to_an_end_is_none(schema: Any, fault: str) -> None:
    """Also round several corners; one that refers to itself for an inner value is fine, as trees are."""
    assert fault in str(schema_fault(schema))
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"anyOf": [{"$ref": "#"}, {}]}}}
    assert schema_fault(tree) is None
    assert misfit({"left": {"left": {}}}, tree) is None and misfit({"left": 3}, tree) is not None
